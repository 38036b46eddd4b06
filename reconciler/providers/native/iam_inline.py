"""AWS::IAM::Policy: one inline policy, in several roles, users and groups at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, UntaggedProvider, same
from reconciler.providers.native.iam_entity import GROUP, ROLE, USER, Entity
from reconciler.providers.native.reading import absent_as, without_empty

_NONE = ("NoSuchEntity",)
#: property, its letter in an identifier, the entity
_KINDS: tuple[tuple[str, str, Entity], ...] = (("Groups", "g", GROUP), ("Roles", "r", ROLE), ("Users", "u", USER))
_HOLDERS = frozenset(name for name, _, _ in _KINDS)

#: The entities that hold the policy: property and name.
Holders = tuple[tuple[str, str], ...]


class InlinePolicy(UntaggedProvider):
    """An inline policy. AWS knows no such thing as itself: its identifier is its name and who holds it.

    ``name|r:Role|u:User``. It changes when the holders do: an update says what it is then. What is observed is the
    document of the first holder that has the policy, and who else has the same.
    """

    type_name = TypeName("AWS::IAM::Policy")
    supported: ClassVar = frozenset({"PolicyDocument", "PolicyName"}) | _HOLDERS
    later: ClassVar = _HOLDERS

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:  # noqa: ARG002 - properties say it
        name, holders = desired.get("PolicyName"), [desired.get(kind) for kind, _, _ in _KINDS]
        if name is None or has_unknown([name, *holders]) or not any(holders):
            return None
        return _identifier(str(name), _holders(desired))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        policy, holders = _parsed(item.identifier)
        documents = scope.gather([partial(_document, scope, policy, *holder) for holder in holders])
        there = [(holder, found) for holder, found in zip(holders, documents, strict=True) if found is not None]
        if not there:
            raise AwsFault(FaultKind.NOT_FOUND, f"nobody has an inline policy {policy} any more", service="iam")
        first = there[0][1]
        alike = [
            holder for holder, found in there if same(self.type_name, scope.region, "PolicyDocument", first, found)
        ]
        found = {kind: [name for other, name in alike if other == kind] for kind, _, _ in _KINDS}
        return without_empty({"Id": item.identifier, "PolicyName": policy, "PolicyDocument": first, **found})

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        return self._update(scope, identifier, Change({}, desired, frozenset(desired)))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        """Write it to everybody who is to have it, then take it from those who aren't any more."""
        policy, former = _parsed(identifier)
        name = str(change.value("PolicyName", policy))
        kept = {kind: change.before.get(kind) for kind in _HOLDERS if kind not in change.names}
        holders = _holders({**kept, **{kind: change.after.get(kind) for kind in _HOLDERS if kind in change.names}})
        if not holders:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} needs Roles, Users or Groups")
        document = change.value("PolicyDocument", change.before.get("PolicyDocument"))
        rewritten = bool(change.names & {"PolicyDocument", "PolicyName"})
        for holder in holders:
            if rewritten or holder[1] not in (change.before.get(holder[0]) or ()):
                _entity(holder[0]).put_document(scope, holder[1], name, document)
        for holder in former:
            if name != policy or holder not in holders:
                _drop(scope, policy, *holder)
        return Done(_identifier(name, holders))

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        policy, holders = _parsed(identifier)
        for holder in holders:
            _drop(scope, policy, *holder)
        return Done(identifier)


def _entity(kind: str) -> Entity:
    return next(entity for name, _, entity in _KINDS if name == kind)


def _holders(properties: Mapping[str, Any]) -> Holders:
    return tuple(sorted({(kind, str(name)) for kind, _, _ in _KINDS for name in properties.get(kind) or ()}))


def _identifier(policy: str, holders: Iterable[tuple[str, str]]) -> Identifier:
    letters = {kind: letter for kind, letter, _ in _KINDS}
    return Identifier("|".join([policy, *(f"{letters[kind]}:{name}" for kind, name in holders)]))


def _parsed(identifier: Identifier) -> tuple[str, Holders]:
    """Name and holders. Raises INVALID_REQUEST; ``|`` and ``:`` are in no name that IAM takes."""
    kinds = {letter: kind for kind, letter, _ in _KINDS}
    policy, *parts = identifier.split("|")
    pairs = [part.partition(":") for part in parts]
    if not policy or not pairs or any(letter not in kinds or not name for letter, _, name in pairs):
        message = f"{identifier} is no identifier of AWS::IAM::Policy: name|r:Role|u:User|g:Group"
        raise AwsFault(FaultKind.INVALID_REQUEST, message)
    return policy, tuple((kinds[letter], name) for letter, _, name in pairs)


def _document(scope: Scope, policy: str, kind: str, name: str) -> Any:
    return absent_as(_NONE, None, lambda: _entity(kind).document(scope, name, policy))


def _drop(scope: Scope, policy: str, kind: str, name: str) -> None:
    absent_as(_NONE, None, lambda: _entity(kind).drop_document(scope, name, policy))


PROVIDERS: tuple[ResourceProvider, ...] = (InlinePolicy(),)
