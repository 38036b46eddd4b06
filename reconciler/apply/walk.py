"""Walk a change set's steps: each after those it needs, independent ones in parallel, nothing new after a failure.

A step is in hand from its beginning until it has been seen to. Steps whose calls have ended are looked at together:
as soon as there is nothing else to begin, or enough of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from heapq import heapify, heappop, heappush
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

from reconciler.model.change import Step
from reconciler.model.ids import StepId
from reconciler.model.report import StepResult, StepState

T = TypeVar("T")
R = TypeVar("R")

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

    At most ``parallel`` are begun at a time: with 1, one is seen to before the next begins, in the order given. After
    the first failure, or once ``stopping()`` is true, steps in hand are finished and no other is begun.
    """
    parallel = max(1, parallel)
    room = parallel + TOGETHER if parallel > 1 else 1
    with ThreadPoolExecutor(2 * parallel, thread_name_prefix="apply") as pool:
        results = _Walk(_Waiting(steps, alike=parallel > 1), work, pool, parallel, room, stopping).results()
    return tuple(results.get(step.id) or unbegun(step) for step in steps)


class _Waiting:
    """Steps that haven't begun. ``alike``: those of one type are begun in a row, so as to be looked at together."""

    def __init__(self, steps: Sequence[Step], *, alike: bool) -> None:
        kinds = dict.fromkeys(step.type for step in steps)
        order = {kind: place if alike else 0 for place, kind in enumerate(kinds)}
        self._places = {step.id: (order[step.type], number) for number, step in enumerate(steps, 1)}
        self._steps = dict(enumerate(steps, 1))
        self._needs = {step.id: len(step.needs) for step in steps}
        self._after: dict[StepId, list[StepId]] = defaultdict(list)
        for step in steps:
            for need in step.needs:
                self._after[need].append(step.id)
        self._ready = [self._places[name] for name, needs in self._needs.items() if not needs]
        heapify(self._ready)

    def __len__(self) -> int:
        """How many could begin now."""
        return len(self._ready)

    def next(self) -> tuple[int, Step]:
        """The next one that can begin, with its number."""
        _, number = heappop(self._ready)
        return number, self._steps[number]

    def ended(self, name: StepId) -> None:
        """A step has ended: what needed nothing else can begin."""
        for other in self._after[name]:
            self._needs[other] -= 1
            if not self._needs[other]:
                heappush(self._ready, self._places[other])


@dataclass(slots=True)
class _Walk(Generic[T]):
    """``room``: how many may have been begun and not have ended. ``begun``: how many have been.

    ``beginning``: how many of those have yet to be handed over for a look. ``busy``: jobs at work; ``done``: those that
    have ended, each as what is to be made of it.
    """

    waiting: _Waiting
    work: Work[T]
    pool: ThreadPoolExecutor
    parallel: int
    room: int
    stopping: Callable[[], bool]
    ended: dict[StepId, StepResult] = field(default_factory=dict)
    taken: dict[StepId, T] = field(default_factory=dict)
    begun: int = 0
    beginning: int = 0
    looking: bool = False
    failed: bool = False
    busy: int = 0
    done: SimpleQueue[Callable[[], None]] = field(default_factory=SimpleQueue)

    def results(self) -> dict[StepId, StepResult]:
        quiet = False
        while True:
            more = self._begin()
            if self.taken and not self.looking and (quiet or not more or len(self.taken) >= TOGETHER):
                self._look(self.taken, 0)
                self.taken, self.looking = {}, True
            if not self.busy:
                return self.ended
            quiet = not self._await()

    def _await(self) -> bool:
        """Wait for a job to end; whether one did."""
        try:
            self.done.get(timeout=_QUIET if self.taken else None)()
        except Empty:
            return False
        self.busy -= 1
        return True

    def _begin(self) -> bool:
        """Begin what can be; whether there is more that could."""
        if self.failed or self.stopping():
            return False
        while self._more() and self.beginning < self.parallel:
            number, step = self.waiting.next()
            self.begun += 1
            self.beginning += 1
            self._submit(partial(self.work.take, step, number), partial(self._taken, step))
        return self._more()

    def _more(self) -> bool:
        return bool(self.waiting) and self.begun - len(self.ended) < self.room

    def _taken(self, step: Step, taken: T | StepResult) -> None:
        self.beginning -= 1
        if isinstance(taken, StepResult):
            self._end(step.id, taken)
        else:
            self.taken[step.id] = taken

    def _look(self, taken: Mapping[StepId, T], turn: int) -> None:
        self._submit(partial(self.work.look, taken, turn), partial(self._looked, taken, turn))

    def _looked(self, taken: Mapping[StepId, T], turn: int, results: Mapping[StepId, StepResult]) -> None:
        for name, result in results.items():
            self._end(name, result)
        self.looking = self.looking and turn > 0
        if left := {name: one for name, one in taken.items() if name not in results}:
            self._look(left, turn + 1)

    def _end(self, name: StepId, result: StepResult) -> None:
        self.ended[name] = result
        self.failed = self.failed or result.state is StepState.FAILED
        self.waiting.ended(name)

    def _submit(self, job: Callable[[], R], then: Callable[[R], None]) -> None:
        self.busy += 1
        self.pool.submit(job).add_done_callback(lambda future: self.done.put(lambda: then(future.result())))


def unbegun(step: Step) -> StepResult:
    """The result of a step that was never begun."""
    return StepResult(step.id, step.logical_id, step.type, step.verb, StepState.PENDING, identifier=step.identifier)
