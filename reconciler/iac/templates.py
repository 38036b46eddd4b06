"""Two CloudFormation templates against each other, without asking AWS: which resources differ, and how. Pure.

Where both can be evaluated, resources are compared by meaning with their parameters filled in, as everywhere else. A
template with macros, modules or sections that only CloudFormation evaluates is compared as it is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from reconciler.live.compare import compare
from reconciler.live.loss import loss_of
from reconciler.model.change import Action, Change, FieldChange
from reconciler.model.errors import DeploymentError, SourceError
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Target
from reconciler.model.values import Deferred, Properties, transform
from reconciler.schema import conceal, schema_for
from reconciler.template import LoadedTemplate, load_template

_KEEPS = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})
#: Sections that CloudFormation alone evaluates, and that say nothing of any property.
_BESIDE = frozenset({"Rules", "Hooks"})
_SSM = "AWS::SSM::Parameter::Value<"


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short tags; times stay texts."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None
    return {name: value.split(".", 1) if name == "Fn::GetAtt" and isinstance(value, str) else value}


_Loader.add_multi_constructor("!", _tagged)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: str(node.value))


def parse(body: Any) -> dict[str, Any]:
    """A template as AWS returns it (a text, or a document if it was JSON). Raises DeploymentError."""
    try:
        found = yaml.load(body, _Loader) if isinstance(body, str) else body  # noqa: S506 - derived from CSafeLoader
        return _plain(found) if isinstance(found, Mapping) else {}
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DeploymentError("Template not readable", f"the template can't be read: {type(error).__name__}") from None


def _plain(value: Any) -> Any:
    """Plain JSON: AWS's SDK gives ordered dictionaries; YAML reads some keys as numbers."""
    return json.loads(json.dumps(value, default=str))


def same(first: Any, second: Any) -> bool:
    """Whether two parsed templates mean the same: layout and the spelling of functions don't count."""
    return bool(_spelled(first) == _spelled(second))


def _spelled(value: Any) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(attribute := value.get("Fn::GetAtt"), str):
            return {"Fn::GetAtt": attribute.split(".", 1)}
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a parsed template with its parameters in force. ``name``: the stack's."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    target: Target
    name: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of one side. ``properties`` may hold ``Deferred`` values."""

    type: TypeName
    properties: Properties = field(default_factory=dict)
    keeps: bool = False


def resources_of(side: Side) -> dict[LogicalId, Resource]:
    """What the stack is made of; conditions, mappings and parameters are filled in where that is possible."""
    try:
        known = loaded(side)
    except SourceError:
        return _written(side)
    return {
        name: Resource(one.type, one.properties, one.deletion_policy in _KEEPS) for name, one in known.resources.items()
    }


def loaded(side: Side) -> LoadedTemplate:
    """The template with its parameters filled in. Raises SourceError for one that only CloudFormation evaluates."""
    return load_template(
        {name: part for name, part in _without_ssm(side).items() if name not in _BESIDE},
        parameters={name: value for name, value in side.parameters.items() if _is_declared(side, name)},
        target=side.target,
        plan_name=side.name,
        locate=lambda _place: ("", 0),
    )


def _is_declared(side: Side, name: str) -> bool:
    declared = side.template.get("Parameters") or {}
    return name in declared


def _without_ssm(side: Side) -> Mapping[str, Any]:
    """The template with parameters that are read from Parameter Store as plain texts: their names."""
    declared = side.template.get("Parameters")
    if not isinstance(declared, Mapping):
        return {**side.template, "Parameters": {}}
    texts = {
        name: {**one, "Type": "String"} if isinstance(one, Mapping) and str(one.get("Type")).startswith(_SSM) else one
        for name, one in declared.items()
    }
    return {**side.template, "Parameters": texts}


def _written(side: Side) -> dict[LogicalId, Resource]:
    """The resources as they are written, parameters filled in where they are referred to directly."""

    def filled(value: Any) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1 and value.get("Ref") in side.parameters:
                return side.parameters[value["Ref"]]
            return {key: filled(item) for key, item in value.items()}
        return [filled(item) for item in value] if isinstance(value, list) else value

    section = side.template.get("Resources") or {}
    return {
        LogicalId(name): Resource(
            TypeName(str(one.get("Type", ""))), filled(one.get("Properties") or {}), one.get("DeletionPolicy") in _KEEPS
        )
        for name, one in section.items()
        if isinstance(one, Mapping)
    }


def changes_between(before: Side | None, after: Side | None) -> tuple[Change, ...]:
    """What updating a stack from one template to the other does; None: the stack isn't there."""
    old = resources_of(before) if before else {}
    new = resources_of(after) if after else {}
    side = after or before
    region = side.target.region if side else ""
    found = [_changed(name, old.get(name), one, region) for name, one in new.items()]
    gone = [removed(name, one, region) for name, one in old.items() if name not in new]
    return tuple(change for change in (*found, *gone) if change is not None)


def _changed(name: LogicalId, old: Resource | None, new: Resource, region: str) -> Change | None:
    after = legible(new, region)
    if old is None:
        fields = tuple(FieldChange(f"/{key}", None, value, reason="plan") for key, value in after.items())
        return Change(name, new.type, Action.CREATE, None, None, after, fields, "not there yet")
    before = legible(old, region)
    loss = lost_with(old.type, old.properties, region)
    if old.type != new.type:
        retyped = (FieldChange("/Type", old.type, new.type, forces_replacement=True, reason="plan"),)
        return Change(name, new.type, Action.REPLACE, None, before, after, retyped, "another type", loss)
    fields = compare(schema_for(new.type, region), after, before, before)
    if not fields:
        return None
    replaced = any(each.forces_replacement for each in fields)
    shown = tuple(replace(each, reason="plan") for each in fields)
    action = Action.REPLACE if replaced else Action.UPDATE
    reason = "changed in the plan"
    return Change(name, new.type, action, None, before, after, shown, reason, loss if replaced else ())


def removed(name: LogicalId, old: Resource, region: str, identifier: Identifier | None = None) -> Change:
    """The change of a resource that the template no longer has."""
    loss = () if old.keeps else lost_with(old.type, old.properties, region, identifier)
    reason = "no longer in the template; its deletion policy keeps it" if old.keeps else "no longer in the template"
    return Change(name, old.type, Action.DELETE, identifier, legible(old, region), None, reason=reason, loss=loss)


def lost_with(kind: TypeName, properties: Properties, region: str, identifier: str | None = None) -> tuple[str, ...]:
    """What is lost for good with a resource. Without its identifier a name that it was given stands for that."""
    schema = schema_for(kind, region)
    if schema is None or len(schema.primary_identifier) != 1:
        return loss_of(schema, kind, properties)
    given = (properties.get(path[0]) for path in schema.create_only if len(path) == 1)
    known = identifier or next((name for name in given if isinstance(name, str)), None)
    return loss_of(schema, kind, {**properties, schema.primary_identifier[0]: known} if known else properties)


def legible(resource: Resource, region: str) -> dict[str, Any]:
    """The properties as others may see them: write-only ones ``Sensitive``, functions as they are written."""
    schema = schema_for(resource.type, region)
    found: dict[str, Any] = transform(resource.properties, _expression)
    if schema is None or not schema.write_only:
        return found
    return {name: conceal(schema, (name,), value) for name, value in found.items()}


def _expression(leaf: Any) -> Any:
    if not isinstance(leaf, Deferred):
        return leaf
    return {leaf.function: transform(leaf.argument, _expression)}
