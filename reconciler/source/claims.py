"""Which plan wants which resource, as of the newest snapshot: so that moving one between plans deletes nothing.

A plan claims what another one has a record of, in the same account, region and environment,

    by ``Metadata: Reconciler: {movedFrom: plan/LogicalId}``, or ``adopt`` with its identifier, or
    by standing where it stands: the same name, or the same logical id and type where no name says otherwise,
    if the former plan no longer lists the resource and the new one has none of its own under that logical id.

Doubt keeps: while a file can't be read that may hold such a claim, what a plan has dropped is not deleted.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from reconciler.model.claim import Claim
from reconciler.model.ids import LogicalId, Owner, PlanName
from reconciler.model.plan import Plan, PlannedResource, Snapshot
from reconciler.model.resource import Record
from reconciler.ports import Source
from reconciler.schema import identifier_of, schema_for
from reconciler.template import exchange

#: Problems of files that are no plan's (any more): approvals, and with ``_STRAY`` what belongs to other programs.
_NO_PLAN = frozenset({"approval"})
_STRAY = frozenset({"foreign"})
_PARTS = re.compile(r"[:/|]")


class _Strength(IntEnum):
    """How a claim is made; the strongest wins."""

    MOVED = 0
    ADOPTED = 1
    NAMED = 2
    LISTED = 3


@dataclass(frozen=True, slots=True)
class _Bid:
    """A planned resource that may claim a record."""

    strength: _Strength
    plan: Plan
    planned: PlannedResource

    def order(self) -> tuple[int, str, str]:
        """Where several claim the same: the first in this order gets it."""
        return (self.strength, self.plan.name, self.planned.logical_id)


@dataclass(frozen=True, slots=True)
class _Index:
    """The planned resources of a snapshot, by what may tie them to a record."""

    snapshot: Snapshot
    moved: dict[Owner, list[_Bid]] = field(default_factory=lambda: defaultdict(list))
    adopted: dict[tuple[str, str], list[_Bid]] = field(default_factory=lambda: defaultdict(list))
    named: dict[tuple[str, str], list[_Bid]] = field(default_factory=lambda: defaultdict(list))
    listed: dict[tuple[str, str], list[_Bid]] = field(default_factory=lambda: defaultdict(list))
    exporters: dict[exchange.Place, PlanName] = field(default_factory=dict)

    def add(self, plan: Plan, planned: PlannedResource) -> None:
        """Index one resource; an explicit claim makes it claim nothing else."""
        if planned.moved_from is not None:
            self.moved[planned.moved_from].append(_Bid(_Strength.MOVED, plan, planned))
        elif planned.adopt is not None:
            self.adopted[planned.type, planned.adopt].append(_Bid(_Strength.ADOPTED, plan, planned))
        else:
            for name in _names(planned, plan.target.region).values():
                self.named[planned.type, name].append(_Bid(_Strength.NAMED, plan, planned))
            self.listed[planned.type, planned.logical_id].append(_Bid(_Strength.LISTED, plan, planned))

    def explicit(self, record: Record) -> Iterator[_Bid]:
        """Everybody who asks for a record; who may have it is for the caller to say."""
        yield from self.moved.get(Owner(record.plan, record.logical_id), ())
        yield from self.adopted.get((record.type, record.identifier), ())

    def implicit(self, record: Record) -> Iterator[_Bid]:
        """Everybody who stands where the record stood."""
        for name in {record.identifier, _last(record.identifier)}:
            yield from self.named.get((record.type, name), ())
        for bid in self.listed.get((record.type, record.logical_id), ()):
            if not _contradicts(bid, record):
                yield bid


class SourceClaims:
    """``ports.Claims`` over the newest snapshot that a source gave. Thread-safe."""

    def __init__(self) -> None:
        self._index = _Index(Snapshot())
        self._indexed = True
        self._lock = threading.Lock()

    def update(self, snapshot: Snapshot) -> None:
        """Judge by this snapshot from now on."""
        with self._lock:
            if snapshot is not self._index.snapshot:
                self._index, self._indexed = _Index(snapshot), False

    def kept(self, dropped: Collection[Record], records: Collection[Record]) -> Mapping[LogicalId, str]:
        """See ``ports.Claims``."""
        index, owned = self._current(), _owned(records)
        reasons = {record.logical_id: self._why_kept(index, record, owned) for record in dropped}
        return {name: reason for name, reason in reasons.items() if reason}

    def incoming(self, plan: Plan, records: Collection[Record]) -> Mapping[LogicalId, Claim]:
        """See ``ports.Claims``."""
        index, owned = self._current(), _owned(records)
        found: dict[LogicalId, Claim] = {}
        for record in records:
            bid = _winner(index, record, owned, also_listed=True)
            if bid is not None and bid.plan.name == plan.name and bid.planned.logical_id in plan.resources:
                found[bid.planned.logical_id] = Claim(record, _problem(index.snapshot, record))
        return found

    def exporter(self, plan: Plan, name: str) -> str:
        """See ``ports.Claims``."""
        return self._current().exporters.get((plan.target.account, plan.target.region, name), "")

    def _why_kept(self, index: _Index, record: Record, owned: Collection[Owner]) -> str:
        bid = _winner(index, record, owned, also_listed=False)
        if bid is not None and bid.plan.name == record.plan:
            return f"is {bid.planned.logical_id} from now on"
        if bid is not None:
            return f"moves to plan {bid.plan.name} ({bid.planned.logical_id}), which takes it over in its next pass"
        doubt = next(_may_claim(index.snapshot, record), "")
        return f"kept for now: {doubt} can't be used as it is, and may claim it" if doubt else ""

    def _current(self) -> _Index:
        """The index, filled on first use: most passes have nothing to ask."""
        with self._lock:
            if not self._indexed:
                for plan in self._index.snapshot.plans.values():
                    for planned in () if plan.absent else plan.resources.values():
                        self._index.add(plan, planned)
                self._index.exporters.update(exchange.exporters(self._index.snapshot.plans))
                self._indexed = True
            return self._index


def _owned(records: Iterable[Record]) -> frozenset[Owner]:
    return frozenset(Owner(record.plan, record.logical_id) for record in records)


def _winner(index: _Index, record: Record, owned: Collection[Owner], *, also_listed: bool) -> _Bid | None:
    """Who is to have what a record is about, other than its plan under this logical id; None: nobody.

    ``also_listed``: include who asks for it by name although its plan lists it still, which is a conflict.
    """
    listed = still_listed(index.snapshot, record)
    bids = [] if listed and not also_listed else [*index.explicit(record)]
    if not listed:
        bids += index.implicit(record)
    return min((bid for bid in bids if _able(index.snapshot, bid, record, owned)), key=_Bid.order, default=None)


def _able(snapshot: Snapshot, bid: _Bid, record: Record, owned: Collection[Owner]) -> bool:
    former = snapshot.plans.get(record.plan)
    return (
        bid.planned.type == record.type
        and (bid.plan.target.account, bid.plan.target.region) == (record.account, record.region)
        and (former is None or former.target.environment == bid.plan.target.environment)
        and Owner(bid.plan.name, bid.planned.logical_id) not in owned
        # inside its own plan a resource changes its logical id only if movedFrom says so
        and (bid.plan.name != record.plan or bid.strength is _Strength.MOVED)
    )


def still_listed(snapshot: Snapshot, record: Record) -> bool:
    """Whether the plan that a record belongs to wants the resource as before."""
    plan = snapshot.plans.get(record.plan)
    if plan is None or plan.absent:
        return False
    if (plan.target.account, plan.target.region) != (record.account, record.region):
        return False
    planned = plan.resources.get(record.logical_id)
    return planned is not None and planned.type == record.type


def _problem(snapshot: Snapshot, record: Record) -> str:
    """Why nobody can take it over now."""
    where = f"{record.identifier} of plan {record.plan} ({record.logical_id})"
    if still_listed(snapshot, record):
        return f"{where} is to move here, but that plan still lists it: remove it there, or the claim here"
    if record.plan in snapshot.plans:
        return ""
    broken = next((place for place in _unusable(snapshot, _NO_PLAN) if PlanName(place) not in snapshot.plans), "")
    if broken:
        return (
            f"{where} may move here, but {broken} can't be used, so what that plan still wants isn't known: correct it"
        )
    return ""


def _may_claim(snapshot: Snapshot, record: Record) -> Iterator[str]:
    """Plans and files that can't be used now, and whose newest content may claim a record."""
    for place in _unusable(snapshot, _NO_PLAN | _STRAY):
        former = snapshot.plans.get(PlanName(place))
        if place == record.plan:
            continue
        if former is None or (former.target.account, former.target.region) == (record.account, record.region):
            yield place


