"""Where the awscc provider deviates from what follows from the schemas by rule: every type, every property.

``scripts/provider-table`` writes the result to ``reconciler/pipeline/awscc.json``, by which the renderer goes; a test
compares that file with what is computed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.pipeline import naming
from reconciler.pipeline.awscc import Shape, shape_by_rule
from reconciler.schema import TypeSchema, known_types, schema_for
from tests.providertable import Attribute, Structure, Table

#: Kinds that bindings can't tell apart from ours, or that Terraform converts: (by rule, in the bindings).
_AS_GOOD = frozenset({("{}boolean|string", "{}b"), ("{}boolean|integer|string", "{}s"), ("{}[]object", "{}object")})
_SHAPES = {"s": "json", "{}object": "map", "{}s": "map", "object": "object"}


@dataclass(slots=True)
class Deviations:
    """What was found. ``agreeing`` counts types, names and kinds that are as the rules say."""

    types: list[str] = field(default_factory=list)
    properties: dict[str, list[str]] = field(default_factory=dict)
    shapes: dict[str, dict[str, str]] = field(default_factory=dict)
    agreeing: Counter[str] = field(default_factory=Counter)

    def document(self, version: str) -> dict[str, Any]:
        """What ``awscc.json`` holds."""
        return {"version": version, "types": self.types, "properties": self.properties, "shapes": self.shapes}


def deviations(table: Table) -> Deviations:
    """Hold every type that CloudFormation has against the table."""
    found = Deviations()
    for type_name in sorted(known_types()):
        schema = schema_for(type_name)
        assert schema is not None
        if not type_name.startswith("AWS::"):
            continue
        structure = table.resource(naming.resource_type(type_name))
        if structure is None:
            found.types.append(type_name)
            continue
        found.agreeing["types"] += 1
        _Walk(schema, found).structure(schema.document, structure, ())
    return found


class _Walk:
    """One type's schema and the provider's structure, side by side. It ends: a provider's structures are trees."""

    def __init__(self, schema: TypeSchema, found: Deviations) -> None:
        self._schema = schema
        self._found = found

    def structure(self, node: Mapping[str, Any], structure: Structure, path: tuple[str, ...]) -> None:
        for name, child in _properties(self._schema, node):
            mine = naming.top_level_name(self._schema.type_name, name) if not path else naming.attribute_name(name)
            attribute = structure.get(mine)
            if attribute is None:
                self._found.properties.setdefault(self._schema.type_name, []).append("/".join((*path, name)))
                continue
            self._found.agreeing["names"] += 1
            self._attribute(self._schema.follow(child), attribute, (*path, name))

    def _attribute(self, node: Mapping[str, Any], attribute: Attribute, path: tuple[str, ...]) -> None:
        kind, inner, inner_path = self._kind(node, path)
        if kind == attribute.kind or (kind, attribute.kind) in _AS_GOOD:
            self._found.agreeing["kinds"] += 1
        elif not kind.startswith("["):
            self._found.shapes.setdefault(self._schema.type_name, {})["/".join(path)] = _SHAPES[attribute.kind]
        if attribute.fields is not None and kind.endswith("object"):
            self.structure(inner, attribute.fields, inner_path)

    def _kind(self, node: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, Mapping[str, Any], tuple[str, ...]]:
        """The kind in the table's signs, the schema of what is at the bottom of it, and where that stands."""
        shape, kinds = shape_by_rule(self._schema, node)
        if shape is Shape.JSON:
            return "s", node, path
        if shape is Shape.OBJECT:
            return "object", node, path
        if shape is Shape.PLAIN:
            return _scalar(kinds), node, path
        inside = self._schema.child(node, "*") or {"type": "string"}
        kind, inner, inner_path = self._kind(inside, (*path, "*"))
        return ("[]" if shape is Shape.LIST else "{}") + kind, inner, inner_path


def _scalar(kinds: frozenset[str]) -> str:
    if kinds <= {"integer", "number"}:
        return "n"
    return {frozenset({"boolean"}): "b", frozenset({"string"}): "s"}.get(kinds, "|".join(sorted(kinds)))


def _properties(schema: TypeSchema, node: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The properties that a schema names, in its alternatives too, each once."""
    names: set[str] = set()
    for name, child in _every_property(schema, node, depth):
        if name not in names:
            names.add(name)
            yield name, child


def _every_property(schema: TypeSchema, node: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from node.get("properties", {}).items()
    for keyword in ("oneOf", "anyOf", "allOf"):
        for alternative in node.get(keyword, ()) if depth < 6 else ():
            yield from _every_property(schema, schema.follow(alternative), depth + 1)
