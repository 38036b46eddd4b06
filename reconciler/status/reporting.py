"""The one place where the outcome of a pass becomes a report, a retry and the plan's status. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.model.change import Change, ChangeSet, ResourceState
from reconciler.model.errors import AwsFault, FaultKind, SourceError
from reconciler.model.ids import Digest, RequestId, RunId, StepId
from reconciler.model.plan import Plan
from reconciler.model.report import BranchInfo, ChangeSummary, PlanState, PlanStatus, RunReport, StepResult, StepState
from reconciler.model.resource import SyncState
from reconciler.model.values import mask
from reconciler.status.outcome import UNDO_FAILED, Backoff, Outcome, failures_after

#: Steps slower than this are a learning for the planner. Seconds.
SLOW_STEP = 60.0
#: A stale pass is repeated almost at once: it only has to look again. Seconds.
STALE_RETRY = 1.0

#: What a failed step teaches the planner.
_MET: Mapping[str, str] = {
    FaultKind.QUOTA: "a quota",
    FaultKind.THROTTLED: "throttling",
    FaultKind.CONFLICT: "a conflict",
    FaultKind.ALREADY_EXISTS: "an existing resource",
}


def report_of(
    run: RunId,
    plan: Plan,
    trigger: str,
    requests: tuple[RequestId, ...],
    started: datetime,
    finished: datetime,
    outcome: Outcome,
    previous: PlanStatus | None,
    backoff: Backoff,
) -> RunReport:
    """The machine-readable report of a pass."""
    changes = outcome.changes
    error, reason = _error(outcome)
    resources = changes.resources if changes else ()
    failures = failures_after(outcome, previous)
    return RunReport(
        run=run,
        plan=plan.name,
        trigger=trigger,
        started_at=started,
        finished_at=finished,
        state=outcome.state,
        message=outcome.message,
        context=outcome.context,
        decision=outcome.decision,
        changes=tuple(summary(change) for change in changes.changes) if changes else (),
        steps=outcome.steps,
        resources=tuple(state for state in resources if state.state is not SyncState.IN_SYNC),
        branch=outcome.branch,
        error=error,
        error_reason=reason,
        retry_after=_retry(outcome, failures, backoff, finished),
        requests=requests,
        unexpected=_unexpected(changes, outcome.steps),
        compliance=_compliance(plan),
        learnings=_learnings(changes, outcome.steps, outcome.quotas),
        change_digest=changes.digest if changes else Digest(""),
        explanations=outcome.explanations,
        rolling_back=outcome.rolling_back,
        skipped=outcome.skipped,
    )


def _error(outcome: Outcome) -> tuple[str, str]:
    if outcome.error is not None:
        kind = outcome.error.kind.value if isinstance(outcome.error, AwsFault) else outcome.error.reason
        return str(outcome.error), kind
    broken = next((step for step in outcome.steps if step.state is StepState.FAILED), None)
    return (broken.error, broken.error_kind) if broken else ("", "")


def _retry(outcome: Outcome, failures: int, backoff: Backoff, now: datetime) -> float | None:
    if outcome.held_until is not None:
        return max(STALE_RETRY, (outcome.held_until - now).total_seconds())
    if outcome.state is PlanState.DRIFTED and outcome.steps and not outcome.held:
        return STALE_RETRY
    if failures and not isinstance(outcome.error, SourceError):
        return backoff.after(failures)
    return None


def _compliance(plan: Plan) -> tuple[str, ...]:
    return tuple(
        f"guardrail exception {item.rule} ({item.reason}), approved by {item.approved_by}, "
        f"expires {item.expires:%Y-%m-%d}"
        for item in plan.guardrail.exceptions
    )


def summary(change: Change) -> ChangeSummary:
    """A change as plain JSON, secrets masked."""
    return ChangeSummary(
        logical_id=change.logical_id,
        type=change.type,
        action=change.action.value,
        identifier=change.identifier,
        fields=tuple(
            {
                "path": field.path,
                "before": mask(field.before),
                "after": mask(field.after),
                "forces_replacement": field.forces_replacement,
                "reason": field.reason,
            }
            for field in change.fields
        ),
        reason=change.reason,
        loss=change.loss,
    )


def _unexpected(changes: ChangeSet | None, steps: Sequence[StepResult]) -> tuple[str, ...]:
    drift = [
        f"{change.logical_id}: {change.reason}"
        for change in (changes.changes if changes else ())
        if "outside of the plan" in change.reason
    ]
    conflicts = [f"{conflict.logical_id}: {conflict.message}" for conflict in (changes.conflicts if changes else ())]
    invalid = [f"{step.id}: {step.error}" for step in steps if step.validation == "failed"]
    return (*drift, *conflicts, *invalid)


def _learnings(
    changes: ChangeSet | None, steps: Sequence[StepResult], quotas: Mapping[StepId, Mapping[str, str]]
) -> tuple[str, ...]:
    slow = [f"{step.id} took {step.seconds:.0f} s" for step in steps if step.seconds > SLOW_STEP]
    met = [
        f"{step.id} met {_MET[step.error_kind]}{_limit(quotas.get(step.id, {}))}: {step.error}"
        for step in steps
        if step.error_kind in _MET and not step.error.startswith(UNDO_FAILED)
    ]
    taken = [
        f"{conflict.logical_id}: its name or place is taken by {conflict.identifier}"
        for conflict in (changes.conflicts if changes else ())
    ]
    return (*slow, *met, *taken)


def _limit(quota: Mapping[str, str]) -> str:
    named = quota.get("name", "")
    return f" ({named}{': ' + quota['value'] if quota.get('value') else ''})" if named else ""


def status_of(report: RunReport, plan: Plan, outcome: Outcome, previous: PlanStatus | None) -> PlanStatus:
    """The status of a plan after a pass, built on the one before it."""
    if outcome.skipped and previous is not None:
        return replace(previous, updated_at=report.finished_at)
    changes = outcome.changes
    in_sync = report.state is PlanState.IN_SYNC
    resources = _settled(changes.resources, report) if changes and in_sync else changes.resources if changes else None
    read_all = changes is not None and not changes.unknown
    return PlanStatus(
        plan=plan.name,
        environment=plan.target.environment,
        account=plan.target.account,
        region=plan.target.region,
        delivery=plan.delivery.value,
        digest=plan.digest,
        state=report.state,
        message=report.message,
        file=plan.origin.file,
        run=report.run,
        changes=() if in_sync else report.changes,
        resources=resources if resources is not None else (previous.resources if previous else ()),
        decision=report.decision or (previous.decision if previous else None),
        branch=_branch(report, previous),
        suspended=report.state is PlanState.SUSPENDED,
        updated_at=report.finished_at,
        verified_at=report.started_at if read_all else (previous.verified_at if previous else None),
        last_success_at=report.finished_at if succeeded(report) else (previous.last_success_at if previous else None),
        drift_since=_drift_since(report, outcome, previous),
        failures=failures_after(outcome, previous),
        held_until=outcome.held_until,
        held=outcome.held,
        strikes=outcome.strikes,
        explanations=outcome.explanations,
        rolling_back=outcome.rolling_back,
    )


def _branch(report: RunReport, previous: PlanStatus | None) -> BranchInfo | None:
    """A pass that didn't come so far as to look at the branch leaves it as it was."""
    if report.branch is not None or report.state in (PlanState.IN_SYNC, PlanState.PIPELINE_OPEN):
        return report.branch
    return previous.branch if previous is not None else None


