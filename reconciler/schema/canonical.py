"""Comparison by meaning: every value has one canonical form, and ``==`` on those means "the same to AWS".

Each (type, path) is compiled once to a small function and kept on the schema, because a pass does this for every
property of every resource. Where it isn't certain that AWS treats two spellings alike they stay different: a
difference too many is seen and reported, one too few is silent drift.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.values import Sensitive, transform
from reconciler.schema import declared, scalars, spellings
from reconciler.schema.policydoc import canonical_policy, is_policy, plain, unordered
from reconciler.schema.rules import ignores_case, ordered, protocol, security_group_rule
from reconciler.schema.types import Normaliser, Path, TypeSchema, is_tag_item

_NETWORK_NAME = re.compile(r"Cidr|Ipv6", re.IGNORECASE)
#: properties typed as plain strings that hold JSON which AWS parses (and prints again in its own way)
_JSON_NAME = re.compile(r"(Policy|PolicyDocument|PolicyText|DashboardDefinition|EventPattern)$")

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
    if isinstance(value, Sensitive) or (path and not schema.hides(path[0])):
        return value
    if schema.is_secret(path):
        return Sensitive(value, placed=_is_word(schema, path))
    if isinstance(value, Mapping):
        return {key: conceal(schema, (*path, key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [conceal(schema, (*path, "*"), item) for item in value]
    return value


def _is_word(schema: TypeSchema, path: Path) -> bool:
    """Whether what is write-only at ``path`` is one of a few words (``Standard``, ``true``), or tags."""
    node = schema.node(path)
    forms = [] if node is None else shapes(schema, node)
    return path[:1] == (schema.tag_property,) or any("enum" in form or "boolean" in _kinds(form) for form in forms)


def tag_values(value: Any) -> Any:
    """Tags in their canonical form, a dict, but with secret values still ``Sensitive``; what isn't tags unchanged."""
    secret = isinstance(value, Sensitive)
    value = value.value if isinstance(value, Sensitive) else value
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list | tuple) and all(isinstance(tag, Mapping) and "Key" in tag for tag in value):
        pairs = [(tag["Key"], tag.get("Value", "")) for tag in value]
    else:
        return value
    pairs = [(str(scalars.text(_revealed(key))), _tag_value(item, secret=secret)) for key, item in pairs]
    return {key: item for key, item in pairs if not key.lower().startswith("aws:")}


def _tag_value(value: Any, *, secret: bool) -> Any:
    if isinstance(value, Sensitive):
        return Sensitive(scalars.text(value.reveal()), placed=value.placed)
    return Sensitive(scalars.text(value), placed=True) if secret else scalars.text(value)


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
    def protocol(value: Any) -> Any:
        return protocol(_revealed(value))

    @staticmethod
    def spelt(spelling: Callable[[str], str]) -> Normaliser:
        """A string in the one spelling that ``spelling`` gives it."""

        def spelt(value: Any) -> Any:
            value = scalars.text(_revealed(value))
            return spelling(value) if isinstance(value, str) else value

        return spelt

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
        found = tag_values(value)
        return {key: _revealed(item) for key, item in found.items()} if isinstance(found, Mapping) else found


def _revealed(value: Any) -> Any:
    return value.reveal() if type(value) is Sensitive else value


def _scalar_or_json(value: Any, scalar: Normaliser) -> Any:
    return _Shared.json(value) if isinstance(value, Mapping | list | tuple) else scalar(value)


