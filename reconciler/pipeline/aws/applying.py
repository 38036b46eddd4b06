"""What single values come to by the rules of a mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from reconciler.model.plan import PlannedResource
from reconciler.model.values import Deferred
from reconciler.pipeline.aws.bodies import Body, Part
from reconciler.pipeline.aws.rules import (
    Apart,
    As,
    AwsType,
    Chosen,
    Contrary,
    Decoded,
    Entries,
    First,
    Implied,
    Inside,
    Into,
    Joined,
    Json,
    Keyed,
    Listed,
    Nested,
    NotCovered,
    Pairs,
    Reading,
    Rule,
    Wrapped,
)
from reconciler.pipeline.files import Place, is_list
from reconciler.pipeline.hcl import Block, Call
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


class Writer:
    def __init__(self, schema: TypeSchema, mapping: AwsType, values: Values) -> None:
        self._schema = schema
        self._mapping = mapping
        self._values = values

    def apply(self, rule: Rule, value: Any, place: Place) -> Body:
        """What a property's value comes to by its rule."""
        if isinstance(rule, As | Json | Joined):
            return Body({rule.name: self._attribute(rule, value, place)})
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

    def _structured(
        self,
        rule: Pairs | Listed | Nested | Entries | Inside | Keyed | Chosen | First | Apart,
        value: Any,
        place: Place,
    ) -> Body:
        if isinstance(rule, Pairs):
            return Body({rule.name: self._pairs(rule, value, place)})
        if isinstance(rule, Listed):
            return Body({rule.name: [self._listed(rule, item, at) for item, at in _items(value, place)]})
        if isinstance(rule, Nested):
            written = [(item, at) for item, at in _items(value, place) if item not in rule.nothing]
            return Body(blocks=[self._nested(rule, item, at) for item, at in written])
        if isinstance(rule, Entries):
            return Body(blocks=list(self._entries(rule, value, place)))
        if isinstance(rule, Inside):
            found = Body(dict(rule.constant))
            found.add(self._members(rule, value, place))
            return found
        if isinstance(rule, Keyed):
            return self._keyed(rule, value, place)
        if isinstance(rule, Chosen):
            return self._chosen(rule, value, place)
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

    def _chosen(self, rule: Chosen, value: Any, place: Place) -> Body:
        found = Body()
        for item, at in _items(value, place):
            word = self._known(item, at)
            inner = rule.rules.get(word) if isinstance(word, str) else None
            if inner is None:
                raise self.uncovered(at, f"({word}) isn't covered by our mapping")
            found.add(self.apply(inner, {}, at))
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

    def _attribute(self, rule: As | Json | Joined, value: Any, place: Place) -> Any:
        if isinstance(rule, As) and rule.words:
            return self._worded(rule, value, place)
        plain = self._values.plain(value, self._schema, place)
        if isinstance(rule, As):
            return [plain] if rule.many else plain
        if isinstance(rule, Json):
            document = _renamed(plain, rule.renamed)
            return Call("jsonencode", (document,)) if isinstance(value, Mapping) or is_list(value) else document
        known = is_list(plain) and all(isinstance(item, str) for item in plain)
        return ",".join(plain) if known else Call("join", (",", plain))

    def _worded(self, rule: As, value: Any, place: Place) -> Any:
        known = self._known(value, place)
        word = str(known).lower() if isinstance(known, bool) else str(known)
        if word not in rule.words:
            raise self.uncovered(place, "has a value that isn't covered by our mapping")
        return rule.words[word]

    def _listed(self, rule: Listed, item: Any, place: Place) -> Any:
        item = self._known(item, place)
        if not isinstance(item, Mapping) or set(item) != {rule.key}:
            raise self.uncovered(place, f"has more than {rule.key} and so isn't covered by our mapping")
        return self._values.plain(item[rule.key], self._schema, place.key(rule.key))

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
        found.add(self.apply(rule.item, value, place) if rule.item else self._members(rule, value, place))
        return found.block(rule.name)

    def _entries(self, rule: Entries, value: Any, place: Place) -> Iterator[Block]:
        if not isinstance(value, Mapping):
            raise self.uncovered(place, "is no mapping and so isn't covered by our mapping")
        for name in sorted(value):
            found = Body({rule.key: name})
            found.add(self._members(Inside(rule.rules, needs=rule.needs), value[name], place.key(name)))
            yield found.block(rule.name)

    def _members(self, rule: Nested | Inside, value: Any, place: Place) -> Body:
        value = self._known(value, place)
        if not isinstance(value, Mapping):
            raise self.uncovered(place, "is no mapping and so isn't covered by our mapping")
        value = self.read(rule.read, value, place)
        found = Body()
        for name in sorted(value):
            if name not in rule.rules:
                raise self.uncovered(place.key(name))
            found.add(self.apply(rule.rules[name], value[name], place.key(name)))
        self.insist(rule.needs, value, place)
        return found

    def read(self, reading: Reading, value: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
        """The members of a value as they are to Terraform."""
        try:
            return reading(value)
        except Contrary as error:
            raise self.uncovered(place.key(error.member), error.why) from error

    def insist(self, needs: tuple[str, ...], value: Mapping[str, Any], place: Place) -> None:
        """Raise NotCovered for a member that Terraform can't do without."""
        for name in needs:
            if name not in value:
                why = f"{self._mapping.resource} needs {name}, which CloudFormation does without: set it"
                raise NotCovered(place, place.root, why)

    def _apart(self, rule: Apart, value: Any, place: Place) -> Iterator[Part]:
        several = is_list(value)
        for number, (item, at) in enumerate(_items(value, place), 1):
            if item in rule.nothing:
                continue
            inner = self.apply(rule.item or Inside(rule.rules), item, at)
            name = "_".join(filter(None, (rule.label, self._word(rule, item) or str(number))))
            yield Part(rule, name if several else rule.label, item, inner)

    def _word(self, rule: Apart, item: Any) -> str:
        """What an item of a list may be called by, so that its name doesn't depend on its neighbours; may be empty."""
        item = self._values.known(item)
        if not isinstance(item, Mapping):
            return _called(item)
        if rule.key:
            words = [_called(self._values.known(item.get(key))) for key in rule.key]
            return "_".join(filter(None, words)) if words[0] else ""
        names = (item.get(key) for key in ("Name", "PolicyName", "Id", "Endpoint"))
        return _called(next((name for name in names if isinstance(name, str | Deferred)), None))


def _items(value: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    if is_list(value):
        yield from ((item, place.item(index)) for index, item in enumerate(value))
    else:
        yield value, place


def _called(item: Any) -> str:
    if isinstance(item, Deferred) and item.function in ("Ref", "Fn::GetAtt"):
        item = item.argument if isinstance(item.argument, str) else item.argument[0]
    if not isinstance(item, str):
        return ""
    return attribute_name(re.split(r"[/:]", item)[-1])


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if names and isinstance(value, Mapping):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if names and is_list(value) else value
