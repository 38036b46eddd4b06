"""Changes of API Gateway's resources: JSON patches, made of what is live and what is wanted. Pure.

A path has slashes; one within a name is written ``~1``. All values are texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.schema.scalars import text

Patch = dict[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """How a property is patched at ``path``.

    ``parts``: the members of an object, each with a way of its own; an empty one is taken away. ``keys``: a map, whose
    keys end the path. ``values``: a list, whose values end the path. ``listed``: a list, whose values are added and
    removed at the path itself.
    """

    path: str
    parts: Mapping[str, Way] = field(default_factory=dict)
    keys: bool = False
    values: bool = False
    listed: bool = False


Ways = Mapping[str, Way]


def patches(ways: Ways, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Patch]:
    """What brings ``before`` to ``after``, property by property; what ``after`` doesn't say stays as it is."""
    found: list[Patch] = []
    for name, way in ways.items():
        if name in after:
            found += _patched(way, before.get(name), after[name])
    return found


def _patched(way: Way, before: Any, after: Any) -> list[Patch]:
    if way.keys:
        return _keys(way, before or {}, after or {})
    if way.values or way.listed:
        return _values(way, before or [], after or [])
    if before == after:
        return []
    if way.parts:
        return patches(way.parts, before or {}, after) if after else [removed(way.path)]
    return [replaced(way.path, after)]


def _keys(way: Way, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Patch]:
    stale = [removed(f"{way.path}/{escaped(key)}") for key in sorted(before.keys() - after.keys())]
    fresh = sorted(key for key, value in after.items() if before.get(key) != value)
    return stale + [replaced(f"{way.path}/{escaped(key)}", after[key]) for key in fresh]


def _values(way: Way, before: list[Any], after: list[Any]) -> list[Patch]:
    found: list[Patch] = []
    for op, values in (
        ("add", [value for value in after if value not in before]),
        ("remove", [value for value in before if value not in after]),
    ):
        for value in values:
            found.append(
                {"op": op, "path": f"{way.path}/{escaped(value)}"}
                if way.values
                else {"op": op, "path": way.path, "value": text(value)}
            )
    return found


def replaced(path: str, value: Any) -> Patch:
    """Give what is at a path another value."""
    return {"op": "replace", "path": path, "value": worded(value)}


def removed(path: str) -> Patch:
    """Take away what is at a path."""
    return {"op": "remove", "path": path}


def worded(value: Any) -> str:
    """A value as a patch has it."""
    return json.dumps(value) if isinstance(value, Mapping | list) else str(text(value))


def escaped(name: Any) -> str:
    """A name as part of a path."""
    return str(text(name)).replace("~", "~0").replace("/", "~1")
