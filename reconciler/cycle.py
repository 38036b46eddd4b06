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
from datetime import datetime
from typing import Protocol

import structlog

from reconciler.apply import Actor, apply, resume
from reconciler.diff import diff
from reconciler.live import Outside, View, record_of
from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Facts, Mode, deny
from reconciler.model.errors import AwsFault, FaultKind, Problem, ReconcilerError, SourceError
from reconciler.model.events import PassFinished, PassStarted
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.plan import Approval, Delivery, Plan, PlannedResource
from reconciler.model.report import Context, PlanState, PlanStatus, RunReport
from reconciler.model.resource import Unreadable
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
        self._check_supported(plan)
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
        facts = replace(facts, identity=scope.identity, missing_permissions=_denied_reads(view))
        with self._timed(plan, "review"):
            decision = self._narrowed(plan, self._policy.review(changes, facts))
        reviewed = _reviewed(Outcome(PlanState.DRIFTED, "", _context(plan, scope), decision, changes))
        return finish(work, scope, view, reviewed)

    def _carry_out(self, work: _Pass, scope: Scope, view: View, reviewed: Outcome) -> Outcome:
        changes, decision = reviewed.changes, reviewed.decision
        if changes is None or decision is None or reviewed.state is PlanState.FAILED:
            return reviewed
        if decision.mode is Mode.PIPELINE:
            return self._publish(work.plan, reviewed, changes, decision)
        self._remember(changes, scope)
        if reviewed.state is PlanState.IN_SYNC:
            self._export(view, changes.plan, scope)
            return reviewed
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
            if reviewed.state is PlanState.IN_SYNC:
                return replace(reviewed, branch=self._pipeline.retire(changes.plan))
            branch = self._pipeline.publish(changes, decision)
        message = f"{len(changes.changes)} changes on branch {branch.branch}, to be reviewed and deployed"
        return replace(reviewed, state=PlanState.PIPELINE_OPEN, message=message, branch=branch)

    # parts

    def _settle(self, plan: Plan) -> None:
        if self._writable(plan) and not plan.suspend and self._store.unfinished(plan.name):
            resume(plan, self._open(plan), self._providers, self._store, self._clock)

    def _check_supported(self, plan: Plan) -> None:
        problems = [problem for resource in plan.resources.values() for problem in self._unsupported(plan, resource)]
        if plan.delivery is not Delivery.RESOURCES:
            text = f'the delivery "{plan.delivery.value}" is not supported by this version'
            hint = "use resources or template"
            problems = [
                Problem(text, plan.origin.file, plan.origin.line, f"spec/{plan.delivery.value}", hint, "unsupported")
            ]
        if problems:
            raise SourceError(problems)

    def _unsupported(self, plan: Plan, resource: PlannedResource) -> Iterator[Problem]:
        provider, path = self._providers.get(resource.type), f"Resources/{resource.logical_id}"
        if provider is None:
            text = f"{resource.type} is not supported by this version"
            yield Problem(text, plan.origin.file, resource.line, f"{path}/Type", reason="unsupported")
            return
        for name in sorted(resource.properties.keys() - provider.supported):
            text = f"property {name} of {resource.type} is not supported by this version"
            yield Problem(text, plan.origin.file, resource.line, f"{path}/Properties/{name}", reason="unsupported")

    def _writable(self, plan: Plan) -> bool:
        return plan.target.environment in self._limits.writable

    def _open(self, plan: Plan) -> Scope:
        return self._access.open(plan.target, read_only=not self._writable(plan))

    def _narrowed(self, plan: Plan, decision: Decision) -> Decision:
        """It takes both the configuration and the decision for a direct write."""
        if decision.mode is Mode.APPLY and not self._writable(plan):
            environment = plan.target.environment
            return deny("writable_environments", f"{environment} is read-only by configuration, whatever policy says")
        return decision

    def _usable(self, work: _Pass) -> tuple[Approval, ...]:
        """Approvals without the scopes that earlier passes used up, and not expired by now."""
        used: Collection[tuple[str, str]] = self._store.consumed_approvals(work.plan.digest)
        return tuple(_usable(approval, used, self._clock.now()) for approval in work.approvals)

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


def _usable(approval: Approval, used: Collection[tuple[str, str]], now: datetime) -> Approval:
    if not approval.verified:
        return approval
    if approval.expires_at <= now:
        return replace(approval, verified=False, reason=f"expired on {approval.expires_at:%Y-%m-%d %H:%M} UTC")
    spent = {scope for name, scope in used if name == approval.name} & approval.scope
    if not spent:
        return approval
    left = approval.scope - spent
    reason = f"used up by an earlier pass for {', '.join(sorted(spent))}"
    return replace(approval, scope=left, verified=bool(left), reason=approval.reason or reason)


def _denied_reads(view: View) -> tuple[str, ...]:
    """What could not be read for lack of permission, as the permission item of the checklist wants it."""
    reads = (entry.live for entry in view.seen.values())
    denied = (r.message for r in reads if isinstance(r, Unreadable) and r.kind is FaultKind.ACCESS_DENIED)
    return tuple(sorted(set(denied)))


def _context(plan: Plan, scope: Scope) -> Context:
    target = plan.target
    profile = target.profile or target.role_arn or scope.identity.arn
    return Context(plan.name, target.environment, target.account, target.region, profile, scope.identity, plan.digest)


def _reviewed(base: Outcome) -> Outcome:
    """The outcome before anything is carried out: what stands in the way, or what would be done."""
    changes, decision = base.changes, base.decision
    assert changes is not None
    assert decision is not None
    if changes.conflicts:
        text = "; ".join(f"{conflict.logical_id}: {conflict.message}" for conflict in changes.conflicts)
        return replace(base, state=PlanState.FAILED, message=text, error=AwsFault(FaultKind.ALREADY_EXISTS, text))
    if changes.unknown:
        first = changes.unknown[0]
        text = f"{len(changes.unknown)} resources could not be judged; {first.logical_id}: {first.message}"
        return replace(base, state=PlanState.FAILED, message=text, error=AwsFault(FaultKind.UNAVAILABLE, text))
    if not changes.changes:
        return replace(base, state=PlanState.IN_SYNC, message=f"{len(changes.resources)} resources in sync")
    state = {Mode.WAIT: PlanState.PENDING_APPROVAL, Mode.DENY: PlanState.DENIED}.get(decision.mode, PlanState.DRIFTED)
    return replace(base, state=state, message=next_steps(decision) or f"{len(changes.changes)} changes")
