"""What a resource should be, with everything secret in it wrapped, whether a plan or the schema says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.live.view import View, has_secret
from reconciler.model.plan import PlannedResource
from reconciler.model.values import Properties, Sensitive
from reconciler.schema import TypeSchema, conceal, schema_for
from reconciler.template import resolve


def desired_of(planned: PlannedResource, view: View) -> Properties:
    """The properties of a planned resource as far as they are known; write-only ones are ``Sensitive``."""
    schema = schema_for(planned.type, view.region)
    properties: Properties = resolve(planned.properties, view)
    if schema is not None and schema.write_only:
        properties = {name: conceal(schema, (name,), value) for name, value in properties.items()}
    view.want(planned.logical_id, properties)
    return properties


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
