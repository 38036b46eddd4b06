"""Reads that passes share: within a resync each type in a place is read once, however many plans want it.

The first pass that needs a type reads it for all plans in the same place whose passes have been asked for and still
have their first look before them; they find their answers here. What makes that right:

- a pass uses no read that began before it was asked for, nor one that began before a write in the account ended;
- only plans with the very same target share: the same environment, account, region and way to get credentials;
- an answer must cover all properties that the pass wants; one that couldn't be read is nobody's but its reader's;
- only the first look is shared. The look again before a step, and those after it, never come here.

Whatever isn't served so is read by the pass itself, as if nothing were shared. An answer is handed out once, and is
dropped when no pass is left that might use it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from reconciler.live.reads import Fresh, referenced_attributes, wanted_properties
from reconciler.model.ids import Identifier, LogicalId, PlanName, TypeName
from reconciler.model.plan import Plan, PlannedResource, Target
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.ports import Clock, Providers, Reads, Scope, Store, Turn
from reconciler.schema import schema_for

log = structlog.get_logger(__name__)

#: Resources of one type that are read at a time: larger batches save no calls, and this bounds what is kept.
_MOST = 1000
#: How often a type is read again for all only because somebody wrote meanwhile; then each reads for itself.
_AGAIN = 3

Answers = Mapping[Identifier, Observation | Unreadable]


class Writes:
    """When something was last changed, by account: S3 and IAM know no regions. Thread-safe, one per process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def ended(self, account: str) -> None:
        """A call that changes something has just ended, however it ended."""
        self._last[account] = self._clock.monotonic()

    def last(self, account: str) -> float:
        """When that was last, by the monotonic clock."""
        return self._last.get(account, -math.inf)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one read said: of which properties, when it began. ``found``: None if the resource isn't there."""

    found: Observation | None
    properties: frozenset[str]
    begun: float
    at: datetime


@dataclass(slots=True)
class _Shelf:
    """The answers of one type in one place, and who reads it: whoever comes meanwhile waits for what that brings."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: dict[Identifier, _Answer] = field(default_factory=dict)
    begun: float = -math.inf
    again: int = 0
    cut: bool = False

    def take(self, wanted: Iterable[Wanted], after: float, written: float) -> dict[Identifier, _Answer]:
        """The answers to ``wanted`` that began at or after ``after``, and after ``written``; they leave the shelf."""
        served = [item.identifier for item in wanted if self.serves(item, after, written)]
        return {identifier: self.answers.pop(identifier) for identifier in served}

    def serves(self, item: Wanted, after: float, written: float) -> bool:
        """Whether there is such an answer, and it covers what is wanted."""
        answer = self.answers.get(item.identifier)
        if answer is None or answer.begun < after or answer.begun <= written:
            return False
        return item.properties <= answer.properties

    def due(self, after: float, written: float) -> bool:
        """Whether what is here is too old for a pass asked for at ``after``, or doesn't reach as far as it might."""
        if self.begun < after:
            self.again = 0
            return True
        if self.begun <= written and self.again < _AGAIN:
            self.again += 1
            return True
        return self.cut


