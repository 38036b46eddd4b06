"""Walk a change set's steps: each after those it needs, independent ones in parallel, nothing new after a failure.

A step is in hand from its beginning until it has been seen to. Steps whose calls have ended are looked at together:
as soon as there is nothing else to begin, or enough of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from reconciler.model.change import Step
from reconciler.model.ids import StepId, TypeName
from reconciler.model.report import StepResult, StepState

T = TypeVar("T")

#: As many may wait to be looked at while there is more to begin. More at a time save calls, and are more to take back
#: when one of them turns out wrong.
TOGETHER = 50

#: Seconds after which they are looked at although there is more to begin, because what is in hand takes long.
_QUIET = 1.0


class Work(Protocol[T]):
    """How steps are taken. Nothing raises."""

    def take(self, step: Step, number: int) -> T | StepResult:
        """Begin a step (its number is from 1); what is to be looked at, or how it ended already."""

    def look(self, taken: Mapping[StepId, T], turn: int) -> Mapping[StepId, StepResult]:
        """Look for the ``turn``-th time (from 0); results of those that have ended. The last turn ends all."""


def walk(
    steps: Sequence[Step], work: Work[T], *, parallel: int, stopping: Callable[[], bool]
) -> tuple[StepResult, ...]:
    """Take the steps and return a result for each, in the order given; those never begun are ``pending``.

    At most ``parallel`` are begun at a time. After the first failure, or once ``stopping()`` is true, steps in hand are
    finished and no other is begun.
    """
    parallel = max(1, parallel)
    order = {kind: place for place, kind in enumerate(dict.fromkeys(step.type for step in steps))}
    with ThreadPoolExecutor(2 * parallel, thread_name_prefix="apply") as pool:
        results = _Walk(dict(enumerate(steps, 1)), work, pool, parallel, stopping, order).results()
    return tuple(results.get(step.id) or unbegun(step) for step in steps)


@dataclass(slots=True)
class _Walk(Generic[T]):
    """``waiting``: steps by number. ``order``: of types, whose steps are begun in a row so as to be looked at together.

    ``beginning``: how many have been begun and not yet been handed over for a look.
    """

    waiting: dict[int, Step]
    work: Work[T]
    pool: ThreadPoolExecutor
    parallel: int
    stopping: Callable[[], bool]
    order: Mapping[TypeName, int]
    ended: dict[StepId, StepResult] = field(default_factory=dict)
    taken: dict[StepId, T] = field(default_factory=dict)
    beginning: int = 0
    looking: bool = False
    busy: dict[Future[Any], Callable[[Any], None]] = field(default_factory=dict)

    def results(self) -> dict[StepId, StepResult]:
        quiet = False
        while True:
            more = self._begin()
            if self.taken and not self.looking and (quiet or not more or len(self.taken) >= TOGETHER):
                self._look(self.taken, 0)
                self.taken, self.looking = {}, True
            if not self.busy:
                return self.ended
            done = wait(self.busy, timeout=_QUIET if self.taken else None, return_when=FIRST_COMPLETED).done
            quiet = not done
            for future in done:
                self.busy.pop(future)(future.result())

    def _begin(self) -> bool:
        """Begin what can be; whether there is more that could."""
        if self.stopping() or any(result.state is StepState.FAILED for result in self.ended.values()):
            return False
        ready = [number for number, step in self.waiting.items() if step.needs <= self.ended.keys()]
        ready.sort(key=lambda number: self.order[self.waiting[number].type])
        free = self.parallel - self.beginning
        for number in ready[:free]:
            step = self.waiting.pop(number)
            self.beginning += 1
            self.busy[self.pool.submit(self.work.take, step, number)] = partial(self._begun, step)
        return len(ready) > free

    def _begun(self, step: Step, taken: T | StepResult) -> None:
        self.beginning -= 1
        if isinstance(taken, StepResult):
            self.ended[step.id] = taken
        else:
            self.taken[step.id] = taken

    def _look(self, taken: Mapping[StepId, T], turn: int) -> None:
        self.busy[self.pool.submit(self.work.look, taken, turn)] = partial(self._looked, taken, turn)

    def _looked(self, taken: Mapping[StepId, T], turn: int, results: Mapping[StepId, StepResult]) -> None:
        self.ended |= results
        self.looking = self.looking and turn > 0
        if left := {name: one for name, one in taken.items() if name not in results}:
            self._look(left, turn + 1)


def unbegun(step: Step) -> StepResult:
    """The result of a step that was never begun."""
    return StepResult(step.id, step.logical_id, step.type, step.verb, StepState.PENDING, identifier=step.identifier)
