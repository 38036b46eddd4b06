"""Comparison by meaning: every value has one canonical form, and ``==`` on those means "the same to AWS".

Each (type, path) is compiled once to a small function and kept on the schema, because a pass does this for every
property of every resource. Where it isn't certain that AWS treats two spellings alike they stay different: a
difference too many is seen and reported, one too few is silent drift.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.model.values import Sensitive, transform
from reconciler.schema import scalars
from reconciler.schema.policydoc import canonical_policy, is_policy, plain, unordered
from reconciler.schema.rules import lower_cased, ordered, security_group_rule
from reconciler.schema.types import Normaliser, Path, TypeSchema, is_tag_item

_NETWORK_NAME = re.compile(r"Cidr|Ipv6", re.IGNORECASE)
#: properties typed as plain strings that hold JSON which AWS parses (and prints again in its own way)
_JSON_NAME = re.compile(r"(Policy|PolicyDocument|PolicyText|DashboardBody|DashboardDefinition|EventPattern)$")

#: enough for every path of the largest schemas; only a caller's own map keys could make more
_CACHED_PATHS = 20_000


def canonical(schema: TypeSchema | None, path: Path, value: Any) -> Any:
    """``value``, found at ``path`` in the properties of a type, in canonical form; ``()`` is all the properties.

    Sets are sorted, policy documents, JSON strings, numbers and booleans written as strings, networks and tags (a
    dict, without AWS's own) brought to one form, secrets revealed. ``Unknown`` stays. Never raises, never changes
    ``value``. The result is for comparing, not for AWS.
    """
    if schema is None:
        return _Shared.json(value)
    found = schema.normalisers.get(path)
    if found is None:
        found = _compile(schema, path)
        if len(schema.normalisers) < _CACHED_PATHS:
            schema.normalisers[path] = found
    return found(value)


def conceal(schema: TypeSchema, path: Path, value: Any) -> Any:
    """``value`` with everything in it that the schema calls write-only made ``Sensitive``."""
    if isinstance(value, Sensitive):
        return value
    if schema.is_secret(path):
        return Sensitive(value)
    if isinstance(value, Mapping):
        return {key: conceal(schema, (*path, key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [conceal(schema, (*path, "*"), item) for item in value]
    return value


class _Shared:
    """Normalisers that need no schema."""

    @staticmethod
    def json(value: Any) -> Any:
        """Free-form JSON, given as such or as a string: a policy document by its meaning, the rest as it is."""
        value = _revealed(value)
        if isinstance(value, str):
            value = scalars.parsed_json(value)
        if is_policy(value):
            return canonical_policy(transform(value, _revealed))
        return plain(transform(value, _revealed))

    @staticmethod
    def string(value: Any) -> Any:
        value = _revealed(value)
        return value if isinstance(value, str) else _scalar_or_json(value, scalars.text)

    @staticmethod
    def network(value: Any) -> Any:
        value = _revealed(value)
        return scalars.network(value) if isinstance(value, str) else value

    @staticmethod
    def lower(value: Any) -> Any:
        value = _revealed(value)
        return value.lower() if isinstance(value, str) else value

    @staticmethod
    def integer(value: Any) -> Any:
        return _scalar_or_json(_revealed(value), scalars.integer)

    @staticmethod
    def number(value: Any) -> Any:
        return _scalar_or_json(_revealed(value), scalars.number)

    @staticmethod
    def boolean(value: Any) -> Any:
        return _scalar_or_json(_revealed(value), scalars.boolean)

    @staticmethod
    def tags(value: Any) -> Any:
        """Tags as a dict of strings, without the ones AWS sets itself; anything that isn't tags unchanged."""
        value = _revealed(value)
        if isinstance(value, Mapping):
            pairs = list(value.items())
        elif isinstance(value, list | tuple) and all(isinstance(tag, Mapping) and "Key" in tag for tag in value):
            pairs = [(tag["Key"], tag.get("Value", "")) for tag in value]
        else:
            return value
        return {
            str(scalars.text(_revealed(key))): scalars.text(_revealed(item))
            for key, item in pairs
            if not str(key).lower().startswith("aws:")
        }


def _revealed(value: Any) -> Any:
    return value.reveal() if type(value) is Sensitive else value


def _scalar_or_json(value: Any, scalar: Normaliser) -> Any:
    return _Shared.json(value) if isinstance(value, Mapping | list | tuple) else scalar(value)


def _compile(schema: TypeSchema, path: Path) -> Normaliser:
    node = schema.node(path)
    if node is None:
        return _Shared.json
    if path and path == (schema.tag_property,):
        return _Shared.tags
    kinds = _kinds(node)
    if "array" in kinds:
        return _array(schema, path, node)
    if "object" in kinds:
        return _object(schema, path, node)
    return _scalar(schema, path, node, kinds)


def _kinds(node: Mapping[str, Any]) -> frozenset[str]:
    kinds = node.get("type")
    if kinds is None:
        if "items" in node:
            return frozenset({"array"})
        if any(key in node for key in ("properties", "patternProperties", "oneOf", "anyOf", "allOf")):
            return frozenset({"object"})
        return frozenset()
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def _scalar(schema: TypeSchema, path: Path, node: Mapping[str, Any], kinds: frozenset[str]) -> Normaliser:
    name = path[-1] if path else ""
    if "string" in kinds:
        if node.get("format") == "json" or (kinds == {"string"} and _JSON_NAME.search(name) and "enum" not in node):
            return _Shared.json
        if node.get("enumCaseInsensitive") or lower_cased(schema, path):
            return _Shared.lower
        return _Shared.network if _NETWORK_NAME.search(name) else _Shared.string
    if "boolean" in kinds:
        return _Shared.boolean
    if "integer" in kinds:
        return _Shared.integer
    return _Shared.number if "number" in kinds else _Shared.json


def _array(schema: TypeSchema, path: Path, node: Mapping[str, Any]) -> Normaliser:
    items = schema.follow(node.get("items", {}))
    if "Tag" in (path[-1] if path else "") and is_tag_item(items):
        return _Shared.tags
    item_path = (*path, "*")
    is_set = not ordered(schema, path, node)

    def array(value: Any) -> Any:
        value = _revealed(value)
        if not isinstance(value, list | tuple):
            return _Shared.json(value)
        result = [canonical(schema, item_path, item) for item in value]
        return unordered(result) if is_set else result

    return array


def _object(schema: TypeSchema, path: Path, node: Mapping[str, Any]) -> Normaliser:
    shaped = any(key in node for key in ("properties", "patternProperties", "oneOf", "anyOf", "allOf")) or isinstance(
        node.get("additionalProperties"), Mapping
    )
    if not shaped:
        return _Shared.json
    names = frozenset(node.get("properties", ()))
    is_map = "patternProperties" in node or isinstance(node.get("additionalProperties"), Mapping)
    adjust = security_group_rule if {"IpProtocol", "FromPort", "ToPort"} <= names else None

    def part(key: str) -> str:
        return "*" if is_map and key not in names else key

    def document(value: Any) -> Any:
        value = _revealed(value)
        if isinstance(value, str):
            value = scalars.parsed_json(value)
        if not isinstance(value, Mapping):
            return _Shared.json(value)
        result = {key: canonical(schema, (*path, part(key)), item) for key, item in value.items() if item is not None}
        return adjust(result) if adjust else result

    return document
