"""What a resource should be, with everything secret in it wrapped, whether a plan or the schema says so."""

from __future__ import annotations

from typing import Any

from reconciler.live.view import View
from reconciler.model.plan import PlannedResource
from reconciler.model.secrecy import is_sealed
from reconciler.model.values import Properties, Sensitive, leaves
from reconciler.schema import conceal, schema_for
from reconciler.template import resolve


def desired_of(planned: PlannedResource, view: View) -> Properties:
    """The properties of a planned resource as far as they are known; write-only ones are ``Sensitive``."""
    schema = schema_for(planned.type, view.region)
    properties: Properties = resolve(planned.properties, view)
    if schema is None or not schema.write_only:
        return properties
    return {name: conceal(schema, (name,), value) for name, value in properties.items()}


def veil(live: Properties, desired: Properties) -> dict[str, Any]:
    """Live properties as they may be shown and kept: one whose wanted value holds a secret is a secret itself."""
    return {
        name: Sensitive(value) if has_secret(desired.get(name)) and value is not None else value
        for name, value in live.items()
    }


def has_secret(value: Any) -> bool:
    """Whether any part of ``value`` is secret, or was before it was masked."""
    return any(isinstance(leaf, Sensitive) or is_sealed(leaf) for leaf in leaves(value))
