"""AWS::Logs::LogGroup."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, Found
from reconciler.providers.native.logs_settings import READ_APART, SETTINGS, read_setting, write_settings
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import FEW, read_each, shared_beginning, sweep, without_empty
from reconciler.providers.native.tagging import Tags, as_map


class LogGroup(ListedProvider):
    """A log group; its identifier is its name."""

    type_name = TypeName("AWS::Logs::LogGroup")
    supported: ClassVar = SETTINGS | {"KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"}
    fixed: ClassVar = frozenset({"LogGroupClass", "LogGroupName"})
    naming: ClassVar = NameRule("LogGroupName", 512)
    resource_type: ClassVar = "logs"

    def _identifier(self, scope: Scope, name: str) -> Identifier:
        _described(scope, name)
        return Identifier(name)

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        return f"arn:{scope.partition}:logs:{scope.region}:{scope.account}:log-group:{identifier}"

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the name is in the ARN
        return Identifier(arn.split(":", 6)[6].removesuffix(":*"))

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        return _listed(scope, names)

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        """Many groups come by listing what begins as they all do; what that doesn't reach is asked for by name."""
        found: Found = {}
        rest: Iterable[Wanted] = wanted
        plain = [item for item in wanted if not item.properties & READ_APART]
        if len(plain) > FEW:
            groups, complete = _listed(scope, [item.identifier for item in plain])
            found = {Identifier(name): _properties(group) for name, group in groups.items()}
            told = {item.identifier for item in plain} if complete else found.keys()
            rest = [item for item in wanted if item.identifier not in told]
        return {**found, **read_each(scope, rest, lambda item: self._observe(scope, item))}

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        properties = _properties(_described(scope, item.identifier))
        for name in sorted(item.properties & READ_APART):
            value = read_setting(scope, item.identifier, name)
            if value is not None:
                properties[name] = value
        return properties

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        answer = scope.call("logs", "list_tags_for_resource", resourceArn=self._arn(scope, identifier))
        return as_map(answer.get("tags"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("logs", "tag_resource", resourceArn=self._arn(scope, identifier), tags=tags)

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("logs", "untag_resource", resourceArn=self._arn(scope, identifier), tagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        extra = {"kmsKeyId": desired.get("KmsKeyId"), "logGroupClass": desired.get("LogGroupClass"), "tags": tags}
        scope.call("logs", "create_log_group", logGroupName=name, **without_empty(extra))
        if desired.get("RetentionInDays"):
            self._retain(scope, name, desired["RetentionInDays"])
        write_settings(scope, name, Change({}, desired, SETTINGS & desired.keys()))
        return Done(Identifier(name))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        if "RetentionInDays" in change.names:
            self._retain(scope, identifier, change.value("RetentionInDays"))
        if "KmsKeyId" in change.names and (key := change.value("KmsKeyId")):
            scope.call("logs", "associate_kms_key", logGroupName=identifier, kmsKeyId=key)
        elif "KmsKeyId" in change.names:
            scope.call("logs", "disassociate_kms_key", logGroupName=identifier)
        write_settings(scope, identifier, change)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("logs", "delete_log_group", logGroupName=identifier)
        return Done(identifier)

    @staticmethod
    def _retain(scope: Scope, name: str, days: Any) -> None:
        if days:
            scope.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=int(days))
        else:
            scope.call("logs", "delete_retention_policy", logGroupName=name)


def _described(scope: Scope, name: str) -> Mapping[str, Any]:
    """One group. The listing is in order of names, so the exact one, if it exists, comes first."""
    answer = scope.call("logs", "describe_log_groups", logGroupNamePrefix=name)
    for group in answer.get("logGroups", ()):
        if group["logGroupName"] == name:
            found: Mapping[str, Any] = group
            return found
    raise AwsFault(
        FaultKind.NOT_FOUND, f"log group {name} does not exist", service="logs", operation="DescribeLogGroups"
    )


def _listed(scope: Scope, names: Collection[str]) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """Those of ``names`` that a listing shows, and whether it was complete.

    Given up where asking one by one is cheaper (an account full of other groups), or where listing is refused.
    """
    missing = set(names)
    found: dict[str, Mapping[str, Any]] = {}
    prefix = shared_beginning(missing)
    pages = 0
    most = max(1, len(missing) // 2)
    try:
        for page in sweep(
            scope,
            "logs",
            "describe_log_groups",
            key="logGroups",
            token=("nextToken", "nextToken"),
            most=most,
            **without_empty({"logGroupNamePrefix": prefix}),
        ):
            pages += 1
            new = {group["logGroupName"]: group for group in page if group["logGroupName"] in missing}
            found |= new
            missing -= new.keys()
            if not missing:
                break
    except AwsFault:
        return found, False  # each read by itself will say what is wrong with it
    return found, not missing or pages < most


def _properties(group: Mapping[str, Any]) -> dict[str, Any]:
    return without_empty(
        {
            "LogGroupName": group["logGroupName"],
            "Arn": group.get("arn"),
            "RetentionInDays": group.get("retentionInDays"),
            "KmsKeyId": group.get("kmsKeyId"),
            "LogGroupClass": group.get("logGroupClass"),
            "DeletionProtectionEnabled": group.get("deletionProtectionEnabled"),
            "BearerTokenAuthenticationEnabled": group.get("bearerTokenAuthenticationEnabled"),
        }
    )


PROVIDERS: tuple[ResourceProvider, ...] = (LogGroup(),)
