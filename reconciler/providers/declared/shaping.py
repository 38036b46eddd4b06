"""Properties as parameters, and answers as properties. Pure.

What the SDK's model of an operation says decides how a parameter is spelled and typed; what the schema says decides the
same for a property. Letters' case apart, most names agree; ``renames`` has the others, by the property's path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.strays import sealed_loader
from reconciler.schema import TypeSchema
from reconciler.schema.scalars import boolean, integer, number, of_kinds, parsed_json, text

Renames = Mapping[str, str]


@lru_cache(maxsize=64)
def _model(service: str) -> ServiceModel:
    return ServiceModel(sealed_loader().load_service_model(service, "service-2"), service)


@lru_cache(maxsize=1024)
def api_name(service: str, operation: str) -> str:
    """The API's name (``CreateStream``) of boto3's method. Raises KeyError if the service has no such operation."""
    return {xform_name(name): name for name in _model(service).operation_names}[operation]


@lru_cache(maxsize=1024)
def input_shape(service: str, operation: str) -> StructureShape:
    """What an operation takes. Raises KeyError if the service has no such operation."""
    shape = _model(service).operation_model(api_name(service, operation)).input_shape
    return shape if shape is not None else StructureShape(operation, {"type": "structure", "members": {}})


@lru_cache(maxsize=8192)
def _members(shape: StructureShape) -> Mapping[str, str]:
    return {name.lower(): name for name in shape.members}


def member(shape: Shape, name: str, path: str, renames: Renames) -> str | None:
    """The member of a structure that the property ``name`` at ``path`` is called; None if there is none."""
    if not isinstance(shape, StructureShape):
        return None
    other = renames.get(path)
    if other is not None:
        return other if other in shape.members else None
    return _members(shape).get(name.lower())


def parameters(shape: StructureShape, values: Mapping[str, Any], renames: Renames) -> dict[str, Any]:
    """``values`` as the parameters of an operation. Raises INVALID_REQUEST for one that it has no place for."""
    found: dict[str, Any] = _worded(shape, values, "", renames)
    return found


def _worded(shape: Shape, value: Any, path: str, renames: Renames) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        worded: dict[str, Any] = {}
        for key, item in value.items():
            if item is not None:
                below = _below(path, key)
                place = _place(shape, below, renames)
                worded[place] = _worded(shape.members[place], item, below, renames)
        return worded
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list | tuple) else [value]
        return [_worded(shape.member, item, path, renames) for item in items if item is not None]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {str(key): _worded(shape.value, item, _below(path, "*"), renames) for key, item in value.items()}
    return _scalar(shape.type_name, value)


def _place(shape: StructureShape, path: str, renames: Renames) -> str:
    found = member(shape, path.rpartition("/")[2], path, renames)
    if found is None:
        raise AwsFault(FaultKind.INVALID_REQUEST, f"property {path.replace('/', '.')} is not supported by this version")
    return found


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("string", "character"):
        return json.dumps(value) if isinstance(value, Mapping | list) else text(value)
    if kind in ("integer", "long"):
        return integer(value)
    if kind in ("float", "double"):
        return number(value)
    if kind == "boolean":
        return boolean(value)
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return parsed_json(value) if kind in ("structure", "map") and isinstance(value, str) else value


def _below(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def properties(schema: TypeSchema, answer: Mapping[str, Any], renames: Renames) -> dict[str, Any]:
    """What ``answer`` shows of a resource, in the shape of its schema; what the schema doesn't know is left out."""
    return _object(schema, schema.document, answer, "", renames)


def value_at(schema: TypeSchema, name: str, answer: Any, renames: Renames) -> Any:
    """``answer`` as the value of one property."""
    return _observed(schema, schema.node((name,)) or {}, answer, name, renames)


def _object(
    schema: TypeSchema, node: Mapping[str, Any], answer: Mapping[str, Any], path: str, renames: Renames
) -> dict[str, Any]:
    folded = {str(key).lower(): item for key, item in answer.items()}
    found: dict[str, Any] = {}
    for name in known_names(schema, node):
        called = renames.get(_below(path, name))
        item = folded.get((called or name).lower())
        if item is None or (called and called not in answer):
            continue
        observed = _observed(schema, schema.child(node, name) or {}, item, _below(path, name), renames)
        if observed is not None:
            found[name] = observed
    return found


def known_names(schema: TypeSchema, node: Mapping[str, Any]) -> tuple[str, ...]:
    """The properties of an object, those of its alternatives included."""
    found = dict.fromkeys(node.get("properties", ()))
    for keyword in ("oneOf", "anyOf", "allOf"):
        for alternative in node.get(keyword, ()):
            found |= dict.fromkeys(known_names(schema, schema.follow(alternative)))
    return tuple(found)


def _observed(schema: TypeSchema, node: Mapping[str, Any], value: Any, path: str, renames: Renames) -> Any:
    node = schema.follow(node)
    if isinstance(value, Mapping):
        if known_names(schema, node):
            return _object(schema, node, value, path, renames)
        below = schema.child(node, "*") or {}
        return {str(key): _observed(schema, below, item, _below(path, "*"), renames) for key, item in value.items()}
    if isinstance(value, list | tuple):
        below = schema.child(node, "*") or {}
        return [_observed(schema, below, item, path, renames) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")  # what the schemas' validator takes for a date and time
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    kinds = node.get("type", ())
    # services answer numbers and documents as texts
    return of_kinds((kinds,) if isinstance(kinds, str) else tuple(kinds), value)


def at(answer: Any, path: str) -> Any:
    """What lies at a path with dots in an answer; None where there is nothing. A number picks from a list."""
    for part in path.split(".") if path else ():
        if isinstance(answer, list):
            answer = answer[int(part)] if part.isdigit() and int(part) < len(answer) else None
        else:
            answer = answer.get(part) if isinstance(answer, Mapping) else None
    return answer


def filled(constant: Any, fields: Mapping[str, Any]) -> Any:
    """A constant with the fields in its texts filled in. Raises KeyError for a field that isn't known."""
    if isinstance(constant, str):
        return constant.format_map(fields) if "{" in constant else constant
    if isinstance(constant, Mapping):
        return {key: filled(item, fields) for key, item in constant.items()}
    if isinstance(constant, list | tuple):
        return [filled(item, fields) for item in constant]
    return constant


def spread(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Properties with the members of some in their place."""
    inner = [values.pop(name) for name in names if isinstance(values.get(name), Mapping)]
    return values | {key: item for each in inner for key, item in each.items()}
