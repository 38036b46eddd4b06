"""The one place where the outcome of a pass becomes a state, a retry and a status. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.model.change import Change, ChangeSet, ResourceState
from reconciler.model.decision import Decision, Mode
from reconciler.model.errors import AwsFault, FaultKind, PolicyUnavailable, ReconcilerError, SourceError
from reconciler.model.ids import Digest, RequestId, RunId, StepId
from reconciler.model.plan import Plan
from reconciler.model.report import (
    BranchInfo,
    ChangeSummary,
    Context,
    Explanation,
    PlanState,
    PlanStatus,
    RunReport,
    StepResult,
    StepState,
)
from reconciler.model.resource import SyncState
from reconciler.model.values import mask

#: Steps slower than this are a learning for the planner. Seconds.
SLOW_STEP = 60.0
#: How the error of a step begins (or goes on) that could not be taken back.
UNDO_FAILED = "rollback failed: "
#: A stale pass is repeated almost at once: it only has to look again. Seconds.
STALE_RETRY = 1.0


#: What a failed step teaches the planner.
_MET: Mapping[str, str] = {
    FaultKind.QUOTA: "a quota",
    FaultKind.THROTTLED: "throttling",
    FaultKind.CONFLICT: "a conflict",
    FaultKind.ALREADY_EXISTS: "an existing resource",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended, as far as it came. ``quotas``: what AWS said of limits that steps met, as in ``ports.Quotas``.

    ``skipped``: no pass was made, everything stays as the one before left it. The last four are as in ``PlanStatus``.
    """

    state: PlanState
    message: str
    context: Context | None = None
    decision: Decision | None = None
    changes: ChangeSet | None = None
    steps: tuple[StepResult, ...] = ()
    rolled_back: bool | None = None
    branch: BranchInfo | None = None
    error: ReconcilerError | None = None
    explanations: tuple[Explanation, ...] = ()
    quotas: Mapping[StepId, Mapping[str, str]] = field(default_factory=dict)
    skipped: bool = False
    held_until: datetime | None = None
    held: tuple[str, ...] = ()
    strikes: int = 0
    rolling_back: int | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds before a failed pass is repeated: ``base`` doubled for each failure in a row, ``limit`` at most."""

    base: float
    limit: float

    def after(self, failures: int) -> float:
        """The pause after ``failures`` failures in a row (1 or more)."""
        return float(min(self.limit, self.base * 2 ** min(failures - 1, 30)))


def failed(error: ReconcilerError, decision: Decision | None = None) -> Outcome:
    """The outcome of a pass that an error ended before anything was changed."""
    if isinstance(error, PolicyUnavailable):
        message = f"no policy decision, so nothing is applied ({error.cause}): {error}"
        return Outcome(PlanState.DENIED, message, decision=decision, error=error)
    if isinstance(error, AwsFault) and error.kind is FaultKind.WRONG_ACCOUNT:
        return Outcome(PlanState.DENIED, str(error), decision=decision, error=error)
    state = PlanState.INVALID if isinstance(error, SourceError) else PlanState.FAILED
    return Outcome(state, str(error), decision=decision, error=error)


def applied(base: Outcome, steps: tuple[StepResult, ...], rolled_back: bool | None) -> Outcome:
    """The outcome of a walk through the steps."""
    done = sum(step.state is StepState.DONE for step in steps)
    broken = [step for step in steps if step.state is StepState.FAILED]
    if done == len(steps):
        return replace(base, state=PlanState.IN_SYNC, message=f"{_steps(done, done)} applied", steps=steps)
    overtaken = [step.error for step in broken if step.error_kind == "stale"]
    if len(overtaken) == len(broken) and rolled_back is None:
        why = f"overtaken ({'; '.join(overtaken)})" if overtaken else "interrupted"
        message = f"{why} after {_steps(done, len(steps))}; the next pass goes on"
        return replace(base, state=PlanState.DRIFTED, message=message, steps=steps)
    own = [step for step in broken if not step.error.startswith(UNDO_FAILED)]
    first = (own or broken or list(steps))[0]
    after = {None: "", True: "; rolled back", False: "; rollback FAILED"}[rolled_back]
    message = f"{first.id} failed: {first.error}{after}"
    return replace(base, state=PlanState.FAILED, message=message, steps=steps, rolled_back=rolled_back)


def _steps(done: int, total: int) -> str:
    return f"{done} of {total} step{'' if total == 1 else 's'}"


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
        compliance=tuple(
            f"guardrail exception {item.rule} ({item.reason}), approved by {item.approved_by}, "
            f"expires {item.expires:%Y-%m-%d}"
            for item in plan.guardrail.exceptions
        ),
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


def failures_after(outcome: Outcome, previous: PlanStatus | None) -> int:
    """How many passes in a row have failed, this one included."""
    if outcome.skipped and previous is not None:
        return previous.failures
    if outcome.state is PlanState.FAILED or outcome.error is not None:
        return (previous.failures if previous else 0) + 1
    return 0


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


def next_steps(decision: Decision | None) -> str:
    """Why a pass waits or is denied, in one line."""
    if decision is None:
        return ""
    reasons = [reason.message for reason in decision.reasons]
    if not reasons and decision.mode is not Mode.APPLY:
        reasons = [text for ruling in decision.actions.values() if not ruling.allow for text in ruling.reasons]
    return "; ".join(dict.fromkeys(reasons))
