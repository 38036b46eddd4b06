"""A bucket's notifications and replication in CloudFormation's words and in the S3 API's, both ways. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model.ids import TypeName
from reconciler.providers.declared.shaping import input_shape, parameters, value_at
from reconciler.providers.native.reading import without_empty
from reconciler.providers.native.shapes import boolean
from reconciler.schema import schema_for

#: CloudFormation's lists of receivers: the API's, and how either calls the receiver.
_RECEIVERS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}
_BRIDGE = "EventBridgeConfiguration"
_REPLICATION = "ReplicationConfiguration"
_RENAMES = {"Rules/Filter/And/TagFilters": "Tags", "Rules/Filter/TagFilter": "Tag", "Rules/Id": "ID"}


def notification_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    """For put_bucket_notification_configuration; nothing in it switches notifications off."""
    found: dict[str, Any] = {}
    for name, (called, receiver, arn) in _RECEIVERS.items():
        found[called] = [
            {arn: one[receiver], "Events": [one["Event"]], **_filter_to_api(one.get("Filter"))}
            for one in value.get(name) or ()
        ]
    bridge = value.get(_BRIDGE)
    on = bridge is not None and boolean(bridge.get("EventBridgeEnabled", True))
    return without_empty(found) | ({_BRIDGE: {}} if on else {})


def notification_of_api(value: Mapping[str, Any]) -> dict[str, Any]:
    """From get_bucket_notification_configuration, which may have several events in one entry."""
    found: dict[str, Any] = {}
    for name, (called, receiver, arn) in _RECEIVERS.items():
        found[name] = [
            without_empty({"Event": event, receiver: one[arn], "Filter": _filter_of_api(one.get("Filter"))})
            for one in value.get(called) or ()
            for event in one["Events"]
        ]
    found = without_empty(found)
    if found or _BRIDGE in value:
        found[_BRIDGE] = {"EventBridgeEnabled": _BRIDGE in value}
    return found


def _filter_to_api(value: Mapping[str, Any] | None) -> dict[str, Any]:
    rules: Iterable[Mapping[str, Any]] = ((value or {}).get("S3Key") or {}).get("Rules") or ()
    found = [{"Name": str(rule["Name"]).lower(), "Value": rule["Value"]} for rule in rules]
    return {"Filter": {"Key": {"FilterRules": found}}} if found else {}


def _filter_of_api(value: Mapping[str, Any] | None) -> dict[str, Any]:
    rules: Iterable[Mapping[str, Any]] = ((value or {}).get("Key") or {}).get("FilterRules") or ()
    return without_empty({"S3Key": without_empty({"Rules": [dict(rule) for rule in rules]})})


def replication_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    """For put_bucket_replication."""
    shape: Any = input_shape("s3", "put_bucket_replication").members[_REPLICATION]
    return parameters(shape, value, _RENAMES)


def replication_of_api(value: Mapping[str, Any]) -> Any:
    """From get_bucket_replication."""
    schema = schema_for(TypeName("AWS::S3::Bucket"))
    assert schema is not None
    return value_at(schema, _REPLICATION, value, {f"{_REPLICATION}/{path}": name for path, name in _RENAMES.items()})
