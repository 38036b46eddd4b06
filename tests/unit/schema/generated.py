"""Values for any type, made from its schema, and their respellings: what AWS may answer for them.

Read from the raw schema document, not through what is tested. Every text and number made is new, so that no two
values of a document are alike by chance; the same seed makes the same values.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.schema import Path, TypeSchema, declared

_DEPTH = 5


class Maker:
    """Makes one document for ``schema``."""

    def __init__(self, schema: TypeSchema, seed: int) -> None:
        self.schema = schema
        self.dice = random.Random(f"{schema.type_name}{seed}")
        self._count = 0

    def properties(self) -> dict[str, Any]:
        """Settable properties, about three in four of them."""
        names = [name for name in sorted(self.schema.properties) if (name,) not in self.schema.read_only]
        made = {name: self.value((name,)) for name in names if self.dice.random() < 0.75}
        return {name: value for name, value in made.items() if value is not None}

    def value(self, path: Path, depth: int = 0) -> Any:
        """A value for ``path``, None where the schema asks for something too deep or says nothing."""
        node = self.schema.node(path)
        if node is None:
            return None
        if "enum" in node:
            return self.dice.choice(node["enum"])
        if path == (self.schema.tag_property,):
            return self._tags()
        if isinstance(node.get("properties"), Mapping) and node["properties"]:
            return self._object(path, node, depth)
        if isinstance(node.get("items"), Mapping):
            return self._list(path, depth)
        return self._leaf(path, node)

    def _object(self, path: Path, node: Mapping[str, Any], depth: int) -> Any:
        if depth >= _DEPTH:
            return None
        names = [name for name in sorted(node["properties"]) if (*path, name) not in self.schema.read_only]
        made = {
            name: self.value((*path, name), depth + 1)
            for name in names
            if self.dice.random() < (0.75 if depth < 2 else 0.4)
        }
        return {name: value for name, value in made.items() if value is not None} or None

    def _list(self, path: Path, depth: int) -> Any:
        if depth >= _DEPTH:
            return None
        made = [self.value((*path, "*"), depth + 1) for _ in range(self.dice.randint(1, 3))]
        unique = {json.dumps(item, sort_keys=True): item for item in made if item is not None}
        return list(unique.values()) or None

    def _tags(self) -> Any:
        tags = {self.text(): self.text() for _ in range(self.dice.randint(1, 3))}
        if self.schema.tag_style == "map":
            return tags
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _leaf(self, path: Path, node: Mapping[str, Any]) -> Any:
        kinds = node.get("type", "string")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        name = path[-1]
        if "object" in kinds:
            return self.policy() if "Policy" in name else {self.text(): self.text(), self.text(): [self.text()]}
        if "boolean" in kinds and "string" not in kinds:
            return self.dice.random() < 0.5
        if kinds == ["integer"] or kinds == ["number"]:
            return self.number()
        if name == "IpProtocol":
            return self.dice.choice(["tcp", "udp"])
        if node.get("format") == "json" or (self.schema.type_name, path) in declared.JSON_TEXT:
            return json.dumps({self.text(): [self.text(), self.number()], self.text(): self.text()})
        if name in ("CidrIpv6", "Ipv6CidrBlock", "DestinationIpv6CidrBlock"):
            return f"2001:db8:{self.number():x}::/64"
        return self.text()

    def policy(self) -> dict[str, Any]:
        """A policy document."""
        statement = {
            "Effect": "Allow",
            "Action": [f"s3:{self.text()}", f"ec2:{self.text()}"],
            "Resource": [self.text(), self.text()],
            "Principal": {"AWS": [f"{self.number():012d}", self.text()]},
            "Condition": {"StringEquals": {f"aws:{self.text()}": [self.text(), self.text()]}},
        }
        return {"Version": "2012-10-17", "Statement": [statement, {**statement, "Effect": "Deny", "Sid": self.text()}]}

    def text(self) -> str:
        """A text not seen before; without digits at its ends, so that it is no number."""
        return f"V{self.number()}x"

    def number(self) -> int:
        """A number not seen before."""
        self._count += 1
        return 5000 + self._count


class Speller:
    """Writes a document as AWS may answer it: the same meaning, another spelling, more than was set."""

    def __init__(self, schema: TypeSchema, seed: int, *, more: bool) -> None:
        self.schema = schema
        self.dice = random.Random(f"{schema.type_name}{seed} again")
        self._more = Maker(schema, seed + 1) if more else None

    def properties(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """The properties respelt, with others that the plan doesn't set, read-only ones included."""
        result = {name: self.value((name,), value) for name, value in made.items()}
        if self._more:
            for name in sorted(self.schema.properties - made.keys()):
                result[name] = self._more.value((name,))
        return self._shuffled(result)

    def value(self, path: Path, made: Any) -> Any:
        """``made``, found at ``path``, respelt."""
        node = self.schema.node(path) or {}
        if path == (self.schema.tag_property,):
            return self._tags(made)
        if isinstance(made, Mapping):
            return self._object(path, node, made)
        if isinstance(made, list):
            items = [self.value((*path, "*"), item) for item in made]
            return self.dice.sample(items, len(items)) if node.get("insertionOrder") is False else items
        if isinstance(made, str):
            return self._text(path, node, made)
        if isinstance(made, bool):
            return self.dice.choice([made, str(made).lower()]) if node.get("type") == "boolean" else made
        return self.dice.choice([made, str(made)]) if node.get("type") in ("integer", "number") else made

    def _object(self, path: Path, node: Mapping[str, Any], made: Mapping[str, Any]) -> Any:
        if is_policy(made):
            return self._policy(made, as_text="string" in (node.get("type") or ()))
        if not node.get("properties"):
            return self._shuffled(dict(made))
        result = {key: self.value((*path, key), item) for key, item in made.items()}
        if self._more:
            for name in sorted(node["properties"].keys() - made.keys()):
                if self.dice.random() < 0.5:
                    result[name] = self._more.value((*path, name), _DEPTH - 1)
        return self._shuffled(result)

    def _tags(self, made: Any) -> Any:
        if isinstance(made, Mapping):
            return self._shuffled({**made, "aws:cloudformation:stack-id": "x"})
        tags = [*made, {"Key": "aws:cloudformation:stack-id", "Value": "x"}]
        return self.dice.sample(tags, len(tags))

    def _text(self, path: Path, node: Mapping[str, Any], made: str) -> str:
        if made.startswith("{"):
            return json.dumps(self._shuffled(json.loads(made)), indent=self.dice.choice([None, 1, 4]))
        if made.startswith("2001:db8:"):
            return made.upper().replace("::", ":0:0000:0::")
        if path[-1] == "IpProtocol":
            return self.dice.choice({"tcp": ["6", "TCP"], "udp": ["17", "udp"]}.get(made, [made]))
        expression = (self.schema.document.get("propertyTransform") or {}).get("/properties/" + "/".join(path), "")
        if expression == f"$lowercase({path[-1]})":
            return made.lower()
        if expression == f"$uppercase({path[-1]})":
            return made.upper()
        place = (self.schema.type_name, path)
        if node.get("enumCaseInsensitive") or place in declared.LOWER_CASE | declared.ANY_CASE:
            return made.swapcase()
        return made.lower() + "." if place in declared.DNS_NAME else made

    def _policy(self, made: Mapping[str, Any], *, as_text: bool) -> Any:
        statements = [self._statement(item) for item in made["Statement"]]
        result = self._shuffled({**made, "Statement": self.dice.sample(statements, len(statements))})
        return json.dumps(result) if as_text and self.dice.random() < 0.5 else result

    def _statement(self, made: Mapping[str, Any]) -> dict[str, Any]:
        accounts = made["Principal"]["AWS"]
        principals = [f"arn:aws:iam::{name}:root" if name.isdigit() else name for name in accounts]
        return self._shuffled(
            {
                **made,
                "Action": [self.dice.choice([action.lower(), action]) for action in reversed(made["Action"])],
                "Resource": made["Resource"][::-1],
                "Principal": {"AWS": principals[::-1]},
                "Condition": {
                    operator: {key.upper(): values[::-1] for key, values in tests.items()}
                    for operator, tests in made["Condition"].items()
                },
            }
        )

    def _shuffled(self, made: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.dice.sample(list(made.items()), len(made)))


