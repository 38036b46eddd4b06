"""Status and history as tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reconciler.cli.show.changes import summaries
from reconciler.cli.show.decision import decision
from reconciler.cli.show.failure import explanations
from reconciler.cli.show.page import STATE_STYLES, Page, ago, clean, moment, short_digest
from reconciler.cli.show.protocol import branch
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.model.resource import SyncState

_SYNC_STYLES = {
    SyncState.IN_SYNC: "green",
    SyncState.DRIFTED: "yellow",
    SyncState.MISSING: "red",
    SyncState.UNKNOWN: "magenta",
    SyncState.ORPHANED: "yellow",
}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def statuses(given: Sequence[PlanStatus], now: datetime) -> RenderableType:
    """One line for each plan, with when it was last verified."""
    if not given:
        return Text("No plan has had a pass yet.")
    table = _table("PLAN", "ENVIRONMENT", "STATE", "VERIFIED", "MESSAGE")
    for status in given:
        table.add_row(
            clean(status.plan),
            clean(status.environment),
            _state(status),
            ago(status.verified_at, now),
            clean(status.message),
        )
    return table


def status_detail(status: PlanStatus, now: datetime) -> RenderableType:
    """Everything known of one plan."""
    page = Page()
    page.parts((f"Plan {status.plan}", "bold"), "  ", _state_parts(status))
    page.line(f"Target: {status.environment}, account {status.account}, {status.region} ({status.delivery})")
    page.line(f"File: {status.file or '-'}  digest {short_digest(status.digest) or '-'}")
    page.line(f"Message: {status.message}")
    page.line(f"Last verified: {moment(status.verified_at)} ({ago(status.verified_at, now)})")
    page.line(f"Last success: {moment(status.last_success_at)}  failures in a row: {status.failures}")
    if status.drift_since:
        page.line(f"Drifted since: {moment(status.drift_since)}")
    _held(page, status)
    if status.run:
        page.line(f"Last run: {status.run}")
    for problem in status.problems:
        page.line(f"Problem: {problem}", "red")
    parts: list[RenderableType] = [page.text]
    if status.explanations:
        parts += [Text(), explanations(status.explanations)]
    if status.resources:
        parts += [Text(), _resources(status, now)]
    if status.changes:
        parts += [Text(), summaries(status.changes)]
    if status.decision:
        parts += [Text(), decision(status.decision)]
    if status.branch:
        parts += [Text(), branch(status.branch)]
    return Group(*parts)


def _held(page: Page, status: PlanStatus) -> None:
    """What keeps the plan from being as its file says."""
    if status.held_until:
        page.line(
            f"Held until: {moment(status.held_until)} (a circuit breaker; `reconciler apply` tries at once)", "yellow"
        )
    for field in status.held:
        page.line(f"Left alone: {field}", "yellow")
    if status.rolling_back is not None:
        page.line(f"Rolling back to revision {status.rolling_back}", "yellow")


def history(given: Sequence[RunReport]) -> RenderableType:
    """The runs of a plan, newest first."""
    if not given:
        return Text("No runs.")
    table = _table("RUN", "STARTED", "SECONDS", "TRIGGER", "STATE", "STEPS")
    for report in given:
        seconds = (report.finished_at - report.started_at).total_seconds()
        table.add_row(
            clean(report.run),
            moment(report.started_at),
            f"{seconds:.1f}",
            clean(report.trigger),
            Text(str(report.state), style=STATE_STYLES[report.state]),
            str(len(report.steps)),
        )
    return table


def receipt(given: Receipt) -> Text:
    """The answer to a request for a pass."""
    page = Page()
    page.line(f"Request {given.id}: asked {moment(given.requested_at)}, {_answered(given)}", "bold")
    for plan in given.plans:
        state = given.outcomes.get(plan)
        run = given.runs.get(plan)
        outcome = (str(state), STATE_STYLES[state]) if state else ("waiting", "bright_black")
        page.parts(f"- {plan}: ", outcome, f" (run {run})" if run else "")
    return page.text


def _answered(given: Receipt) -> str:
    return f"answered {moment(given.answered_at)}" if given.answered_at else "not answered yet"


def _resources(status: PlanStatus, now: datetime) -> Table:
    table = _table("RESOURCE", "TYPE", "IDENTIFIER", "STATE", "VERIFIED")
    for resource in status.resources:
        state = Text(str(resource.state), style=_SYNC_STYLES[resource.state])
        if resource.message:
            state.append(f": {clean(resource.message)}")
        table.add_row(
            clean(resource.logical_id),
            clean(resource.type),
            clean(resource.identifier or "-"),
            state,
            ago(resource.verified_at, now),
        )
    return table


def _state_parts(status: PlanStatus) -> tuple[str, str]:
    extra = "".join(
        f", {word}"
        for word, there in (("orphaned", status.orphaned), ("newer content invalid", bool(status.problems)))
        if there and not (word.startswith("newer") and status.state == "invalid")
    )
    return f"{status.state}{extra}", STATE_STYLES[status.state]


def _state(status: PlanStatus) -> Text:
    text, style = _state_parts(status)
    return Text(text, style=style)
