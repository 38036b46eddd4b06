"""What the awscc provider makes of a resource type: whether it has it, and how a value is typed there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation
from reconciler.pipeline import naming
from reconciler.pipeline.files import Place
from reconciler.pipeline.hcl import Call, Raw
from reconciler.schema import TypeSchema, reference_value

_DATA = Path(__file__).with_name("awscc.json")
_COMBINERS = ("oneOf", "anyOf", "allOf")
_PROBE = "identifier|probe"


class Shape(Enum):
    """How the provider takes a value: named attributes, a map, a list, a scalar, or a document as a JSON string."""

    OBJECT = "object"
    MAP = "map"
    LIST = "list"
    PLAIN = "plain"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class _Deviations:
    """Where the provider isn't what the schemas make one expect; written by ``scripts/provider-table``.

    ``version``: of the provider. ``types`` that it leaves out, most because their schemas are beyond its generator;
    ``properties`` that it doesn't have (yet) by type; ``shapes`` that are others than by rule.
    """

    version: str
    types: frozenset[str]
    properties: Mapping[str, frozenset[str]]
    shapes: Mapping[str, Mapping[str, Shape]]


@lru_cache(maxsize=1)
def deviations() -> _Deviations:
    """What is known of the provider beyond the rules."""
    data = json.loads(_DATA.read_bytes())
    return _Deviations(
        data["version"],
        frozenset(data["types"]),
        {name: frozenset(paths) for name, paths in data["properties"].items()},
        {name: {path: Shape(word) for path, word in found.items()} for name, found in data["shapes"].items()},
    )


def resource_type(schema: TypeSchema) -> str:
    """The awscc resource of a type. Raises ValueError if the provider has none."""
    name = naming.resource_type(schema.type_name)
    if schema.type_name in deviations().types:
        raise ValueError(
            f"the awscc provider has no resource for {schema.type_name}: use format cloudformation for this plan"
        )
    return name


def absent(type_name: str, schema_path: tuple[str, ...]) -> bool:
    """Whether the provider has the type but not this property of it."""
    return "/".join(schema_path) in deviations().properties.get(type_name, ())


def reference(schema: TypeSchema, address: str, place: Place) -> Raw | Call:
    """What ``Ref`` returns for a resource, as an expression on its address."""
    probe = Observation(Identifier(_PROBE), {name: f"property:{name}" for name in schema.properties})
    value = str(reference_value(schema, probe))
    if value.startswith("property:"):
        return Raw(f"{address}.{naming.top_level_name(schema.type_name, value.removeprefix('property:'))}")
    if value == _PROBE:
        single = schema.primary_identifier[0] if len(schema.primary_identifier) == 1 else ""
        if single in schema.properties:
            return Raw(f"{address}.{naming.top_level_name(schema.type_name, single)}")
        return Raw(f"{address}.id")
    left, right = _PROBE.split("|")
    separator = value.removeprefix(left).removesuffix(right)
    if value == f"{left}{separator}{right}":
        return Call("replace", (Raw(f"{address}.id"), "|", separator))
    raise place.refuse(f"what Ref of {schema.type_name} returns can't be written in Terraform")


def attribute(schema: TypeSchema, address: str, name: str, place: Place) -> Raw:
    """What ``Fn::GetAtt`` returns for an attribute of a resource, as an expression on its address."""
    first, *rest = name.split(".")
    path = tuple(name.split("."))
    if schema.node(path) is None or absent(schema.type_name, path):
        raise place.refuse(f"{schema.type_name} has no attribute {name} in the awscc provider")
    steps = [naming.top_level_name(schema.type_name, first), *map(naming.attribute_name, rest)]
    return Raw(".".join([address, *steps]))


def shape(schema: TypeSchema, node: Mapping[str, Any], schema_path: tuple[str, ...]) -> Shape:
    """How the provider takes the value at a place in the properties, of which ``node`` is the schema."""
    known = deviations().shapes.get(schema.type_name, {}).get("/".join(schema_path))
    return known or shape_by_rule(schema, node)[0]


def shape_by_rule(schema: TypeSchema, node: Mapping[str, Any]) -> tuple[Shape, frozenset[str]]:
    """The shape that follows from the schema, and the JSON types that it names.

    A JSON string is what the provider makes of an object of any shape, of several kinds, or of none.
    """
    kinds = frozenset(_kinds(schema, node))
    if not kinds or (len(kinds) > 1 and kinds & {"object", "array"}):
        return Shape.JSON, kinds
    if kinds == {"array"}:
        return Shape.LIST, kinds
    if kinds != {"object"}:
        return Shape.PLAIN, kinds
    if _is_object(schema, node):
        return Shape.OBJECT, kinds
    return (Shape.MAP if _is_map(node) else Shape.JSON), kinds


def _is_object(schema: TypeSchema, node: Mapping[str, Any]) -> bool:
    """Whether the node describes named properties, itself or in one of its alternatives."""
    return bool(node.get("properties")) or any(_is_object(schema, other) for other in _alternatives(schema, node))


def _is_map(node: Mapping[str, Any]) -> bool:
    return bool(node.get("patternProperties")) or isinstance(node.get("additionalProperties"), Mapping)


def _kinds(schema: TypeSchema, node: Mapping[str, Any]) -> Iterator[str]:
    kinds = node.get("type", ())
    if kinds:
        yield from (kinds,) if isinstance(kinds, str) else kinds
        return
    if node.get("properties") or _is_map(node):
        yield "object"
    for other in _alternatives(schema, node):
        yield from _kinds(schema, other)


def _alternatives(schema: TypeSchema, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for keyword in _COMBINERS:
        for alternative in node.get(keyword, ()):
            yield schema.follow(alternative)
