"""Reading resources of a declared type: one call for many where there is one, then what takes calls of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import Formatter
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.resource import Unreadable, Wanted
from reconciler.model.values import Properties, Sensitive, has_unknown
from reconciler.ports import Scope
from reconciler.providers.declared.declaration import Declaration, Many, Read
from reconciler.providers.declared.shaping import (
    at,
    filled,
    input_shape,
    member,
    parameters,
    properties,
    value_at,
)
from reconciler.providers.native.reading import absent_as, read_each, unreadable
from reconciler.providers.native.shapes import chunks
from reconciler.schema import TypeSchema

Raw = Mapping[str, Any]


@dataclass(slots=True)
class Item:
    """A resource as AWS answers, and as the schema has it."""

    answer: Raw
    properties: dict[str, Any]


Found = dict[Identifier, Item | Unreadable]
Adapt = Callable[[Scope, Item, dict[str, Any]], dict[str, Any]]


def within(template: str, text: str, scope: Scope, inner: str = "[^:]+") -> dict[str, str]:
    """The fields of a template in a text that was made by it; empty if none was. ``inner``: what a field may be."""
    place = {"partition": scope.partition, "region": scope.region, "account": scope.account}
    pattern = "".join(
        re.escape(before) + (re.escape(place[name]) if name in place else f"(?P<{name}>{inner})" if name else "")
        for before, name, _, _ in Formatter().parse(template)
    )
    found = re.fullmatch(pattern, text)
    return found.groupdict() if found else {}


def field_names(template: str) -> frozenset[str]:
    """The fields that a constant names."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


