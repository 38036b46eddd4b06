"""Resume after a crash: settle what the journal left open, before anything else is done with the plan.

The passes are level-triggered, so nothing is repeated here: what took effect is remembered, what didn't will be
computed again by the next pass. What can't be decided waits for a person, and the plan with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from reconciler.apply.looking import looks
from reconciler.apply.settling import UNDO, Settled, Settler, given_up, made, old_halves
from reconciler.live import old_names, rejoined
from reconciler.model.audit import AuditEvent
from reconciler.model.change import Verb
from reconciler.model.errors import AwsFault, ConfigurationError, FaultKind, Undecidable
from reconciler.model.ids import Identifier, PlanName, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan
from reconciler.ports import Clock, Providers, Scope, Store

log = structlog.get_logger(__name__)


def resume(plan: Plan, scope: Scope, providers: Providers, store: Store, clock: Clock) -> int:
    """Settle every open journal entry of ``plan``; how many there were.

    Raises AwsFault if AWS can't be asked, so that entries stay open; Undecidable if a person must look first.
    """
    entries = store.unfinished(plan.name)
    _Resumption(scope, providers, store, clock).settle(entries)
    unresolved = store.unresolved(plan.name)
    if unresolved:
        raise Undecidable(undecidable(unresolved))
    return len(entries)


def undecidable(entries: Sequence[JournalEntry]) -> str:
    """What can't be decided, with the facts and the next step, for a person."""
    told = [
        f"{entry.step} of run {entry.run}: {entry.verb.value} {entry.type} was called in account {entry.account}, "
        f"{entry.region}, and its outcome is unknown: {entry.error}. Look there, then say what is so: "
        f"{' or '.join(ways_out(entry))}"
        for entry in entries
    ]
    return "\n".join(told)


def ways_out(entry: JournalEntry) -> tuple[str, ...]:
    """The commands by which a person says what became of a call."""
    command = f"reconciler settle {entry.plan} {entry.step} --outcome"
    known = f" --identifier {entry.identifier or 'ID'}" if entry.verb is Verb.CREATE else ""
    return f"{command} present{known}", f"{command} absent"


def decide(
    store: Store, clock: Clock, plan: PlanName, step: StepId, *, present: bool, identifier: Identifier | None
) -> JournalEntry:
    """Close the undecidable entry of a step by a person's word: the resource is there, or it isn't.

    Returns what the journal says now. Raises ConfigurationError when there is nothing to decide or the identifier of
    a created resource is missing, StoreError.
    """
    entry = next((each for each in reversed(store.unresolved(plan)) if each.step == step), None)
    if entry is None:
        raise ConfigurationError(f"{plan} has no step {step} whose outcome is undecidable")
    identifier = identifier or entry.identifier
    if present and identifier is None:
        raise ConfigurationError(
            f"{step} made a resource: name it by --identifier, as its type's identifier is written"
        )
    done = not present if entry.verb is Verb.DELETE else present
    state = JournalState.DONE if done else JournalState.FAILED
    said = f"settled by a person: {'present' if present else 'absent'}"
    _keep(store, entry, Settled(state, identifier if present or entry.verb is Verb.DELETE else None), clock)
    closed = replace(entry, state=state, identifier=identifier, error=said, at=clock.now())
    facts = {"step": step, "outcome": "present" if present else "absent", "identifier": identifier or ""}
    store.audit(AuditEvent("settle", clock.now(), plan, entry.run, facts))
    store.write_journal(closed)
    return closed


@dataclass(frozen=True, slots=True)
class _Resumption:
    """One settling of a plan's open entries. All are looked at in each round, so that they wait together."""

    scope: Scope
    providers: Providers
    store: Store
    clock: Clock

    def settle(self, entries: Sequence[JournalEntry]) -> None:
        """Close what can be closed. Raises AwsFault, the first one met, when AWS couldn't be asked about an entry."""
        fault: AwsFault | None = None
        waiting = list(entries)
        for _ in looks(self.clock):
            unseen = []
            for entry in waiting:
                try:
                    settled = self._look(entry)
                except AwsFault as error:
                    fault = fault or error
                    continue
                if settled is None:
                    unseen.append(entry)
                else:
                    self._close(entry, settled)
            waiting = unseen
            if not waiting:
                break
        for entry in waiting:
            self._close(entry, given_up(entry))
        if fault is not None:
            raise fault

    def _look(self, entry: JournalEntry) -> Settled | None:
        if (entry.account, entry.region) != (self.scope.account, self.scope.region):
            where = f"the plan's target is account {self.scope.account}, {self.scope.region} by now"
            return Settled(JournalState.UNDECIDABLE, None, where)
        if self._taken_back(entry):
            return Settled(JournalState.FAILED, None, "taken back before it was known to be done")
        provider = self.providers.get(entry.type)
        if provider is None:
            message = f"{entry.type}, in the journal, is not supported by this version"
            raise AwsFault(FaultKind.INTERNAL, message)
        old = old_halves(entry, self.store.records(entry.plan))
        seen = Settler(provider, self.scope, self.clock).look(entry, entry.after, old)
        if seen is None and entry.verb is not Verb.CREATE:
            return given_up(entry)  # to do it again is harmless, so nothing is waited for
        return seen

    def _taken_back(self, entry: JournalEntry) -> bool:
        """Whether a rollback has already undone a create that was never known to be done."""
        undo = StepId(entry.step + UNDO)
        later = self.store.journal(entry.run) if entry.verb is Verb.CREATE else ()
        return any(other.step == undo and other.state is JournalState.DONE for other in later)

    def _close(self, entry: JournalEntry, settled: Settled) -> None:
        _keep(self.store, entry, settled, self.clock)
        identifier = settled.identifier or entry.identifier
        closed = replace(entry, state=settled.state, identifier=identifier, error=settled.error, at=self.clock.now())
        self.store.write_journal(closed)
        log.warning(
            "interrupted step settled",
            plan=entry.plan,
            step=entry.step,
            identifier=identifier,
            outcome=settled.state.value,
        )


def _keep(store: Store, entry: JournalEntry, settled: Settled, clock: Clock) -> None:
    """Bring the records to where the step would have left them."""
    records = store.records(entry.plan)
    identifier = settled.identifier
    match entry.verb:
        case Verb.CREATE if identifier is not None:
            store.save_record(made(entry, records, identifier, clock.now()))
        case Verb.CREATE if settled.state is not JournalState.UNDECIDABLE:
            for name in rejoined(records, entry.logical_id):
                store.drop_record(entry.plan, name)
        case Verb.DELETE if settled.state is JournalState.DONE:
            for name in (*old_names(records, entry.logical_id), entry.logical_id):
                if name in records and records[name].identifier == entry.identifier:
                    store.drop_record(entry.plan, name)
        case Verb.UPDATE if settled.state is JournalState.DONE and entry.record is not None:
            own = records.get(entry.logical_id)
            if own is not None and own.identifier == entry.identifier:
                store.save_record(replace(entry.record, updated_at=clock.now()))
