"""Tables in CloudFormation's words and in the DynamoDB API's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.providers.native.reading import without_empty

PROVISIONED = "PROVISIONED"


def table_properties(table: Mapping[str, Any]) -> dict[str, Any]:
    """What describe_table shows."""
    mode = table.get("BillingModeSummary", {}).get("BillingMode") or PROVISIONED
    stream = table.get("StreamSpecification") or {}
    on_demand = table.get("OnDemandThroughput")
    return without_empty(
        {
            "TableName": table["TableName"],
            "Arn": table["TableArn"],
            "StreamArn": table.get("LatestStreamArn"),
            "KeySchema": _plain(table.get("KeySchema")),
            "AttributeDefinitions": sorted(_plain(table.get("AttributeDefinitions")), key=_attribute_name),
            "BillingMode": mode,
            "ProvisionedThroughput": _capacity(table) if mode == PROVISIONED else None,
            "OnDemandThroughput": dict(on_demand) if on_demand else None,
            "WarmThroughput": _warmth(table),
            "GlobalSecondaryIndexes": [_index(item, mode) for item in table.get("GlobalSecondaryIndexes") or ()],
            "LocalSecondaryIndexes": [_index(item, "") for item in table.get("LocalSecondaryIndexes") or ()],
            "StreamSpecification": {"StreamViewType": stream["StreamViewType"]}
            if stream.get("StreamEnabled")
            else None,
            "SSESpecification": _encryption(table.get("SSEDescription") or {}),
            "DeletionProtectionEnabled": table.get("DeletionProtectionEnabled"),
            "TableClass": (table.get("TableClassSummary") or {}).get("TableClass") or "STANDARD",
        }
    )


def expiry_property(description: Mapping[str, Any]) -> dict[str, Any]:
    """TimeToLiveSpecification, from describe_time_to_live."""
    enabled = description.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return without_empty({"Enabled": enabled, "AttributeName": description.get("AttributeName")})


def recovery_property(description: Mapping[str, Any]) -> dict[str, Any]:
    """PointInTimeRecoverySpecification, from describe_continuous_backups."""
    recovery = description.get("PointInTimeRecoveryDescription") or {}
    enabled = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    period = recovery.get("RecoveryPeriodInDays") if enabled else None
    return without_empty({"PointInTimeRecoveryEnabled": enabled, "RecoveryPeriodInDays": period})


def create_parameters(desired: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of create_table, name and tags excepted."""
    direct = ("AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "KeySchema", "TableClass")
    parameters = {key: desired.get(key) for key in (*direct, "LocalSecondaryIndexes")}
    parameters["ProvisionedThroughput"] = throughput(desired.get("ProvisionedThroughput"))
    parameters["OnDemandThroughput"] = throughput(desired.get("OnDemandThroughput"))
    parameters["WarmThroughput"] = throughput(desired.get("WarmThroughput"))
    parameters["GlobalSecondaryIndexes"] = [
        index_parameters(index) for index in desired.get("GlobalSecondaryIndexes") or ()
    ]
    if desired.get("StreamSpecification"):
        parameters["StreamSpecification"] = stream_parameters(desired["StreamSpecification"])
    if desired.get("SSESpecification"):
        parameters["SSESpecification"] = encryption_parameters(desired["SSESpecification"])
    return without_empty(parameters)


def stream_parameters(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """A StreamSpecification for the API; None switches streams off."""
    return {"StreamEnabled": True, "StreamViewType": value["StreamViewType"]} if value else {"StreamEnabled": False}


def encryption_parameters(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """An SSESpecification for the API; None means AWS's own key."""
    if not value or not value.get("SSEEnabled"):
        return {"Enabled": False}
    extra = {"SSEType": value.get("SSEType"), "KMSMasterKeyId": value.get("KMSMasterKeyId")}
    return {"Enabled": True, **without_empty(extra)}


def index_parameters(index: Mapping[str, Any]) -> dict[str, Any]:
    """A global index for create_table or update_table."""
    capacities = ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
    changed = {name: throughput(index[name]) for name in capacities if name in index}
    return {**index, **changed}


def throughput(value: Mapping[str, Any] | None) -> dict[str, int] | None:
    """Capacity, whose numbers templates may write as strings."""
    return {key: int(number) for key, number in value.items()} if value else None


def by_name(indexes: Iterable[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    """Indexes by their names."""
    return {str(index["IndexName"]): index for index in indexes or ()}


def _index(index: Mapping[str, Any], mode: str) -> dict[str, Any]:
    projection = index.get("Projection") or {}
    on_demand = index.get("OnDemandThroughput")
    return without_empty(
        {
            "IndexName": index["IndexName"],
            "KeySchema": _plain(index.get("KeySchema")),
            "Projection": without_empty(dict(projection)),
            "ProvisionedThroughput": _capacity(index) if mode == PROVISIONED else None,
            "OnDemandThroughput": dict(on_demand) if on_demand else None,
            "WarmThroughput": _warmth(index),
        }
    )


def _capacity(owner: Mapping[str, Any]) -> dict[str, int] | None:
    capacity = owner.get("ProvisionedThroughput") or {}
    found = {key: int(capacity[key]) for key in ("ReadCapacityUnits", "WriteCapacityUnits") if capacity.get(key)}
    return found or None


def _warmth(owner: Mapping[str, Any]) -> dict[str, int] | None:
    warm = owner.get("WarmThroughput") or {}
    return {key: int(warm[key]) for key in ("ReadUnitsPerSecond", "WriteUnitsPerSecond") if warm.get(key)} or None


def _encryption(description: Mapping[str, Any]) -> dict[str, Any]:
    if description.get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
        return {"SSEEnabled": False}
    key, kind = description.get("KMSMasterKeyArn"), description.get("SSEType")
    return without_empty({"SSEEnabled": True, "SSEType": kind, "KMSMasterKeyId": key})


def _plain(items: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [dict(item) for item in items or ()]


def _attribute_name(definition: Mapping[str, Any]) -> str:
    return str(definition["AttributeName"])
