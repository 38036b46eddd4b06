"""What a resource type's handlers do, as far as its schema tells: check a model, fill it in, patch it. Pure.

Written apart from the provider, so that each is a check on the other.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.schema import Path, TypeSchema

_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_ALTERNATIVES = ("oneOf", "anyOf")


class Refused(Exception):
    """A handler refuses what it is given; ``code`` is the handler's error code."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


# checking


def check(schema: TypeSchema, model: Mapping[str, Any], missing: frozenset[Path] = frozenset()) -> None:
    """Raise Refused for the first thing that the schema doesn't allow: types, names, what is required, choices.

    Patterns, formats and bounds aren't looked at. ``missing``: what needn't be there though it is required.
    """
    excused = {f"{_at(path[:-1])}: required key [{path[-1]}] not found" for path in missing}
    problems = (one for one in _problems(schema, schema.document, model, ()) if one not in excused)
    problem = next(problems, None)
    if problem is not None:
        raise Refused("InvalidRequest", f"Model validation failed ({problem})")


def _problems(schema: TypeSchema, node: Mapping[str, Any], value: Any, path: Path) -> Iterator[str]:
    node, place = schema.follow(node), _at(path)
    kinds = node.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{place}: expected type: {' or '.join(kinds)}, found: {type(value).__name__}"
        return
    if "enum" in node and value not in node["enum"] and not node.get("enumCaseInsensitive"):
        yield f"{place}: {value!r} is not a valid enum value"
    if isinstance(value, Mapping):
        yield from _names(schema, node, value, path)
    items = node.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        for item in value:
            yield from _problems(schema, items, item, (*path, "*"))


def _names(schema: TypeSchema, node: Mapping[str, Any], value: Mapping[str, Any], path: Path) -> Iterator[str]:
    place = _at(path)
    for name in node.get("required", ()):
        if name not in value and (*path, name) not in schema.read_only:
            yield f"{place}: required key [{name}] not found"
    closed = node.get("additionalProperties") is False and not node.get("patternProperties")
    open_below = any(key in node for key in (*_ALTERNATIVES, "allOf")) and not node.get("properties")
    for name, item in value.items():
        below = schema.child(node, name)
        if (*path, name) in schema.read_only:
            continue  # AWS's own word
        if below is not None:
            yield from _problems(schema, below, item, (*path, name))
        elif closed and not open_below:
            yield f"{place}: extraneous key [{name}] is not permitted"


def _at(path: Path) -> str:
    return "#/" + "/".join(path)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def within(paths: frozenset[Path], model: Any, path: Path = ()) -> Iterator[Path]:
    """The places in a model that are one of ``paths``, as they are written there."""
    if any(_fits(other, path) for other in paths):
        yield path
        return
    if isinstance(model, Mapping):
        for key, item in model.items():
            yield from within(paths, item, (*path, key))
    elif isinstance(model, list):
        for item in model:
            yield from within(paths, item, (*path, "*"))


def _fits(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(a in (b, "*") for a, b in zip(pattern, path, strict=True))


# filling in


def filled(schema: TypeSchema, model: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A model with defaults where nothing is given, and what AWS makes up; the same for the same ``number``."""
    result: dict[str, Any] = copy.deepcopy(dict(model))
    _defaults(schema, schema.document, result, ())
    for name in schema.primary_identifier:
        _invent(schema, result, tuple(name.split("/")), (), f"{number:08d}")
    own = str(result.get(schema.primary_identifier[-1], ""))  # what an ARN ends in, if it isn't one
    for path in sorted(schema.read_only):
        arn = path[-1].lower().endswith("arn") and own and not own.startswith("arn:")
        _invent(schema, result, path, (), own if arn else f"{number:08d}")
    return result


def _defaults(schema: TypeSchema, node: Mapping[str, Any], value: Any, path: Path) -> None:
    node = schema.follow(node)
    properties = node.get("properties")
    if isinstance(value, dict) and isinstance(properties, Mapping):
        for name, below in properties.items():
            default = schema.follow(below).get("default", below.get("default"))
            if name not in value and default is not None:
                value[name] = copy.deepcopy(default)
            if name in value:
                _defaults(schema, below, value[name], (*path, name))
    elif isinstance(value, list) and isinstance(node.get("items"), Mapping):
        for item in value:
            _defaults(schema, node["items"], item, (*path, "*"))


def _invent(schema: TypeSchema, value: Any, path: Path, done: Path, number: str) -> None:
    """Put a value at ``path``; below an object or a list only where there is one."""
    first, rest = path[0], path[1:]
    if first == "*":
        for item in value if isinstance(value, list) else ():
            if rest:
                _invent(schema, item, rest, (*done, "*"), number)
    elif isinstance(value, dict) and rest:
        if first in value:
            _invent(schema, value[first], rest, (*done, first), number)
    elif isinstance(value, dict) and first not in value:
        value[first] = _made_up(schema, (*done, first), number)


def _made_up(schema: TypeSchema, path: Path, number: str) -> Any:
    node = schema.node(path) or {}
    kinds = node.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if "enum" in node:
        return node["enum"][0]
    if kind in ("integer", "number"):
        return 1
    if kind in ("array", "object", "boolean"):
        return {"array": [], "object": {}, "boolean": False}[kind]
    service, short = (part.lower() for part in schema.type_name.split("::")[-2:])
    if path[-1].lower().endswith("arn"):
        return f"arn:aws:{service}:us-east-1:111111111111:{short}/{number}"
    return f"{short}-{path[-1].lower()}-{number}"


def visible(schema: TypeSchema, model: Mapping[str, Any]) -> dict[str, Any]:
    """What a read handler returns: everything but the write-only properties."""
    found: dict[str, Any] = _without(model, schema.write_only, ())
    return found


def _without(value: Any, paths: frozenset[Path], path: Path) -> Any:
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if not any(_fits(other, (*path, k)) for other in paths)}
        below = {key: _without(item, paths, (*path, key)) for key, item in kept.items()}
        # an object of which nothing is left isn't returned, unless it was empty anyway
        return {key: item for key, item in below.items() if item != {} or kept[key] == {}}
    if isinstance(value, list):
        return [_without(item, paths, (*path, "*")) for item in value]
    return value


# patching


def patched(model: Mapping[str, Any], operations: Any) -> dict[str, Any]:
    """A model after a JSON patch. Raises Refused for one that isn't valid, or doesn't fit."""
    result: dict[str, Any] = copy.deepcopy(dict(model))
    if not isinstance(operations, list) or not operations:
        raise Refused("InvalidRequest", "the patch document is not a list of operations")
    for operation in operations:
        _apply(result, operation)
    return result


def place(operation: Mapping[str, Any]) -> Path:
    """Where an operation applies."""
    pointer = operation.get("path")
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise Refused("InvalidRequest", f"{pointer!r} is no JSON pointer")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def _apply(model: dict[str, Any], operation: Mapping[str, Any]) -> None:
    *above, last = place(operation)
    parent: Any = model
    for part in above:
        if not isinstance(parent, dict) or part not in parent:
            raise Refused("InvalidRequest", f"there is no {'/'.join(above)} to patch")
        parent = parent[part]
    verb, value = operation.get("op"), operation.get("value")
    if not isinstance(parent, dict) or (verb in ("remove", "replace") and last not in parent):
        raise Refused("InvalidRequest", f"can't {verb} {json.dumps(operation.get('path'))}: it isn't there")
    if verb == "remove":
        del parent[last]
    elif verb in ("add", "replace") and "value" in operation:
        parent[last] = copy.deepcopy(value)
    else:
        raise Refused("InvalidRequest", f"operation {verb!r} is not supported here")
