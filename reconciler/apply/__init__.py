"""Apply: walk a decided change set, journalled and validated step by step; roll back on failure if the plan says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.apply.act import Actor, client_token
from reconciler.apply.describe import command
from reconciler.apply.ending import Taken
from reconciler.apply.former import Former
from reconciler.apply.notes import Notes
from reconciler.apply.places import Places
from reconciler.apply.renames import Renames
from reconciler.apply.resume import resume
from reconciler.apply.rollback import FAILED as ROLLBACK_FAILED
from reconciler.apply.rollback import Undoer
from reconciler.apply.step import Stale, StepRunner
from reconciler.apply.walk import walk
from reconciler.model.change import ChangeSet, Step
from reconciler.model.events import ApplyStarted, StepFinished, StepStarted
from reconciler.model.ids import StepId
from reconciler.model.report import Context, StepResult, StepState

__all__ = ["Actor", "Applied", "Notes", "apply", "client_token", "command", "resume"]


@dataclass(frozen=True, slots=True)
class Applied:
    """How applying went. ``rolled_back``: None if nothing had to be undone, else whether all of it was."""

    steps: tuple[StepResult, ...]
    rolled_back: bool | None = None

    @property
    def failed(self) -> tuple[StepResult, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.state is StepState.FAILED)

    @property
    def broken(self) -> bool:
        """Whether a step failed for good; one that was overtaken by a change in AWS is only computed again."""
        return any(step.error_kind != Stale.reason for step in self.failed)


def apply(
    changes: ChangeSet, actor: Actor, context: Context, *, parallel: int, stopping: Callable[[], bool]
) -> Applied:
    """Take every step of ``changes``, at most ``parallel`` at a time. Raises StoreError if it can't be journalled."""
    records = actor.records
    actor.events.emit(ApplyStarted(actor.run, context, changes.steps))
    results = walk(
        changes.steps,
        _Told(StepRunner(actor, changes, Places(actor, changes)), actor, changes.steps),
        parallel=parallel,
        stopping=stopping,
    )
    applied = Applied(results)
    if not applied.broken or changes.plan.rollback.mode != "automatic":
        return applied
    undone = Undoer(Former(actor, changes, records, Renames())).undo_all(results)
    clean = not any(ROLLBACK_FAILED in result.error for result in undone)
    return Applied(undone, clean)


@dataclass(frozen=True, slots=True)
class _Told:
    """``walk.Work`` by a runner, with an event when a step begins and one when it ends."""

    runner: StepRunner
    actor: Actor
    steps: Sequence[Step]

    def take(self, step: Step, number: int) -> Taken | StepResult:
        started = StepStarted(self.actor.run, self.actor.plan.name, step, number, len(self.steps), command(step))
        self.actor.events.emit(started)
        taken = self.runner.take(step, number)
        if isinstance(taken, StepResult):
            self._finished(step, number, taken)
        return taken

    def look(self, taken: Mapping[StepId, Taken], turn: int) -> Mapping[StepId, StepResult]:
        results = self.runner.look(list(taken.values()), turn)
        for name, result in results.items():
            self._finished(taken[name].step, taken[name].number, result)
        return results

    def _finished(self, step: Step, number: int, result: StepResult) -> None:
        total = len(self.steps)
        self.actor.events.emit(StepFinished(self.actor.run, self.actor.plan.name, step, number, total, result))