class Reader:
    """Reads the resources of one type. ``adapt``: the type's own last word on what was read."""

    def __init__(self, declaration: Declaration, schema: Callable[[Scope], TypeSchema], adapt: Adapt) -> None:
        self._declaration = declaration
        self.schema = schema
        self._adapt = adapt

    # identity

    def identity(self, scope: Scope, identifier: Identifier) -> dict[str, str]:
        """The parts of an identifier by property. Raises INVALID_REQUEST if it hasn't as many as it must have."""
        names = self.schema(scope).primary_identifier
        parts = identifier.split("|") if len(names) > 1 else [identifier]
        if len(parts) != len(names):
            message = f"{identifier} is no identifier of {self._declaration.type}: {'|'.join(names)}"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        found = dict(zip(names, parts, strict=True))
        for name, templates in self._declaration.parts.items():
            found |= next((inner for one in templates if (inner := within(one, found[name], scope))), {})
        return found

    def spelled(self, scope: Scope, known: Properties) -> dict[str, Any]:
        """What of the identifier is in properties, or can be spelled out from them."""
        names = self.schema(scope).primary_identifier
        found = {name: known[name] for name in names if _plain(known.get(name))}
        fields = _Fields(scope, known)
        for name, ways in self._declaration.identity.items():
            for template in (ways,) if isinstance(ways, str) else ways:
                if name not in found and all(_plain(fields.get(field)) for field in field_names(template)):
                    found[name] = filled(template, fields)
        return found

    def fields(self, scope: Scope, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """What constants may name, the ARN included where it can be spelled out from ``known``."""
        fields = _Fields(scope, known)
        template = self._declaration.arn
        if template and all(_plain(fields.get(field)) for field in field_names(template)):
            fields["arn"] = filled(template, fields)
        return fields

    def asked(self, scope: Scope, read: Read, own: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a read: what it takes of ``own``, and its constants, which may name what is ``known``."""
        shape = input_shape(self._declaration.service, read.operation)
        renames = {**self._declaration.renames, **read.renames}
        given = {name: value for name, value in own.items() if member(shape, name, name, renames)}
        return parameters(shape, given, renames) | dict(filled(read.constants, self.fields(scope, known)))

    # reading

    def item(self, scope: Scope, identifier: Identifier, *, gone: bool = False) -> Raw:
        """What the read answers for one, not yet as properties. Raises NOT_FOUND, as for one that is gone.

        ``gone``: one that is gone or leaving is answered, too, as long as AWS shows it.
        """
        identity = self.identity(scope, identifier)
        for found in self._answers(scope, self._declaration.read, [identity], gone=gone):
            if _identifies(self.as_item(scope, found), identity):
                return found
        message = f"{self._declaration.type} {identifier} does not exist"
        raise AwsFault(FaultKind.NOT_FOUND, message, service=self._declaration.service)

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        """Resources by identifier; what doesn't exist is left out."""
        read = self._declaration.read
        items = list(wanted)
        if read.lists:
            found = self._batch(scope, items)
        elif read.many is not None:
            pieces = [partial(self._batch, scope, piece) for piece in chunks(items, read.many.size)]
            found = {key: item for answer in scope.gather(pieces) for key, item in answer.items()}
        else:
            found = read_each(scope, items, partial(self._one, scope))
        return self._completed(scope, items, found)

    def shaped(self, scope: Scope, read: Read, answer: Raw, *, identity_only: bool = False) -> dict[str, Any]:
        """An answer as properties; ``identity_only``: those that identify, for what may show little else."""
        schema = self.schema(scope)
        found = properties(schema, answer, {**self._declaration.renames, **read.renames})
        for name, prefix in self._declaration.prefixes.items():
            if isinstance(found.get(name), str):
                found[name] = found[name].removeprefix(prefix)
        if identity_only:
            return {name: value for name, value in found.items() if name in schema.primary_identifier}
        return found

    def as_item(self, scope: Scope, answer: Raw, identity: Mapping[str, Any] | None = None) -> Item:
        """What the read (or a listing that shows as much) answers for one resource."""
        found = self.shaped(scope, self._declaration.read, answer)
        spelled = {name: value for name, value in self.spelled(scope, found).items() if name not in found}
        return Item(answer, {**found, **spelled, **(identity or {})})

    def alive(self, answer: Raw) -> bool:
        """Whether a resource that is shown still exists."""
        waiting = self._declaration.waiting
        if waiting is None:
            return True
        state = str(at(answer, waiting.at) or "")
        return state not in waiting.leaving and not waiting.is_gone(state)

    def listed(self, scope: Scope, operation: str, path: str, given: Mapping[str, Any]) -> list[Raw]:
        """All pages of a listing."""
        key, _, below = path.partition(".")
        found = scope.pages(self._declaration.service, operation, key, **given) if key else []
        rows = [at(one, below) for one in found] if below else found
        # A list in each entry is the entries' own (EC2's instances in reservations).
        flat = [inner for row in rows for inner in (row if isinstance(row, list) else [row])]
        return [row for row in flat if isinstance(row, Mapping)]

    def _one(self, scope: Scope, item: Wanted) -> Item:
        return self.as_item(scope, self.item(scope, item.identifier), self.identity(scope, item.identifier))

    def _batch(self, scope: Scope, items: Sequence[Wanted]) -> Found:
        """Several by one call. Where that fails because of one of them, or can't tell, each by itself."""
        identities = {item.identifier: self.identity(scope, item.identifier) for item in items}
        try:
            answers = self._answers(scope, self._declaration.read, list(identities.values()))
        except AwsFault as fault:
            if len(items) > 1 and not fault.retryable and not self._declaration.read.lists:
                return read_each(scope, items, partial(self._one, scope))
            if fault.kind is FaultKind.NOT_FOUND:
                return {}
            return {item.identifier: unreadable(item.identifier, fault) for item in items}
        found: Found = {}
        for item in (self.as_item(scope, answer) for answer in answers):
            for identifier, identity in identities.items():
                if identifier not in found and _identifies(item, identity):
                    found[identifier] = Item(item.answer, {**item.properties, **identity})
                    break
        return found

    def _answers(
        self, scope: Scope, read: Read, identities: Sequence[Mapping[str, str]], *, gone: bool = False
    ) -> list[Raw]:
        """What a read answers for resources, without what is gone unless that is asked for."""
        given = self._asked(scope, read, identities)
        if read.lists or read.paged or read.many is not None:
            answers = self.listed(scope, read.operation, read.answer, given)
        else:
            answer = self._asking(scope, read, given)
            found = at(answer, read.answer)
            answers = found if isinstance(found, list) else [found] if isinstance(found, Mapping) else []
        return [answer for answer in answers if isinstance(answer, Mapping) and (gone or self.alive(answer))]

    def _asking(self, scope: Scope, read: Read, given: Mapping[str, Any]) -> Raw:
        try:
            return scope.call(self._declaration.service, read.operation, **given)
        except AwsFault as fault:
            if fault.code in read.missing:
                message = fault.message
                raise AwsFault(
                    FaultKind.NOT_FOUND, message, service=fault.service, operation=fault.operation, code=fault.code
                ) from fault
            raise

    def _asked(self, scope: Scope, read: Read, identities: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        own = {} if read.lists or read.many is not None else identities[0]
        several = _several(read.many, identities) if read.many is not None else {}
        return several | self.asked(scope, read, own, identities[0])

    # what takes calls of its own

    def _completed(self, scope: Scope, items: Sequence[Wanted], found: Found) -> Found:
        for item in self._completing(scope, items, found):
            found[item[0]] = item[1]
        return found

    def _completing(
        self, scope: Scope, items: Sequence[Wanted], found: Found
    ) -> Iterable[tuple[Identifier, Item | Unreadable]]:
        wanted = [item for item in items if isinstance(found.get(item.identifier), Item)]
        answers = read_each(scope, wanted, partial(self._whole, scope, found))
        for item in wanted:
            answer = answers.get(item.identifier)
            if answer is None:
                del found[item.identifier]  # it went while we were reading
            else:
                yield item.identifier, answer

    def _whole(self, scope: Scope, found: Found, item: Wanted) -> Item:
        known = found[item.identifier]
        assert isinstance(known, Item)
        identity = self.identity(scope, item.identifier)
        for extra in self._declaration.extras:
            if item.properties.intersection(extra.shows):
                known.properties |= self._there(scope, item.identifier, extra, identity, known)
        known.properties = self._adapt(scope, known, known.properties)
        return known

    def _there(
        self, scope: Scope, identifier: Identifier, extra: Read, identity: Mapping[str, str], known: Item
    ) -> dict[str, Any]:
        """A further read of what the first one has shown to exist: that it finds nothing isn't proof that it is gone.

        Raises NOT_FOUND if the first read, asked again, says so too, else INTERNAL.
        """
        try:
            return self._further(scope, extra, identity, known)
        except AwsFault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
            self.item(scope, identifier)
            message = f"{identifier} exists, but what it is can't be read in full: {fault.message}"
            raise AwsFault(
                FaultKind.INTERNAL, message, service=fault.service, operation=fault.operation, code=fault.code
            ) from fault

    def _further(self, scope: Scope, extra: Read, identity: Mapping[str, str], known: Item) -> dict[str, Any]:
        """The properties that a further read shows; none where it says that there is nothing."""
        given = self.asked(scope, extra, identity, {**known.properties, **identity})
        service = self._declaration.service
        answer: Any = absent_as(extra.missing, None, lambda: scope.call(service, extra.operation, **given))
        answer = at(answer, extra.answer)
        if answer in (None, "", [], {}):
            return {}
        schema, renames = self.schema(scope), {**self._declaration.renames, **extra.renames}
        if extra.into:
            return {extra.into: value_at(schema, extra.into, answer, renames)}
        shown = properties(schema, answer, renames) if isinstance(answer, Mapping) else {}
        return {name: value for name, value in shown.items() if name in extra.shows}


class _Fields(dict[str, Any]):
    """Fields for constants: the place, and what is known of a resource."""

    def __init__(self, scope: Scope, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self |= {"partition": scope.partition, "region": scope.region, "account": scope.account}


def _identifies(item: Item, identity: Mapping[str, str]) -> bool:
    """Whether an answer is that of a resource; of what it doesn't show it is taken to be."""
    shown = item.properties
    return all(str(shown[name]) == value for name, value in identity.items() if name in shown)


def _several(many: Many, identities: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    values = [identity[many.of] for identity in identities]
    return {many.parameter: [{"Name": many.filter, "Values": values}] if many.filter else values}


def _plain(value: Any) -> bool:
    """A value that can be part of an identifier: there, known, and no secret."""
    return value not in (None, "") and not has_unknown(value) and not isinstance(value, Sensitive | Mapping | list)
