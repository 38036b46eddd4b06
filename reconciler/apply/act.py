"""Act: one provider call of a step, journalled before and after, polled until it is done.

Every mutation of AWS in this program goes through ``Actor.perform``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.apply.looking import look_until
from reconciler.apply.notes import Notes
from reconciler.apply.settling import STEP_TIMEOUT, UNDO, Settler, made, old_halves, unanswered
from reconciler.live import View, own_parts, rejoined, veil
from reconciler.model.change import Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, GuardBlocked, StoreError
from reconciler.model.events import StepProgress
from reconciler.model.ids import ClientToken, Identifier, LogicalId, Owner, RunId, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan
from reconciler.model.progress import Pending, Progress
from reconciler.model.resource import Observation, Record, Unreadable, Wanted
from reconciler.model.values import Properties, mask, reveal
from reconciler.ports import Clock, EventSink, Lease, Providers, ResourceProvider, Scope, Store
from reconciler.schema import schema_for

Call = Callable[[ResourceProvider, ClientToken], Progress]

#: Remembers what a call brought about, before the journal says that it is done.
Keep = Callable[[Identifier], None]

_REVERSE = {Verb.CREATE: Verb.DELETE, Verb.DELETE: Verb.CREATE}


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
    lease: Lease
    #: what the store holds of the plan: read once a run, written through
    notes: Notes = field(default_factory=Notes)
    #: attributes that other resources refer to, some of which are read only if asked for
    attributes: Mapping[LogicalId, frozenset[str]] = field(default_factory=dict)
    #: each resource as it was just before its step touched it, complete for a delete: what an undo returns to
    snapshots: dict[StepId, Observation] = field(default_factory=dict)
    #: why it wasn't clear whether a call took effect, of those that turned out to have done so, perhaps in part
    doubts: dict[StepId, str] = field(default_factory=dict)

    @property
    def records(self) -> Mapping[LogicalId, Record]:
        """What the store holds of the plan now."""
        return self.notes.records

    def remember(self, record: Record, former: Owner | None = None) -> None:
        """Keep a record, in the store first; that of ``former``, whose the resource was, goes at the same moment."""
        if former is None:
            self.store.save_record(record)
        else:
            self.store.move_record(record, former)
        self.notes.put(record)

    def give_back(self, record: Record, name: LogicalId) -> None:
        """Let a resource that moved here under ``name`` be its former plan's again, as ``record`` says."""
        self.store.move_record(record, Owner(self.plan.name, name))
        self.notes.drop(name)

    def forget(self, name: LogicalId) -> None:
        """Drop a record, in the store first."""
        self.store.drop_record(self.plan.name, name)
        self.notes.drop(name)

    def rejoin(self, name: LogicalId) -> None:
        """Forget old halves that the resource's own record names (again): nothing has taken their place."""
        for half in rejoined(self.records, name):
            self.forget(half)

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
        return None if answer is None else own_parts(self.plan, self.view, step.logical_id, answer)

    def perform(
        self,
        step: Step,
        call: Call,
        *,
        before: Properties,
        after: Properties,
        suffix: str = "",
        identifier: Identifier | None = None,
        record: Record | None = None,
        keep: Keep | None = None,
    ) -> Identifier:
        """Journal the intent, call, poll, remember, journal the outcome. Returns the identifier.

        ``suffix`` tells a rollback of a step (``:undo``) from the step itself. ``identifier``: what is acted upon,
        where the step doesn't say. ``record``: what is to be remembered, by ``keep`` or after a crash.

        A call without an answer is looked for until it is known what became of it. Raises AwsFault when it failed, or
        when that can't be known now: then the journal entry stays open and the plan's next pass begins with it.
        """
        entry = self._intent(step, before, after, suffix, identifier, record)
        self.lease.ensure()
        self.store.write_journal(entry)
        self.lease.ensure()
        attempt = _Attempt(self, step, entry, reveal(after), keep or self._keeper(entry))
        try:
            return attempt.done(attempt.completed(call(self.provider(step), entry.token)))
        except StoreError:
            raise  # nothing can be written: the entry stays open
        except GuardBlocked as blocked:
            attempt.write(JournalState.FAILED, error=str(blocked))
            raise
        except Exception as error:
            return attempt.doubtful(error)

    def _keeper(self, entry: JournalEntry) -> Keep | None:
        """What an undo makes again is known from the start, too."""
        if entry.verb is not Verb.CREATE:
            return None
        return lambda identifier: self.remember(made(entry, self.records, identifier, self.clock.now()))

    def _intent(
        self,
        step: Step,
        before: Properties,
        after: Properties,
        suffix: str,
        identifier: Identifier | None,
        record: Record | None,
    ) -> JournalEntry:
        step_id = StepId(step.id + suffix)
        verb = _REVERSE.get(step.verb, Verb.UPDATE) if suffix == UNDO else step.verb
        known = self.records.get(step.logical_id)
        applied = known.applied if known else {}
        masked = mask(after)
        return JournalEntry(
            run=self.run,
            plan=self.plan.name,
            step=step_id,
            logical_id=step.logical_id,
            type=step.type,
            verb=verb,
            token=self._token(step_id, verb, step.logical_id, masked),
            account=self.scope.account,
            region=self.scope.region,
            at=self.clock.now(),
            identifier=identifier or (None if verb is Verb.CREATE else step.identifier),
            before=mask(veil(schema_for(step.type, self.scope.region), before, applied, after)),
            after=masked,
            record=record,
        )

    def _token(self, step: StepId, verb: Verb, name: LogicalId, after: Properties) -> ClientToken:
        """A new one; that of the last create if it is lost, so that one which took effect after all isn't repeated.

        AWS refuses a known token with other parameters, so those must be the same.
        """
        lost = self.store.lost(self.plan.name, name) if verb is Verb.CREATE else None
        place = (self.scope.account, self.scope.region)
        if lost is not None and (lost.verb, lost.after, lost.account, lost.region) == (verb, after, *place):
            return lost.token
        return client_token(self.run, step)


