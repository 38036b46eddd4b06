"""A change of a table as calls, one after the other: DynamoDB takes one at a time and each takes a while. Pure.

The calls left to make travel in the handle of the pending operation, so that a restart goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.providers.native.dynamodb_settings import Call, settings_of
from reconciler.providers.native.dynamodb_shapes import (
    PROVISIONED,
    by_name,
    encryption_parameters,
    index_parameters,
    stream_parameters,
    throughput,
)
from reconciler.providers.native.frame import Change

_WARM = "WarmThroughput"
_CAPACITY = frozenset({"BillingMode", "ProvisionedThroughput"})


def calls_of(change: Change) -> list[Call]:
    """Everything to be done, in order; capacity before indexes, because new ones need it."""
    before = by_name(change.before.get("GlobalSecondaryIndexes"))
    after = by_name(change.value("GlobalSecondaryIndexes"))
    indexes = "GlobalSecondaryIndexes" in change.names
    calls = list(_protection(change))
    calls += [_dropped(name) for name in _obsolete(before, after)] if indexes else []
    calls += _capacity(change, before, after)
    calls += _warmth(change, before, after if indexes else {})
    calls += [_added(after[name], change) for name in _fresh(before, after)] if indexes else []
    calls += _rest(change)
    return [*calls, *settings_of(change)]


def _protection(change: Change) -> Iterator[Call]:
    if "DeletionProtectionEnabled" in change.names:
        value = bool(change.value("DeletionProtectionEnabled", False))
        yield "update_table", {"DeletionProtectionEnabled": value}


def _capacity(
    change: Change, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Call]:
    mode = change.value("BillingMode") or (PROVISIONED if "BillingMode" in change.names else _mode(change))
    parameters: dict[str, Any] = {}
    if "BillingMode" in change.names:
        parameters["BillingMode"] = mode
    if mode == PROVISIONED and change.names & _CAPACITY and change.value("ProvisionedThroughput"):
        wanted = throughput(change.after["ProvisionedThroughput"])
        # the same again is refused, unless the mode changes with it
        if _mode(change) != PROVISIONED or wanted != throughput(change.before.get("ProvisionedThroughput")):
            parameters["ProvisionedThroughput"] = wanted
    if "OnDemandThroughput" in change.names:
        unlimited = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}
        parameters["OnDemandThroughput"] = throughput(change.value("OnDemandThroughput")) or unlimited
    updates = [
        {"Update": {"IndexName": name, "ProvisionedThroughput": throughput(index["ProvisionedThroughput"])}}
        for name, index in after.items()
        if mode == PROVISIONED and name in before and name not in _obsolete(before, after)
        if index.get("ProvisionedThroughput") not in (None, before[name].get("ProvisionedThroughput"))
    ]
    if updates:
        parameters["GlobalSecondaryIndexUpdates"] = updates
    if parameters:
        yield "update_table", parameters


def _warmth(
    change: Change, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Call]:
    """What the table and its indexes are to be ready for. AWS refuses what isn't more, and never makes it less."""
    parameters: dict[str, Any] = {}
    wanted = change.value(_WARM) if _WARM in change.names else None
    if more := _more(change.before.get(_WARM), wanted):
        parameters[_WARM] = more
    updates = [
        {"Update": {"IndexName": name, _WARM: more}}
        for name, index in after.items()
        if name in before and name not in _obsolete(before, after)
        if (more := _more(before[name].get(_WARM), index.get(_WARM)))
    ]
    if updates:
        parameters["GlobalSecondaryIndexUpdates"] = updates
    if parameters:
        yield "update_table", parameters


def _more(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, int]:
    there, wanted = throughput(before) or {}, throughput(after) or {}
    return {key: number for key, number in wanted.items() if number > there.get(key, 0)}


def _mode(change: Change) -> str:
    return str(change.before.get("BillingMode") or PROVISIONED)


def _obsolete(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Indexes to drop: gone, or of another shape, which can't be changed."""
    return sorted(name for name, index in before.items() if name not in after or _shape(after[name]) != _shape(index))


def _fresh(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted(name for name, index in after.items() if name not in before or _shape(before[name]) != _shape(index))


def _shape(index: Mapping[str, Any]) -> tuple[Any, ...]:
    projection = index.get("Projection") or {}
    keys = [(key["AttributeName"], key["KeyType"]) for key in index.get("KeySchema") or ()]
    return keys, projection.get("ProjectionType"), sorted(projection.get("NonKeyAttributes") or ())


def _dropped(name: str) -> Call:
    return "update_table", {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}


def _added(index: Mapping[str, Any], change: Change) -> Call:
    attributes = change.after.get("AttributeDefinitions") or change.before.get("AttributeDefinitions") or []
    return (
        "update_table",
        {
            "AttributeDefinitions": list(attributes),
            "GlobalSecondaryIndexUpdates": [{"Create": index_parameters(index)}],
        },
    )


def _rest(change: Change) -> Iterator[Call]:
    if "TableClass" in change.names:
        yield "update_table", {"TableClass": change.value("TableClass", "STANDARD")}
    if "SSESpecification" in change.names:
        yield "update_table", {"SSESpecification": encryption_parameters(change.value("SSESpecification"))}
    if "StreamSpecification" in change.names:
        after = change.value("StreamSpecification")
        if change.before.get("StreamSpecification"):  # another view needs another stream
            yield "update_table", {"StreamSpecification": stream_parameters(None)}
        if after:
            yield "update_table", {"StreamSpecification": stream_parameters(after)}
