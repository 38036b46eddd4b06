"""Act: one provider call of a step, journalled before and after, polled until it is done.

Every mutation of AWS in this program goes through ``Actor.perform``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.apply.attempt import Attempt, Called, Keep
from reconciler.apply.looking import look_until
from reconciler.apply.notes import Notes
from reconciler.apply.settling import UNDO, made
from reconciler.live import View, own_parts, rejoined, veil
from reconciler.model.change import Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, GuardBlocked, StoreError
from reconciler.model.ids import ClientToken, Identifier, LogicalId, Owner, RunId, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan
from reconciler.model.progress import Progress
from reconciler.model.resource import Observation, Record, Unreadable, Wanted
from reconciler.model.values import Properties, mask, reveal
from reconciler.ports import Clock, EventSink, Lease, Providers, ResourceProvider, Scope, Store
from reconciler.schema import schema_for

Call = Callable[[ResourceProvider, ClientToken], Progress]


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
        answer = self.answer(step, identifier, names)
        if isinstance(answer, Unreadable):
            raise AwsFault(answer.kind, answer.message)
        return answer

    def answer(self, step: Step, identifier: Identifier, names: frozenset[str]) -> Observation | Unreadable | None:
        """As ``read``, with what keeps it from being read as an answer."""
        return self.read_all([(step, Wanted(identifier, names))])[step.id]

    def read_all(self, wanted: Collection[tuple[Step, Wanted]]) -> dict[StepId, Observation | Unreadable | None]:
        """Live state now of what steps of one type are about, in as few calls as AWS allows; None: it is gone."""
        step, _ = next(iter(wanted))
        names: dict[Identifier, frozenset[str]] = {}
        for _, one in wanted:
            names[one.identifier] = names.get(one.identifier, frozenset()) | one.properties
        answers = self.provider(step).read_many(self.scope, [Wanted(*item) for item in names.items()])
        found = {step.id: (step, answers.get(one.identifier)) for step, one in wanted}
        return {
            name: own_parts(self.plan, self.view, step.logical_id, answer)
            if isinstance(answer, Observation)
            else answer
            for name, (step, answer) in found.items()
        }

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
    ) -> Called:
        """Journal the intent, call, poll, remember, journal the outcome; that of a create when it has been seen.

        ``suffix`` tells a rollback of a step (``:undo``) from the step itself. ``identifier``: what is acted upon,
        where the step doesn't say. ``record``: what is to be remembered, by ``keep`` or after a crash.

        A call without an answer is looked for until it is known what became of it. Raises AwsFault when it failed, or
        when that can't be known now: then the journal entry stays open and the plan's next pass begins with it.
        """
        entry = self._intent(step, before, after, suffix, identifier, record)
        self.lease.ensure()
        self.journal(entry)
        self.lease.ensure()
        attempt = Attempt(self, step, entry, reveal(after), keep or self._keeper(entry))
        try:
            return attempt.done(attempt.completed(call(self.provider(step), entry.token)))
        except StoreError:
            raise  # nothing can be written: the entry stays open
        except GuardBlocked as blocked:
            attempt.write(JournalState.FAILED, error=str(blocked))
            raise
        except Exception as error:
            return attempt.doubtful(error)

    def seen(self, step: Step, called: Called) -> Identifier:
        """What a call was about, once what it has created is to be seen; its journal entry is closed then."""
        if called.open is not None and self._shows(step, called.identifier):
            self.close([called.open])
        return called.identifier

    def journal(self, *entries: JournalEntry) -> None:
        """Write entries down, all or none, in the store first."""
        self.store.write_journal(*entries)
        self.notes.journalled(*entries)

    def close(self, seen: Iterable[Attempt]) -> None:
        """Journal that creates are done, whose resources have been seen: those that aren't closed yet, together."""
        left = [attempt for attempt in seen if attempt.entry.state is not JournalState.DONE]
        if left:
            self.journal(*[attempt.ended(JournalState.DONE) for attempt in left])

    def _shows(self, step: Step, identifier: Identifier) -> bool:
        try:
            return bool(look_until(self.clock, lambda: self.read(step, identifier, frozenset()) and True))
        except AwsFault:
            return False  # the validation that follows says why

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
        lost = self.notes.lost.get(name) if verb is Verb.CREATE else None
        place = (self.scope.account, self.scope.region)
        if lost is not None and (lost.verb, lost.after, lost.account, lost.region) == (verb, after, *place):
            return lost.token
        return client_token(self.run, step)


def client_token(run: RunId, step: StepId) -> ClientToken:
    """The idempotency token of a step: the same for every repetition of it, 64 characters at most as AWS allows."""
    return ClientToken(hashlib.sha256(f"{run}/{step}".encode()).hexdigest()[:64])
