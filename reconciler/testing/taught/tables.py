"""DynamoDB: a table's changes go to a stream of Kinesis, and what is asked of it most is told."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler

from reconciler.testing.taught import give

_PRECISION = "ApproximateCreationDateTimePrecision"


def teach() -> None:
    """Teach moto."""
    give(
        DynamoHandler,
        enable_kinesis_streaming_destination,
        update_kinesis_streaming_destination,
        disable_kinesis_streaming_destination,
        describe_kinesis_streaming_destination,
        update_contributor_insights,
        describe_contributor_insights,
    )


def _table(self: Any) -> Any:
    return self.dynamodb_backend.get_table(self.body["TableName"])


def _streams(self: Any) -> dict[str, Any]:
    table = _table(self)
    table.kinesis_streams = getattr(table, "kinesis_streams", {})
    found: dict[str, Any] = table.kinesis_streams
    return found


def enable_kinesis_streaming_destination(self: Any) -> Any:
    """EnableKinesisStreamingDestination."""
    arn, given = self.body["StreamArn"], self.body.get("EnableKinesisStreamingConfiguration") or {}
    _streams(self)[arn] = {"StreamArn": arn, "DestinationStatus": "ACTIVE", _PRECISION: "MILLISECOND", **given}
    return ActionResult({"TableName": self.body["TableName"]})


def update_kinesis_streaming_destination(self: Any) -> Any:
    """UpdateKinesisStreamingDestination."""
    _streams(self)[self.body["StreamArn"]] |= self.body["UpdateKinesisStreamingConfiguration"]
    return ActionResult({"TableName": self.body["TableName"]})


def disable_kinesis_streaming_destination(self: Any) -> Any:
    """DisableKinesisStreamingDestination."""
    _streams(self)[self.body["StreamArn"]]["DestinationStatus"] = "DISABLED"
    return ActionResult({"TableName": self.body["TableName"]})


def describe_kinesis_streaming_destination(self: Any) -> Any:
    """DescribeKinesisStreamingDestination."""
    return ActionResult({"KinesisDataStreamDestinations": list(_streams(self).values())})


def update_contributor_insights(self: Any) -> Any:
    """UpdateContributorInsights."""
    enabled = self.body["ContributorInsightsAction"] == "ENABLE"
    _table(self).insights = {
        "ContributorInsightsStatus": "ENABLED" if enabled else "DISABLED",
        "ContributorInsightsMode": self.body.get("ContributorInsightsMode", "ACCESSED_AND_THROTTLED_KEYS"),
    }
    return ActionResult(_table(self).insights)


def describe_contributor_insights(self: Any) -> Any:
    """DescribeContributorInsights."""
    return ActionResult(getattr(_table(self), "insights", {"ContributorInsightsStatus": "DISABLED"}))
