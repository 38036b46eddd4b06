"""Walk a change set's steps: each after those it needs, independent ones in parallel, nothing new after a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from reconciler.model.change import Step
from reconciler.model.ids import StepId
from reconciler.model.report import StepResult, StepState

RunStep = Callable[[Step, int], StepResult]


def walk(steps: Sequence[Step], run: RunStep, *, parallel: int, stopping: Callable[[], bool]) -> tuple[StepResult, ...]:
    """Run the steps and return a result for each, in the order given; those never begun are ``pending``.

    ``run`` gets a step and its number (from 1) and must not raise. After the first failure, or once ``stopping()``
    is true, steps in hand are finished and no other is begun.
    """
    results: dict[StepId, StepResult] = {}
    waiting = {step.id: (number, step) for number, step in enumerate(steps, 1)}
    running: dict[Future[StepResult], StepId] = {}
    with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="apply") as pool:
        while waiting or running:
            halted = stopping() or any(result.state is StepState.FAILED for result in results.values())
            if not halted:
                for number, step in _ready(waiting, results)[: parallel - len(running)]:
                    del waiting[step.id]
                    running[pool.submit(run, step, number)] = step.id
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                results[running.pop(future)] = future.result()
    return tuple(results.get(step.id) or unbegun(step) for step in steps)


def _ready(waiting: dict[StepId, tuple[int, Step]], results: dict[StepId, StepResult]) -> list[tuple[int, Step]]:
    return [(number, step) for number, step in waiting.values() if step.needs <= results.keys()]


def unbegun(step: Step) -> StepResult:
    """The result of a step that was never begun."""
    return StepResult(step.id, step.logical_id, step.type, step.verb, StepState.PENDING, identifier=step.identifier)