def _compile(schema: TypeSchema, path: Path) -> Normaliser:
    """One function for whatever can stand at ``path``: the schema may allow a list, an object or a scalar there."""
    node = schema.node(path)
    if node is None:
        return _Shared.string if (schema.type_name, path[:-1]) in declared.FILLED_UP else _Shared.json
    if path and path == (schema.tag_property,):
        return _Shared.tags
    forms = shapes(schema, node)
    listed = next((shape for shape in forms if "items" in shape), None)
    shaped = next((shape for shape in forms if _has_shape(shape)), None)
    for_list = _array(schema, path, listed) if listed is not None else _Shared.json
    for_object = _object(schema, path, shaped) if shaped is not None else _Shared.json
    for_scalar = _scalar(schema, path, node, frozenset[str]().union(*map(_kinds, forms)))
    if for_list is _Shared.tags:
        return for_list

    def normalise(value: Any) -> Any:
        value = _revealed(value)
        if isinstance(value, str) and shaped is not None:
            value = scalars.parsed_json(value)
        if isinstance(value, Mapping):
            return for_object(value)
        if isinstance(value, list | tuple):
            return for_list(value)
        return for_scalar(value)

    return for_scalar if listed is None and shaped is None else normalise


def shapes(schema: TypeSchema, node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The node and its alternatives, references followed."""
    found = [node]
    for keyword in ("oneOf", "anyOf", "allOf"):
        found += [schema.follow(alternative) for alternative in node.get(keyword, ())]
    return found


def _has_shape(node: Mapping[str, Any]) -> bool:
    return any(key in node for key in ("properties", "patternProperties")) or isinstance(
        node.get("additionalProperties"), Mapping
    )


def _kinds(node: Mapping[str, Any]) -> frozenset[str]:
    kinds = node.get("type", ())
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def _is_json(schema: TypeSchema, node: Mapping[str, Any]) -> bool:
    """Whether a string here is taken as the JSON it spells: the schema says so, or allows the object itself too."""
    return any(shape.get("format") == "json" or _kinds(shape) == {"object", "string"} for shape in shapes(schema, node))


def _text(schema: TypeSchema, path: Path, node: Mapping[str, Any], kinds: frozenset[str]) -> Normaliser:
    name = path[-1] if path else ""
    if _is_json(schema, node) or (schema.type_name, path) in declared.JSON_TEXT:
        return _Shared.json
    if kinds == {"string"} and _JSON_NAME.search(name) and "enum" not in node:
        return _Shared.json
    if node.get("enumCaseInsensitive") or ignores_case(schema, path):
        return _Shared.spelt(spellings.lower)
    if name == "IpProtocol":
        return _Shared.protocol
    spelling = spellings.spelling(schema.type_name, path, node)
    if spelling is not None:
        return _Shared.spelt(spelling)
    return _Shared.network if _NETWORK_NAME.search(name) else _Shared.string


def _scalar(schema: TypeSchema, path: Path, node: Mapping[str, Any], kinds: frozenset[str]) -> Normaliser:
    if "string" in kinds:
        return _text(schema, path, node, kinds)
    if "boolean" in kinds:
        return _Shared.boolean
    if "integer" in kinds:
        return _Shared.integer
    return _Shared.number if "number" in kinds else _Shared.json


def _array(schema: TypeSchema, path: Path, node: Mapping[str, Any]) -> Normaliser:
    if "Tag" in (path[-1] if path else "") and is_tag_item(schema.follow(node["items"])):
        return _Shared.tags
    item_path = (*path, "*")
    is_set = not ordered(path, node, schema.type_name)

    def array(value: Any) -> Any:
        result = [canonical(schema, item_path, item) for item in value]
        return unordered(result) if is_set else result

    return array


def _object(schema: TypeSchema, path: Path, shaped: Mapping[str, Any]) -> Normaliser:
    names = frozenset(shaped.get("properties", ()))
    is_map = "patternProperties" in shaped or isinstance(shaped.get("additionalProperties"), Mapping)
    adjust = security_group_rule if {"IpProtocol", "FromPort", "ToPort"} <= names else None
    below = {name: (*path, name) for name in names}

    def document(value: Any) -> Any:
        result = {
            key: canonical(schema, below.get(key) or (*path, "*" if is_map else key), item)
            for key, item in value.items()
            if item is not None
        }
        return adjust(result) if adjust else result

    return document
