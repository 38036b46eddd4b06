"""A change set for people, in the form that ``terraform plan`` made familiar, and as Markdown for a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from reconciler.cli.show.page import Page
from reconciler.cli.show.values import shown
from reconciler.model.change import Action, Change, ChangeSet, FieldChange, ResourceState
from reconciler.model.plan import Delivery
from reconciler.model.report import ChangeSummary
from reconciler.model.resource import SyncState

SYMBOLS = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "adopt": "<=", "rollback": "<-"}
_STYLES = {"create": "green", "update": "yellow", "replace": "red", "delete": "red", "adopt": "cyan", "rollback": "red"}
_WILL = {
    "create": "will be created",
    "update": "will be updated",
    "replace": "must be replaced",
    "delete": "will be destroyed",
    "adopt": "will be adopted",
    "rollback": "will be rolled back",
}


def change_set(changes: ChangeSet) -> Text:
    """Every change with its fields, what couldn't be read, conflicts, and the totals."""
    page = Page()
    for change in changes.changes:
        _change(page, change)
    for conflict in changes.conflicts:
        page.line(f"  ! {conflict.type} {conflict.logical_id} ({conflict.identifier}): {conflict.message}", "red")
    for state in changes.unknown:
        page.line(f"  ? {state.type} {state.logical_id}: state unknown: {state.message}", "yellow")
    for state in drifted(changes):
        page.line(f"  ~ {state.type} {state.logical_id}: {state.message}", "yellow")
    if changes.output:
        page.line()
        for line in changes.output.splitlines():
            page.line(f"  | {line}", "dim")
    if changes.changes or changes.conflicts or changes.unknown or drifted(changes):
        page.line()
    for text in (*changes.notes, *(text for change in changes.changes for text in change.broadens)):
        page.line(f"Note: {text}", "yellow")
    page.line(totals(change.action for change in changes.changes) if not changes.empty else _nothing(changes), "bold")
    return page.text


def drifted(changes: ChangeSet) -> list[ResourceState]:
    """What was changed outside of the plan and isn't put right by deploying it."""
    if changes.changes or changes.plan.delivery is Delivery.RESOURCES:
        return []
    return [one for one in changes.resources if one.state in (SyncState.DRIFTED, SyncState.MISSING)]


def totals(actions: Iterable[str]) -> str:
    """``Plan: 2 to add, 1 to change, 0 to destroy.`` A replacement adds one and destroys one."""
    counted = Counter(str(action) for action in actions)
    replaced = counted[Action.REPLACE]
    adopted = f"{counted[Action.ADOPT]} to adopt, " if counted[Action.ADOPT] else ""
    return (
        f"Plan: {adopted}{counted[Action.CREATE] + replaced} to add, {counted[Action.UPDATE]} to change, "
        f"{counted[Action.DELETE] + replaced} to destroy."
    )


def summaries(changes: Sequence[ChangeSummary]) -> Text:
    """The changes of a report or status, one line each with its fields below."""
    page = Page()
    for change in changes:
        _head(page, change.action, change.type, change.logical_id, change.identifier, change.reason)
        for field in change.fields:
            _field(page, str(field.get("path", "")), field.get("before"), field.get("after"), _notes(field))
        _losses(page, change.loss)
    page.line(totals(change.action for change in changes), "bold")
    return page.text


def markdown(changes: ChangeSet) -> str:
    """The change set as Markdown: a table, then the details of each change in a ``diff`` block."""
    if changes.empty:
        return _nothing(changes) + "\n"
    lines = ["| | resource | type | identifier |", "|---|---|---|---|"]
    lines += [
        f"| `{SYMBOLS[change.action]}` {change.action} | {_cell(change.logical_id)} | {_cell(change.type)} "
        f"| {_cell(change.identifier or '')} |"
        for change in changes.changes
    ]
    lines += ["", totals(change.action for change in changes.changes), ""]
    body = change_set(changes).plain
    fence = "`" * max(3, _longest_run(body, "`") + 1)
    return "\n".join([*lines, f"{fence}diff", *(_diff_line(line) for line in body.splitlines()[:-1]), fence, ""])


def _change(page: Page, change: Change) -> None:
    _head(page, change.action, change.type, change.logical_id, change.identifier, change.reason)
    if change.action is Action.CREATE:
        for name, value in sorted((change.after or {}).items()):
            page.parts("      ", ("+ ", "green"), f"{name}: {shown(value, 8)}")
        return  # a new resource's fields are its properties once more
    for field in change.fields:
        _field(page, field.path, field.before, field.after, _reasons(field))
    _losses(page, change.loss)


def _losses(page: Page, losses: Sequence[str]) -> None:
    """What no rollback brings back: said before anybody approves."""
    for loss in losses:
        page.parts("      ", ("! can't be undone: ", "red"), loss)


def _head(page: Page, action: str, type_name: str, logical_id: str, identifier: str | None, reason: str) -> None:
    symbol = f"{SYMBOLS[action]:>3} "
    known = f" ({identifier})" if identifier else ""
    why = f": {reason}" if reason else ""
    page.parts((symbol, _STYLES[action]), (f"{type_name} {logical_id}", "bold"), f"{known} {_WILL[action]}{why}")


def _field(page: Page, path: str, before: Any, after: Any, note: str) -> None:
    symbol, style = ("+ ", "green") if before is None else ("- ", "red") if after is None else ("~ ", "yellow")
    if before is None:
        values = shown(after, 8)
    elif after is None:
        values = f"{shown(before, 8)} -> (absent)"
    else:
        values = f"{shown(before, 8)} -> {shown(after, 8)}"
    page.parts("      ", (symbol, style), f"{path}: {values}", (f"  # {note}" if note else "", "bright_black"))


def _reasons(field: FieldChange) -> str:
    return _notes({"reason": field.reason, "forces_replacement": field.forces_replacement, "after": field.after})


def _notes(field: Any) -> str:
    forced = "forces replacement" if field.get("forces_replacement") else ""
    reason = str(field.get("reason") or "")
    if reason == "plan" and field.get("after", "") is None:
        reason = "the plan no longer sets it"
    return ", ".join(part for part in (reason, forced) if part)


def _nothing(changes: ChangeSet) -> str:
    if changes.unknown:
        return "No changes found, but not everything could be read."
    return "No changes. Live state matches the plan."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _diff_line(line: str) -> str:
    """A ``diff`` block colours lines by their first character."""
    stripped = line.lstrip()
    sign = {"+": "+", "-": "-", "~": "!"}.get(stripped[:1], " ")
    return sign + line


def _longest_run(text: str, char: str) -> int:
    longest = current = 0
    for found in text:
        current = current + 1 if found == char else 0
        longest = max(longest, current)
    return longest
