"""Looking for resources of a declared type: in the place where one would stand, and by the tags of its owner."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, Owner
from reconciler.model.resource import Located, Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import Scope
from reconciler.providers.declared.declaration import Declaration
from reconciler.providers.declared.reading import Found, Item, Reader, field_names, within
from reconciler.providers.declared.shaping import filled, input_shape
from reconciler.providers.declared.tags import Tagger
from reconciler.providers.native.ec2_base import owner_filters
from reconciler.providers.native.frame import same
from reconciler.providers.native.reading import FEW, read_each
from reconciler.providers.native.tagging import Tags, as_list, bulk_tags, owned_arns, owner_in
from reconciler.schema import identifier_of

#: The fields of a constant that are known of any resource.
PLACE = frozenset({"partition", "region", "account"})


class Finder:
    """Finds resources of one type and reads their tags."""

    def __init__(self, declaration: Declaration, reader: Reader, tagger: Tagger | None) -> None:
        self._declaration = declaration
        self.reader = reader
        self._tagger = tagger

    # ports.ResourceProvider's locate

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """What stands in the place of ``desired``, then what else carries the owner's tags."""
        found = dict.fromkeys(self.standing(scope, desired))
        return tuple(found | dict.fromkeys(self.tagged(scope, owner, desired)))

    def standing(self, scope: Scope, desired: Properties) -> tuple[Located, ...]:
        """What has the identifier, the name or the unique properties that ``desired`` has."""
        spelled = identifier_of(self.reader.schema(scope), self.reader.spelled(scope, desired))
        if spelled is not None:
            return self._there(scope, spelled)
        if self._declaration.named is not None:
            return self._by_name(scope, desired)
        listing = self._declaration.listing
        if listing is not None and listing.match:
            return self._matching(scope, desired)
        return ()

    def tagged(self, scope: Scope, owner: Owner, desired: Properties) -> tuple[Located, ...]:
        """What carries the owner's tags, looked at again: neither listings nor the tagging API are up to date.

        ``desired``: what a listing may be narrowed by (a listener's load balancer).
        """
        tagging = self._declaration.tagging
        if tagging is None:
            return ()
        named: list[Identifier] = []
        if tagging.kind:
            arns = [arn for arn in owned_arns(scope, tagging.kind, owner) if re.search(tagging.arns, arn)]
            named = [one for arn in arns if (one := self._of_arn(scope, arn))]
        elif self._declaration.listing is not None:
            named = self._listed_of(scope, owner, desired)
        return tuple(Located(one, owner) for one in named if self._owner(scope, one) == owner)

    # tags

    def fields(self, scope: Scope, identifier: Identifier) -> Mapping[str, Any]:
        """What constants may name of a resource; it is read where its ARN can't be spelled out."""
        identity = self.reader.identity(scope, identifier)
        fields = self.reader.fields(scope, identity)
        if "arn" in fields or not self._declaration.arn:
            return fields
        shown = self.reader.as_item(scope, self.reader.item(scope, identifier), identity)
        return self.reader.fields(scope, shown.properties)

    def add_tags(
        self, scope: Scope, wanted: Collection[Wanted], found: Found, name: str, *, as_list_form: bool
    ) -> None:
        """Add the tags of those that they are wanted of to what was found."""
        assert self._tagger is not None
        items = [item for item in wanted if name in item.properties and isinstance(found.get(item.identifier), Item)]
        answers = self._tags_of(scope, items, found)
        for item in items:
            tags, known = answers.get(item.identifier), found[item.identifier]
            if tags is None:
                del found[item.identifier]  # it went while we were reading
            elif isinstance(tags, Unreadable):
                found[item.identifier] = tags
            elif isinstance(known, Item):
                known.properties.pop(name, None)
                if tags:
                    known.properties[name] = as_list(tags) if as_list_form else tags

    def _tags_of(self, scope: Scope, items: list[Wanted], found: Found) -> Mapping[Identifier, Tags | Unreadable]:
        tagger = self._tagger
        assert tagger is not None
        known = {item.identifier: one for item in items if isinstance(one := found[item.identifier], Item)}
        if not tagger.separate:
            return {identifier: tagger.inline(one.answer) for identifier, one in known.items()}
        fields = {identifier: self.reader.fields(scope, one.properties) for identifier, one in known.items()}
        bulk: dict[str, Tags] = {}
        tagging = self._declaration.tagging
        if len(items) > FEW and tagging is not None and tagging.kind:
            bulk = bulk_tags(scope, [str(one["arn"]) for one in fields.values() if "arn" in one])

        def tags_of(item: Wanted) -> Tags:
            own = fields[item.identifier]
            told = bulk.get(str(own.get("arn", "")))
            return tagger.read(scope, own) if told is None else told

        return read_each(scope, items, tags_of)

    # helpers

    def _there(self, scope: Scope, identifier: Identifier) -> tuple[Located, ...]:
        try:
            item = self.reader.item(scope, identifier)
            return (Located(identifier, self._owner_of(scope, identifier, item)),)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return ()
            raise

    def _owner(self, scope: Scope, identifier: Identifier) -> Owner | None:
        return next((one.owner for one in self._there(scope, identifier)), None)

    def _owner_of(self, scope: Scope, identifier: Identifier, item: Mapping[str, Any]) -> Owner | None:
        if self._tagger is None:
            return None
        if not self._tagger.separate:
            return owner_in(self._tagger.inline(item))
        known = self.reader.as_item(scope, item, self.reader.identity(scope, identifier))
        return owner_in(self._tagger.read(scope, self.reader.fields(scope, known.properties)))

    def _by_name(self, scope: Scope, desired: Properties) -> tuple[Located, ...]:
        named, naming = self._declaration.named, self._declaration.naming
        assert named is not None and naming is not None
        name = desired.get(naming.property)
        if name is None or has_unknown(name):
            return ()
        known = {naming.property: str(name)}
        given = self.reader.asked(scope, named, known, known)
        try:
            answers = self.reader.listed(scope, named.operation, named.answer, given) if named.answer else []
            if not named.answer:  # the answer is the resource itself
                answers = [scope.call(self._declaration.service, named.operation, **given)]
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND or fault.code in named.missing:
                return ()
            raise
        items = [self.reader.as_item(scope, answer) for answer in answers if self.reader.alive(answer)]
        own = [item for item in items if item.properties.get(naming.property) == name]
        return tuple(self._located(scope, item) for item in own)

    def _located(self, scope: Scope, item: Item) -> Located:
        identifier = identifier_of(self.reader.schema(scope), item.properties)
        if identifier is None:
            message = f"a {self._declaration.type} was found whose identifier isn't shown"
            raise AwsFault(FaultKind.INTERNAL, message, service=self._declaration.service)
        return Located(identifier, self._owner_of(scope, identifier, item.answer))

    def _items(self, scope: Scope, constants: Mapping[str, Any], known: Mapping[str, Any]) -> list[Item]:
        listing = self._declaration.listing
        assert listing is not None
        given = dict(filled(constants, self.reader.fields(scope, known)))
        answers = self.reader.listed(scope, listing.operation, listing.answer, given)
        return [self.reader.as_item(scope, answer) for answer in answers if self.reader.alive(answer)]

    def _matching(self, scope: Scope, desired: Properties) -> tuple[Located, ...]:
        """Of those that a listing shows, the one with the properties that no two share."""
        listing = self._declaration.listing
        assert listing is not None
        own = {name: desired.get(name) for name in listing.match}
        needed = _needed(listing.constants)
        if needed - desired.keys() or has_unknown([*own.values(), *(desired.get(name) for name in needed)]):
            return ()
        items = self._items(scope, listing.constants, desired)
        alike = partial(same, self._declaration.type, scope.region)
        given = {name: desired[name] for name in needed if name in desired}
        found = [item for item in items if all(alike(name, own[name], item.properties.get(name)) for name in own)]
        return tuple(self._located(scope, Item(item.answer, {**given, **item.properties})) for item in found)

    def _listed_of(self, scope: Scope, owner: Owner, desired: Properties) -> list[Identifier]:
        """Identifiers in the listing that may be the owner's: all of those whose tags it doesn't show."""
        listing = self._declaration.listing
        assert listing is not None
        constants = {**listing.constants, **(self._owner_filters(owner) if listing.filtered else {})}
        needed = _needed(constants)
        if any(desired.get(name) is None or has_unknown(desired[name]) for name in needed):
            return []  # it can only be listed by what isn't known here
        items = self._items(scope, constants, {name: desired[name] for name in needed})
        schema = self.reader.schema(scope)
        shown = [item for item in items if self._may_be(item, owner, whole=listing.whole)]
        return [one for item in shown if (one := identifier_of(schema, item.properties)) is not None]

    def _owner_filters(self, owner: Owner) -> dict[str, Any]:
        listing = self._declaration.listing
        assert listing is not None
        shape = input_shape(self._declaration.service, listing.operation)
        # a few of EC2's calls have it in the singular
        return {"Filters" if "Filters" in shape.members else "Filter": owner_filters(owner)}

    def _may_be(self, item: Item, owner: Owner, *, whole: bool) -> bool:
        if self._tagger is None or self._tagger.separate or not whole:
            return True
        return owner_in(self._tagger.inline(item.answer)) == owner

    def _of_arn(self, scope: Scope, arn: str) -> Identifier | None:
        """The identifier in an ARN, by the declaration's template for it."""
        template = self._declaration.arn
        if len(field_names(template) - PLACE) != 1:
            return None  # which of its fields ends where can't be told
        known = within(template, arn, scope, inner=".+")
        return identifier_of(self.reader.schema(scope), self.reader.spelled(scope, known))


def _needed(constants: Mapping[str, Any]) -> frozenset[str]:
    """What has to be known of a resource to fill in the constants."""
    return frozenset().union(*(field_names(text) for text in _texts(constants))) - PLACE


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list | tuple) else []
