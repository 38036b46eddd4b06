"""How a pass ended, before it is told to anyone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Mode
from reconciler.model.errors import AwsFault, FaultKind, PolicyUnavailable, ReconcilerError, SourceError
from reconciler.model.ids import StepId
from reconciler.model.report import BranchInfo, Context, Explanation, PlanState, PlanStatus, StepResult, StepState

#: How the error of a step begins (or goes on) that could not be taken back.
UNDO_FAILED = "rollback failed: "


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


def failures_after(outcome: Outcome, previous: PlanStatus | None) -> int:
    """How many passes in a row have failed, this one included."""
    if outcome.skipped and previous is not None:
        return previous.failures
    if outcome.state is PlanState.FAILED or outcome.error is not None:
        return (previous.failures if previous else 0) + 1
    return 0


def next_steps(decision: Decision | None) -> str:
    """Why a pass waits or is denied, in one line."""
    if decision is None:
        return ""
    reasons = [reason.message for reason in decision.reasons]
    if not reasons and decision.mode is not Mode.APPLY:
        reasons = [text for ruling in decision.actions.values() if not ruling.allow for text in ruling.reasons]
    return "; ".join(dict.fromkeys(reasons))
