"""A small AWS in memory, behind the provider port: for tests of diff, apply and the cycle.

It knows identifiers, ownership tags, names that collide and read-only attributes, by the provider schemas. It does
not know any rule of a service (quotas, dependencies, defaults): those are tested against an emulator.
"""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reconciler.live import owner_in
from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.plan import Target
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.schema import TypeSchema, identifier_of, schema_for

T = TypeVar("T")


@dataclass(slots=True)
class World:
    """Live resources by type and identifier; ``log`` has every mutation in order.

    ``fail[(verb, logical id)]`` holds faults to raise, first come first served; ``slow`` types complete on poll, unless
    ``fail[("poll", identifier)]`` has one. ``lag`` is for how many looks something just created stays invisible.
    ``hidden`` properties are shown only where they are asked for, as by providers those that cost a call; for those
    that are ``lacking`` there is no such call.
    ``boundary`` hears of each moment before and after a call takes effect; a test that raises there kills the caller.
    """

    account: str = "111111111111"
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    fail: dict[tuple[str, str], list[AwsFault]] = field(default_factory=dict)
    after_effect: set[tuple[str, str]] = field(default_factory=set)
    unreadable: dict[str, AwsFault] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    lag: int = 0
    hidden: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    boundary: Callable[[str], None] = lambda _moment: None
    reads: int = 0
    tokens: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    unseen: dict[tuple[str, str], int] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)

    def of(self, type_name: str) -> dict[str, dict[str, Any]]:
        """Live properties of one type by identifier."""
        return {key[1]: value for key, value in self.resources.items() if key[0] == type_name}

    def visible(self, type_name: str) -> dict[str, dict[str, Any]]:
        """As ``of``, without what can't be seen yet; each call is one look."""
        found = self.of(type_name)
        hidden = {name for name in found if self.unseen.get((type_name, name), 0) > 0}
        for name in hidden:
            self.unseen[type_name, name] -= 1
        return {name: value for name, value in found.items() if name not in hidden}

    def snapshot(self) -> dict[tuple[str, str], dict[str, Any]]:
        """A copy of everything, to compare with later."""
        return copy.deepcopy(self.resources)


class FakeScope:
    """A scope whose calls all fail: the fake providers never make one."""

    def __init__(self, world: World, target: Target) -> None:
        self.account, self.region, self.partition = world.account, target.region, "aws"
        self.identity = Identity(world.account, f"arn:aws:iam::{world.account}:role/reconciler")

    def call(self, service: str, operation: str, /, **_parameters: Any) -> Mapping[str, Any]:
        """Always INTERNAL."""
        raise AwsFault(FaultKind.INTERNAL, "the fake scope has no API", service=service, operation=operation)

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """Always INTERNAL."""
        return list(self.call(service, operation, **parameters)[key])

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        """Found out each time."""
        return find_out()

    def gather(self, jobs: Iterable[Callable[[], T]]) -> list[T]:
        """One after the other."""
        return [job() for job in jobs]


