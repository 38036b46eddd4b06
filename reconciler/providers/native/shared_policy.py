"""Policies that are an attribute of several other resources at once: what queue and topic policies have in common."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import Scope
from reconciler.providers.native.frame import Change, UntaggedProvider, same

_DOCUMENT = "PolicyDocument"


class SharedPolicy(UntaggedProvider):
    """One policy on several holders. AWS knows no such thing as itself: its identifier is the holders it is on.

    They are joined by ``|``; it changes when they do: an update says what it is then. What is observed is the policy
    of the first holder that has one, and who else has the same.
    """

    holders: ClassVar[str]
    later: ClassVar = frozenset({_DOCUMENT})

    @abstractmethod
    def _policy(self, scope: Scope, holder: str) -> Any:
        """The policy of a holder; None if it has none of its own. Raises NOT_FOUND if there is no such holder."""

    @abstractmethod
    def _put(self, scope: Scope, holder: str, document: Any) -> None: ...

    @abstractmethod
    def _clear(self, scope: Scope, holder: str) -> None: ...

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:  # noqa: ARG002 - properties say it
        holders = desired.get(self.holders)
        return None if not holders or has_unknown(holders) else _identifier(holders)

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        holders = item.identifier.split("|")
        policies = scope.gather([partial(self._known, scope, holder) for holder in holders])
        there = {holder: found for holder, found in zip(holders, policies, strict=True) if found is not None}
        if not there:
            raise AwsFault(FaultKind.NOT_FOUND, f"none of {', '.join(holders)} has a policy of its own")
        first = next(iter(there.values()))
        alike = [holder for holder, found in there.items() if self._same(scope, first, found)]
        return {"Id": item.identifier, _DOCUMENT: first, self.holders: alike}

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        return self._update(scope, identifier, Change({}, desired, frozenset(desired)))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        """Write it to every holder that is to have it, then take it from those that aren't to any more."""
        before = list(change.before.get(self.holders) or identifier.split("|"))
        holders = list(change.after.get(self.holders) or ()) if self.holders in change.names else before
        if not holders or (_DOCUMENT in change.names and change.value(_DOCUMENT) is None):
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} needs {_DOCUMENT} and {self.holders}")
        document = change.value(_DOCUMENT, change.before.get(_DOCUMENT))
        for holder in holders:
            if _DOCUMENT in change.names or holder not in before:
                self._put(scope, holder, document)
        for holder in identifier.split("|"):
            if holder not in holders:
                self._drop(scope, holder)
        return Done(_identifier(holders))

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        for holder in identifier.split("|"):
            self._drop(scope, holder)
        return Done(identifier)

    def _known(self, scope: Scope, holder: str) -> Any:
        try:
            return self._policy(scope, holder)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return None
            raise

    def _drop(self, scope: Scope, holder: str) -> None:
        if self._known(scope, holder) is not None:
            self._clear(scope, holder)

    def _same(self, scope: Scope, left: Any, right: Any) -> bool:
        return same(self.type_name, scope.region, _DOCUMENT, left, right)


def _identifier(holders: Any) -> Identifier:
    return Identifier("|".join(sorted({str(holder) for holder in holders})))
