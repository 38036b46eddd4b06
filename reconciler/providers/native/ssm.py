"""AWS::SSM::Parameter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, Found
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import read_each, without_empty
from reconciler.providers.native.tagging import Tags, as_list, as_map

_A_CALL = 10
_SETTABLE = ("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Type", "Value")
_RESET = {"AllowedPattern": "", "DataType": "text", "Description": "", "Policies": "[{}]"}


class Parameter(ListedProvider):
    """A parameter; its identifier is its name.

    Description, Tier, AllowedPattern and Policies are written but, as in CloudFormation, not observed.
    """

    type_name = TypeName("AWS::SSM::Parameter")
    supported: ClassVar = frozenset({*_SETTABLE, "Name", "Tags"})
    fixed: ClassVar = frozenset({"Name"})
    naming: ClassVar = NameRule("Name", 1000)
    resource_type: ClassVar = "ssm:parameter"
    tags_as_map: ClassVar = True

    def _identifier(self, scope: Scope, name: str) -> Identifier:  # noqa: ARG002 - it is the name
        return Identifier(name)

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        """By reading them, ten at a time."""
        found = self._read(scope, [Wanted(Identifier(name)) for name in names])
        return list(found), True

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        name = identifier.removeprefix("/")
        return f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}:parameter/{name}"

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the name is in the ARN
        name = arn.partition(":parameter/")[2]
        return Identifier(f"/{name}" if "/" in name else name)

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        items = list(wanted)
        chunks = [items[start : start + _A_CALL] for start in range(0, len(items), _A_CALL)]
        found: Found = {}
        for answer in scope.gather([partial(self._read_chunk, scope, chunk) for chunk in chunks]):
            found |= answer
        return found

    def _read_chunk(self, scope: Scope, items: list[Wanted]) -> Found:
        try:
            return {item.identifier: item_found for item, item_found in _named(scope, items)}
        except AwsFault:
            # One name that may not be read makes AWS refuse all ten.
            return read_each(scope, items, partial(self._observe, scope))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        for _, properties in _named(scope, [item]):
            return properties
        message = f"parameter {item.identifier} does not exist"
        raise AwsFault(FaultKind.NOT_FOUND, message, service="ssm", operation="GetParameters")

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        answer = scope.call("ssm", "list_tags_for_resource", ResourceType="Parameter", ResourceId=identifier)
        return as_map(answer.get("TagList"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("ssm", "add_tags_to_resource", ResourceType="Parameter", ResourceId=identifier, Tags=as_list(tags))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("ssm", "remove_tags_from_resource", ResourceType="Parameter", ResourceId=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        values = without_empty({key: desired.get(key) for key in _SETTABLE})
        scope.call("ssm", "put_parameter", Name=name, Overwrite=False, Tags=as_list(tags), **values)
        return Done(Identifier(name))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        """One call writes all: what the plan sets, what it has just stopped setting, and the value that stands."""
        values = {key: change.after.get(key, change.before.get(key)) for key in _SETTABLE}
        values |= {key: _RESET[key] for key in change.names if key not in change.after and key in _RESET}
        values = {key: value for key, value in values.items() if value is not None}
        if not {"Value", "Type"} <= values.keys():
            live = self._observe(scope, Wanted(identifier))
            values = {**{key: live[key] for key in ("Value", "Type")}, **values}
        scope.call("ssm", "put_parameter", Name=identifier, Overwrite=True, **values)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("ssm", "delete_parameter", Name=identifier)
        return Done(identifier)


def _named(scope: Scope, items: Collection[Wanted]) -> list[tuple[Wanted, dict[str, Any]]]:
    """Those of at most ten parameters that exist. Values aren't decrypted: the type has no secret ones."""
    answer = scope.call("ssm", "get_parameters", Names=[item.identifier for item in items])
    by_name: dict[str, Mapping[str, Any]] = {found["Name"]: found for found in answer.get("Parameters", ())}
    return [(item, _properties(by_name[item.identifier])) for item in items if item.identifier in by_name]


def _properties(found: Mapping[str, Any]) -> dict[str, Any]:
    return without_empty(
        {
            "Name": found["Name"],
            "Arn": found.get("ARN"),
            "Type": found.get("Type"),
            "Value": found.get("Value"),
            "DataType": found.get("DataType"),
        }
    )


PROVIDERS: tuple[ResourceProvider, ...] = (Parameter(),)
