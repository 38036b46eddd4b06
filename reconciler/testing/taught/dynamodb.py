"""DynamoDB: streams that are enabled again or go to Kinesis, and what is asked of a table most."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered

_set = Table.set_stream_specification
_PRECISION = "ApproximateCreationDateTimePrecision"


def set_stream_specification(self: Any, streams: dict[str, Any] | None) -> None:
    """What CreateTable and UpdateTable say of a table's stream."""
    _set(self, streams)
    if not self.stream_specification["StreamEnabled"]:
        self.latest_stream_label = None


def _table(self: Any) -> Any:
    return self.dynamodb_backend.get_table(self.body["TableName"])


def _streams(self: Any) -> dict[str, Any]:
    return remembered(_table(self), "streams")


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


LESSONS = (
    Lesson(
        call="dynamodb:UpdateTable",
        aws="enables a stream again that was disabled",
        moto="takes the last one's label for a stream in force",
        given=(changes(Table, set_stream_specification),),
    ),
    Lesson(
        call="dynamodb:DescribeKinesisStreamingDestination",
        aws="shows the streams of Kinesis that a table's changes go to",
        moto="has none of the four operations",
        given=(
            adds(
                DynamoHandler,
                enable_kinesis_streaming_destination,
                update_kinesis_streaming_destination,
                disable_kinesis_streaming_destination,
                describe_kinesis_streaming_destination,
            ),
        ),
    ),
    Lesson(
        call="dynamodb:DescribeContributorInsights",
        aws="shows whether it is told what is asked of a table most",
        moto="has neither of the two operations",
        given=(adds(DynamoHandler, update_contributor_insights, describe_contributor_insights),),
    ),
)
