"""What became of a call whose answer never came: by its handle, else by its identifier, else by looking for it.

The same for a step in hand (connection lost, time-out) and after a crash. Nothing is called again here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.apply.looking import look_until
from reconciler.live import changed_properties, choose, compare, name_for_old, old_names
from reconciler.model.change import Verb
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.progress import Handle, Pending
from reconciler.model.resource import Observation, Record, Unreadable, Wanted
from reconciler.model.secrecy import MASK
from reconciler.model.values import Properties, leaves
from reconciler.ports import Clock, ResourceProvider, Scope
from reconciler.schema import identifier_of, schema_for

#: How long an asynchronous operation may take before the step fails: the slowest of AWS's own waiters is an hour.
STEP_TIMEOUT = 3600.0

#: At the end of the step id of a call that takes a step back.
UNDO = ":undo"

#: For how long at least an operation is polled that was begun longer ago than any should take.
_LAST_POLLS = 60.0

_UNANSWERED = frozenset(
    {
        FaultKind.THROTTLED,
        FaultKind.UNAVAILABLE,
        FaultKind.TIMEOUT,
        FaultKind.CREDENTIALS,
        FaultKind.ACCESS_DENIED,
        FaultKind.WRONG_ACCOUNT,
        FaultKind.REGION_DISABLED,
    }
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a call. ``identifier``: what is there; a create that failed may have left something too."""

    state: JournalState
    identifier: Identifier | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Settler:
    """Looks in one place of AWS. All methods raise AwsFault if AWS can't be asked: then nothing is known."""

    provider: ResourceProvider
    scope: Scope
    clock: Clock

    def settle(self, entry: JournalEntry, after: Properties, old: Collection[Identifier]) -> Settled:
        """Look for as long as AWS may take to show it.

        ``after``: what the call was to bring about, with its secrets where they are known. ``old``: see ``old_halves``.
        """
        return look_until(self.clock, lambda: self.look(entry, after, old)) or given_up(entry)

    def look(self, entry: JournalEntry, after: Properties, old: Collection[Identifier]) -> Settled | None:
        """One look. None: nothing can be seen of it now."""
        polled = self._polled(entry, entry.handle, after, old) if entry.handle is not None else None
        if polled is not None:
            return polled
        match entry.verb:
            case Verb.CREATE:
                return self._created(entry, after, old)
            case Verb.DELETE:
                gone = entry.identifier is not None and self._read(entry.identifier, frozenset()) is None
                return Settled(JournalState.DONE, entry.identifier) if gone else None
            case Verb.UPDATE | Verb.ADOPT:
                return self._updated(entry, after)

    def _polled(
        self, entry: JournalEntry, handle: Handle, after: Properties, old: Collection[Identifier]
    ) -> Settled | None:
        """By asking how the operation stands; None if AWS doesn't know it any more, or never finishes it."""
        age = (self.clock.now() - entry.at).total_seconds()
        deadline = self.clock.monotonic() + max(_LAST_POLLS, STEP_TIMEOUT - max(0.0, age))
        try:
            progress = self.provider.poll(self.scope, handle)
            while isinstance(progress, Pending):
                entry = replace(entry, identifier=progress.handle.identifier or entry.identifier)
                if self.clock.monotonic() >= deadline:
                    return None
                self.clock.sleep(progress.after)
                progress = self.provider.poll(self.scope, progress.handle)
        except AwsFault as fault:
            if unanswered(fault):
                raise
            if fault.kind is FaultKind.NOT_FOUND and not fault.failed:
                return None
            left = self._created(entry, after, old) if entry.verb is Verb.CREATE else None
            return Settled(JournalState.FAILED, left.identifier if left else entry.identifier, str(fault))
        if entry.verb is Verb.CREATE and self._read(progress.identifier, frozenset()) is None:
            return None  # not seen yet
        return Settled(JournalState.DONE, progress.identifier)

    def _created(self, entry: JournalEntry, after: Properties, old: Collection[Identifier]) -> Settled | None:
        if entry.identifier is not None and self._read(entry.identifier, frozenset()) is not None:
            return Settled(JournalState.DONE, entry.identifier)
        owner = Owner(entry.plan, entry.logical_id)
        located = self.provider.locate(self.scope, after, owner)
        try:
            found = choose(located, owner, old)
        except AwsFault as several:
            return Settled(JournalState.UNDECIDABLE, None, several.message)
        if found is None or (found.owner != owner and not self._untagged_twin(entry, found.identifier, after)):
            return None
        return Settled(JournalState.DONE, found.identifier)

    def _untagged_twin(self, entry: JournalEntry, identifier: Identifier, after: Properties) -> bool:
        """Whether what stands in the place of a resource without tags is what was to be made, as far as that came.

        The place was empty before the intent was written. With tags it would carry them: then it is a stranger's. A
        create of several calls may have ended before the last: what is set is as wanted, the rest isn't set.
        """
        schema = schema_for(entry.type, entry.region)
        if schema is None or schema.tag_property is not None:
            return False
        known = _legible(after)
        live = self._read(identifier, frozenset(known))
        if live is None:
            return False
        differing = changed_properties(compare(schema, known, live.properties))
        return not any(live.properties.get(name) for name in differing)

    def _updated(self, entry: JournalEntry, after: Properties) -> Settled | None:
        assert entry.identifier is not None
        live = self._read(entry.identifier, frozenset(after) | frozenset(entry.before))
        if live is None:
            return Settled(JournalState.FAILED, None, f"{entry.identifier} has gone")
        differs = compare(schema_for(entry.type, entry.region), _legible(after), live.properties)
        stays = [name for name in entry.before.keys() - after.keys() if live.properties.get(name) == entry.before[name]]
        return None if differs or stays else Settled(JournalState.DONE, entry.identifier)

    def _read(self, identifier: Identifier, names: frozenset[str]) -> Observation | None:
        answer = self.provider.read_many(self.scope, [Wanted(identifier, names)]).get(identifier)
        if isinstance(answer, Unreadable):
            raise AwsFault(answer.kind, answer.message)
        return answer


