"""What a resource should be, with everything secret in it wrapped, whether a plan or the schema says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.live.view import View, has_secret
from reconciler.model.ids import LogicalId
from reconciler.model.plan import PlannedResource
from reconciler.model.values import Deferred, Properties, Sensitive
from reconciler.schema import GROUPS_BY_NAME, TypeSchema, conceal, schema_for
from reconciler.template import resolve


def desired_of(planned: PlannedResource, view: View) -> Properties:
    """The properties of a planned resource as far as they are known; write-only ones are ``Sensitive``."""
    schema = schema_for(planned.type, view.region)
    properties: Properties = resolve(_by_name(planned, view), view)
    if schema is not None and schema.write_only:
        properties = {name: conceal(schema, (name,), value) for name, value in properties.items()}
    view.want(planned.logical_id, properties)
    return properties


def _by_name(planned: PlannedResource, view: View) -> Properties:
    """The properties of a planned resource, Ref of a security group giving its name where nothing else is taken.

    That is what CloudFormation's Ref gives of a group in the default VPC, the only one where groups go by name.
    """
    path = GROUPS_BY_NAME.get(planned.type)
    return planned.properties if path is None else _named(planned.properties, path, view)


def _named(value: Any, path: Sequence[str], view: View) -> Any:
    if isinstance(value, list):
        return [_named(item, path, view) for item in value]
    if isinstance(value, Mapping):
        return {key: _named(item, path[1:], view) if path[:1] == (key,) else item for key, item in value.items()}
    if path or not isinstance(value, Deferred) or value.function != "Ref":
        return value
    entry = view.seen.get(LogicalId(value.argument))
    is_group = entry is not None and entry.type == "AWS::EC2::SecurityGroup"
    return Deferred("Fn::GetAtt", [value.argument, "GroupName"]) if is_group else value


def veil(schema: TypeSchema | None, live: Properties, *told: Properties) -> dict[str, Any]:
    """Live properties as they may be shown and kept.

    One that holds a secret in any of ``told`` (what was applied, what is wanted) is a secret itself, whatever it is
    now; so is what the schema calls write-only.
    """
    return {name: _veiled(schema, name, value, [side.get(name) for side in told]) for name, value in live.items()}


def _veiled(schema: TypeSchema | None, name: str, value: Any, told: Sequence[Any]) -> Any:
    if value is None:
        return None
    if any(has_secret(side) for side in told):
        return value if isinstance(value, Sensitive) else Sensitive(value)
    return value if schema is None else conceal(schema, (name,), value)
