"""Explained failures in the seed's forms: permission, conflict, partial failure, and the others in the same style."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.text import Text

from reconciler.cli.show.page import Page
from reconciler.model.report import Explanation, RunReport, StepState

#: Forms that aren't errors: nothing needs to be done about them.
_REMARKS = {"stale": "NOTE", "partial_failure": "PARTIAL FAILURE"}


def failure(report: RunReport) -> Text | None:
    """Why a run failed and what can be done; None if it didn't fail."""
    if report.explanations:
        return explanations(report.explanations)
    errors = [step.error for step in report.steps if step.state is StepState.FAILED] or [report.error]
    if not any(errors):
        return None
    # Reports of versions that didn't explain
    page = Page()
    for error in errors:
        page.line("ERROR: Execution failed", "bold red")
        page.line()
        page.line(f"- Cause: {error}")
    return page.text


def explanations(given: Sequence[Explanation]) -> Text:
    """Each in its form, one after the other."""
    page = Page()
    for number, each in enumerate(given):
        if number:
            page.line()
        _partial(page, each) if each.kind == "partial_failure" else _error(page, each)
    return page.text


def _error(page: Page, given: Explanation) -> None:
    page.line(_head(given), "bold yellow" if given.kind == "stale" else "bold red")
    page.line()
    page.line("Analysis:")
    for name, text in given.analysis:
        page.line(f"- {name}: {text}")
    _numbered(page, "Resolution options", given.options)
    if given.statement is not None:
        page.line()
        page.line("Statement to add:")
        page.line(json.dumps(given.statement, indent=2))


def _partial(page: Page, given: Explanation) -> None:
    page.line(_head(given), "bold red")
    _listed(page, "Completed", given.completed)
    for title in dict.fromkeys(name for name, _ in given.analysis):
        _listed(page, title, [text for name, text in given.analysis if name == title])
    _listed(page, "Failed", given.failed)
    _listed(page, "Pending", given.pending)
    _numbered(page, "Recommendation", given.options)


def _head(given: Explanation) -> str:
    return f"{_REMARKS.get(given.kind, 'ERROR')}: {given.title}"


def _listed(page: Page, title: str, lines: Sequence[str]) -> None:
    if lines:
        page.line()
        page.line(f"{title}:", "bold")
        for line in lines:
            page.line(f"- {line}")


def _numbered(page: Page, title: str, options: Sequence[str]) -> None:
    if not options:
        return
    page.line()
    page.line(f"{title}:", "bold")
    for number, option in enumerate(options, 1):
        text, *commands = option.split("\n")
        page.line(f"{number}. {text}")
        for command in commands:
            page.line(f"   {command}", "cyan")