def given_up(entry: JournalEntry) -> Settled:
    """What is said of a call of which nothing could be seen for as long as AWS may take to show it."""
    seen = {Verb.CREATE: "no trace of it was found", Verb.DELETE: "it is still there"}
    identifier = None if entry.verb is Verb.CREATE else entry.identifier
    return Settled(JournalState.LOST, identifier, seen.get(entry.verb, "it is not as it was to be"))


def unanswered(fault: AwsFault) -> bool:
    """Whether a fault of ``poll`` only says that AWS couldn't be asked, not that the operation failed."""
    return fault.kind in _UNANSWERED and not fault.failed


def is_undo(entry: JournalEntry) -> bool:
    """Whether a call was made to take a step back."""
    return entry.step.endswith(UNDO)


def old_halves(entry: JournalEntry, records: Mapping[LogicalId, Record]) -> frozenset[Identifier]:
    """Resources that a create can't have made: the old half of a replacement; whatever was known, for an undo."""
    found = {record.identifier for record in records.values() if record.type == entry.type and is_undo(entry)}
    found |= {records[name].identifier for name in old_names(records, entry.logical_id)}
    schema = schema_for(entry.type, entry.region)
    before = identifier_of(schema, entry.before) if schema is not None and entry.before else None
    return frozenset(found | {before} if before is not None else found)


def made(entry: JournalEntry, records: Mapping[LogicalId, Record], identifier: Identifier, at: datetime) -> Record:
    """What to remember of a resource that was created, by its journal entry alone: the plan may have changed since.

    What an undo made again is in the way if the resource has been replaced by then: it is remembered as an old half.
    """
    name, own = entry.logical_id, records.get(entry.logical_id)
    record = entry.record or Record(
        entry.plan, name, entry.type, Identifier(""), entry.account, entry.region, entry.after
    )
    if is_undo(entry) and own is not None and own.identifier != identifier:
        name = name_for_old(records, name, identifier)
    return replace(record, logical_id=name, identifier=identifier, updated_at=at)


def _legible(properties: Properties) -> dict[str, object]:
    """Without the properties whose secrets the journal has masked: they can't be compared."""
    return {name: value for name, value in properties.items() if MASK not in list(leaves(value))}
