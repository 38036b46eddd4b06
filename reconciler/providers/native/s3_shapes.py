"""Bucket settings in CloudFormation's words and in the S3 API's, both ways. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.providers.native.reading import without_empty

#: CloudFormation's names to the API's, where they differ, wherever they occur within a setting.
_ENCRYPTION = {
    "ServerSideEncryptionConfiguration": "Rules",
    "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
}
_CORS = {"CorsRules": "CORSRules", "ExposedHeaders": "ExposeHeaders", "Id": "ID", "MaxAge": "MaxAgeSeconds"}
_ROUTING = {"RoutingRuleCondition": "Condition", "RedirectRule": "Redirect"}
_LOGGING = {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}


def encryption_to_api(value: Mapping[str, Any]) -> Any:
    """For put_bucket_encryption."""
    return _renamed(value, _ENCRYPTION)


def encryption_of_api(value: Mapping[str, Any]) -> Any:
    """From get_bucket_encryption."""
    return _renamed(value, _inverse(_ENCRYPTION))


def cors_to_api(value: Mapping[str, Any]) -> Any:
    """For put_bucket_cors."""
    return _renamed(value, _CORS)


def cors_of_api(value: Mapping[str, Any]) -> Any:
    """From get_bucket_cors."""
    return _renamed({"CORSRules": value["CORSRules"]}, _inverse(_CORS))


def logging_to_api(value: Mapping[str, Any], bucket: str) -> Any:
    """For put_bucket_logging; a bucket that names no destination logs into itself."""
    named = _renamed(value, _LOGGING)
    return {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "", **named}}


def logging_of_api(value: Mapping[str, Any]) -> Any:
    """From get_bucket_logging."""
    found = {key: item for key, item in value.items() if key != "TargetGrants"}
    return _renamed(without_empty(found), _inverse(_LOGGING))


def website_to_api(value: Mapping[str, Any]) -> Any:
    """For put_bucket_website."""
    result = {key: _renamed(item, _ROUTING) for key, item in value.items()}
    if "IndexDocument" in result:
        result["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "ErrorDocument" in result:
        result["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    return result


def website_of_api(value: Mapping[str, Any]) -> Any:
    """From get_bucket_website."""
    return without_empty(
        {
            "IndexDocument": value.get("IndexDocument", {}).get("Suffix"),
            "ErrorDocument": value.get("ErrorDocument", {}).get("Key"),
            "RedirectAllRequestsTo": value.get("RedirectAllRequestsTo"),
            "RoutingRules": _renamed(value.get("RoutingRules"), _inverse(_ROUTING)),
        }
    )


def lifecycle_to_api(value: Mapping[str, Any]) -> Any:
    """The rules for put_bucket_lifecycle_configuration."""
    return {"Rules": [_rule_to_api(rule) for rule in value.get("Rules", ())]}


def lifecycle_of_api(value: Mapping[str, Any]) -> Any:
    """From get_bucket_lifecycle_configuration."""
    size = value.get("TransitionDefaultMinimumObjectSize")
    return without_empty(
        {"Rules": [_rule_of_api(rule) for rule in value.get("Rules", ())], "TransitionDefaultMinimumObjectSize": size}
    )


def _rule_to_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    old = rule.get("NoncurrentVersionExpirationInDays")
    transitions = [*rule.get("Transitions", ()), *([rule["Transition"]] if "Transition" in rule else ())]
    noncurrent = list(rule.get("NoncurrentVersionTransitions", ()))
    noncurrent += [rule["NoncurrentVersionTransition"]] if "NoncurrentVersionTransition" in rule else []
    result = {
        "ID": rule.get("Id"),
        "Status": rule["Status"],
        "Expiration": without_empty(
            {
                "Days": _number(rule.get("ExpirationInDays")),
                "Date": rule.get("ExpirationDate"),
                "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
            }
        ),
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration")
        or ({"NoncurrentDays": int(old)} if old else None),
        "Transitions": [_renamed(item, {"TransitionInDays": "Days", "TransitionDate": "Date"}) for item in transitions],
        "NoncurrentVersionTransitions": [_renamed(item, {"TransitionInDays": "NoncurrentDays"}) for item in noncurrent],
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }
    return {**without_empty(result), "Filter": _filter_to_api(rule)}


def _filter_to_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    tags = list(rule.get("TagFilters", ()))
    one_by_one = {
        "Prefix": rule.get("Prefix"),
        "ObjectSizeGreaterThan": _number(rule.get("ObjectSizeGreaterThan")),
        "ObjectSizeLessThan": _number(rule.get("ObjectSizeLessThan")),
    }
    parts: dict[str, Any] = {key: value for key, value in one_by_one.items() if value is not None}
    if not parts and not tags:
        return {"Prefix": ""}
    if len(parts) + len(tags) > 1:
        return {"And": {**parts, **({"Tags": tags} if tags else {})}}
    return parts or {"Tag": tags[0]}


def _rule_of_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    chosen = rule.get("Filter") or {}
    both = chosen.get("And") or chosen
    tags = both.get("Tags") or ([chosen["Tag"]] if chosen.get("Tag") else [])
    expiration = rule.get("Expiration") or {}
    return without_empty(
        {
            "Id": rule.get("ID"),
            "Status": rule.get("Status"),
            "Prefix": both.get("Prefix") or rule.get("Prefix"),
            "TagFilters": [dict(tag) for tag in tags],
            "ObjectSizeGreaterThan": _text(both.get("ObjectSizeGreaterThan")),
            "ObjectSizeLessThan": _text(both.get("ObjectSizeLessThan")),
            "ExpirationInDays": expiration.get("Days"),
            "ExpirationDate": _date(expiration.get("Date")),
            "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
            "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
            "Transitions": [_transition(item) for item in rule.get("Transitions", ())],
            "NoncurrentVersionTransitions": [
                _renamed(item, {"NoncurrentDays": "TransitionInDays"})
                for item in rule.get("NoncurrentVersionTransitions", ())
            ],
            "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        }
    )


def _transition(item: Mapping[str, Any]) -> dict[str, Any]:
    return without_empty(
        {
            "StorageClass": item.get("StorageClass"),
            "TransitionInDays": item.get("Days"),
            "TransitionDate": _date(item.get("Date")),
        }
    )


def canned_acl(name: str) -> str:
    """``LogDeliveryWrite`` as the API writes it: ``log-delivery-write``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {there: here for here, there in names.items()}


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _date(value: Any) -> str | None:
    """Dates as templates write them: ISO 8601, UTC."""
    if not isinstance(value, datetime):
        return None if value is None else str(value)
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
