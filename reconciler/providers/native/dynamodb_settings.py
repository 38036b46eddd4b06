"""Settings of a table with calls of their own, on an active table only: how each is read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.ports import Scope
from reconciler.providers.native.dynamodb_shapes import expiry_property, recovery_property
from reconciler.providers.native.frame import Change
from reconciler.providers.native.reading import absent_as, document_in, without_empty
from reconciler.providers.native.shapes import boolean, policy_text

#: an operation and its parameters, the table's name or ARN excepted
Call = tuple[str, dict[str, Any]]

_EXPIRY, _RECOVERY = "TimeToLiveSpecification", "PointInTimeRecoverySpecification"
_INSIGHTS, _STREAM, _POLICY = "ContributorInsightsSpecification", "KinesisStreamSpecification", "ResourcePolicy"
_PRECISION = "ApproximateCreationDateTimePrecision"
_STREAMING = frozenset({"ACTIVE", "ENABLING", "UPDATING"})
#: operations that take the table's ARN
BY_ARN = frozenset({"delete_resource_policy", "put_resource_policy"})


def read_setting(scope: Scope, table: str, arn: str, name: str) -> Any:
    """A setting in CloudFormation's shape; nothing where it isn't set. Raises AwsFault."""
    return _READS[name](scope, table, arn)


def settings_of(change: Change) -> Iterator[Call]:
    """A change of settings as calls, one after the other."""
    for name, write in _WRITES.items():
        if name in change.names:
            yield from write(change)


def _read_expiry(scope: Scope, table: str, arn: str) -> Any:  # noqa: ARG001 - a row of the table below
    return expiry_property(scope.call("dynamodb", "describe_time_to_live", TableName=table)["TimeToLiveDescription"])


def _read_recovery(scope: Scope, table: str, arn: str) -> Any:  # noqa: ARG001
    answer = scope.call("dynamodb", "describe_continuous_backups", TableName=table)
    return recovery_property(answer["ContinuousBackupsDescription"])


def _read_insights(scope: Scope, table: str, arn: str) -> Any:  # noqa: ARG001
    answer = scope.call("dynamodb", "describe_contributor_insights", TableName=table)
    enabled = answer.get("ContributorInsightsStatus") in ("ENABLED", "ENABLING")
    return without_empty({"Enabled": enabled, "Mode": answer.get("ContributorInsightsMode") if enabled else None})


def _read_stream(scope: Scope, table: str, arn: str) -> Any:  # noqa: ARG001
    answer = scope.call("dynamodb", "describe_kinesis_streaming_destination", TableName=table)
    streams = [
        one for one in answer.get("KinesisDataStreamDestinations") or () if one["DestinationStatus"] in _STREAMING
    ]
    return {name: streams[0][name] for name in ("StreamArn", _PRECISION) if streams[0].get(name)} if streams else None


def _read_policy(scope: Scope, table: str, arn: str) -> Any:  # noqa: ARG001
    text = absent_as(
        ("PolicyNotFoundException",),
        "",
        lambda: str(scope.call("dynamodb", "get_resource_policy", ResourceArn=arn).get("Policy") or ""),
    )
    return {"PolicyDocument": document_in(text)} if text else None


def _expiry(change: Change) -> Iterator[Call]:
    before = change.before.get(_EXPIRY) or {}
    after = change.value(_EXPIRY, {"Enabled": False})
    attribute = str(after.get("AttributeName") or before.get("AttributeName"))
    if before.get("Enabled") and (not after["Enabled"] or before["AttributeName"] != attribute):
        yield _expire(before["AttributeName"], enabled=False)
    if after["Enabled"]:
        yield _expire(attribute, enabled=True)


def _expire(attribute: str, *, enabled: bool) -> Call:
    return "update_time_to_live", {_EXPIRY: {"AttributeName": attribute, "Enabled": enabled}}


def _recovery(change: Change) -> Iterator[Call]:
    yield "update_continuous_backups", {_RECOVERY: dict(change.value(_RECOVERY, {"PointInTimeRecoveryEnabled": False}))}


def _insights(change: Change) -> Iterator[Call]:
    before, after = change.before.get(_INSIGHTS) or {}, change.value(_INSIGHTS, {"Enabled": False})
    if boolean(after["Enabled"]):
        mode = {"ContributorInsightsMode": after["Mode"]} if after.get("Mode") else {}
        yield "update_contributor_insights", {"ContributorInsightsAction": "ENABLE", **mode}
    elif before.get("Enabled"):
        yield "update_contributor_insights", {"ContributorInsightsAction": "DISABLE"}


def _stream(change: Change) -> Iterator[Call]:
    before, after = change.before.get(_STREAM) or {}, change.value(_STREAM, {})
    old, new = before.get("StreamArn"), after.get("StreamArn")
    precision = {_PRECISION: after[_PRECISION]} if after.get(_PRECISION) else {}
    if old is not None and old != new:
        yield "disable_kinesis_streaming_destination", {"StreamArn": old}
    if new is not None and old != new:
        configuration = {"EnableKinesisStreamingConfiguration": precision} if precision else {}
        yield "enable_kinesis_streaming_destination", {"StreamArn": new, **configuration}
    elif new is not None:
        wanted = precision or {_PRECISION: "MILLISECOND"}
        yield (
            "update_kinesis_streaming_destination",
            {"StreamArn": new, "UpdateKinesisStreamingConfiguration": wanted},
        )


def _policy(change: Change) -> Iterator[Call]:
    after: Mapping[str, Any] | None = change.value(_POLICY)
    if after is not None:
        yield "put_resource_policy", {"Policy": policy_text(after["PolicyDocument"])}
    elif change.before.get(_POLICY):
        yield "delete_resource_policy", {}


_READS: Mapping[str, Callable[[Scope, str, str], Any]] = {
    _EXPIRY: _read_expiry,
    _INSIGHTS: _read_insights,
    _POLICY: _read_policy,
    _RECOVERY: _read_recovery,
    _STREAM: _read_stream,
}
_WRITES: Mapping[str, Callable[[Change], Iterator[Call]]] = {
    _EXPIRY: _expiry,
    _RECOVERY: _recovery,
    _INSIGHTS: _insights,
    _STREAM: _stream,
    _POLICY: _policy,
}
SETTINGS = frozenset(_READS)
