"""The revisions of a plan as a table, and what to do while a rollback waits."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reconciler.cli.show.page import Page, clean, moment, short_digest
from reconciler.model.plan import Plan
from reconciler.model.revision import Pin, Revision


def listing(plan: Plan, revisions: Sequence[Revision], pin: Pin | None) -> RenderableType:
    """One line a revision, newest first; which one the file is, and which one a rollback has put in force."""
    if not revisions:
        return Text(f"No revision of {clean(plan.name)} is kept: it has never been in sync.")
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for column in ("REVISION", "DIGEST", "IN SYNC SINCE", "RUN", ""):
        table.add_column(column, overflow="fold")
    for revision in revisions:
        words = ", ".join(marks(plan, revisions, pin, revision))
        table.add_row(
            str(revision.number), short_digest(revision.digest), moment(revision.at), clean(revision.run), words
        )
    return table


def marks(plan: Plan, revisions: Sequence[Revision], pin: Pin | None, revision: Revision) -> list[str]:
    """What is to be said of a revision."""
    rolled = pin if pin is not None and pin.digest == plan.digest else None
    current = next((each.number for each in revisions if each.digest == plan.digest), None)
    said = ["the file"] if revision.number == current else []
    if rolled is not None and rolled.revision == revision.number:
        said.append("in force" if rolled.reached else "rollback asked for")
    elif rolled is None and revision.number == current:
        said.append("in force")
    return said


def waiting(plan: Plan, number: int) -> Text:
    """The commands that come next while a rollback waits for its approval."""
    page = Page()
    page.line(f"The rollback to revision {number} waits; nothing else is done with {plan.name} meanwhile.")
    page.line("Approve it:")
    page.line(f"  reconciler approve {plan.name} --scope rollback")
    page.line("or exactly this change and no other:")
    page.line(f"  reconciler approve {plan.name} --change")
    page.line("Then the daemon carries it out, or:")
    page.line(f"  reconciler rollback {plan.name}")
    page.line("To give it up:")
    page.line(f"  reconciler rollback {plan.name} --cancel")
    return page.text