def _unusable(snapshot: Snapshot, harmless: Collection[str]) -> Iterator[str]:
    """Plans, and files that may hold one, with problems other than the harmless ones."""
    for place, problems in sorted(snapshot.invalid.items()):
        if any(problem.reason not in harmless for problem in problems):
            yield place


def _names(planned: PlannedResource, region: str) -> dict[str, str]:
    """What a resource is called, where its plan says so: its identifier, and properties that can't change."""
    schema = schema_for(planned.type, region)
    if schema is None:
        return {}
    found = {
        name: value
        for name, value in planned.properties.items()
        if name.endswith("Name") and isinstance(value, str) and schema.forces_replacement((name,))
    }
    static = {name: value for name, value in planned.properties.items() if isinstance(value, str)}
    identifier = identifier_of(schema, static)
    return found if identifier is None else {**found, "": identifier}


def _contradicts(bid: _Bid, record: Record) -> bool:
    """Whether the names in a plan say that it means another resource than the record, whatever its logical id."""
    for name, value in _names(bid.planned, bid.plan.target.region).items():
        known = record.applied.get(name) if name else record.identifier
        if isinstance(known, str) and known != value:
            return True
    return False


def _last(identifier: str) -> str:
    """The name at the end of an ARN or URL."""
    return _PARTS.split(identifier)[-1]


class WatchedSource(Source, Protocol):
    """A source that says what to watch."""

    def watch_paths(self) -> Collection[Path]:
        """Files and directories whose change means that ``load`` would answer differently."""


class ClaimedSource:
    """A source that keeps ``claims`` up to date with every load."""

    def __init__(self, source: WatchedSource) -> None:
        self._source = source
        self.claims = SourceClaims()

    def load(self) -> Snapshot:
        """As the source's own."""
        snapshot = self._source.load()
        self.claims.update(snapshot)
        return snapshot

    def watch_paths(self) -> Collection[Path]:
        """As the source's own."""
        return self._source.watch_paths()
