"""Settings of which a bucket has several, each with an id: analytics, inventories, metrics, archiving by access."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.ports import Scope
from reconciler.providers.native.reading import sweep, without_empty
from reconciler.providers.native.shapes import boolean

_TOKEN = ("NextContinuationToken", "ContinuationToken")
#: AWS takes at most a thousand of each and shows a hundred at a time.
_PAGES = 10


@dataclass(frozen=True, slots=True)
class ListedSetting:
    """One property of a bucket: a list whose items are written and removed one by one.

    ``read``, ``put`` and ``remove``: the calls. ``noun``: what an item is called in them. ``to_api`` and ``of_api``: an
    item in the API's words, and back.
    """

    name: str
    read: str
    put: str
    remove: str
    noun: str
    to_api: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    of_api: Callable[[Mapping[str, Any]], dict[str, Any]]

    def observe(self, scope: Scope, bucket: str) -> Any:
        """The items in CloudFormation's shape; None if there are none. Raises AwsFault."""
        pages = sweep(scope, "s3", self.read, key=f"{self.noun}List", token=_TOKEN, most=_PAGES, Bucket=bucket)
        return [self.of_api(item) for page in pages for item in page] or None

    def apply(self, scope: Scope, bucket: str, value: Any) -> None:
        """Write each item of the value that isn't there as it is to be, then remove those that aren't in it."""
        wanted = {str(item["Id"]): self.to_api(item) for item in value or ()}
        there = {item["Id"]: self.to_api(item) for item in self.observe(scope, bucket) or ()}
        for name in (name for name, item in wanted.items() if there.get(name) != item):
            given = {"Bucket": bucket, "Id": name, self.noun: wanted[name]}
            scope.call("s3", self.put, **given)
        for name in there.keys() - wanted.keys():
            scope.call("s3", self.remove, Bucket=bucket, Id=name)


def _filter_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    """``Filter`` from the conditions beside an id: one of them alone, several together."""
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in value.get("TagFilters") or ()]
    parts = without_empty({name: value.get(name) for name in ("Prefix", "AccessPointArn")})
    if len(parts) + len(tags) > 1:
        return {"Filter": {"And": {**parts, **({"Tags": tags} if tags else {})}}}
    return {"Filter": parts or {"Tag": tags[0]}} if parts or tags else {}


def _filter_of_api(item: Mapping[str, Any]) -> dict[str, Any]:
    chosen = item.get("Filter") or {}
    both = chosen.get("And") or chosen
    tags = both.get("Tags") or ([chosen["Tag"]] if chosen.get("Tag") else [])
    conditions = {name: both.get(name) for name in ("Prefix", "AccessPointArn")}
    return without_empty({**conditions, "TagFilters": [dict(tag) for tag in tags]})


def _destination_to_api(value: Mapping[str, Any], account: str) -> dict[str, Any]:
    given = {
        "Bucket": value["BucketArn"],
        "Format": value["Format"],
        account: value.get("BucketAccountId"),
        "Prefix": value.get("Prefix"),
    }
    return {"S3BucketDestination": without_empty(given)}


def _destination_of_api(value: Mapping[str, Any], account: str) -> dict[str, Any]:
    found = value["S3BucketDestination"]
    shown = {
        "BucketArn": found.get("Bucket"),
        "Format": found.get("Format"),
        "BucketAccountId": found.get(account),
        "Prefix": found.get("Prefix"),
    }
    return without_empty(shown)


def _analytics_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    export = (value.get("StorageClassAnalysis") or {}).get("DataExport")
    analysis = {}
    if export:
        destination = _destination_to_api(export["Destination"], "BucketAccountId")
        analysis = {"DataExport": {"OutputSchemaVersion": export["OutputSchemaVersion"], "Destination": destination}}
    return {"Id": value["Id"], **_filter_to_api(value), "StorageClassAnalysis": analysis}


def _analytics_of_api(item: Mapping[str, Any]) -> dict[str, Any]:
    export = (item.get("StorageClassAnalysis") or {}).get("DataExport")
    analysis = {}
    if export:
        destination = _destination_of_api(export["Destination"], "BucketAccountId")
        analysis = {"DataExport": {"OutputSchemaVersion": export["OutputSchemaVersion"], "Destination": destination}}
    return {"Id": item["Id"], **_filter_of_api(item), "StorageClassAnalysis": analysis}


def _inventory_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "Id": value["Id"],
        "IsEnabled": boolean(value["Enabled"]),
        "IncludedObjectVersions": value["IncludedObjectVersions"],
        "Schedule": {"Frequency": value["ScheduleFrequency"]},
        "OptionalFields": list(value.get("OptionalFields") or ()),
        "Destination": _destination_to_api(value["Destination"], "AccountId"),
    }
    return {**without_empty(given), **_filter_to_api(value)}


def _inventory_of_api(item: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "Id": item["Id"],
        "Enabled": item.get("IsEnabled"),
        "IncludedObjectVersions": item.get("IncludedObjectVersions"),
        "ScheduleFrequency": (item.get("Schedule") or {}).get("Frequency"),
        "OptionalFields": list(item.get("OptionalFields") or ()),
        "Destination": _destination_of_api(item["Destination"], "AccountId"),
    }
    return {**without_empty(shown), **_filter_of_api(item)}


def _metrics_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"Id": value["Id"], **_filter_to_api(value)}


def _metrics_of_api(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"Id": item["Id"], **_filter_of_api(item)}


def _tiering_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    tiers = [{"AccessTier": tier["AccessTier"], "Days": int(tier["Days"])} for tier in value["Tierings"]]
    return {"Id": value["Id"], **_filter_to_api(value), "Status": value["Status"], "Tierings": tiers}


def _tiering_of_api(item: Mapping[str, Any]) -> dict[str, Any]:
    tiers = [{"AccessTier": tier.get("AccessTier"), "Days": tier.get("Days")} for tier in item.get("Tierings") or ()]
    return {"Id": item["Id"], **_filter_of_api(item), "Status": item.get("Status"), "Tierings": tiers}


LISTED: tuple[ListedSetting, ...] = (
    ListedSetting(
        "AnalyticsConfigurations",
        read="list_bucket_analytics_configurations",
        put="put_bucket_analytics_configuration",
        remove="delete_bucket_analytics_configuration",
        noun="AnalyticsConfiguration",
        to_api=_analytics_to_api,
        of_api=_analytics_of_api,
    ),
    ListedSetting(
        "IntelligentTieringConfigurations",
        read="list_bucket_intelligent_tiering_configurations",
        put="put_bucket_intelligent_tiering_configuration",
        remove="delete_bucket_intelligent_tiering_configuration",
        noun="IntelligentTieringConfiguration",
        to_api=_tiering_to_api,
        of_api=_tiering_of_api,
    ),
    ListedSetting(
        "InventoryConfigurations",
        read="list_bucket_inventory_configurations",
        put="put_bucket_inventory_configuration",
        remove="delete_bucket_inventory_configuration",
        noun="InventoryConfiguration",
        to_api=_inventory_to_api,
        of_api=_inventory_of_api,
    ),
    ListedSetting(
        "MetricsConfigurations",
        read="list_bucket_metrics_configurations",
        put="put_bucket_metrics_configuration",
        remove="delete_bucket_metrics_configuration",
        noun="MetricsConfiguration",
        to_api=_metrics_to_api,
        of_api=_metrics_of_api,
    ),
)
