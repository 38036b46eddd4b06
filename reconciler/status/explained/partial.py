"""A pass that did some of its steps: completed, failed, pending, and what to do now."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.change import Verb
from reconciler.model.plan import Plan
from reconciler.model.report import Explanation, StepResult, StepState
from reconciler.status.explained import remedies
from reconciler.status.explained.remedies import option, shell
from reconciler.status.outcome import UNDO_FAILED, Outcome

_DID = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted", Verb.ADOPT: "adopted"}
_WAITING = (StepState.PENDING, StepState.SKIPPED, StepState.RUNNING)
_FIRST = {
    "quota": "Request the quota increase",
    "permission": "Request the missing permission",
    "conflict": "Decide about the existing resource",
    "credentials": "Renew the credentials",
    "throttling": "Wait until AWS takes calls again",
    "undecidable": "Look at the resource and settle the call",
}


def partial_failure(plan: Plan, outcome: Outcome, causes: Sequence[Explanation]) -> Explanation | None:
    """The seed's form of a partial failure; None if no step of several failed."""
    numbered = list(enumerate(outcome.steps, 1))
    failed = [(number, step) for number, step in numbered if step.state is StepState.FAILED and not _only_undo(step)]
    if not failed or len(numbered) < 2 or all(step.error_kind == "stale" for _, step in failed):
        return None
    stuck = [(number, step) for number, step in numbered if UNDO_FAILED in step.error]
    undone = [(number, step) for number, step in numbered if step.state is StepState.ROLLED_BACK]
    return Explanation(
        kind="partial_failure",
        title=f"Step {failed[0][0]} of {len(numbered)} failed",
        analysis=(
            *(("Rolled back", f"Step {n}: ↩ {_what(step)}: {step.result}") for n, step in undone),
            *(("Not rolled back", f"Step {n}: {_what(step)}: {_undo_error(step)}") for n, step in stuck),
        ),
        completed=tuple(f"Step {n}: ✅ {_did(step)}" for n, step in numbered if step.state is StepState.DONE),
        failed=tuple(f"Step {n}: ❌ {_what(step)} failed ({_own_error(step)})" for n, step in failed),
        pending=tuple(f"Step {n}: {_what(step)}" for n, step in numbered if step.state in _WAITING),
        options=_recommendation(plan, outcome, causes, stuck=bool(stuck)),
    )


def _recommendation(plan: Plan, outcome: Outcome, causes: Sequence[Explanation], *, stuck: bool) -> tuple[str, ...]:
    first = next((_FIRST[cause.kind] for cause in causes if cause.kind in _FIRST), "Correct the cause named above")
    if stuck or outcome.rolled_back is False:
        return (
            "Put right by hand what could not be rolled back: it is as the failed step left it",
            option(f"{first}, then let a pass bring everything in line:", remedies.apply(plan)),
        )
    if outcome.rolled_back:
        return (option(f"{first}, then begin again; the completed steps were rolled back:", remedies.apply(plan)),)
    go_on = option(f"{first}, then go on from what is there, OR", remedies.apply(plan))
    if plan.rollback.procedure:
        return (go_on, f"Roll back completed steps by the plan's procedure: {plan.rollback.procedure}")
    back = shell("reconciler", "rollback", plan.name)
    return (go_on, option("Roll back completed steps, to the revision before (needs its own approval):", back))


def _only_undo(step: StepResult) -> bool:
    """Whether the step itself was fine and only taking it back failed."""
    return step.error.startswith(UNDO_FAILED)


def _own_error(step: StepResult) -> str:
    return step.error.partition(f"; {UNDO_FAILED}")[0]


def _undo_error(step: StepResult) -> str:
    return step.error.rpartition(UNDO_FAILED)[2]


def _did(step: StepResult) -> str:
    return f"{step.logical_id} {_DID[step.verb]}{f' ({step.identifier})' if step.identifier else ''}"


def _what(step: StepResult) -> str:
    return f"{step.verb} {step.logical_id} ({step.type})"
