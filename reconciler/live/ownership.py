"""Ownership tags are part of what is wanted: added once, here, so that diff, apply and rendering all see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.live.view import View
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.plan import Plan, PlannedResource
from reconciler.ports import Scope, Store
from reconciler.schema import schema_for


def with_ownership(plan: Plan) -> Plan:
    """The plan with ``reconciler:plan`` and ``reconciler:id`` among the tags of every resource that can have tags."""
    owned = {name: _tagged(resource, Owner(plan.name, name), plan) for name, resource in plan.resources.items()}
    return replace(plan, resources=owned)


def _tagged(resource: PlannedResource, owner: Owner, plan: Plan) -> PlannedResource:
    schema = schema_for(resource.type, plan.target.region)
    if schema is None or schema.tag_property is None:
        return resource
    name = schema.tag_property

    def tagged(properties: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**properties, name: _with_tags(properties.get(name), owner.tags(), schema.tag_style)}

    written = None if resource.written is None else tagged(resource.written)
    return replace(resource, properties=tagged(resource.properties), written=written)


def _with_tags(current: Any, own: Mapping[str, str], style: str | None) -> Any:
    if style == "map":
        return {**(current or {}), **own} if isinstance(current, Mapping | None) else current
    if not isinstance(current, list | None):
        return current
    kept = [tag for tag in current or [] if not (isinstance(tag, Mapping) and tag.get("Key") in own)]
    return [*kept, *({"Key": key, "Value": value} for key, value in own.items())]


def owner_in(properties: Mapping[str, Any], tag_property: str | None) -> Owner | None:
    """The owner that a live resource's tags name, if they do."""
    tags = properties.get(tag_property) if tag_property else None
    if isinstance(tags, list):
        tags = {tag["Key"]: tag.get("Value", "") for tag in tags if isinstance(tag, Mapping) and "Key" in tag}
    if not isinstance(tags, Mapping) or "reconciler:plan" not in tags:
        return None
    return Owner(tags["reconciler:plan"], LogicalId(tags.get("reconciler:id", "")))


def foreign(
    view: View,
    plan: Plan,
    name: LogicalId,
    identifier: Identifier,
    owner: Owner | None,
    scope: Scope,
    store: Store,
) -> str:
    """Why a resource found in AWS isn't the plan's; empty if it is.

    A type without tags is the plan's if the resource it belongs to (which it refers to) is.
    """
    planned = plan.resources[name]
    record = store.owner_of(planned.type, identifier, scope.account, scope.region)
    if record is not None and record.plan != plan.name:
        return f"{identifier} belongs to plan {record.plan} ({record.logical_id})"
    if owner is not None:
        return (
            "" if owner == Owner(plan.name, name) else f"{identifier} belongs to plan {owner.plan} ({owner.logical_id})"
        )
    schema = schema_for(planned.type, plan.target.region)
    taggable = schema is not None and schema.tag_property is not None
    if record is not None or (not taggable and any(view.live(need) is not None for need in planned.needs)):
        return ""
    return f"{identifier} already exists and no plan owns it"
