"""What all providers here share: refusing what can't be done, and the frame of a type without tags."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Done, Handle, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Properties, reveal
from reconciler.ports import Scope
from reconciler.providers.native.reading import observed, read_each
from reconciler.schema import Path, TypeSchema, canonical, schema_for
from reconciler.schema import same as alike


@dataclass(frozen=True, slots=True)
class Change:
    """Properties to bring from ``before`` (live) to ``after`` (target); one missing from ``after`` is to be reset."""

    before: Properties
    after: Properties
    names: frozenset[str]

    def value(self, name: str, default: Any = None) -> Any:
        """The target value of a property, or ``default`` if it is to be reset."""
        value = self.after.get(name)
        return default if value is None else value


Found = dict[Identifier, dict[str, Any] | Unreadable]


def refuse_unsupported(type_name: TypeName, supported: frozenset[str], names: Iterable[str]) -> None:
    """Raise INVALID_REQUEST for the first property that a provider doesn't know, before anything is written."""
    for name in sorted(names):
        if name not in supported:
            message = f"property {name} of {type_name} is not supported by this version"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)


def refuse_fixed(type_name: TypeName, fixed: frozenset[str], changed: frozenset[str]) -> None:
    """Raise INVALID_REQUEST for a property that AWS only takes at creation."""
    for name in sorted(changed & fixed):
        message = f"property {name} of {type_name} can't be changed in place: it is set at creation only"
        raise AwsFault(FaultKind.INVALID_REQUEST, message)


def same(type_name: TypeName, region: str, name: str, left: Any, right: Any) -> bool:
    """Whether two values of a property mean the same."""
    schema = schema_for(type_name, region)
    return bool(canonical(schema, (name,), left) == canonical(schema, (name,), right))


def differing(type_name: TypeName, region: str, desired: Properties, live: Properties) -> frozenset[str]:
    """The properties that ``desired`` has and ``live`` hasn't, as the diff would see it.

    What AWS has filled in within a value doesn't count, nor does what it never shows there.
    """
    schema = schema_for(type_name, region)
    shown = {name: _seen(schema, (name,), value) for name, value in desired.items()}
    return frozenset(
        name for name, value in shown.items() if not alike(schema, (name,), value, live.get(name), (desired,))
    )


def _seen(schema: TypeSchema | None, path: Path, value: Any) -> Any:
    """``value`` without what is write-only within it."""
    if schema is None or not schema.hides(path[0]):
        return value
    if isinstance(value, Mapping):
        inner = {key: (*path, str(key)) for key in value}
        return {key: _seen(schema, inner[key], item) for key, item in value.items() if not schema.is_secret(inner[key])}
    return [_seen(schema, (*path, "*"), item) for item in value] if isinstance(value, list) else value


def already_exists(type_name: TypeName, name: str, why: str) -> AwsFault:
    """The fault for a create that meets a resource which can't be taken for its own."""
    return AwsFault(FaultKind.ALREADY_EXISTS, f"{type_name} {name} already exists {why}")


class Provider(ABC):
    """Base of a ``ports.ResourceProvider``. Stateless; an instance serves every account and thread.

    ``supported``: properties that can be set. ``fixed``: those among them that can't be changed in place.
    """

    type_name: TypeName
    supported: ClassVar[frozenset[str]]
    fixed: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        """Properties of one resource. Raises NOT_FOUND if there is none."""

    @abstractmethod
    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        """Change properties; there is at least one."""

    @abstractmethod
    def _delete(self, scope: Scope, identifier: Identifier) -> Progress: ...

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``."""
        return observed(self._read(scope, wanted))

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.fixed, changed)
        if not changed:
            return Done(identifier)
        return self._update(scope, identifier, Change(reveal(before), reveal(after), changed))

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """See ``ports.ResourceProvider``."""
        try:
            return self._delete(scope, identifier)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return Done(identifier)
            raise

    def poll(self, scope: Scope, handle: Handle) -> Progress:  # noqa: ARG002 - only asynchronous types ask AWS
        """See ``ports.ResourceProvider``."""
        return Done(handle.identifier)

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        """Properties of many; a service with batch calls does better than one by one."""
        return read_each(scope, wanted, partial(self._observe, scope))

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        return differing(self.type_name, scope.region, desired, live)


class UntaggedProvider(Provider):
    """Base for types whose schema has no tags: found by the identifier that their properties spell out.

    ``later``: properties that a create sets in calls of their own, so that one cut short may lack them.
    ``placeless``: what to say of a create whose properties don't say where.
    """

    later: ClassVar[frozenset[str]] = frozenset()
    placeless: ClassVar[str] = "needs a name"

    @abstractmethod
    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        """The identifier that a resource of these properties has; None if they don't say yet."""

    @abstractmethod
    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        """Create; ``desired`` has no secrets hidden in it."""

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:  # noqa: ARG002 - no tags
        """See ``ports.ResourceProvider``."""
        identifier = self._place(scope, desired)
        if identifier is None or self._live(scope, identifier, frozenset()) is None:
            return ()
        return (Located(identifier),)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:  # noqa: ARG002 - the place is the token
        """See ``ports.ResourceProvider``. What is there as desired, or was left unfinished, is taken up."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        identifier = self._place(scope, desired)
        if identifier is None:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} {self.placeless}")
        live = self._live(scope, identifier, frozenset(desired))
        if live is None:
            return self._create(scope, identifier, desired)
        differing = self._differing(scope, desired, live)
        for name in sorted(differing):
            if live.get(name) or name not in self.later:
                raise already_exists(self.type_name, identifier, f"with another {name}")
        return self.update(scope, identifier, live, desired, differing)

    def _live(self, scope: Scope, identifier: Identifier, names: frozenset[str]) -> dict[str, Any] | None:
        try:
            return self._observe(scope, Wanted(identifier, names))
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return None
            raise
