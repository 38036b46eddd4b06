"""Act: one provider call of a step, journalled before and after, polled until it is done.

Every mutation of AWS in this program goes through ``Actor.perform``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reconciler.live import View, veil
from reconciler.model.change import Step
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.events import StepProgress
from reconciler.model.ids import ClientToken, Identifier, LogicalId, RunId, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan
from reconciler.model.progress import Done, Pending, Progress
from reconciler.model.resource import Observation, Record, Unreadable, Wanted
from reconciler.model.values import Properties, mask
from reconciler.ports import Clock, EventSink, Providers, ResourceProvider, Scope, Store

#: How long an asynchronous operation may take before the step fails: the slowest of AWS's own waiters is an hour.
STEP_TIMEOUT = 3600.0

Call = Callable[[ResourceProvider, ClientToken], Progress]


@dataclass(frozen=True, slots=True)
class Actor:
    """What every step of one run shares: where to act, what is known, where to write it down."""

    run: RunId
    plan: Plan
    scope: Scope
    view: View
    providers: Providers
    store: Store
    clock: Clock
    events: EventSink
    #: what the store holds of the plan: read once a run, written through
    records: dict[LogicalId, Record] = field(default_factory=dict)

    def remember(self, record: Record) -> None:
        """Keep a record, in the store first."""
        self.store.save_record(record)
        self.records[record.logical_id] = record

    def forget(self, name: LogicalId) -> None:
        """Drop a record, in the store first."""
        self.store.drop_record(self.plan.name, name)
        self.records.pop(name, None)

    def provider(self, step: Step) -> ResourceProvider:
        """The provider of a step's type. Raises AwsFault INTERNAL if there is none."""
        provider = self.providers.get(step.type)
        if provider is None:
            raise AwsFault(FaultKind.INTERNAL, f"{step.type} is not supported by this version")
        return provider

    def read(self, step: Step, identifier: Identifier, names: frozenset[str]) -> Observation | None:
        """Live state now, or None if it is gone. Raises AwsFault if it can't be read."""
        answer = self.provider(step).read_many(self.scope, [Wanted(identifier, names)]).get(identifier)
        if isinstance(answer, Unreadable):
            raise AwsFault(answer.kind, answer.message)
        return answer

    def perform(self, step: Step, call: Call, *, before: Properties, after: Properties, suffix: str = "") -> Identifier:
        """Journal the intent, call, poll, journal the outcome. Returns the identifier; raises AwsFault.

        ``suffix`` tells a rollback of a step (``:undo``) from the step itself.
        """
        entry = self._intent(step, before, after, suffix)
        self.store.write_journal(entry)
        try:
            identifier = self._await(step, entry, call(self.provider(step), entry.token))
        except Exception as error:
            state = JournalState.UNDECIDABLE if getattr(error, "ambiguous", False) else JournalState.FAILED
            self.store.write_journal(replace(entry, state=state, error=str(error), at=self.clock.now()))
            raise
        self.store.write_journal(replace(entry, state=JournalState.DONE, identifier=identifier, at=self.clock.now()))
        return identifier

    def _intent(self, step: Step, before: Properties, after: Properties, suffix: str) -> JournalEntry:
        step_id = StepId(step.id + suffix)
        record = self.records.get(step.logical_id)
        applied = record.applied if record else {}
        return JournalEntry(
            run=self.run,
            plan=self.plan.name,
            step=step_id,
            logical_id=step.logical_id,
            type=step.type,
            verb=step.verb,
            token=client_token(self.run, step_id),
            account=self.scope.account,
            region=self.scope.region,
            at=self.clock.now(),
            identifier=step.identifier,
            before=mask(veil(before, {**applied, **after})),
            after=mask(after),
        )

    def _await(self, step: Step, entry: JournalEntry, progress: Progress) -> Identifier:
        deadline = self.clock.monotonic() + STEP_TIMEOUT
        handle = None
        while isinstance(progress, Pending):
            if progress.handle != handle:
                handle = progress.handle
                pending = replace(entry, state=JournalState.PENDING, handle=handle, identifier=handle.identifier)
                self.store.write_journal(pending)
            self.events.emit(StepProgress(self.run, self.plan.name, step, progress.message))
            if self.clock.monotonic() >= deadline:
                raise AwsFault(FaultKind.TIMEOUT, f"{step.id} did not complete in {STEP_TIMEOUT:.0f} s")
            self.clock.sleep(progress.after)
            progress = self.provider(step).poll(self.scope, progress.handle)
        assert isinstance(progress, Done)
        return progress.identifier


def client_token(run: RunId, step: StepId) -> ClientToken:
    """The idempotency token of a step: the same for every repetition of it, 64 characters at most as AWS allows."""
    return ClientToken(hashlib.sha256(f"{run}/{step}".encode()).hexdigest()[:64])
