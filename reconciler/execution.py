"""Carrying a decided change set out: apply it, publish it, or only remember what looking has taught."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.apply import Actor, Notes, apply
from reconciler.live import View, record_of
from reconciler.live.reads import referenced_attributes
from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Mode
from reconciler.model.errors import AwsFault, FaultKind, PipelineError
from reconciler.model.ids import Digest, StepId
from reconciler.model.plan import Approval, Plan
from reconciler.model.report import PlanState, PlanStatus, StepResult, StepState
from reconciler.ports import (
    Clock,
    Deployment,
    EventSink,
    Pipeline,
    Prepared,
    Providers,
    Quotas,
    Scope,
    Store,
    Telemetry,
)
from reconciler.recording import Pass, Recording
from reconciler.review import spent, usable
from reconciler.status.branches import arrived, is_underway, progressed, published
from reconciler.status.outcome import Backoff, Outcome, applied
from reconciler.template import resolve


@dataclass(frozen=True, slots=True)
class Limits:
    """Where direct writes are possible at all, how many steps run at once, how failures are spaced."""

    writable: frozenset[str]
    parallel: int
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class Found:
    """What a pass has found. ``view``: of a plan reconciled resource by resource; ``prepared``: of any other."""

    scope: Scope
    changes: ChangeSet
    view: View | None = None
    prepared: Prepared | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """Does what a reviewed pass may do.

    ``stopping``: whether to begin no further step. ``written``: told of an account when something was done in it.
    """

    providers: Providers
    pipeline: Pipeline
    store: Store
    clock: Clock
    events: EventSink
    telemetry: Telemetry
    quotas: Quotas
    recording: Recording
    limits: Limits
    stopping: Callable[[], bool]
    written: Callable[[str], None]

    def carry_out(self, work: Pass, found: Found, reviewed: Outcome) -> Outcome:
        """Go on from the review. Raises ReconcilerError."""
        changes, decision, scope = reviewed.changes, reviewed.decision, found.scope
        if changes is None or decision is None or reviewed.state is PlanState.FAILED or changes.unknown:
            return reviewed
        if reviewed.state is PlanState.IN_SYNC:
            self._remember(found, changes)
            if found.view is not None:
                self._export(found.view, changes.plan, scope)
            return self._retire(work, reviewed, changes.plan)
        if decision.mode is Mode.PIPELINE:
            return self._publish(work, reviewed, changes, decision)
        self._remember(found, changes)
        if decision.mode is not Mode.APPLY or not changes.changes:
            return reviewed
        return self._apply(work, found, reviewed, changes)

    def approvals(self, work: Pass, change: Digest | None = None) -> tuple[Approval, ...]:
        """Approvals without the scopes that earlier passes used up, not expired by now, and not of another change."""
        if not work.approvals:
            return ()
        used: Collection[tuple[str, str]] = self.store.consumed_approvals(work.plan.digest)
        return tuple(usable(approval, used, self.clock.now(), change) for approval in work.approvals)

    def writable(self, plan: Plan) -> bool:
        """Whether the configuration lets the plan's environment be written directly."""
        return plan.target.environment in self.limits.writable

    def _apply(self, work: Pass, found: Found, reviewed: Outcome, changes: ChangeSet) -> Outcome:
        assert reviewed.decision is not None
        plan, scope = changes.plan, found.scope
        self.store.ping()
        self._use_up(work, changes, reviewed.decision)
        self.recording.mark_applying(plan)
        try:
            with self.recording.timed(plan, "apply"):
                steps, rolled_back = self._acted(work, found, reviewed, changes)
        finally:
            self.written(scope.account)  # by programs, too, whose calls don't pass through here
        outcome = replace(applied(reviewed, steps, rolled_back), quotas=self._quotas_met(scope, steps))
        if outcome.state is PlanState.DRIFTED:
            self.store.release_approvals(work.run)
        self._count(changes, steps, rolled_back)
        if outcome.state is PlanState.IN_SYNC and found.view is not None:
            self._export(found.view, plan, scope)
        return outcome

    def _acted(
        self, work: Pass, found: Found, reviewed: Outcome, changes: ChangeSet
    ) -> tuple[tuple[StepResult, ...], bool | None]:
        """The steps as they ended, and whether what was done was taken back."""
        assert reviewed.context is not None
        assert work.lease is not None
        if found.prepared is not None:
            deployment = Deployment(work.run, reviewed.context, work.lease, self.stopping)
            deployed = found.prepared.execute(deployment)
            return deployed.steps, deployed.rolled_back
        assert found.view is not None
        actor = Actor(
            work.run,
            changes.plan,
            found.scope,
            found.view,
            self.providers,
            self.store,
            self.clock,
            self.events,
            work.lease,
            Notes(self.store.records(changes.plan.name), self.store.lost(changes.plan.name)),
            referenced_attributes(changes.plan),
        )
        result = apply(changes, actor, reviewed.context, parallel=self.limits.parallel, stopping=self.stopping)
        return result.steps, result.rolled_back

    def _count(self, changes: ChangeSet, steps: Collection[StepResult], rolled_back: bool | None) -> None:
        environment = changes.plan.target.environment
        actions = {step.id: step.action.value for step in changes.steps}
        for step in steps:
            self.telemetry.action_applied(environment, step.type, actions[step.id], step.state.value)
        if rolled_back is not None:
            self.telemetry.rolled_back(environment, "succeeded" if rolled_back else "failed")

    def _publish(self, work: Pass, reviewed: Outcome, changes: ChangeSet, decision: Decision) -> Outcome:
        with self.recording.timed(work.plan, "pipeline"):
            branch = progressed(self.pipeline.publish(changes, decision), changes.plan, work.previous)
        message = published(len(changes.changes), branch)
        error = PipelineError(branch.problem) if branch.problem else None
        state = PlanState.FAILED if error is not None else PlanState.PIPELINE_OPEN
        return replace(reviewed, state=state, message=branch.problem or message, branch=branch, error=error)

    def _retire(self, work: Pass, reviewed: Outcome, plan: Plan) -> Outcome:
        """Nothing is left to change: a branch that carried the change there has done its work.

        Policy can't tell that there was one, because it has no action left to say "pipeline" to. Git is asked only
        while a branch is known to be open or merged, or nothing is known at all: being in sync must not depend on a
        remote.
        """
        previous = work.previous
        known = previous.branch if previous else None
        if (previous is None and self.writable(plan)) or (previous is not None and not is_underway(known)):
            return replace(reviewed, branch=known)
        with self.recording.timed(plan, "pipeline"):
            branch = arrived(self.pipeline.retire(plan, known), known)
        if branch is None or not branch.problem:
            return replace(reviewed, branch=branch)
        error = PipelineError(branch.problem)
        return replace(reviewed, branch=branch, message=f"{reviewed.message}; {branch.problem}", error=error)

    def abandoned(self, status: PlanStatus) -> PlanStatus:
        """The status of a plan that is gone, once its branch is retired, or with why it can't be yet."""
        known = status.branch
        if known is None or not is_underway(known):
            return status
        try:
            branch = self.pipeline.abandon(status.plan, known)
        except PipelineError as error:
            branch = replace(known, problem=str(error))
        return replace(status, branch=branch, updated_at=self.clock.now())

    def _use_up(self, work: Pass, changes: ChangeSet, decision: Decision) -> None:
        """Single-use scopes are gone from the moment the pass begins to act on them, unless it is interrupted."""
        for name, scope in spent(self.approvals(work, changes.digest), changes, decision):
            self.store.consume_approval(work.plan.digest, name, scope, work.run)

    def _quotas_met(self, scope: Scope, steps: Collection[StepResult]) -> dict[StepId, Mapping[str, str]]:
        """What AWS says of the quotas that steps ran into."""
        kind = FaultKind.QUOTA
        return {
            step.id: self.quotas(scope, AwsFault(kind, step.error, service=step.service, code=step.code))
            for step in steps
            if step.state is StepState.FAILED and step.error_kind == kind
        }

    def _remember(self, looked: Found, changes: ChangeSet) -> None:
        """What looking has taught: resources found again by their tags, resources to forget.

        Of an environment that we don't write to, only which resource is whose, so that one which leaves the plan is
        seen to: what was applied is the pipeline's business.
        """
        plan, scope = changes.plan, looked.scope
        if looked.prepared is not None:
            if self.writable(plan):
                looked.prepared.remember()
            return
        found = changes.found - changes.gone
        records = self.store.records(plan.name) if found else {}
        for name in found:
            identifier = changes.identifiers.get(name)
            if identifier is not None and not plan.absent:
                at, adopted = self.clock.now(), name in records and records[name].adopted
                desired = changes.desired[name] if self.writable(plan) else {}
                self.store.save_record(record_of(plan, name, identifier, desired, scope, at, adopted=adopted))
        for name in changes.gone:
            self.store.drop_record(plan.name, name)

    def _export(self, view: View, plan: Plan, scope: Scope) -> None:
        """Outputs that other plans may import; those that the plan no longer exports are gone."""
        exports = {resolve(o.export, view): resolve(o.value, view) for o in plan.outputs if o.export is not None}
        self.store.save_exports(plan.name, scope.account, scope.region, exports)
