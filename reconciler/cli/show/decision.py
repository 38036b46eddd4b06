"""A policy decision and its checklist for people."""

from __future__ import annotations

from rich.text import Text

from reconciler.cli.show.page import Page, short_digest
from reconciler.model.decision import Decision, Mode

_SAYS = {
    Mode.APPLY: ("allowed: would be applied", "green"),
    Mode.PIPELINE: ("pipeline: goes to a Git branch, nothing is written to AWS", "blue"),
    Mode.WAIT: ("waiting for approval", "yellow"),
    Mode.DENY: ("denied", "red"),
}


def decision(given: Decision) -> Text:
    """What policy said, why, which actions it refuses, and the checklist."""
    says, style = _SAYS[given.mode]
    page = Page()
    revision = f"  (policy {short_digest(given.revision)})" if given.revision else ""
    page.parts(("Decision: ", "bold"), (says, style), (revision, "bright_black"))
    for reason in given.reasons:
        page.line(f"  - {reason.message}  [{reason.rule}]" if reason.rule else f"  - {reason.message}")
    for action, ruling in sorted(given.actions.items()):
        if not ruling.allow:
            page.line(f"  - {action} refused: {'; '.join(ruling.reasons) or 'no rule allows it'}")
    if given.checklist:
        page.add(checklist(given))
    return page.text


def checklist(given: Decision) -> list[Text]:
    """The pre-execution verification, one line for each item."""
    page = Page()
    page.line("Pre-Execution Verification", "bold")
    for item, result in given.checklist.items():
        mark, style = ("[x]", "green") if result.ok else ("[ ]", "red")
        page.parts("  ", (mark, style), f" {item}: {result.message}" if result.message else f" {item}")
    return list(page)