def _drift_since(report: RunReport, outcome: Outcome, previous: PlanStatus | None) -> datetime | None:
    """Since when the plan has differed. A pass that couldn't look doesn't end a drift: only seeing none does."""
    before = previous.drift_since if previous else None
    if outcome.changes is None:
        return before
    if report.state is PlanState.IN_SYNC or not (
        outcome.changes.changes or outcome.held or report.state is PlanState.DRIFTED
    ):
        return None
    return before or report.started_at


def _settled(resources: tuple[ResourceState, ...], report: RunReport) -> tuple[ResourceState, ...]:
    """Resource states after every step was applied and validated: deleted ones go, the others are in sync."""
    made = {step.logical_id: step for step in report.steps if step.verb.value != "delete"}
    deleted = {step.logical_id for step in report.steps} - made.keys()
    return tuple(
        replace(
            state,
            state=SyncState.IN_SYNC,
            identifier=made[state.logical_id].identifier,
            message="",
            verified_at=report.finished_at,
        )
        if state.logical_id in made
        else state
        for state in resources
        if state.logical_id not in deleted
    )


def succeeded(report: RunReport) -> bool:
    """Whether the pass did what could be done: nothing failed, nothing was refused."""
    return report.state in (PlanState.IN_SYNC, PlanState.PIPELINE_OPEN) and not report.error
