"""One provider call under way: polled, remembered, looked for if it has no answer, and journalled all the while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.apply.settling import STEP_TIMEOUT, Settler, old_halves, unanswered
from reconciler.model.change import Step, Verb
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.events import StepProgress
from reconciler.model.ids import Identifier
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.progress import Pending, Progress
from reconciler.model.values import Properties

if TYPE_CHECKING:  # it makes the attempts
    from reconciler.apply.act import Actor

#: Remembers what a call brought about, before the journal says that it is done.
Keep = Callable[[Identifier], None]


@dataclass(frozen=True, slots=True)
class Called:
    """A call that took effect.

    ``open``: of a create, whose journal entry is closed when what it made is seen; that of any other call is closed.
    """

    identifier: Identifier
    open: Attempt | None = None


@dataclass(slots=True)
class Attempt:
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
                actor.journal(self.entry)
            actor.events.emit(StepProgress(actor.run, actor.plan.name, self.step, progress.message))
            if actor.clock.monotonic() >= deadline:
                message = f"{self.step.id} did not complete in {STEP_TIMEOUT:.0f} s"
                raise AwsFault(FaultKind.TIMEOUT, message)
            actor.clock.sleep(progress.after)
            progress = actor.provider(self.step).poll(actor.scope, progress.handle)
        return progress.identifier

    def done(self, identifier: Identifier) -> Called:
        """Remember first: a crash in between leaves an open entry, never a resource that nobody knows of.

        A create is done when it can be seen: closed earlier, the next pass might take it for deleted and make another.
        """
        if self.keep is not None:
            self.keep(identifier)
        if self.entry.verb is Verb.CREATE:
            self.entry = replace(self.entry, identifier=identifier)
            return Called(identifier, self)
        self.write(JournalState.DONE, identifier)
        return Called(identifier)

    def doubtful(self, error: Exception) -> Called:
        """Find out what became of it. What was called if it took effect after all, else raises ``error`` again."""
        self.entry = replace(self.entry, error=str(error))
        self.actor.journal(self.entry)
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
        self.actor.journal(self.ended(state, identifier, error))

    def ended(self, state: JournalState, identifier: Identifier | None = None, error: str = "") -> JournalEntry:
        """The entry with its outcome, yet to be journalled."""
        entry = replace(self.entry, state=state, error=error, at=self.actor.clock.now())
        self.entry = replace(entry, identifier=identifier or entry.identifier)
        return self.entry

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