class FakeAccess:
    """Opens fake scopes, or raises ``fault``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fault: AwsFault | None = None
        self.opened: list[tuple[Target, bool]] = []

    def open(self, target: Target, *, read_only: bool, asked: bool = False, since: float | None = None) -> Scope:
        """A scope on the world."""
        self.opened.append((target, read_only))
        if self.fault is not None:
            raise self.fault
        if target.account != self.world.account:
            raise AwsFault(FaultKind.WRONG_ACCOUNT, f"credentials are for {self.world.account}, not {target.account}")
        return FakeScope(self.world, target)


class FakeProvider:
    """One type of the world."""

    def __init__(self, world: World, type_name: TypeName) -> None:
        self.world, self.type_name = world, type_name
        schema = schema_for(type_name)
        assert schema is not None
        self.schema: TypeSchema = schema
        self.supported = schema.properties

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """What is there."""
        self.world.reads += 1
        if (fault := self.world.unreadable.get(self.type_name)) is not None:
            return {item.identifier: Unreadable(item.identifier, fault.kind, str(fault)) for item in wanted}
        with self.world.lock:
            visible = self.world.visible(self.type_name)
            found = {item: visible.get(item.identifier) for item in wanted}
            return {item.identifier: self._told(item, live) for item, live in found.items() if live is not None}

    def _told(self, wanted: Wanted, live: Properties) -> Observation | Unreadable:
        if self.world.lacking & wanted.properties:
            return Unreadable(wanted.identifier, FaultKind.INTERNAL, "the endpoint doesn't implement this call")
        return self._shown(wanted, live)

    def _shown(self, wanted: Wanted, live: Properties) -> Observation:
        unasked = self.world.hidden - wanted.properties
        shown = {name: value for name, value in live.items() if name not in unasked}
        return Observation(wanted.identifier, copy.deepcopy(shown))

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """By ownership tags, else by identifier."""
        with self.world.lock:
            whose = {
                Identifier(identifier): owner_in(properties, self.schema.tag_property)
                for identifier, properties in self.world.visible(self.type_name).items()
            }
            own = tuple(Located(identifier, owner) for identifier, found in whose.items() if found == owner)
            expected = identifier_of(self.schema, desired)
            if own or expected is None or expected not in whose:
                return own
            return (Located(expected, whose[expected]),)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Fill in what is read-only and remember it. A known token makes nothing new, and takes no other properties."""
        if (known := self.world.tokens.get((self.type_name, token))) is not None:
            if known[1] != desired:
                raise AwsFault(FaultKind.INVALID_REQUEST, "the token was used with other parameters")
            return self._answer(Identifier(known[0]))
        properties = copy.deepcopy(dict(desired))
        for name in self.schema.primary_identifier:
            properties.setdefault(name, f"{self.type_name.rsplit('::', 1)[-1].lower()}-{next(self.world.numbers)}")
        if ("Arn",) in self.schema.read_only:
            properties.setdefault("Arn", f"arn:fake:{properties[self.schema.primary_identifier[0]]}")
        identifier = identifier_of(self.schema, properties)
        assert identifier is not None

        def effect() -> None:
            if (self.type_name, identifier) in self.world.resources:
                raise AwsFault(FaultKind.ALREADY_EXISTS, f"{identifier} exists")
            self.world.resources[self.type_name, identifier] = properties
            self.world.tokens[self.type_name, token] = identifier, copy.deepcopy(dict(desired))
            self.world.unseen[self.type_name, identifier] = self.world.lag

        return self._mutate("create", _logical(desired, self.schema, identifier), identifier, effect)

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """Only what ``changed`` names."""
        live = self.world.resources[self.type_name, identifier]

        def effect() -> None:
            for name in changed:
                if name in after:
                    live[name] = copy.deepcopy(after[name])
                else:
                    live.pop(name, None)

        return self._mutate("update", _logical(live, self.schema, identifier), identifier, effect)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Gone is fine."""
        live = self.world.resources.get((self.type_name, identifier), {})
        return self._mutate(
            "delete",
            _logical(live, self.schema, identifier),
            identifier,
            lambda: self.world.resources.pop((self.type_name, identifier), None),
        )

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """Slow types are done at the first poll."""
        self.world.boundary(f"poll {handle.identifier}")
        if faults := self.world.fail.get(("poll", handle.identifier)):
            raise faults.pop(0)
        return Done(handle.identifier)

    def _mutate(self, verb: str, name: str, identifier: Identifier, effect: Callable[[], object]) -> Progress:
        self.world.boundary(f"before {verb} {name}")
        with self.world.lock:
            faults = self.world.fail.get((verb, name), [])
            if faults and (verb, name) not in self.world.after_effect:
                raise faults.pop(0)
            effect()
            self.world.log.append((verb, name, identifier))
            if faults:
                raise faults.pop(0)
        self.world.boundary(f"after {verb} {name}")
        return self._answer(identifier)

    def _answer(self, identifier: Identifier) -> Progress:
        return Pending(Handle(identifier), 1.0, "working") if self.type_name in self.world.slow else Done(identifier)


def _logical(properties: Properties, schema: TypeSchema, identifier: str) -> str:
    owner = owner_in(properties, schema.tag_property)
    return owner.logical_id if owner else identifier


class FakeProviders:
    """A registry over the world: every type that has a schema, or only ``types``."""

    def __init__(self, world: World, types: Collection[str] | None = None) -> None:
        self.world, self.types = world, types

    def get(self, type_name: TypeName) -> ResourceProvider | None:
        """The fake provider of a type."""
        if (self.types is not None and type_name not in self.types) or schema_for(type_name) is None:
            return None
        return FakeProvider(self.world, type_name)


class NoOutside:
    """Nothing comes from outside."""

    def zones(self, region: str) -> list[str]:
        """Three zones."""
        return [f"{region}{letter}" for letter in "abc"]

    def imported(self, name: str) -> Any:
        """Never exported."""
        raise AwsFault(FaultKind.NOT_FOUND, f"nothing exports {name}")

    def parameter(self, name: str) -> Any:
        """Never there."""
        raise AwsFault(FaultKind.NOT_FOUND, f"there is no parameter {name}")

    def dynamic(self, service: str, key: str) -> Any:
        """Never there."""
        raise AwsFault(FaultKind.NOT_FOUND, f"{service} has no {key}")