@dataclass(slots=True)
class _Attempt:
    """One call under way. ``entry`` is what the journal says of it; ``after`` is its target with secrets."""

    actor: Actor
    step: Step
    entry: JournalEntry
    after: Properties
    keep: Keep | None

    def completed(self, progress: Progress) -> Identifier:
        """Poll until it is done. Raises AwsFault TIMEOUT when that takes longer than anything should."""
        actor = self.actor
        deadline = actor.clock.monotonic() + STEP_TIMEOUT
        while isinstance(progress, Pending):
            if progress.handle != self.entry.handle:
                handle = progress.handle
                pending = replace(self.entry, handle=handle, identifier=handle.identifier or self.entry.identifier)
                self.entry = replace(pending, state=JournalState.PENDING)
                actor.store.write_journal(self.entry)
            actor.events.emit(StepProgress(actor.run, actor.plan.name, self.step, progress.message))
            if actor.clock.monotonic() >= deadline:
                message = f"{self.step.id} did not complete in {STEP_TIMEOUT:.0f} s"
                raise AwsFault(FaultKind.TIMEOUT, message)
            actor.clock.sleep(progress.after)
            progress = actor.provider(self.step).poll(actor.scope, progress.handle)
        return progress.identifier

    def done(self, identifier: Identifier) -> Identifier:
        """Remember first: a crash in between leaves an open entry, never a resource that nobody knows of.

        A create is done when it can be seen: closed earlier, the next pass might take it for deleted and make another.
        """
        if self.keep is not None:
            self.keep(identifier)
        if self.entry.verb is not Verb.CREATE or self._seen(identifier):
            self.write(JournalState.DONE, identifier)
        return identifier

    def doubtful(self, error: Exception) -> Identifier:
        """Find out what became of it. The identifier if it took effect after all, else raises ``error`` again."""
        self.entry = replace(self.entry, error=str(error))
        self.actor.store.write_journal(self.entry)
        if self._still_pending(error):
            raise error
        if isinstance(error, AwsFault) and not error.ambiguous and not self._unknown_by_now(error):
            self._failed(error)
            raise error
        settler, old = self._settler(), old_halves(self.entry, self.actor.records)
        try:
            settled = settler.settle(self.entry, self.after, old)
        except AwsFault:
            raise error from None  # it stays open
        if settled.state is JournalState.DONE and settled.identifier is not None:
            self.actor.doubts[self.step.id] = str(error)
            return self.done(settled.identifier)
        self.write(settled.state, settled.identifier, f"{error}; {settled.error}")
        raise error

    def write(self, state: JournalState, identifier: Identifier | None = None, error: str = "") -> None:
        """Journal the outcome."""
        entry = replace(self.entry, state=state, error=error, at=self.actor.clock.now())
        self.actor.store.write_journal(replace(entry, identifier=identifier or entry.identifier))

    def _seen(self, identifier: Identifier) -> bool:
        actor = self.actor
        try:
            return bool(look_until(actor.clock, lambda: actor.read(self.step, identifier, frozenset()) and True))
        except AwsFault:
            return False  # the validation that follows says why

    def _still_pending(self, error: Exception) -> bool:
        """Whether the operation goes on and only couldn't be asked about."""
        return self.entry.handle is not None and isinstance(error, AwsFault) and unanswered(error)

    def _unknown_by_now(self, error: AwsFault) -> bool:
        """Whether AWS says now that it doesn't know the operation which it accepted: then only looking helps."""
        return self.entry.handle is not None and error.kind is FaultKind.NOT_FOUND and not error.failed

    def _failed(self, error: Exception) -> None:
        """A create of several calls that failed in the middle has left something, which must not be forgotten."""
        left: Identifier | None = None
        if self.entry.verb is Verb.CREATE:
            unhandled = replace(self.entry, handle=None)
            try:
                seen = self._settler().look(unhandled, self.after, old_halves(self.entry, self.actor.records))
            except AwsFault:
                return  # it stays open
            left = seen.identifier if seen is not None else None
        if left is not None and self.keep is not None:
            self.keep(left)
        self.write(JournalState.FAILED, left, str(error))

    def _settler(self) -> Settler:
        return Settler(self.actor.provider(self.step), self.actor.scope, self.actor.clock)


def client_token(run: RunId, step: StepId) -> ClientToken:
    """The idempotency token of a step: the same for every repetition of it, 64 characters at most as AWS allows."""
    return ClientToken(hashlib.sha256(f"{run}/{step}".encode()).hexdigest()[:64])
