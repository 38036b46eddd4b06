"""What happens during a pass, as it happens: for progress displays and logs."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.change import Step
from reconciler.model.ids import PlanName, RunId
from reconciler.model.report import Context, RunReport, StepResult


@dataclass(frozen=True, slots=True)
class PassStarted:
    """A pass begins."""

    run: RunId
    plan: PlanName
    trigger: str


@dataclass(frozen=True, slots=True)
class ApplyStarted:
    """The context is restated and the numbered steps are about to run."""

    run: RunId
    context: Context
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step's call is about to be made; ``number`` of ``total``."""

    run: RunId
    plan: PlanName
    step: Step
    number: int
    total: int
    command: str


@dataclass(frozen=True, slots=True)
class StepProgress:
    """An asynchronous step is still going on."""

    run: RunId
    plan: PlanName
    step: Step
    message: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended, well or not."""

    run: RunId
    plan: PlanName
    step: Step
    number: int
    total: int
    result: StepResult


@dataclass(frozen=True, slots=True)
class PassFinished:
    """A pass ended; the report says how."""

    report: RunReport


Event = PassStarted | ApplyStarted | StepStarted | StepProgress | StepFinished | PassFinished
