"""Other values for a property, made from its value and its schema: flipped, one more, one less, another member."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from reconciler.schema import TypeSchema
from tests.schemas.generator import value as generated

Path = tuple[str, ...]

#: so many are tried; an emulator that takes none of them takes hardly any
MOST = 10
_OPPOSITES = {
    "true": "false",
    "false": "true",
    "Enabled": "Disabled",
    "Disabled": "Enabled",
    "ENABLED": "DISABLED",
    "DISABLED": "ENABLED",
}
_SCALARS = (str, int, float, bool)


def variations(schema: TypeSchema, path: Path, value: Any, said: Any = None) -> Iterator[Any]:
    """Values that differ from ``value`` in what the plan says of it, likely ones first. Of our tags alone, one goes.

    ``said``: the value as the plan has it. What only AWS or others set within it may change without being drift.
    """
    if path == (schema.tag_property,) and isinstance(value, list) and all(map(_is_own, value)):
        yield value[1:]
        return
    if path == (schema.tag_property,) and isinstance(value, Mapping) and all(map(_is_ours, value)):
        yield dict(list(value.items())[1:])
        return
    others = (other for other in _other(schema, path, value, 0) if _managed(other, said) != _managed(value, said))
    yield from islice(others, MOST)


def _managed(value: Any, said: Any) -> Any:
    """``value`` without the keys that ``said`` hasn't got; in a list, those that none of its items has."""
    if isinstance(value, Mapping) and isinstance(said, Mapping):
        return {key: _managed(item, said[key]) for key, item in value.items() if key in said}
    if isinstance(value, list) and isinstance(said, list) and said and all(isinstance(one, Mapping) for one in said):
        together = {key: item for one in said for key, item in one.items()}
        return [_managed(item, together) for item in value]
    return value


def _other(schema: TypeSchema, path: Path, value: Any, depth: int) -> Iterator[Any]:
    if len(path) > 1 and schema.forces_replacement(path) and isinstance(value, _SCALARS):
        return
    if isinstance(value, Mapping):
        yield from _objects(schema, path, value, depth)
    elif isinstance(value, list):
        yield from _lists(schema, path, value, depth)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from _numbers(schema, path, value)
    elif isinstance(value, str):
        yield from _strings(schema, path, value)


def _objects(schema: TypeSchema, path: Path, value: Mapping[str, Any], depth: int) -> Iterator[Any]:
    if depth > 6:
        return
    below = [_replaced(value, key, _other(schema, (*path, key), item, depth + 1)) for key, item in _changeable(value)]
    yield from _in_turns(below)
    for key in value:
        if len(value) > 1 and key not in _required(schema, path):
            yield {name: item for name, item in value.items() if name != key}


def _changeable(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What may be changed of an object: a name is what tells it apart, and a version of a policy is a language."""
    told_by = ("Version", "Key", "Id", "Sid", "Effect")
    found = [(key, item) for key, item in value.items() if key not in told_by and not key.startswith("reconciler:")]
    return sorted(found, key=lambda pair: (pair[0].endswith(("Name", "Arn", "Id", "Type")), 0))


def _replaced(value: Mapping[str, Any], key: str, others: Iterator[Any]) -> Iterator[Any]:
    for other in others:
        yield {**value, key: other}


def _lists(schema: TypeSchema, path: Path, value: list[Any], depth: int) -> Iterator[Any]:
    if depth > 6:
        return
    free = [index for index, item in enumerate(value) if not _is_own(item)]
    changed = [_swapped(value, index, _other(schema, (*path, "*"), value[index], depth + 1)) for index in free[:3]]
    yield from _in_turns(changed)
    for index in free[-1:]:
        if len(value) > 1:
            yield [*value[:index], *value[index + 1 :]]
    for index in free[:1]:
        for other in islice(_other(schema, (*path, "*"), value[index], depth + 1), 2):
            yield [*value, other]


def _swapped(value: list[Any], index: int, others: Iterator[Any]) -> Iterator[Any]:
    for other in others:
        yield [*value[:index], other, *value[index + 1 :]]


def _is_own(item: Any) -> bool:
    return isinstance(item, Mapping) and _is_ours(str(item.get("Key", "")))


def _is_ours(key: str) -> bool:
    return key.startswith(("reconciler:", "aws:"))


def _numbers(schema: TypeSchema, path: Path, value: float) -> Iterator[Any]:
    node = schema.node(path) or {}
    if node.get("enum"):
        yield from (other for other in node["enum"] if other != value)
        return
    least, most = node.get("minimum", 0), node.get("maximum", 2**31)
    for other in (value + 1, value - 1, value * 2, value + 60, value + 1024, 1, 7):
        if least <= other <= most and other != value:
            yield other


def _strings(schema: TypeSchema, path: Path, value: str) -> Iterator[Any]:
    document = _document(value)
    node = schema.node(path) or {}
    if document is not None:
        yield from (json.dumps(other) for other in _other(schema, (*path, "*"), document, 1))
    elif node.get("enum"):
        yield from (other for other in node["enum"] if other != value)
    elif value in _OPPOSITES:
        yield _OPPOSITES[value]
    elif value.isdigit():
        yield from (str(other) for other in _numbers(schema, path, int(value)))
    else:
        yield from _texts(schema, path, value)


def _texts(schema: TypeSchema, path: Path, value: str) -> Iterator[str]:
    if re.search(r"\d", value) and not value.startswith("arn:"):
        yield re.sub(r"\d(?!.*\d)", lambda found: str((int(found[0]) + 1) % 10), value)
    if not re.match(r"^(arn:|[a-z]+-[0-9a-f]{8,}$)", value):
        yield f"{value}x"
        yield f"{value} too"
    for seed in range(1, 3):
        other = generated(schema, path, seed)
        if isinstance(other, str) and other != value:
            yield other
    if value.startswith("arn:") or "/" in value:
        yield f"{value}x"


def _document(text: str) -> Any:
    if text[:1] + text[-1:] in ("{}", "[]"):
        try:
            return json.loads(text)
        except ValueError:
            return None
    return None


def _required(schema: TypeSchema, path: Path) -> frozenset[str]:
    return frozenset((schema.node(path) or {}).get("required", ()))


def _in_turns(sources: list[Iterator[Any]]) -> Iterator[Any]:
    """One of each, then the next of each."""
    while sources:
        left = []
        for source in sources:
            found = list(islice(source, 1))
            if found:
                yield found[0]
                left.append(source)
        sources = left
