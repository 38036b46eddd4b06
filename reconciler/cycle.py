"""One pass over one plan: the whole flow on a page. A newcomer reads this first.

    supported? → admitted? → live state → diff → decision → apply | pipeline | wait | deny → report, status, metrics

Level-triggered: a pass starts from what is and knows nothing of the event that caused it. It never raises; whatever
ends it early is an ``Outcome`` like any other, and status is recorded on every exit.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from reconciler.apply import Actor, apply, resume
from reconciler.diff import diff
from reconciler.live import Outside, View, record_of
from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Facts, Mode
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.events import PassFinished, PassStarted
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.plan import Approval, Plan
from reconciler.model.report import BranchInfo, PlanState, PlanStatus, RunReport
from reconciler.ports import (
    AwsAccess,
    Clock,
    EventSink,
    Locks,
    Pipeline,
    PolicyEngine,
    Providers,
    Scope,
    Store,
    Telemetry,
)
from reconciler.review import check_supported, context_of, denied_reads, narrowed, reviewed, usable
from reconciler.status.outcome import Backoff, Outcome, applied, failed, next_steps, report_of, status_of
from reconciler.template import resolve

log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Telemetry that also takes the report of a pass."""

    def record(self, report: RunReport, status: PlanStatus, plan: Plan | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Preview:
    """What a pass would do; ``error`` says why it can't be told."""

    changes: ChangeSet | None = None
    decision: Decision | None = None
    error: ReconcilerError | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Where direct writes are possible at all, how many steps run at once, how failures are spaced."""

    writable: frozenset[str]
    parallel: int
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class _Pass:
    """What is being worked on: a plan, its approvals, and where it has come to."""

    run: RunId
    plan: Plan
    approvals: tuple[Approval, ...]


class Cycle:
    """Makes passes. One instance serves all plans and threads; the queue sees to one pass a plan at a time."""

    def __init__(
        self,
        *,
        access: AwsAccess,
        providers: Providers,
        policy: PolicyEngine,
        pipeline: Pipeline,
        outside: Callable[[Scope, bool], Outside],
        store: Store,
        clock: Clock,
        events: EventSink,
        telemetry: Telemetry,
        recorder: Recorder,
        locks: Locks,
        limits: Limits,
    ) -> None:
        self._access, self._providers, self._policy, self._pipeline = access, providers, policy, pipeline
        self._outside, self._store, self._clock, self._events = outside, store, clock, events
        self._telemetry, self._recorder, self._locks, self._limits = telemetry, recorder, locks, limits
        self._stopping = threading.Event()

    def run(
        self, plan: Plan, approvals: tuple[Approval, ...], trigger: str, requests: tuple[RequestId, ...] = ()
    ) -> RunReport:
        """Make a pass, record its report and status. Never raises."""
        work = _Pass(RunId(uuid.uuid4().hex[:16]), plan, approvals)
        started = self._clock.now()
        self._events.emit(PassStarted(work.run, plan.name, trigger))
        with structlog.contextvars.bound_contextvars(run=work.run, plan=plan.name):
            outcome = self._guarded(lambda: self._alone(work))
            previous = self._previous(plan.name)
            report = report_of(
                work.run,
                plan,
                trigger,
                requests,
                started,
                self._clock.now(),
                outcome,
                previous,
                self._limits.backoff,
            )
            self._record(report, status_of(report, plan, outcome, previous), plan)
        self._events.emit(PassFinished(report))
        return report

    def preview(self, plan: Plan, approvals: tuple[Approval, ...]) -> Preview:
        """What a pass would do, without doing it. Never raises."""
        work = _Pass(RunId("preview"), plan, approvals)
        outcome = self._guarded(lambda: self._flow(work, lambda _work, _scope, _view, reviewed: reviewed))
        return Preview(outcome.changes, outcome.decision, outcome.error, outcome)

    def recover(self, plan: Plan) -> None:
        """Settle what a crash left half done. Raises ReconcilerError; then no pass may be made yet."""
        with self._locks.hold(plan.name):
            self._settle(plan)

    def stop(self) -> None:
        """Let running passes finish the steps in hand and begin no other."""
        self._stopping.set()

    # the flow

    def _guarded(self, flow: Callable[[], Outcome]) -> Outcome:
        try:
            return flow()
        except ReconcilerError as error:
            log.warning("pass failed", reason=error.reason, error=str(error))
            return failed(error)
        except Exception as error:
            log.exception("pass failed unexpectedly")
            return failed(AwsFault(FaultKind.INTERNAL, f"{type(error).__name__}: {error}"))

    def _alone(self, work: _Pass) -> Outcome:
        """The whole flow while no other process works on the plan, so that open journal entries are a crash's."""
        with self._locks.hold(work.plan.name):
            self._settle(work.plan)
            return self._flow(work, self._carry_out)

    def _flow(self, work: _Pass, finish: Callable[[_Pass, Scope, View, Outcome], Outcome]) -> Outcome:
        plan = work.plan
        if plan.suspend:
            return Outcome(PlanState.SUSPENDED, "suspended in the plan")
        check_supported(plan, self._providers)
        facts = Facts(self._clock.now(), self._usable(work))
        with self._timed(plan, "admit"):
            admitted = self._policy.admit(plan, facts)
        if admitted.mode is Mode.DENY:
            return Outcome(PlanState.DENIED, next_steps(admitted), decision=admitted)
        with self._timed(plan, "diff"):
            scope = self._open(plan)
            changes, view = diff(
                plan, scope, self._providers, self._store, self._outside(scope, self._writable(plan)), self._clock.now()
            )
        facts = replace(facts, identity=scope.identity, missing_permissions=denied_reads(view))
        with self._timed(plan, "review"):
            decision = narrowed(self._policy.review(changes, facts), plan, self._limits.writable)
        judged = reviewed(Outcome(PlanState.DRIFTED, "", context_of(plan, scope), decision, changes))
        try:
            return finish(work, scope, view, judged)
        except ReconcilerError as error:
            log.warning("pass failed", reason=error.reason, error=str(error))
            return replace(judged, state=PlanState.FAILED, message=str(error), error=error)

    def _carry_out(self, work: _Pass, scope: Scope, view: View, reviewed: Outcome) -> Outcome:
        changes, decision = reviewed.changes, reviewed.decision
        if changes is None or decision is None or reviewed.state is PlanState.FAILED:
            return reviewed
        if reviewed.state is PlanState.IN_SYNC:
            self._remember(changes, scope)
            self._export(view, changes.plan, scope)
            return self._retire(reviewed, changes.plan)
        if decision.mode is Mode.PIPELINE:
            return self._publish(work.plan, reviewed, changes, decision)
        self._remember(changes, scope)
        if decision.mode is not Mode.APPLY:
            return reviewed
        return self._apply(work, scope, view, reviewed, changes)

    def _apply(self, work: _Pass, scope: Scope, view: View, reviewed: Outcome, changes: ChangeSet) -> Outcome:
        assert reviewed.decision is not None
        assert reviewed.context is not None
        plan = changes.plan
        self._store.ping()
        self._use_up(work, changes, reviewed.decision)
        self._mark_applying(plan)
        actor = Actor(work.run, plan, scope, view, self._providers, self._store, self._clock, self._events)
        with self._timed(plan, "apply"):
            result = apply(
                changes, actor, reviewed.context, parallel=self._limits.parallel, stopping=self._stopping.is_set
            )
        outcome = applied(reviewed, result.steps, result.rolled_back)
        actions = {step.id: step.action.value for step in changes.steps}
        for step in result.steps:
            self._telemetry.action_applied(plan.target.environment, step.type, actions[step.id], step.state.value)
        if result.rolled_back is not None:
            self._telemetry.rolled_back(plan.target.environment, "succeeded" if result.rolled_back else "failed")
        if outcome.state is PlanState.IN_SYNC:
            self._export(view, plan, scope)
        return outcome

    def _publish(self, plan: Plan, reviewed: Outcome, changes: ChangeSet, decision: Decision) -> Outcome:
        with self._timed(plan, "pipeline"):
            branch = self._pipeline.publish(changes, decision)
        message = f"{len(changes.changes)} changes on branch {branch.branch}, to be reviewed and deployed"
        return replace(reviewed, state=PlanState.PIPELINE_OPEN, message=message, branch=branch)

    def _retire(self, reviewed: Outcome, plan: Plan) -> Outcome:
        """Nothing is left to change: a branch that carried the change there has done its work.

        Policy can't tell that there was one, because it has no action left to say "pipeline" to. Git is asked only
        while a branch is known to be open, or nothing is known at all: being in sync must not depend on a remote.
        """
        previous = self._previous(plan.name)
        known = previous.branch if previous else None
        if (previous is None and self._writable(plan)) or (previous is not None and not _is_open(known)):
            return replace(reviewed, branch=known)
        with self._timed(plan, "pipeline"):
            return replace(reviewed, branch=self._pipeline.retire(plan))

    # parts

    def _settle(self, plan: Plan) -> None:
        if self._writable(plan) and not plan.suspend and self._store.unfinished(plan.name):
            resume(plan, self._open(plan), self._providers, self._store, self._clock)

    def _writable(self, plan: Plan) -> bool:
        return plan.target.environment in self._limits.writable

    def _open(self, plan: Plan) -> Scope:
        return self._access.open(plan.target, read_only=not self._writable(plan))

    def _usable(self, work: _Pass) -> tuple[Approval, ...]:
        """Approvals without the scopes that earlier passes used up, and not expired by now."""
        used: Collection[tuple[str, str]] = self._store.consumed_approvals(work.plan.digest)
        return tuple(usable(approval, used, self._clock.now()) for approval in work.approvals)

    def _use_up(self, work: _Pass, changes: ChangeSet, decision: Decision) -> None:
        """Single-use scopes are gone from the moment the pass begins to act on them, whatever becomes of it."""
        needed = {change.action.value for change in changes.changes} & decision.single_use
        for approval in work.approvals:
            for scope in sorted(needed & approval.scope) if approval.verified else ():
                self._store.consume_approval(work.plan.digest, approval.name, scope, work.run)

    def _remember(self, changes: ChangeSet, scope: Scope) -> None:
        """What looking has taught: resources found again by their tags, resources to forget."""
        plan = changes.plan
        if not self._writable(plan):
            return
        for name in changes.found - changes.gone:
            identifier = changes.identifiers.get(name)
            if identifier is not None and not plan.absent:
                at = self._clock.now()
                self._store.save_record(record_of(plan, name, identifier, changes.desired[name], scope, at))
        for name in changes.gone:
            self._store.drop_record(plan.name, name)

    def _export(self, view: View, plan: Plan, scope: Scope) -> None:
        """Outputs that other plans may import."""
        exports = {resolve(o.export, view): resolve(o.value, view) for o in plan.outputs if o.export is not None}
        if exports:
            self._store.save_exports(plan.name, scope.account, scope.region, exports)

    def _previous(self, plan: PlanName) -> PlanStatus | None:
        try:
            return self._store.status(plan)
        except ReconcilerError:
            return None

    def _mark_applying(self, plan: Plan) -> None:
        previous = self._previous(plan.name)
        if previous is not None:
            self._store.save_status(replace(previous, state=PlanState.APPLYING, message="applying"))

    def _record(self, report: RunReport, status: PlanStatus, plan: Plan) -> None:
        try:
            self._store.save_run(report)
            self._store.save_status(status)
        except ReconcilerError as error:
            log.error("report not stored", error=str(error))
        self._recorder.record(report, status, plan)
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

    @contextmanager
    def _timed(self, plan: Plan, phase: str) -> Iterator[None]:
        started = self._clock.monotonic()
        try:
            yield
        finally:
            self._telemetry.phase(plan.target.environment, phase, self._clock.monotonic() - started)


def _is_open(branch: BranchInfo | None) -> bool:
    return branch is not None and branch.state == "open"
