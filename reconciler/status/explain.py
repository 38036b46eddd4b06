"""Errors in the forms that people get them: what happened, the facts, the ways out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.model.errors import DeploymentError, FaultKind
from reconciler.model.plan import Plan
from reconciler.model.report import Explanation, StepState
from reconciler.status.explained import others
from reconciler.status.explained.case import Case, of_error, of_read, of_step
from reconciler.status.explained.conflict import conflict, in_the_way
from reconciler.status.explained.denied import permission
from reconciler.status.explained.partial import partial_failure
from reconciler.status.outcome import UNDO_FAILED, Outcome

_FORMS: Mapping[str, Callable[[Plan, Outcome, Case], Explanation]] = {
    FaultKind.ACCESS_DENIED: permission,
    FaultKind.ALREADY_EXISTS: in_the_way,
    FaultKind.CONFLICT: in_the_way,
    FaultKind.QUOTA: others.quota,
    FaultKind.THROTTLED: others.throttling,
    FaultKind.CREDENTIALS: others.credentials,
    FaultKind.WRONG_ACCOUNT: others.wrong_account,
    FaultKind.REGION_DISABLED: others.region_disabled,
    "undecidable": others.undecidable,
}


def explain(plan: Plan, outcome: Outcome) -> tuple[Explanation, ...]:
    """The explanations of everything that went wrong in a pass; none if nothing did."""
    found = _distinct(_each(plan, outcome))
    partial = partial_failure(plan, outcome, found)
    return (*found, *([partial] if partial is not None else []))


def _each(plan: Plan, outcome: Outcome) -> Iterator[Explanation]:
    """Steps first, else what kept the pass from its steps, else the error that ended it."""
    failed = [step for step in outcome.steps if step.state is StepState.FAILED]
    own = [step for step in failed if not step.error.startswith(UNDO_FAILED)]
    for step in own or failed:
        yield _explained(plan, outcome, of_step(step))
    if failed:
        return
    changes = outcome.changes
    conflicts = [conflict(plan, found) for found in (changes.conflicts if changes else ())]
    reads = [of_read(state.message, state.logical_id, state.type) for state in (changes.unknown if changes else ())]
    denied = [_explained(plan, outcome, case) for case in reads if case.kind]
    yield from (*conflicts, *denied)
    if isinstance(outcome.error, DeploymentError):
        yield others.deployment(plan, outcome.error)
    elif outcome.error is not None and not conflicts and not denied:
        yield _explained(plan, outcome, of_error(outcome.error))


def _explained(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    return _FORMS.get(case.kind, others.failure)(plan, outcome, case)


def _distinct(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Each once: one missing permission may keep a hundred resources from being read."""
    found: dict[str, Explanation] = {}
    for each in explanations:
        same = f"permission {dict(each.analysis)['Required permission']}" if each.kind == "permission" else repr(each)
        found[same] = _both(found[same], each) if same in found else each
    return list(found.values())


def _both(first: Explanation, other: Explanation) -> Explanation:
    """One permission that is missing on several resources: one statement over all of them."""
    if first.statement is None or other.statement is None:
        return first
    resources: list[str] = []
    for one in (first.statement["Resource"], other.statement["Resource"]):
        resources += [arn for arn in ([one] if isinstance(one, str) else one) if arn not in resources]
    named: list[str] | str = "*" if "*" in resources else resources if len(resources) > 1 else resources[0]
    return replace(first, statement={**first.statement, "Resource": named})
