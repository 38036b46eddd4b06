"""Failures in the seed's forms: permission, conflict, quota and throttling, partial failure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.text import Text

from reconciler.cli.show.page import Page
from reconciler.model.change import Verb
from reconciler.model.errors import FaultKind
from reconciler.model.report import Context, RunReport, StepResult, StepState

_VERBS = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted", Verb.ADOPT: "adopted"}
_CALL = re.compile(r"^([a-z0-9-]+):([A-Za-z0-9]+):")
_DENIED = re.compile(r"perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
_FORMS = {
    FaultKind.ALREADY_EXISTS: "Resource already exists",
    FaultKind.CONFLICT: "Resource conflict",
    FaultKind.QUOTA: "Quota exceeded",
    FaultKind.THROTTLED: "Throttled by AWS",
    FaultKind.CREDENTIALS: "No valid credentials",
    FaultKind.WRONG_ACCOUNT: "Wrong account",
    FaultKind.REGION_DISABLED: "Region not enabled",
    FaultKind.UNAVAILABLE: "AWS unavailable",
    FaultKind.TIMEOUT: "AWS did not answer in time",
}
_ADVICE = {
    FaultKind.CREDENTIALS: ("Log in again, or configure the profile or role of the plan", "Check spec.target.profile"),
    FaultKind.WRONG_ACCOUNT: ("Select the profile or role of the plan's account", "Correct spec.target.account"),
    FaultKind.QUOTA: ("Request a quota increase", "Delete what is no longer needed", "Use another region or account"),
    FaultKind.THROTTLED: ("Wait: it is tried again with back-off", "Lower the number of parallel calls (aws.threads)"),
    FaultKind.ALREADY_EXISTS: (
        "Use existing resource: adopt it (Metadata: {Reconciler: {adopt: <identifier>}})",
        "Update existing resource: adopt it and let the plan change it",
        "Delete and recreate (with approval)",
    ),
    FaultKind.CONFLICT: (
        "Use existing resource as it is and take it out of the plan",
        "Update existing resource once the other change is done",
        "Delete and recreate (with approval)",
    ),
}
_FIRST: dict[FaultKind | None, str] = {
    FaultKind.QUOTA: "Request a quota increase",
    FaultKind.ACCESS_DENIED: "Request the missing permission",
    FaultKind.ALREADY_EXISTS: "Adopt the existing resource",
}


def failure(report: RunReport) -> Text | None:
    """Why a run failed and what can be done; None if it didn't fail."""
    failed = [step for step in report.steps if step.state is StepState.FAILED]
    if not failed and not report.error:
        return None
    page = Page()
    for step in failed:
        page.add(_form(step.error_kind, step.error, f"{step.identifier or step.logical_id}", step.type, report.context))
    if not failed:
        page.add(_form(report.error_reason, report.error, f"plan {report.plan}", "", report.context))
    if failed and len(report.steps) > 1:
        page.line()
        page.add(partial_failure(report.steps, rolled_back=_rolled_back(report.steps)))
    return page.text


def permission_error(context: Context | None, error: str) -> list[Text]:
    """Access denied: who, what, and which permission is missing."""
    call = _CALL.match(error)
    denied = _DENIED.search(error)
    operation = f"{call[1]}:{call[2]}" if call else "unknown"
    page = Page()
    page.line("ERROR: Access Denied", "bold red")
    page.line()
    page.line("Analysis:")
    page.line(f"- Profile: {_profile(context)}")
    page.line(f"- Operation: {operation}")
    page.line(f"- Required permission: {denied[1] if denied else operation}")
    page.line(f"- Message: {error}")
    page.add(
        _options(
            "Verify correct profile selected",
            "Request permission update",
            "Use a profile with appropriate access",
        )
    )
    return list(page)


def partial_failure(steps: Sequence[StepResult], *, rolled_back: bool) -> list[Text]:
    """Completed, failed and pending steps, and a recommendation."""
    numbered = list(enumerate(steps, 1))
    failed = [(number, step) for number, step in numbered if step.state is StepState.FAILED]
    page = Page()
    page.line(f"PARTIAL FAILURE: Step {failed[0][0]} of {len(steps)} failed", "bold red")
    page.add(
        _group("Completed", [f"Step {n}: ✅ {_did(step)}" for n, step in numbered if step.state is StepState.DONE])
    )
    page.add(
        _group(
            "Rolled back", [f"Step {n}: {_what(step)}" for n, step in numbered if step.state is StepState.ROLLED_BACK]
        )
    )
    page.add(_group("Failed", [f"Step {n}: ❌ {_what(step)} failed ({step.error})" for n, step in failed]))
    waiting = (StepState.PENDING, StepState.SKIPPED, StepState.RUNNING)
    page.add(_group("Pending", [f"Step {n}: {_what(step)}" for n, step in numbered if step.state in waiting]))
    page.line()
    page.line("Recommendation:", "bold")
    for number, advice in enumerate(_recommendation(failed[0][1], rolled_back), 1):
        page.line(f"{number}. {advice}")
    return list(page)


def _form(kind: str, error: str, resource: str, type_name: str, context: Context | None) -> list[Text]:
    if kind == FaultKind.ACCESS_DENIED:
        return permission_error(context, error)
    page = Page()
    known = _kind(kind)
    page.line(f"ERROR: {_FORMS.get(known, 'Execution failed') if known else 'Execution failed'}", "bold red")
    page.line()
    page.line("Analysis:")
    page.line(f"- Resource: {resource}{f' ({type_name})' if type_name else ''}")
    page.line(f"- {'Conflict' if known in (FaultKind.ALREADY_EXISTS, FaultKind.CONFLICT) else 'Cause'}: {error}")
    if known in _ADVICE:
        page.add(_options(*_ADVICE[known]))
    return list(page)


def _options(*options: str) -> list[Text]:
    page = Page()
    page.line()
    page.line("Resolution options:")
    for number, option in enumerate(options, 1):
        page.line(f"{number}. {option}")
    return list(page)


def _group(title: str, lines: Sequence[str]) -> list[Text]:
    page = Page()
    if lines:
        page.line()
        page.line(f"{title}:", "bold")
        for line in lines:
            page.line(f"- {line}")
    return list(page)


def _recommendation(failed: StepResult, rolled_back: bool) -> tuple[str, ...]:
    first = _FIRST.get(_kind(failed.error_kind), "Correct the cause named above")
    again = f"{first}; the next pass continues from live state"
    if rolled_back:
        return (f"{again}. The completed steps were rolled back",)
    return (f"{again}, OR", "Roll back completed steps (the plan asks for no automatic rollback)")


def _kind(name: str) -> FaultKind | None:
    return FaultKind(name) if name in FaultKind.__members__.values() else None


def _rolled_back(steps: Sequence[StepResult]) -> bool:
    return any(step.state is StepState.ROLLED_BACK for step in steps)


def _did(step: StepResult) -> str:
    return (
        f"{step.logical_id} {_VERBS.get(step.verb, 'left in AWS')}{f' ({step.identifier})' if step.identifier else ''}"
    )


def _what(step: StepResult) -> str:
    return f"{step.verb} {step.logical_id} ({step.type})"


def _profile(context: Context | None) -> str:
    if context is None:
        return "unknown"
    who = f" ({context.identity.arn})" if context.identity else ""
    return f"{context.profile or 'default credentials'}{who}"
