"""A pass between its first and its last event: whatever ends it, its report, status and metrics are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from reconciler.breakers import Breakers
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.events import PassFinished, PassStarted
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.plan import Approval, Plan
from reconciler.model.report import PlanState, PlanStatus, RunReport
from reconciler.ports import Clock, EventSink, Lease, Store, Telemetry, Turn
from reconciler.status.explain import explain
from reconciler.status.outcome import Backoff, Outcome, failed
from reconciler.status.reporting import report_of, status_of

log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Telemetry that also takes the report of a pass."""

    def record(self, report: RunReport | None, status: PlanStatus, plan: Plan | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Pass:
    """What is being worked on. ``asked``: by a person. ``lease``: None for a preview, which changes nothing.

    ``turn``: the passes that it may share reads with. ``previous``: the status that the pass before left, if any.
    """

    run: RunId
    plan: Plan
    approvals: tuple[Approval, ...]
    trigger: str = ""
    requests: tuple[RequestId, ...] = ()
    lease: Lease | None = None
    turn: Turn | None = None
    previous: PlanStatus | None = None

    @property
    def asked(self) -> bool:
        """Whether a person asked for this pass: a circuit breaker lets it try."""
        return bool(self.requests) or self.trigger == "apply"


@dataclass(frozen=True, slots=True)
class Recording:
    """Keeps what passes came to."""

    store: Store
    clock: Clock
    events: EventSink
    telemetry: Telemetry
    recorder: Recorder
    breakers: Breakers
    backoff: Backoff

    def around(self, work: Pass, flow: Callable[[Pass], Outcome]) -> RunReport:
        """The flow, with its report and status kept on every exit. Never raises."""
        plan, started = work.plan, self.clock.now()
        self.events.emit(PassStarted(work.run, plan.name, work.trigger))
        previous = self.previous(plan.name)
        outcome = self.breakers.tripped(plan, guarded(lambda: flow(replace(work, previous=previous))), previous)
        outcome = replace(outcome, explanations=explain(plan, outcome))
        report = report_of(
            work.run, plan, work.trigger, work.requests, started, self.clock.now(), outcome, previous, self.backoff
        )
        self._keep(report, status_of(report, plan, outcome, previous), plan)
        self.events.emit(PassFinished(report))
        return report

    def previous(self, plan: PlanName) -> PlanStatus | None:
        """The status that the pass before left; None if there is none, or the store can't be read."""
        try:
            return self.store.status(plan)
        except ReconcilerError:
            return None

    def mark_applying(self, plan: Plan) -> None:
        """Show that a pass has begun to act. Raises StoreError."""
        previous = self.previous(plan.name)
        if previous is not None:
            self.store.save_status(replace(previous, state=PlanState.APPLYING, message="applying"))

    @contextmanager
    def timed(self, plan: Plan, phase: str) -> Iterator[None]:
        """Measure a phase of a pass."""
        started = self.clock.monotonic()
        try:
            yield
        finally:
            self.telemetry.phase(plan.target.environment, phase, self.clock.monotonic() - started)

    def _keep(self, report: RunReport, status: PlanStatus, plan: Plan) -> None:
        try:
            if not report.skipped:
                self.store.save_run(report)
            self.store.save_status(status)
        except ReconcilerError as error:
            log.error("report not stored", error=str(error))
        self.recorder.record(None if report.skipped else report, status, plan)
        if report.skipped:
            log.debug("pass skipped", trigger=report.trigger, retry_after=report.retry_after)
            return
        level = log.info if not report.error else log.warning
        level(
            "pass finished",
            trigger=report.trigger,
            state=report.state.value,
            changes=len(report.changes),
            steps=len(report.steps),
            message=report.message,
            retry_after=report.retry_after,
        )


def guarded(flow: Callable[[], Outcome]) -> Outcome:
    """The outcome of a flow; whatever it raises is a failed one."""
    try:
        return flow()
    except ReconcilerError as error:
        log.warning("pass failed", reason=error.reason, error=str(error))
        return failed(error)
    except Exception as error:
        log.exception("pass failed unexpectedly")
        return failed(AwsFault(FaultKind.INTERNAL, f"{type(error).__name__}: {error}"))
