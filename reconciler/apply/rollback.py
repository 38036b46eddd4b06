"""Undo a failed run: every step that may have taken effect, in reverse, back to the live state that it found.

The failed step is among them if its call was made. Where one can't be undone, neither is what it rests upon; all else
is. What AWS can't bring back is named in the step's result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reconciler.apply.former import Former
from reconciler.apply.renames import own_names
from reconciler.apply.repoint import Repointed, repoint
from reconciler.apply.undoing import Undoing
from reconciler.model.change import Step, Verb
from reconciler.model.errors import ReconcilerError, StoreError
from reconciler.model.events import StepProgress
from reconciler.model.ids import StepId
from reconciler.model.journal import JournalEntry
from reconciler.model.report import StepResult, StepState

#: How the error of a step goes on (or begins) that could not be undone; the outcome of the pass looks for it.
FAILED = "rollback failed: "


@dataclass(slots=True)
class Undoer:
    """Undoes the steps of one run."""

    former: Former
    #: steps whose undo failed, and those that must stay because of them
    stuck: dict[StepId, str] = field(default_factory=dict)
    halted: str = ""

    def undo_all(self, results: Sequence[StepResult]) -> tuple[StepResult, ...]:
        """The results with every undone step marked so; one that couldn't be undone says why in ``error``.

        Never raises. When the lease is lost, or nothing can be written down, it stops at once.
        """
        outcome = {result.id: result for result in results}
        steps = {step.id: step for step in self.former.changes.steps}
        try:
            self.former.actor.lease.ensure()
            entries = {entry.step: entry for entry in self.former.actor.store.journal(self.former.actor.run)}
        except StoreError as error:
            self.halted, entries = str(error), {}
        taken = [result for result in results if self.halted or _taken(result, entries)]
        taken = [result for result in taken if result.state in (StepState.DONE, StepState.FAILED)]
        undoing = Undoing(self.former)
        for result in taken:
            if steps[result.id].verb is Verb.DELETE:
                self._mark_gone(steps[result.id], result)
        for result in reversed(taken):
            outcome[result.id] = self._undone(undoing, steps[result.id], result, entries.get(result.id))
        self._complete(undoing, outcome)
        if not self.halted:
            self._repoint(undoing, outcome)
        return tuple(outcome[result.id] for result in results)

    def _mark_gone(self, step: Step, result: StepResult) -> None:
        if result.state is StepState.DONE:
            self.former.renames.lost(own_names(self.former.schema(step), self.former.snapshot(step)))

    def _undone(self, undoing: Undoing, step: Step, result: StepResult, entry: JournalEntry | None) -> StepResult:
        if why := self.halted or self.stuck.get(step.id):
            return self._left(step, result, f"not undone: {why}")
        actor = self.former.actor
        actor.events.emit(StepProgress(actor.run, actor.plan.name, step, "being rolled back"))
        try:
            undone = undoing.reverse(step, result, entry)
        except StoreError as error:
            self.halted = str(error)
            return self._left(step, result, str(error))
        except Exception as error:
            return self._left(step, result, _said(error))
        if result.state is StepState.FAILED:
            return replace(result, result=undone)
        return replace(result, state=StepState.ROLLED_BACK, result=f"{result.result}; {undone}", validation="passed")

    def _complete(self, undoing: Undoing, outcome: dict[StepId, StepResult]) -> None:
        for step, names in undoing.later:
            result = outcome[step.id]
            if FAILED in result.error:
                continue
            try:
                if self.halted:
                    raise StoreError(self.halted)
                undoing.completed(step, names)
            except StoreError as error:
                self.halted = str(error)
                outcome[step.id] = self._left(step, result, str(error))
            except Exception as error:
                outcome[step.id] = self._left(step, result, _said(error))

    def _left(self, step: Step, result: StepResult, why: str) -> StepResult:
        """What the step did stays, and so must what it rests upon."""
        for need in step.needs:
            self.stuck.setdefault(need, f"{step.id} could not be undone, and it needs this")
        text = f"{FAILED}{why}"
        error = f"{result.error}; {text}" if result.error else text
        return replace(result, state=StepState.FAILED, error=error, validation="failed")

    def _repoint(self, undoing: Undoing, outcome: dict[StepId, StepResult]) -> None:
        left = {outcome[name].logical_id for name in outcome if FAILED in outcome[name].error}
        try:
            for done in repoint(undoing, left):
                outcome[done.because] = _with(outcome[done.because], done)
        except StoreError as error:
            last = next(reversed(undoing.remade))
            outcome[last] = _with(outcome[last], Repointed(last, outcome[last].logical_id, str(error)))


def _with(result: StepResult, done: Repointed) -> StepResult:
    """The result of the step whose undo gave new names, with what became of a resource that used the old ones."""
    if not done.problem:
        return replace(result, result=f"{result.result}; {done.name} led to it")
    text = f"{FAILED}{done.name} still names what is gone: {done.problem}"
    return replace(result, state=StepState.FAILED, error=f"{result.error}; {text}" if result.error else text)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, ReconcilerError) else f"{type(error).__name__}: {error}"


def _taken(result: StepResult, entries: dict[StepId, JournalEntry]) -> bool:
    """Whether a step may have changed anything: it is done, or its call was made."""
    return result.state is StepState.DONE or result.id in entries
