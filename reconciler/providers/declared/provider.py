"""The frame: a ``ports.ResourceProvider`` that does what a declaration says."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.secrecy import scrub
from reconciler.model.values import Properties, reveal
from reconciler.ports import Scope
from reconciler.providers.declared.changing import target
from reconciler.providers.declared.declaration import Call, Declaration, Update
from reconciler.providers.declared.derived import Derived
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.progress import CREATE, DELETE, UPDATE, Waiter
from reconciler.providers.declared.reading import Item, Reader
from reconciler.providers.declared.shaping import at, filled, input_shape, member, parameters, spread
from reconciler.providers.declared.tags import Tagger
from reconciler.providers.native.frame import already_exists, differing, refuse_fixed, refuse_unsupported
from reconciler.providers.native.reading import observed
from reconciler.providers.native.tagging import Tags, as_map, owner_in
from reconciler.schema import MISSING, identifier_of


class Declared(Derived):
    """One type by its declaration. Stateless but for what follows from the declaration.

    What is exceptional about a type goes into a subclass: the methods whose names begin with ``adapt`` and ``make``,
    ``change``, ``remove`` are there to be overridden; ``reader``, ``tagger`` and ``finder`` read, tag and find.
    """

    reader: ClassVar[type[Reader]] = Reader
    tagger: ClassVar[type[Tagger]] = Tagger
    finder: ClassVar[type[Finder]] = Finder

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._reader = self.reader(declaration, self.schema_in, self.adapt_observed)
        self._tagger = self.tagger(declaration.tagging, declaration.service) if declaration.tagging else None
        self._finder = self.finder(declaration, self._reader, self._tagger)

    # what a subclass may say

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Properties on their way into a call; the default changes nothing."""
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Properties as read, with the answer that they are from; the default changes nothing."""
        return properties

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:  # noqa: ARG002
        """What AWS gives a property that isn't said: MISSING where that isn't known, None to leave it out of the call.

        For what depends on other properties: ``before`` is live, ``after`` the target. Default: ``resets``.
        """
        return self.declaration.resets.get(name, MISSING)

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """Create what the create call can; ``desired`` has its name and tags. Raises ALREADY_EXISTS."""
        declaration = self.declaration
        values = {name: value for name, value in desired.items() if name in self._created and name != self._tags_name}
        given = self._parameters(scope, declaration.create, {}, values)
        if self._tagger is not None:
            given |= self._tagger.created(declaration.create.operation, as_map(desired.get(self._tags_name)))
        if declaration.repeatable:
            given[declaration.repeatable] = token
        answer = scope.call(declaration.service, declaration.create.operation, **given)
        return self._identifier(scope, desired, at(answer, declaration.made))

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """Make one update; ``after`` is what the call is to be given, without what is to be taken away."""
        identity = self._reader.identity(scope, identifier)
        call = update.call
        if update.clear is not None and not any(after.get(name) is not None for name in update.names):
            call = update.clear
            after = {name: value for name, value in before.items() if name in call.takes}
        self._send(scope, call, identity, after)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """Delete. May raise NOT_FOUND."""
        call = self.declaration.delete
        identity = self._reader.identity(scope, identifier)
        given: Mapping[str, Any] = {}
        if missing := [name for name in call.takes if name not in identity]:
            given = self._live(scope, identifier, frozenset(missing))
        self._send(scope, call, identity, {name: given[name] for name in missing if name in given})

    # ports.ResourceProvider

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``."""
        found = self._reader.read_many(scope, wanted)
        if self._tagger is not None:
            self._finder.add_tags(scope, wanted, found, self._tags_name, as_list_form=self._tags_are_list)
        return observed({identifier: _properties(item) for identifier, item in found.items()})

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``ports.ResourceProvider``."""
        return self._finder.locate(scope, self._with_name(scope, desired, owner), owner)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``. A resource of the same owner is taken up where it was left."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        owner = owner_in(as_map(desired.get(self._tags_name)))
        desired = self._with_name(scope, desired, owner)
        naming = self.declaration.naming
        if naming is not None and desired.get(naming.property) is None:
            if self._tags_name:
                naming.required(desired, owner, scope, self.type_name)
            desired = {**desired, naming.property: naming.of_token(token)}
        self._refuse_secret_rest(desired)
        if self.declaration.looks_first and (there := self._standing(scope, desired, owner)) is not None:
            return self._resumed(scope, there, desired)
        try:
            identifier = self.make(scope, desired, token)
        except AwsFault as fault:
            if fault.kind is not FaultKind.ALREADY_EXISTS or (there := self._standing(scope, desired, owner)) is None:
                raise
            return self._resumed(scope, there, desired)
        return self._finished(scope, identifier, self._rest(desired))

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.fixed, changed)
        before, after = reveal(before), reveal(after)
        if self._tags_name in changed and self._tagger is not None:
            old, new = as_map(before.get(self._tags_name)), as_map(after.get(self._tags_name))
            self._tagger.change(scope, self._finder.fields(scope, identifier), old, new)
        self._change_all(scope, identifier, before, after, changed)
        return self._standing_by(scope, identifier, UPDATE) if changed - {self._tags_name} else Done(identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """See ``ports.ResourceProvider``."""
        waiting = self.declaration.waiting
        lingers = waiting is not None and bool(waiting.leaving)
        try:
            if lingers:
                self._reader.item(scope, identifier)  # AWS refuses to delete what is on its way already
            self.remove(scope, identifier)
        except AwsFault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
            return self._gone(scope, identifier) if lingers else Done(identifier)
        return self._gone(scope, identifier) if waiting is not None and waiting.deletes else Done(identifier)

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``."""
        if handle.kind.startswith(DELETE):
            return self._gone(scope, handle.identifier)
        if handle.kind.startswith(CREATE):
            rest = json.loads(handle.kind.removeprefix(CREATE) or "{}")
            return self._finished(scope, handle.identifier, rest)
        return self._standing_by(scope, handle.identifier, UPDATE)

    # calls

    def _identifier(self, scope: Scope, desired: Properties, answer: Any) -> Identifier:
        """Of what a create call has made: from its answer, else from what can be spelled out. Raises INTERNAL."""
        known = self._reader.spelled(scope, desired)
        if isinstance(answer, Mapping):
            known |= self._reader.shaped(scope, self.declaration.read, answer, identity_only=True)
        identifier = identifier_of(self._schema, known)
        if identifier is None:
            raise AwsFault(
                FaultKind.INTERNAL, f"the identifier of a new {self.type_name} can't be told from the answer"
            )
        return identifier

    def _parameters(
        self, scope: Scope, call: Call, identity: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Parameters of a call. The parts of the identity that its input has a place for are among them."""
        declaration = self.declaration
        shape: Any = input_shape(declaration.service, call.operation)
        renames = {**declaration.renames, **call.renames}
        values = spread(self.adapt_given(scope, call, dict(values)), call.spread)
        inner = shape.members[call.under] if call.under else shape
        own = {name: value for name, value in identity.items() if name not in values}
        fields = self._reader.fields(scope, {**own, **values})
        outer = {name: value for name, value in own.items() if member(shape, name, name, renames)}
        given = parameters(shape, outer, renames)
        shaped = parameters(inner, values, renames)
        given |= {call.under: shaped} if call.under else shaped
        return {**given, **filled(call.constants, fields)}

    def _send(self, scope: Scope, call: Call, identity: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        given = self._parameters(scope, call, identity, values)
        scope.call(self.declaration.service, call.operation, **given)

    def _change_all(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> None:
        for update in self.declaration.updates:
            if update.names & changed:
                self.change(scope, identifier, update, before, self._target(update, before, after, changed))

    def _target(self, update: Update, before: Properties, after: Properties, changed: frozenset[str]) -> dict[str, Any]:
        return target(self._schema, update, before, after, changed, lambda name: self.adapt_reset(name, before, after))

    # progress

    def _rest(self, desired: Properties) -> dict[str, Any]:
        """What a create has to set by further calls."""
        rest = {name: value for name, value in desired.items() if name not in self._created}
        tagging = self.declaration.tagging
        later = tagging is not None and (not tagging.create or tagging.checked)
        if later and desired.get(self._tags_name):
            rest[self._tags_name] = desired[self._tags_name]
        return rest

    def _refuse_secret_rest(self, desired: Properties) -> None:
        """What follows a create that is waited for is kept in its handle, where a secret has no place."""
        rest = self._rest(desired) if self.declaration.waiting is not None else {}
        for name, value in sorted(rest.items()):
            text = json.dumps(value)
            if scrub(text) != text:
                message = f"property {name} of {self.type_name} can't hold a secret while the resource is being made"
                raise AwsFault(FaultKind.INVALID_REQUEST, f"{message}: add it once it is there")

    def _finished(self, scope: Scope, identifier: Identifier, rest: Mapping[str, Any]) -> Progress:
        """Set what is left of a create, as soon as AWS is ready for it. Tags come first: they say whose it is."""
        rest = dict(rest)
        tags = rest.pop(self._tags_name, None)
        if tags and self._tagger is not None:
            fields = self._finder.fields(scope, identifier)
            self._tagger.change(scope, fields, self._tags_there(scope, identifier, fields), as_map(tags))
        progress = self._standing_by(scope, identifier, CREATE + (json.dumps(rest) if rest else ""))
        if isinstance(progress, Pending) or not rest:
            return progress
        self._change_all(scope, identifier, {}, rest, frozenset(rest))
        return self._standing_by(scope, identifier, UPDATE)

    def _tags_there(self, scope: Scope, identifier: Identifier, fields: Mapping[str, Any]) -> Tags:
        """The tags that a create call has set already, for types where that has to be looked at."""
        tagger = self._tagger
        if tagger is None or not tagger.checked:
            return {}
        return tagger.read(scope, fields) if tagger.separate else tagger.inline(self._reader.item(scope, identifier))

    def _standing_by(self, scope: Scope, identifier: Identifier, kind: str) -> Progress:
        """See ``Waiter``; there for types that have more to say meanwhile."""
        return Waiter(self.declaration, self._reader).standing_by(scope, identifier, kind)

    def _gone(self, scope: Scope, identifier: Identifier) -> Progress:
        """Done when a deletion is complete. Raises AwsFault (``failed``) when it failed."""
        return Waiter(self.declaration, self._reader).gone(scope, identifier)

    # what is there already

    def _standing(self, scope: Scope, desired: Properties, owner: Owner | None) -> Located | None:
        """What stands where ``desired`` would go; with an owner, rather what is his."""
        found = self._finder.standing(scope, desired)
        if owner is not None and not any(one.owner == owner for one in found):
            found = (*self._finder.tagged(scope, owner, desired), *found)
        return next((one for one in found if owner is None or one.owner == owner), found[0] if found else None)

    def _resumed(self, scope: Scope, there: Located, desired: Properties) -> Progress:
        """Go on with what an earlier attempt of the same owner made; refuse anything else."""
        wanted = owner_in(as_map(desired.get(self._tags_name)))
        if self._tags_name and (there.owner is None or there.owner != wanted):
            whose = f"and belongs to plan {there.owner.plan}" if there.owner else "and no plan owns it"
            raise already_exists(self.type_name, there.identifier, whose)
        live = self._live(scope, there.identifier, frozenset(desired))
        differing = self._differing(scope, desired, live)
        for name in sorted(differing - self._updated):
            raise already_exists(self.type_name, there.identifier, f"with another {name}")
        if not self._tags_name and (foreign := sorted(name for name in differing if live.get(name) is not None)):
            raise already_exists(self.type_name, there.identifier, f"with another {foreign[0]}")
        return self.update(scope, there.identifier, live, desired, differing)

    def _live(self, scope: Scope, identifier: Identifier, names: frozenset[str]) -> dict[str, Any]:
        answer = self.read_many(scope, [Wanted(identifier, names)]).get(identifier)
        if isinstance(answer, Unreadable):
            raise AwsFault(answer.kind, answer.message, service=self.declaration.service)
        if answer is None:
            raise AwsFault(FaultKind.NOT_FOUND, f"{self.type_name} {identifier} does not exist")
        return dict(answer.properties)

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        """The properties that ``desired`` has and ``live`` hasn't, of those that AWS shows."""
        shown = {name: value for name, value in desired.items() if not self._schema.is_secret((name,))}
        return differing(self.type_name, scope.region, shown, live)


def _properties(item: Any) -> Any:
    return item if isinstance(item, Unreadable) else item.properties


__all__ = ["Declared"]
