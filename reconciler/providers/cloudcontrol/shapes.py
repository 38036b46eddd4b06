"""Properties as handlers take them, typed as the schema says and without what only AWS writes; and as read. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.model.values import Properties, Sensitive
from reconciler.schema import Path, TypeSchema
from reconciler.schema.scalars import of_kinds

_COMBINERS = ("oneOf", "anyOf", "allOf")


def typed(schema: TypeSchema, path: Path, value: Any) -> Any:
    """``value`` in the types of the schema: a template may write a number as a string, a handler refuses that.

    What fits no type stays as it is, for the handler to say so. Nothing is left of ``None``.
    """
    if isinstance(value, Mapping):
        if _kinds(schema, path) == {"string"}:
            return json.dumps(value)
        return {key: typed(schema, (*path, str(key)), item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [typed(schema, (*path, "*"), item) for item in value if item is not None]
    return of_kinds(_kinds(schema, path), value)


def _kinds(schema: TypeSchema, path: Path) -> frozenset[str]:
    """The JSON types that the schema allows at a path; empty where it doesn't say."""
    node = schema.node(path)
    if node is None:
        return frozenset()
    shapes = [node, *(schema.follow(shape) for keyword in _COMBINERS for shape in node.get(keyword, ()))]
    found: set[str] = set()
    for shape in shapes:
        kinds = shape.get("type", ())
        found.update([kinds] if isinstance(kinds, str) else kinds)
    return frozenset(found)


def pruned(value: Any, path: Path, drop: Callable[[Path], bool]) -> Any:
    """``value``, found at ``path``, without everything in it at whose path ``drop`` says so."""
    if isinstance(value, Mapping):
        return {key: pruned(item, (*path, key), drop) for key, item in value.items() if not drop((*path, key))}
    if isinstance(value, list):
        return [pruned(item, (*path, "*"), drop) for item in value]
    return value


def covered(paths: Iterable[Path], path: Path) -> bool:
    """Whether one of ``paths`` is ``path`` or above it; ``*`` matches anything."""
    return any(
        len(other) <= len(path) and all(a == b or a == "*" for a, b in zip(other, path, strict=False))
        for other in paths
    )


def desired_state(schema: TypeSchema, desired: Properties) -> dict[str, Any]:
    """What a create is given."""
    values = typed(schema, (), desired)
    state: dict[str, Any] = pruned(values, (), lambda path: covered(schema.read_only, path))
    return state


def concealed(properties: Mapping[str, Any], secret: Iterable[Path]) -> dict[str, Any]:
    """Properties as read, with what lies at the paths ``secret`` hidden."""
    paths = frozenset(secret)

    def hide(value: Any, path: Path) -> Any:
        if covered(paths, path) and value is not None:
            return Sensitive(value)
        if isinstance(value, Mapping):
            return {key: hide(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [hide(item, (*path, "*")) for item in value]
        return value

    return {name: hide(value, (name,)) for name, value in properties.items()} if paths else dict(properties)
