"""By what rendered things are known to be a plan's: the tags of a resource, the first line of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Owner
from reconciler.model.plan import Plan, PlannedResource
from reconciler.schema import TypeSchema

#: How the first line of a rendered file begins, after the comment sign. Files that don't aren't ours to overwrite.
HEADER = "Written by reconciler"


def with_ownership(plan: Plan, resource: PlannedResource, schema: TypeSchema) -> Mapping[str, Any]:
    """The resource's properties with the ownership tags by which it is found again once it is deployed."""
    if schema.tag_property is None or schema.tag_style is None:
        return resource.properties
    tags = resource.properties.get(schema.tag_property)
    owner = Owner(plan.name, resource.logical_id).tags()
    if schema.tag_style == "map" and (tags is None or isinstance(tags, Mapping)):
        return {**resource.properties, schema.tag_property: {**(tags or {}), **owner}}
    if schema.tag_style == "list" and (tags is None or isinstance(tags, list | tuple)):
        extra = [{"Key": key, "Value": value} for key, value in sorted(owner.items())]
        return {**resource.properties, schema.tag_property: [*(tags or ()), *extra]}
    return resource.properties
