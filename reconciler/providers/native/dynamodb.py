"""AWS::DynamoDB::Table."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.dynamodb_changes import calls_of
from reconciler.providers.native.dynamodb_settings import BY_ARN, SETTINGS, Call, read_setting, settings_of
from reconciler.providers.native.dynamodb_shapes import create_parameters, table_properties
from reconciler.providers.native.frame import Change
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import names_shown
from reconciler.providers.native.tagging import Tags, as_list, as_map

_DELETING = "deleting"
_PAUSE = 5.0


class Table(ListedProvider):
    """A table; its identifier is its name. Creating, changing and deleting one takes a while."""

    type_name = TypeName("AWS::DynamoDB::Table")
    supported: ClassVar = SETTINGS | {
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "OnDemandThroughput",
        "ProvisionedThroughput",
        "SSESpecification",
        "StreamSpecification",
        "TableClass",
        "TableName",
        "Tags",
        "WarmThroughput",
    }
    fixed: ClassVar = frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"})
    naming: ClassVar = NameRule("TableName", 255)
    resource_type: ClassVar = "dynamodb:table"

    def _identifier(self, scope: Scope, name: str) -> Identifier:  # noqa: ARG002 - it is the name
        return Identifier(name)

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        return names_shown(
            scope,
            "dynamodb",
            "list_tables",
            names,
            key="TableNames",
            token=("LastEvaluatedTableName", "ExclusiveStartTableName"),
            name=str,
        )

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        return f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{identifier}"

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the name is in the ARN
        return Identifier(arn.rpartition("/")[2])

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        name = item.identifier
        table = _described(scope, name)
        if table["TableStatus"] == "DELETING":
            raise AwsFault(FaultKind.UNAVAILABLE, f"table {name} is being deleted", service="dynamodb")
        properties = table_properties(table)
        for setting in sorted(item.properties & SETTINGS):
            value = read_setting(scope, name, self._arn(scope, name), setting)
            if value is not None:
                properties[setting] = value
        return properties

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        arn = self._arn(scope, identifier)
        try:
            return as_map(scope.pages("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=arn))
        except AwsFault as fault:
            if fault.kind is FaultKind.ACCESS_DENIED:  # may mean that there is no such table
                _described(scope, identifier)
            raise

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("dynamodb", "tag_resource", ResourceArn=self._arn(scope, identifier), Tags=as_list(tags))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("dynamodb", "untag_resource", ResourceArn=self._arn(scope, identifier), TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        parameters = create_parameters(desired)
        if tags:
            parameters["Tags"] = as_list(tags)
        made = scope.call("dynamodb", "create_table", TableName=name, **parameters)["TableDescription"]
        rest = list(settings_of(Change({}, desired, SETTINGS & desired.keys())))
        try:
            return _advance(scope, Identifier(name), rest, made)
        except AwsFault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
        # A table that was made this moment may not be seen everywhere yet.
        return Pending(Handle(Identifier(name), json.dumps(rest)), _PAUSE, f"table {name} is CREATING")

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        return _advance(scope, identifier, calls_of(change))

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        if _described(scope, identifier)["TableStatus"] != "DELETING":
            scope.call("dynamodb", "delete_table", TableName=identifier)
        return self.poll(scope, Handle(identifier, _DELETING))

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``. ``Handle.kind`` holds the calls that are left to make, as JSON."""
        if handle.kind != _DELETING:
            return _advance(scope, handle.identifier, json.loads(handle.kind or "[]"))
        try:
            status = _described(scope, handle.identifier)["TableStatus"]
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return Done(handle.identifier)
            raise
        return Pending(handle, _PAUSE, f"table {handle.identifier} is {status}")


def _described(scope: Scope, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scope.call("dynamodb", "describe_table", TableName=name)["Table"]
    return found


def _advance(scope: Scope, table: Identifier, todo: Sequence[Call], now: Mapping[str, Any] | None = None) -> Progress:
    """Make calls until the table is busy with one of them; Done when none is left and it is at rest.

    ``now``: its description, where it has only just been given.
    """
    rest = list(todo)
    while (busy := _busy(shown := now or _described(scope, table))) == "":
        if not rest:
            return Done(table)
        operation, parameters = rest.pop(0)
        target = {"ResourceArn": shown["TableArn"]} if operation in BY_ARN else {"TableName": table}
        scope.call("dynamodb", operation, **target, **parameters)
        now = None
    return Pending(Handle(table, json.dumps(rest)), _PAUSE, f"table {table}: {busy}")


def _busy(table: Mapping[str, Any]) -> str:
    """What the table is occupied with; empty if it can take a call. Raises INTERNAL if it never will."""
    status = table["TableStatus"]
    if status in ("ARCHIVED", "INACCESSIBLE_ENCRYPTION_CREDENTIALS"):
        raise AwsFault(FaultKind.INTERNAL, f"table {table['TableName']} is {status}", service="dynamodb")
    if status != "ACTIVE":
        return str(status)
    for index in table.get("GlobalSecondaryIndexes") or ():
        if index.get("IndexStatus", "ACTIVE") != "ACTIVE":
            return f"index {index['IndexName']} is {index['IndexStatus']}"
    for owner in (table, *(table.get("GlobalSecondaryIndexes") or ())):
        if (owner.get("WarmThroughput") or {}).get("Status", "ACTIVE") != "ACTIVE":
            return "warm throughput is rising"
    return "encryption is changing" if (table.get("SSEDescription") or {}).get("Status") == "UPDATING" else ""


PROVIDERS: tuple[ResourceProvider, ...] = (Table(),)
