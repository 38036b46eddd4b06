"""One pass over one plan: the whole flow on a page. A newcomer reads this first.

    supported? → admitted? → live state → diff → decision → apply | pipeline | wait | deny → report, status, metrics

Level-triggered: a pass starts from what is and knows nothing of the event that caused it. Whatever ends it early is an
``Outcome`` like any other. ``recording`` keeps what a pass came to, ``execution`` carries a decided one out.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from reconciler.apply import resume
from reconciler.auditing import Auditor
from reconciler.breakers import Breakers
from reconciler.diff import diff
from reconciler.execution import Execution, Found, Limits
from reconciler.live import Outside
from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Facts, Mode
from reconciler.model.errors import ReconcilerError, StoreError
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.plan import Approval, Delivery, Plan
from reconciler.model.report import PlanState, RunReport
from reconciler.ports import (
    AwsAccess,
    Claims,
    Clock,
    Deployer,
    EventSink,
    Locks,
    Pipeline,
    PolicyEngine,
    Providers,
    Quotas,
    Scope,
    Store,
    Telemetry,
    Turn,
)
from reconciler.recording import Pass, Recorder, Recording, guarded
from reconciler.review import (
    check_same_policy,
    check_supported,
    context_of,
    denied_reads,
    exact,
    narrowed,
    operation_of,
    reviewed,
)
from reconciler.revisions import Revisions
from reconciler.sharing import Sharing, Writes
from reconciler.status.outcome import Outcome, failed, next_steps

__all__ = ["Cycle", "Limits", "Preview"]

log = structlog.get_logger(__name__)

#: What is done with a reviewed pass: carry it out, or only show it.
Finish = Callable[[Pass, Found, Outcome], Outcome]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a pass would do; ``error`` says why it can't be told."""

    changes: ChangeSet | None = None
    decision: Decision | None = None
    error: ReconcilerError | None = None
    outcome: Outcome | None = None


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
        claims: Claims,
        locks: Locks,
        breakers: Breakers,
        revisions: Revisions,
        quotas: Quotas,
        limits: Limits,
        deployers: Mapping[Delivery, Deployer] | None = None,
        writes: Writes | None = None,
    ) -> None:
        self._deployers, writes = deployers or {}, writes or Writes(clock)
        self._sharing = Sharing(providers, store, clock, writes)
        self._access, self._providers, self._policy, self._outside = access, providers, policy, outside
        self._store, self._clock, self._claims, self._locks = store, clock, claims, locks
        self._breakers, self._revisions, self._auditor = breakers, revisions, Auditor(store, clock)
        self._limits, self._stopping = limits, threading.Event()
        self._recording = Recording(store, clock, events, telemetry, recorder, breakers, limits.backoff)
        self._execution = Execution(
            providers,
            pipeline,
            store,
            clock,
            events,
            telemetry,
            quotas,
            self._recording,
            limits,
            self._stopping.is_set,
            writes.ended,
        )

    def run(
        self,
        plan: Plan,
        approvals: tuple[Approval, ...],
        trigger: str,
        requests: tuple[RequestId, ...] = (),
        turn: Turn | None = None,
    ) -> RunReport:
        """Make a pass, record its report and status. ``turn``: the passes that it may share reads with.

        Raises PlanBusy, and nothing else, when another process works on the plan: then there was no pass.
        """
        work = Pass(RunId(uuid.uuid4().hex[:16]), plan, approvals, trigger, requests, turn=turn)
        with structlog.contextvars.bound_contextvars(run=work.run, plan=plan.name):
            try:
                with self._locks.hold(plan.name) as lease:
                    return self._recording.around(replace(work, lease=lease), self._alone)
            except StoreError as error:
                outcome = failed(error)
                return self._recording.around(work, lambda _work: outcome)
            finally:
                self._sharing.ended(plan.name, turn)

    def preview(self, plan: Plan, approvals: tuple[Approval, ...], turn: Turn | None = None) -> Preview:
        """What a pass would do, without doing it. Never raises. ``turn``: as for ``run``."""
        work = Pass(RunId("preview"), plan, approvals, turn=turn)
        outcome = guarded(lambda: self._flow(work, lambda _work, _found, reviewed: reviewed))
        self._sharing.ended(plan.name, turn)
        return Preview(outcome.changes, outcome.decision, outcome.error, outcome)

    def recover(self, plan: Plan) -> None:
        """Settle what a crash left half done. Raises ReconcilerError; then no pass may be made yet."""
        with self._locks.hold(plan.name):
            self._settle(plan, None)

    def withdraw(self, plan: PlanName) -> str:
        """The plan has left the source: retire its branch. Why that must be tried again; empty: it is done.

        Raises StoreError, and PlanBusy when another process works on the plan.
        """
        with self._locks.hold(plan):
            former = self._store.status(plan)
            if former is None:
                return ""
            status = self._execution.abandoned(former)
            if status is not former:
                self._store.save_status(status)
            return status.branch.problem if status.branch is not None else ""

    def stop(self) -> None:
        """Let running passes finish the steps in hand and begin no other."""
        self._stopping.set()

    # the flow

    def _alone(self, work: Pass) -> Outcome:
        """The whole flow while no other process works on the plan, so that open journal entries are a crash's."""
        held = self._breakers.held(work.plan, work.previous, asked=work.asked)
        if held is not None:
            return held
        self._settle(work.plan, work)
        self._revisions.renewed(work.plan)
        return self._flow(work, self._execution.carry_out)

    def _flow(self, work: Pass, finish: Finish) -> Outcome:
        wanted = self._revisions.wanted(work.plan)
        plan = self._breakers.sparing(wanted, asked=work.asked)
        if plan.suspend:
            return Outcome(PlanState.SUSPENDED, "suspended in the plan")
        check_supported(plan, self._providers, self._deployers)
        facts = Facts(self._clock.now(), self._execution.approvals(work), operation=operation_of(plan))
        with self._recording.timed(plan, "admit"):
            admitted = self._policy.admit(plan, facts)
        if admitted.mode is Mode.DENY:
            self._audit(work, facts, admitted, None)
            return Outcome(PlanState.DENIED, next_steps(admitted), decision=admitted, rolling_back=plan.rolling_back)
        found = self._look(work, plan, admitted)
        try:
            return self._decided(work, wanted, found, admitted, finish)
        finally:
            if found.prepared is not None:
                found.prepared.close(keep=work.lease is not None)

    def _decided(self, work: Pass, wanted: Plan, found: Found, admitted: Decision, finish: Finish) -> Outcome:
        """From what was found to the end. ``wanted``: the plan before anything of it was left alone."""
        plan, scope, changes = found.changes.plan, found.scope, found.changes
        judged = self._review(work, found, admitted)
        try:
            outcome = finish(work, found, judged)
        except ReconcilerError as error:
            log.warning("pass failed", reason=error.reason, error=str(error))
            outcome = replace(judged, state=PlanState.FAILED, message=str(error), error=error)
        if work.lease is None:
            return self._breakers.shown(plan, changes, outcome)
        outcome = self._breakers.settled(plan, scope, changes, outcome)
        if outcome.state is PlanState.IN_SYNC:
            self._revisions.reached(wanted, work.run)
        return outcome

    def _look(self, work: Pass, plan: Plan, admitted: Decision) -> Found:
        """What is, and what would have to change; its digest is what an approval of exactly this change names."""
        with self._recording.timed(plan, "diff"):
            scope, writable = self._open(plan, work), self._execution.writable(plan)
            deployer = self._deployers.get(plan.delivery)
            if deployer is not None:
                prepared = deployer.prepare(plan, scope, writable=writable)
                changes = prepared.changes
                return Found(scope, replace(changes, digest=exact(changes, admitted.revision)), prepared=prepared)
            outside, now = self._outside(scope, writable), self._clock.now()
            reads = self._sharing.reads(plan, work.turn)
            changes, view = diff(
                plan,
                scope,
                self._providers,
                self._store,
                outside,
                self._claims,
                now,
                strangers=not writable,
                reads=reads,
            )
        return Found(scope, replace(changes, digest=exact(changes, admitted.revision)), view)

    def _review(self, work: Pass, found: Found, admitted: Decision) -> Outcome:
        """What policy says of the change set, and what else stands in its way. Raises PolicyUnavailable."""
        scope, changes = found.scope, found.changes
        plan = changes.plan
        facts = Facts(
            self._clock.now(),
            self._execution.approvals(work, changes.digest),
            scope.identity,
            operation_of(plan),
            missing_permissions=denied_reads(found.view) if found.view is not None else (),
            change=changes.digest,
        )
        with self._recording.timed(plan, "review"):
            decision = narrowed(self._policy.review(changes, facts), plan, self._limits.writable)
        check_same_policy(admitted, decision)
        self._audit(work, facts, decision, changes)
        context = context_of(plan, scope)
        return reviewed(Outcome(PlanState.DRIFTED, "", context, decision, changes, rolling_back=plan.rolling_back))

    # parts

    def _settle(self, plan: Plan, work: Pass | None) -> None:
        if not self._execution.writable(plan) or plan.suspend or not self._unsettled(plan):
            return
        scope, deployer = self._open(plan, work), self._deployers.get(plan.delivery)
        if deployer is not None:
            deployer.settle(plan, scope)
        resume(plan, scope, self._providers, self._store, self._clock)

    def _unsettled(self, plan: Plan) -> bool:
        return bool(self._store.unfinished(plan.name) or self._store.unresolved(plan.name))

    def _open(self, plan: Plan, work: Pass | None) -> Scope:
        asked, since = (False, None) if work is None else (work.asked, work.turn.since if work.turn else None)
        return self._access.open(plan.target, read_only=not self._execution.writable(plan), asked=asked, since=since)

    def _audit(self, work: Pass, facts: Facts, decision: Decision, changes: ChangeSet | None) -> None:
        if work.lease is not None:
            self._auditor.decided(work.run, work.plan, decision, changes, facts.approvals)
