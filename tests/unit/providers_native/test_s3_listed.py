"""Settings of which a bucket has several, in CloudFormation's words and in the API's."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from reconciler.providers.native.s3_listed import LISTED, ListedSetting
from tests.unit.providers_native.scripted import Answer, ScriptedScope

BY_NAME = {setting.name: setting for setting in LISTED}
TAGS = [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "dev"}]
PLACE = {"BucketArn": "arn:aws:s3:::reports", "Format": "CSV", "BucketAccountId": "111122223333", "Prefix": "out/"}

ITEMS: list[tuple[str, dict[str, Any]]] = [
    ("AnalyticsConfigurations", {"Id": "a", "StorageClassAnalysis": {}}),
    (
        "AnalyticsConfigurations",
        {
            "Id": "b",
            "Prefix": "logs/",
            "TagFilters": TAGS,
            "StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": PLACE}},
        },
    ),
    (
        "IntelligentTieringConfigurations",
        {
            "Id": "cold",
            "Status": "Enabled",
            "Tierings": [{"AccessTier": "ARCHIVE_ACCESS", "Days": 90}],
            "Prefix": "old/",
        },
    ),
    (
        "InventoryConfigurations",
        {
            "Id": "all",
            "Enabled": False,
            "IncludedObjectVersions": "Current",
            "ScheduleFrequency": "Weekly",
            "OptionalFields": ["Size", "ETag"],
            "Prefix": "in/",
            "Destination": PLACE,
        },
    ),
    ("MetricsConfigurations", {"Id": "everything"}),
    ("MetricsConfigurations", {"Id": "one-tag", "TagFilters": TAGS[:1]}),
    ("MetricsConfigurations", {"Id": "tags", "TagFilters": TAGS}),
    (
        "MetricsConfigurations",
        {"Id": "by", "Prefix": "p/", "AccessPointArn": "arn:aws:s3:eu-central-1:1:accesspoint/x"},
    ),
]
BY_ITEM = pytest.mark.parametrize(("name", "item"), ITEMS, ids=[f"{name}-{item['Id']}" for name, item in ITEMS])


def stored(setting: ListedSetting, *items: dict[str, Any]) -> ScriptedScope:
    return pages(setting, {f"{setting.noun}List": [setting.to_api(item) for item in items]})


def pages(setting: ListedSetting, *answers: Answer) -> ScriptedScope:
    return ScriptedScope(**{setting.read: list(answers)})


def written(scope: ScriptedScope, setting: ListedSetting) -> list[tuple[str, str]]:
    return [(name, given["Id"]) for name, given in scope.asked if name != setting.read]


@BY_ITEM
def test_an_item_keeps_its_meaning_both_ways(name: str, item: dict[str, Any]) -> None:
    setting = BY_NAME[name]
    assert setting.observe(stored(setting, item), "b") == [item]


@BY_ITEM
def test_what_is_written_is_what_the_api_takes(name: str, item: dict[str, Any]) -> None:
    setting, scope = BY_NAME[name], ScriptedScope()
    setting.apply(scope, "b", [item])
    ((operation, given),) = [(call, given) for call, given in scope.asked if call == setting.put]
    model = Session().get_service_model("s3")
    shape = model.operation_model("".join(part.title() for part in operation.split("_"))).input_shape
    assert shape is not None
    assert not ParamValidator().validate(given, shape).has_errors()


def test_only_what_differs_is_written_and_what_is_not_wanted_goes() -> None:
    setting = BY_NAME["MetricsConfigurations"]
    scope = stored(setting, {"Id": "same"}, {"Id": "other", "Prefix": "a/"}, {"Id": "gone"})
    setting.apply(scope, "b", [{"Id": "same"}, {"Id": "other", "Prefix": "b/"}, {"Id": "new"}])
    assert written(scope, setting) == [
        ("put_bucket_metrics_configuration", "other"),
        ("put_bucket_metrics_configuration", "new"),
        ("delete_bucket_metrics_configuration", "gone"),
    ]


def test_taken_back_nothing_is_left() -> None:
    setting = BY_NAME["InventoryConfigurations"]
    scope = stored(setting, ITEMS[3][1])
    setting.apply(scope, "b", None)
    assert written(scope, setting) == [("delete_bucket_inventory_configuration", "all")]
    assert setting.observe(ScriptedScope(), "b") is None


def test_all_pages_are_read() -> None:
    setting = BY_NAME["MetricsConfigurations"]
    first = {"MetricsConfigurationList": [{"Id": "a"}], "NextContinuationToken": "more"}
    scope = pages(setting, first, {"MetricsConfigurationList": [{"Id": "b"}]})
    assert setting.observe(scope, "b") == [{"Id": "a"}, {"Id": "b"}]
    assert scope.asked[1][1] == {"Bucket": "b", "ContinuationToken": "more"}
