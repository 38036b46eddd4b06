"""AWS::CloudTrail::Trail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.shapes import boolean

_NAMED = {"TrailName": "{TrailName}"}
_CHECKED = {"EnableLogFileValidation": "EnableLogFileValidation"}
_LOGS = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")
_SETTINGS = (
    *_LOGS,
    "EnableLogFileValidation",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "IsOrganizationTrail",
    "KMSKeyId",
    "S3BucketName",
    "S3KeyPrefix",
    "SnsTopicName",
)
#: What AWS records if nobody says anything.
_DEFAULT_SELECTORS = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]

_TRAIL = Declaration(
    type=TypeName("AWS::CloudTrail::Trail"),
    service="cloudtrail",
    renames={
        "Arn": "TrailARN",
        "EnableLogFileValidation": "LogFileValidationEnabled",
        "KMSKeyId": "KmsKeyId",
        "TrailName": "Name",
    },
    naming=NameRule("TrailName", 128),
    arn="arn:{partition}:cloudtrail:{region}:{account}:trail/{TrailName}",
    read=Read("get_trail", "Trail"),
    extras=(
        Read("get_trail_status", shows=("IsLogging",)),
        Read("get_event_selectors", constants=_NAMED, shows=("EventSelectors", "AdvancedEventSelectors")),
        Read(
            "get_insight_selectors",
            constants=_NAMED,
            shows=("InsightSelectors",),
            missing=("InsightNotEnabledException",),
        ),
    ),
    create=Call("create_trail", ("TrailName", *_SETTINGS), _CHECKED),
    updates=(
        Update(Call("update_trail", _SETTINGS, _CHECKED), along=_LOGS),
        Update(Call("put_event_selectors", ("AdvancedEventSelectors", "EventSelectors"), constants=_NAMED), later=True),
        Update(Call("put_insight_selectors", ("InsightSelectors",), constants=_NAMED), later=True),
        Update(Call("start_logging"), of=("IsLogging",), later=True),
    ),
    delete=Call("delete_trail"),
    tagging=Tagging(
        "add_tags",
        "remove_tags",
        {"ResourceId": "{arn}"},
        read="list_tags",
        asks={"ResourceIdList": ["{arn}"]},
        answer="ResourceTagList.0.TagsList",
        tags="TagsList",
        keys="TagsList",
        create="TagsList",
        kind="cloudtrail:trail",
    ),
    resets={
        **dict.fromkeys((*_LOGS, "KMSKeyId", "S3KeyPrefix", "SnsTopicName"), ""),
        **dict.fromkeys(("EnableLogFileValidation", "IsMultiRegionTrail", "IsOrganizationTrail"), False),
        "IncludeGlobalServiceEvents": True,
        "AdvancedEventSelectors": [],
        "EventSelectors": _DEFAULT_SELECTORS,
        "InsightSelectors": [],
    },
    unsupported=frozenset({"AggregationConfigurations"}),
    also=("cloudtrail:StopLogging", "iam:PassRole"),
)


class Trail(Declared):
    """A trail. Whether it logs is a matter of two calls; selectors are of one kind or of the other."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: a topic is shown by its name, as it is given, or by its ARN alone."""
        topic = item.answer.get("SnsTopicName") or item.answer.get("SnsTopicARN")
        if topic:
            properties["SnsTopicName"] = str(topic).rpartition(":")[2]
        return {name: value for name, value in properties.items() if value not in ("", [])}

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if "EventSelectors" in update.names:
            advanced = after.get("AdvancedEventSelectors")
            basic = {"EventSelectors": after.get("EventSelectors") or _DEFAULT_SELECTORS}
            after = {"AdvancedEventSelectors": advanced} if advanced else basic
        if "IsLogging" in update.names:
            logs = boolean(after.get("IsLogging", False))
            update = replace(update, call=Call("start_logging" if logs else "stop_logging"))
            after = {}
        super().change(scope, identifier, update, before, after)


PROVIDERS: tuple[ResourceProvider, ...] = (Trail(_TRAIL),)