class Sharing:
    """The shared reads of a process. Thread-safe."""

    def __init__(self, providers: Providers, store: Store, clock: Clock, writes: Writes) -> None:
        self._fresh, self._store, self._clock, self._writes = Fresh(providers), store, clock, writes
        self._lock = threading.Lock()
        self._shelves: dict[tuple[Target, TypeName], _Shelf] = {}
        #: when the passes that have had their first look were asked for
        self._served: dict[PlanName, float] = {}
        #: plans whose last pass didn't come to look (denied, held, suspended): not worth reading for
        self._idle: set[PlanName] = set()
        self._attributes: dict[PlanName, tuple[Plan, Mapping[LogicalId, frozenset[str]]]] = {}

    def reads(self, plan: Plan, turn: Turn | None) -> Reads:
        """The first look of a pass of ``plan``; without a ``turn`` it shares nothing."""
        return self._fresh if turn is None else _Look(self, plan, turn)

    def ended(self, plan: PlanName, turn: Turn | None) -> None:
        """A pass has ended, or didn't begin. What nobody may use any more is dropped."""
        if turn is None:
            return
        others = {other.name: since for other, since in turn.others() if (other.name, since) != (plan, turn.since)}
        with self._lock:
            looked = self._served.get(plan) == turn.since
            (self._idle.discard if looked else self._idle.add)(plan)
            self._served = {name: since for name, since in self._served.items() if name in others}
            self._attributes = {name: known for name, known in self._attributes.items() if name in others}
            left = [since for name, since in others.items() if self._served.get(name, -math.inf) < since]
            oldest = min(left, default=math.inf)
            self._shelves = {place: shelf for place, shelf in self._shelves.items() if shelf.begun >= oldest}

    def kept(self) -> int:
        """How many answers are kept now."""
        with self._lock:
            return sum(len(shelf.answers) for shelf in self._shelves.values())

    def looked(self, plan: PlanName, turn: Turn) -> None:
        """A pass has had its first look: nothing is read for it any more."""
        with self._lock:
            self._served[plan] = turn.since

    def read(
        self, look: _Look, scope: Scope, type_name: TypeName, wanted: Collection[Wanted]
    ) -> tuple[Answers, Collection[datetime]]:
        """The answers, and when the shared ones among them began."""
        shelf, after = self._shelf(look.plan.target, type_name), look.turn.since
        with shelf.lock:
            found = shelf.take(wanted, after, self._writes.last(scope.account))
            rest = [item for item in wanted if item.identifier not in found]
            if rest and shelf.due(after, self._writes.last(scope.account)):
                self._fill(shelf, look, scope, type_name, rest)
                found |= shelf.take(rest, after, self._writes.last(scope.account))
        rest = [item for item in wanted if item.identifier not in found]
        own = self._fresh.read(scope, type_name, rest) if rest else {}
        shared = {name: answer.found for name, answer in found.items() if answer.found is not None}
        return {**shared, **own}, [answer.at for answer in found.values()]

    def _fill(self, shelf: _Shelf, look: _Look, scope: Scope, type_name: TypeName, rest: Collection[Wanted]) -> None:
        """Read for all that wait. A read that is the pass's alone is left to it."""
        ahead, shelf.cut = self._ahead(shelf, look, scope, type_name, rest)
        if len(ahead) == len(rest):
            return
        shelf.begun, at = self._clock.monotonic(), self._clock.now()
        try:
            answers = self._fresh.read(scope, type_name, ahead)
        except Exception:
            # Whatever it is about somebody else's resource, this pass must not suffer: each reads for itself.
            log.exception("shared read failed", type=type_name, resources=len(ahead))
            return
        for item in ahead:
            found = answers.get(item.identifier)
            if not isinstance(found, Unreadable):
                shelf.answers[item.identifier] = _Answer(found, item.properties, shelf.begun, at)

    def _ahead(
        self, shelf: _Shelf, look: _Look, scope: Scope, type_name: TypeName, rest: Collection[Wanted]
    ) -> tuple[list[Wanted], bool]:
        """What ``rest`` and the passes that wait want of a type, and whether there is more of it than is read."""
        names = {item.identifier: item.properties for item in rest}
        plans, written = self._waiting(look), self._writes.last(scope.account)
        if not plans:
            return list(rest), False
        for owner, identifier in self._store.identifiers(scope.account, scope.region, type_name).items():
            plan, since = plans.get(owner.plan, (None, 0.0))
            planned = plan.resources.get(owner.logical_id) if plan is not None else None
            if plan is None or planned is None or planned.type != type_name:
                continue
            item = Wanted(identifier, self._wanted(plan, planned))
            if shelf.serves(item, since, written):
                continue
            if len(names) >= _MOST and identifier not in names:
                return _all(names), True
            names[identifier] = names.get(identifier, frozenset()) | item.properties
        return _all(names), False

    def _waiting(self, look: _Look) -> dict[PlanName, tuple[Plan, float]]:
        """The plans that a read of this pass may serve, too."""
        others = look.turn.others()
        with self._lock:
            return {
                plan.name: (plan, since)
                for plan, since in others
                if plan.target == look.plan.target
                and plan.name != look.plan.name
                and plan.name not in self._idle
                and self._served.get(plan.name, -math.inf) < since
            }

    def _wanted(self, plan: Plan, planned: PlannedResource) -> frozenset[str]:
        known = self._attributes.get(plan.name)
        if known is None or known[0] is not plan:
            known = self._attributes[plan.name] = (plan, referenced_attributes(plan))
        schema = schema_for(planned.type, plan.target.region)
        tags = (schema.tag_property,) if schema is not None and schema.tag_property is not None else ()
        return wanted_properties(planned, tags, known[1].get(planned.logical_id, ()))

    def _shelf(self, target: Target, type_name: TypeName) -> _Shelf:
        with self._lock:
            return self._shelves.setdefault((target, type_name), _Shelf())


class _Look:
    """``ports.Reads`` of one pass."""

    def __init__(self, sharing: Sharing, plan: Plan, turn: Turn) -> None:
        self.plan, self.turn = plan, turn
        self._sharing = sharing
        self._dates: list[datetime] = []

    def read(
        self, scope: Scope, type_name: TypeName, wanted: Collection[Wanted]
    ) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.Reads``."""
        answers, dates = self._sharing.read(self, scope, type_name, wanted)
        self._dates.extend(dates)
        return answers

    @property
    def since(self) -> datetime | None:
        """See ``ports.Reads``."""
        return min(self._dates, default=None)

    def close(self) -> None:
        """See ``ports.Reads``."""
        self._sharing.looked(self.plan.name, self.turn)


def _all(names: Mapping[Identifier, frozenset[str]]) -> list[Wanted]:
    return [Wanted(identifier, properties) for identifier, properties in names.items()]
