"""The smallest resource that a type's schema allows, made up from it, the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from re import _constants as sre
from re import _parser as parser
from typing import Any

import regex

from reconciler.schema import TypeSchema

_DEEPEST = 12
_ARN = "arn:aws:iam::111111111111:role/example"
#: Tried in order before a string is put together from a pattern.
_LIKELY = (
    "example", "Example1", "example-1", "a1b2c3d4e5", "1234567890ab", "111111111111", "us-east-1", "10.0.0.0/16",
    "10.0.0.1", _ARN, "arn:aws:s3:::example",
    "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-4333-8444-555555555555",
    "11111111-2222-4333-8444-555555555555", "example.com", "alice@example.com", "https://example.com/a",
    "s3://example/a", "2026-01-01T00:00:00Z", "2026-01-01", "00:00", "1", "A", "/example/", "alias/example",
    "i-0123456789abcdef0",
)  # fmt: skip
_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "timestamp": "2026-01-01T00:00:00Z",
    "uri": "https://example.com/a",
    "ipv4": "10.0.0.1",
    "ipv4-network": "10.0.0.0/16",
    "ipv6": "2001:db8::1",
    "ipv6-network": "2001:db8::/32",
    "json": "{}",
    "AWS::EC2::Image.Id": "ami-0123456789abcdef0",
    "AWS::EC2::SecurityGroup.Id": "sg-0123456789abcdef0",
    "AWS::EC2::SecurityGroup.Ids": "sg-0123456789abcdef0",
    "AWS::EC2::Subnet.Id": "subnet-0123456789abcdef0",
    "AWS::EC2::Subnet.Ids": "subnet-0123456789abcdef0",
    "AWS::EC2::VPC.Id": "vpc-0123456789abcdef0",
    "AWS::EC2::Instance.Id": "i-0123456789abcdef0",
    "AWS::IAM::Role.Arn": _ARN,
    "AWS::KMS::Key.Arn": "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-4333-8444-555555555555",
    "AWS::Logs::LogGroup.Arn": "arn:aws:logs:us-east-1:111111111111:log-group:example",
}


def minimal(schema: TypeSchema) -> dict[str, Any]:
    """Required properties and nothing else."""
    node = _merged(schema, schema.document)
    names = [name for name in _required(node) if (name,) not in schema.read_only]
    found = {name: value(schema, (name,)) for name in names}
    for name in schema.primary_identifier:
        first, *below = name.split("/")
        if below and (first, *below) not in schema.read_only:
            found.setdefault(first, {}).setdefault(below[0], value(schema, (first, *below)))
    return found


def value(schema: TypeSchema, path: tuple[str, ...], seed: int = 0) -> Any:
    """A value for a property; another one for another ``seed`` where there are two."""
    return _value(schema, schema.node(path) or {}, path, seed, 0)


def _value(schema: TypeSchema, node: Mapping[str, Any], path: tuple[str, ...], seed: int, depth: int) -> Any:
    node = _merged(schema, node)
    if "const" in node:
        return node["const"]
    if node.get("enum"):
        return node["enum"][seed % len(node["enum"])]
    kinds = node.get("type", "object" if "properties" in node else "string")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    kind = "object" if "object" in kinds and "string" not in kinds else kinds[0]
    if kind == "object":
        return _object(schema, node, path, seed, depth)
    if kind == "array":
        return _array(schema, node, path, seed, depth)
    if kind == "boolean":
        return seed % 2 == 0
    return _string(node, seed) if kind == "string" else _number(node, seed)


def _object(schema: TypeSchema, node: Mapping[str, Any], path: tuple[str, ...], seed: int, depth: int) -> Any:
    names = [name for name in _required(node) if (*path, name) not in schema.read_only]
    properties = node.get("properties", {})
    if not names and properties and depth < 2 and seed:  # an empty object has no other one beside it
        names = [name for name in properties if (*path, name) not in schema.read_only][:1]
    if depth > _DEEPEST:
        return {}
    found = {
        name: _value(schema, properties.get(name, {}), (*path, name), seed if len(names) == 1 else 0, depth + 1)
        for name in names
    }
    patterns = node.get("patternProperties", {})
    if not properties and patterns and (seed or node.get("minProperties")):
        pattern, below = next(iter(patterns.items()))
        found[_string({"pattern": pattern}, 0)] = _value(schema, below, (*path, "*"), seed, depth + 1)
    elif not properties and not patterns and seed:
        found["key"] = f"value{seed}"
    return found


def _array(schema: TypeSchema, node: Mapping[str, Any], path: tuple[str, ...], seed: int, depth: int) -> list[Any]:
    if depth > _DEEPEST or not isinstance(node.get("items"), Mapping):
        return []
    number = max(1, node.get("minItems", 0))
    return [_value(schema, node["items"], (*path, "*"), seed + extra, depth + 1) for extra in range(number)]


def _number(node: Mapping[str, Any], seed: int) -> Any:
    least = node.get("minimum", node.get("exclusiveMinimum", 0) + 1)
    step = node.get("multipleOf", 1)
    low = -(-least // step) * step
    found = low + seed * step
    return low if "maximum" in node and found > node["maximum"] else found


def _string(node: Mapping[str, Any], seed: int) -> str:
    fits = list(islice((text for text in _texts(node) if _fits(node, text)), seed + 1))
    if not fits:
        return next(_texts(node), "example")
    text = fits[seed % len(fits)]
    other = f"{text}{seed}"
    return other if seed and _fits(node, other) and "format" not in node else text


def _texts(node: Mapping[str, Any]) -> Iterator[str]:
    if node.get("format") in _FORMATS:
        yield _FORMATS[node["format"]]
    least = node.get("minLength", 0)
    yield from _LIKELY
    yield "a" * max(1, least)
    pattern = node.get("pattern")
    if pattern:
        yield from _by_pattern(pattern, least)


def _fits(node: Mapping[str, Any], text: str) -> bool:
    if not node.get("minLength", 0) <= len(text) <= node.get("maxLength", 10_000):
        return False
    if node.get("format") in _FORMATS:
        return text == _FORMATS[node["format"]]
    try:  # some patterns take exponential time
        return regex.search(node["pattern"], text, timeout=0.05) is not None if "pattern" in node else True
    except (regex.error, TimeoutError):
        return True


def _by_pattern(pattern: str, least: int) -> Iterator[str]:
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return
    for repeats in (0, 1, 2, 4, least, 8, 12, 16, 20, 32):
        yield "".join(_pieces(tree, repeats))


def _pieces(tree: Any, repeats: int) -> Iterator[str]:
    for verb, argument in tree:
        yield from _piece(verb, argument, repeats)


def _piece(verb: Any, argument: Any, repeats: int) -> Iterator[str]:
    if verb is sre.LITERAL:
        yield chr(argument)
    elif verb is sre.NOT_LITERAL:
        yield "a" if argument != ord("a") else "b"
    elif verb is sre.ANY:
        yield "a"
    elif verb is sre.IN:
        yield _member(argument)
    elif verb is sre.BRANCH:
        yield from _pieces(argument[1][0], repeats)
    elif verb is sre.SUBPATTERN:
        yield from _pieces(argument[3], repeats)
    elif verb in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, below = argument
        for _ in range(min(max(low, repeats), high)):
            yield from _pieces(below, repeats)


def _member(members: Any) -> str:
    negated = members[0][0] is sre.NEGATE
    allowed = {text for verb, argument in members[negated:] for text in _set(verb, argument)}
    choices = [text for text in "a1A-/_. " if (text in allowed) != negated]
    return choices[0] if choices else min(allowed, default="a")


def _set(verb: Any, argument: Any) -> Iterator[str]:
    if verb is sre.LITERAL:
        yield chr(argument)
    elif verb is sre.RANGE:
        yield from map(chr, range(argument[0], min(argument[1], argument[0] + 200) + 1))
    elif verb is sre.CATEGORY:
        kinds = {sre.CATEGORY_DIGIT: "1", sre.CATEGORY_WORD: "a1A_", sre.CATEGORY_SPACE: " "}
        rest = {sre.CATEGORY_NOT_SPACE: "a1A-/_.", sre.CATEGORY_NOT_DIGIT: "aA-/_. ", sre.CATEGORY_NOT_WORD: "-/. "}
        yield from {**kinds, **rest}.get(argument, "a")


def _required(node: Mapping[str, Any]) -> list[str]:
    names = list(node.get("required", ()))
    for keyword in ("requiredXor", "requiredOr"):
        group = node.get(keyword, ())
        if group and not set(group) & set(names):
            names.append(group[0])
    for name in names:  # grows while it is gone through
        names += [other for other in node.get("dependentRequired", {}).get(name, ()) if other not in names]
    return list(dict.fromkeys(names))


def _merged(schema: TypeSchema, node: Mapping[str, Any]) -> dict[str, Any]:
    """A node with its references followed, and the first of its alternatives put in."""
    node = schema.follow(node)
    result = dict(node)
    parts = [*node.get("allOf", ()), *node.get("oneOf", ())[:1], *node.get("anyOf", ())[:1]]
    for part in parts:
        below = _merged(schema, part)
        for key, item in below.items():
            if key == "required":
                result[key] = [*result.get(key, ()), *item]
            elif key == "properties":
                result[key] = {**item, **result.get(key, {})}
            elif key not in ("oneOf", "anyOf", "allOf"):
                result.setdefault(key, item)
    return result