def is_policy(made: Any) -> bool:
    """Whether a value is one of ``Maker.policy``."""
    return isinstance(made, Mapping) and set(made) == {"Version", "Statement"} and isinstance(made["Statement"], list)


Trail = tuple[str | int, ...]


def trails(value: Any, trail: Trail = ()) -> Iterator[Trail]:
    """The place of every leaf in a document."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from trails(item, (*trail, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from trails(item, (*trail, index))
    else:
        yield trail


def another(value: Any) -> Any:
    """A leaf that means something else."""
    if isinstance(value, bool):
        return not value
    return value + 1_000_003 if isinstance(value, int | float) else "quite-another"


def changed(value: Any, trail: Trail, how: Callable[[Any], Any] = another) -> Any:
    """A copy in which the one value at ``trail`` is changed."""
    if not trail:
        return how(value)
    if isinstance(value, Mapping):
        return {key: changed(item, trail[1:], how) if key == trail[0] else item for key, item in value.items()}
    return [changed(item, trail[1:], how) if index == trail[0] else item for index, item in enumerate(value)]


def case_matters(schema: TypeSchema, path: Path) -> bool:
    """Whether nothing says that AWS ignores the letter case of the text at ``path``."""
    place = (schema.type_name, path)
    tables = declared.LOWER_CASE | declared.ANY_CASE | declared.DNS_NAME
    node = schema.node(path) or {}
    return place not in tables and not node.get("enumCaseInsensitive") and "Policy" not in "".join(path)


def ordered_lists(schema: TypeSchema, value: Any, trail: Trail = ()) -> Iterator[Trail]:
    """Where lists of several items are of which the schema says that their order counts."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from ordered_lists(schema, item, (*trail, key))
    elif isinstance(value, list):
        node = schema.node(schema_path(trail)) or {}
        path = schema_path(trail)
        a_set = path == (schema.tag_property,) or (schema.type_name, path) in declared.SETS
        if len(value) > 1 and node.get("insertionOrder") is True and not a_set:
            yield trail
        for index, item in enumerate(value):
            yield from ordered_lists(schema, item, (*trail, index))


def schema_path(trail: Trail) -> Path:
    """The schema's path of a leaf."""
    return tuple("*" if isinstance(part, int) else part for part in trail)


def named_path(schema: TypeSchema, made: Any, trail: Trail) -> str:
    """The JSON pointer under which a change of a leaf is reported: of the field, or the list or free-form value."""
    parts: list[str] = []
    for part in trail:
        node = schema.node(tuple(parts)) or {}
        tags = tuple(parts) == (schema.tag_property,)
        if tags and isinstance(made, list):
            return "/" + "/".join([*parts, made[int(part)]["Key"]])
        free = not any(key in node for key in ("properties", "oneOf", "anyOf", "allOf")) or is_policy(made)
        filled_up = (schema.type_name, tuple(parts)) in declared.FILLED_UP
        if isinstance(part, int) or (parts and not tags and free and not filled_up):
            break
        parts.append(part)
        made = made[part]
    return "/" + "/".join(item.replace("~", "~0").replace("/", "~1") for item in parts)
