"""A resource as one of Terraform's aws provider (and the ones that belong to it), by its type's mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from reconciler.model.errors import PipelineError
from reconciler.model.plan import PlannedResource
from reconciler.model.values import Deferred
from reconciler.pipeline.aws.rules import (
    Apart,
    As,
    AwsType,
    Decoded,
    First,
    Implied,
    Inside,
    Into,
    Json,
    Keyed,
    Nested,
    NotCovered,
    Pairs,
    Rule,
    Rules,
    Wrapped,
)
from reconciler.pipeline.files import Place, is_list
from reconciler.pipeline.hcl import Block, Call, Raw
from reconciler.pipeline.naming import attribute_name
from reconciler.schema import TypeSchema


class Values(Protocol):
    """What translates the values; secrets become variables."""

    def plain(self, value: Any, schema: TypeSchema, place: Place) -> Any:
        """A value whose keys stay as they are."""

    def known(self, value: Any) -> Any:
        """A value with the parameters' values in it."""

    def either(self, resource: PlannedResource, name: str, translate: Callable[[Any], Any]) -> Any:
        """A property translated with references to parameters if that can be done, else with their values."""


@dataclass(slots=True)
class Body:
    """What a resource or block consists of.

    ``shared``: blocks to which several properties add. ``apart``: the resources that belong to it.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    shared: dict[str, Body] = field(default_factory=dict)
    apart: list[Part] = field(default_factory=list)

    def add(self, other: Body) -> None:
        """Take over what ``other`` has."""
        self.attributes.update(other.attributes)
        self.blocks.extend(other.blocks)
        self.apart.extend(other.apart)
        for name, inner in other.shared.items():
            self.shared.setdefault(name, Body()).add(inner)

    def block(self, kind: str, labels: tuple[str, ...] = (), last: tuple[Block, ...] = ()) -> Block:
        """It as a block. Attributes by name, tags last."""
        names = sorted(self.attributes, key=lambda name: (name == "depends_on", name == "tags", name))
        shared = (self.shared[name].block(name) for name in sorted(self.shared))
        return Block(kind, labels, {name: self.attributes[name] for name in names}, (*self.blocks, *shared, *last))


@dataclass(frozen=True, slots=True)
class Part:
    """A resource that belongs to another one: its rule, what is added to the label, and what it was made for.

    ``item`` is the value or the list item, ``prop`` the property of CloudFormation that holds it.
    """

    rule: Apart
    label: str
    item: Any
    body: Body
    prop: str = ""


def body(resource: PlannedResource, mapping: AwsType, schema: TypeSchema, values: Values) -> Body:
    """What ``resource`` is in Terraform. Raises PipelineError for a property or value that the mapping leaves out."""
    writer = _Writer(schema, mapping, values)
    found = Body(dict(mapping.constant))
    place = Place(resource.logical_id)
    for name in sorted(resource.properties):
        rule = mapping.rules.get(name)
        if rule is None:
            raise writer.uncovered(place.key(name))
        piece = values.either(resource, name, _bound(writer, rule, place.key(name)))
        piece.apart = [replace(part, prop=name) for part in piece.apart]
        found.add(piece)
    for name in mapping.needs:
        if name not in resource.properties:
            why = f"{mapping.resource} needs {name}, which CloudFormation would make up: set it"
            raise NotCovered(place, resource.logical_id, why)
    found.blocks.extend(block for name, block in mapping.unset.items() if name not in resource.properties)
    return found


def parts_of(resource: PlannedResource, mapping: AwsType, schema: TypeSchema, values: Values) -> Body:
    """What would belong to ``resource``, as far as the mapping covers it: for its addresses."""
    writer = _Writer(schema, mapping, values)
    found = Body()
    for name, rule in mapping.rules.items():
        if isinstance(rule, Apart) and name in resource.properties:
            with suppress(PipelineError):
                found.add(writer.apply(rule, resource.properties[name], Place(resource.logical_id).key(name)))
    return found


def _bound(writer: _Writer, rule: Rule, place: Place) -> Callable[[Any], Body]:
    return lambda value: writer.apply(rule, value, place)


def apart_blocks(found: Body, address: str, taken: set[str]) -> Iterator[tuple[str, Block, Part]]:
    """(address, block, part) of the resources that belong to the one at ``address``; adds to ``taken`` addresses."""
    label = address.split(".")[1]
    for part in found.apart:
        own = f"{label}_{part.label}" if part.label else label
        while f"{part.rule.resource}.{own}" in taken:
            own += "_"
        taken.add(f"{part.rule.resource}.{own}")
        whole = Body({part.rule.back: Raw(f"{address}.{part.rule.to}"), **part.rule.constant})
        whole.add(part.body)
        yield f"{part.rule.resource}.{own}", whole.block("resource", (part.rule.resource, own)), part


class _Writer:
    def __init__(self, schema: TypeSchema, mapping: AwsType, values: Values) -> None:
        self._schema = schema
        self._mapping = mapping
        self._values = values

    def apply(self, rule: Rule, value: Any, place: Place) -> Body:
        """What a property's value comes to by its rule."""
        if isinstance(rule, As):
            return Body({rule.name: self._as(rule, value, place)})
        if isinstance(rule, Json):
            return Body({rule.name: self._json(value, place)})
        if isinstance(rule, Decoded):
            if isinstance(value, Deferred) and value.function == "Fn::Base64":
                return Body({rule.name: self._values.plain(value.argument, self._schema, place)})
            return Body({rule.other: self._values.plain(value, self._schema, place)})
        if isinstance(rule, Wrapped):
            inner = {rule.attribute: self._values.plain(value, self._schema, place)}
            return Body(blocks=[Block(rule.name, (), inner)])
        if isinstance(rule, Into):
            return Body(shared={rule.name: self.apply(rule.rule, value, place)})
        if isinstance(rule, Implied):
            return Body()
        return self._structured(rule, self._known(value, place), place)

    def _structured(self, rule: Pairs | Nested | Inside | Keyed | First | Apart, value: Any, place: Place) -> Body:
        if isinstance(rule, Pairs):
            return Body({rule.name: self._pairs(rule, value, place)})
        if isinstance(rule, Nested):
            return Body(blocks=[self._nested(rule, item, at) for item, at in _items(value, place)])
        if isinstance(rule, Inside):
            found = Body(dict(rule.constant))
            found.add(self._members(rule.rules, value, place))
            return found
        if isinstance(rule, Keyed):
            return self._keyed(rule, value, place)
        if isinstance(rule, First):
            if not is_list(value) or len(value) != 1:
                raise self.uncovered(place, "has other than one item, which can't be written")
            return self.apply(rule.rule, value[0], place.item(0))
        return Body(apart=list(self._apart(rule, value, place)))

    def _keyed(self, rule: Keyed, value: Any, place: Place) -> Body:
        found = Body()
        for item, at in _items(value, place):
            key = self._values.known(item.get(rule.key)) if isinstance(item, Mapping) else None
            inner = rule.rules.get(key) if isinstance(key, str) else None
            if inner is None or rule.value not in item:
                raise self.uncovered(at, f"({key}) isn't covered by our mapping")
            found.add(self.apply(inner, item[rule.value], at.key(rule.value)))
        return found

    def uncovered(self, place: Place, why: str = "isn't covered by our mapping") -> NotCovered:
        """An error to raise; ``why`` goes on after "this property of the type"."""
        words = f"this property of {self._schema.type_name} {why} to {self._mapping.resource}"
        return NotCovered(place, place.root, words)

    def _known(self, value: Any, place: Place) -> Any:
        known = self._values.known(value) if isinstance(value, Deferred) else value
        if isinstance(known, Deferred):
            raise self.uncovered(place, "is known after deployment only, which can't be written")
        return known

    def _as(self, rule: As, value: Any, place: Place) -> Any:
        if not rule.words:
            plain = self._values.plain(value, self._schema, place)
            return [plain] if rule.many else plain
        known = self._known(value, place)
        word = str(known).lower() if isinstance(known, bool) else str(known)
        if word not in rule.words:
            raise self.uncovered(place, "has a value that isn't covered by our mapping")
        return rule.words[word]

    def _json(self, value: Any, place: Place) -> Any:
        text = self._values.plain(value, self._schema, place)
        return Call("jsonencode", (text,)) if isinstance(value, Mapping) or is_list(value) else text

    def _pairs(self, rule: Pairs, value: Any, place: Place) -> Any:
        if isinstance(value, Mapping):
            return self._values.plain(value, self._schema, place)
        found: dict[str, Any] = {}
        for item, at in _items(value, place):
            name = self._values.known(item.get(rule.key)) if isinstance(item, Mapping) else None
            if not isinstance(name, str) or set(item) != {rule.key, rule.value}:
                raise self.uncovered(at, "is no plain pair and so isn't covered by our mapping")
            found[name] = self._values.plain(item[rule.value], self._schema, at.key(rule.value))
        return {name: found[name] for name in sorted(found)}

    def _nested(self, rule: Nested, value: Any, place: Place) -> Block:
        found = Body(dict(rule.constant))
        found.add(self._members(rule.rules, value, place))
        return found.block(rule.name)

    def _members(self, rules: Rules, value: Any, place: Place) -> Body:
        value = self._known(value, place)
        if not isinstance(value, Mapping):
            raise self.uncovered(place, "is no mapping and so isn't covered by our mapping")
        found = Body()
        for name in sorted(value):
            rule = rules.get(name)
            if rule is None:
                raise self.uncovered(place.key(name))
            found.add(self.apply(rule, value[name], place.key(name)))
        return found

    def _apart(self, rule: Apart, value: Any, place: Place) -> Iterator[Part]:
        several = is_list(value)
        for number, (item, at) in enumerate(_items(value, place), 1):
            inner = self.apply(rule.item, item, at) if rule.item else self._members(rule.rules, item, at)
            name = "_".join(filter(None, (rule.label, _word(self._values.known(item)) or str(number))))
            yield Part(rule, name if several else rule.label, item, inner)


def _items(value: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    if is_list(value):
        yield from ((item, place.item(index)) for index, item in enumerate(value))
    else:
        yield value, place


def _word(item: Any) -> str:
    """What an item of a list may be called by, so that its name doesn't depend on its neighbours; may be empty."""
    if isinstance(item, Mapping):
        names = (item.get(key) for key in ("Name", "PolicyName", "Id", "Endpoint"))
        item = next((name for name in names if isinstance(name, str | Deferred)), None)
    if isinstance(item, Deferred) and item.function in ("Ref", "Fn::GetAtt"):
        item = item.argument if isinstance(item.argument, str) else item.argument[0]
    if not isinstance(item, str):
        return ""
    return attribute_name(re.split(r"[/:]", item)[-1])
