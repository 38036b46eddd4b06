"""validate, diff, apply: what a pass would do, and doing it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.cli import runtime
from reconciler.cli.options import (
    ChangeOutput,
    ChangeOutputOption,
    ConfigOption,
    Output,
    OutputOption,
    PlansArgument,
)
from reconciler.cli.terminal import complain, note, show, show_json
from reconciler.model.errors import PlanBusy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.progress import Progress
    from reconciler.daemon.app import PreviewLike
    from reconciler.model.errors import Problem
    from reconciler.model.plan import Plan, Snapshot
    from reconciler.model.report import PlanState, RunReport
    from reconciler.wiring import App

CHANGES, DENIED, WAITING = 2, 3, 4


def validate(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files or directories of plans, approvals and policies.")
    ],
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check plans, approvals and policies without calling AWS. Exits 0 if all are valid, else 1."""
    from reconciler.cli.validation import validate_paths

    result = validate_paths(paths, runtime.settings_for(config))
    if output is Output.JSON:
        found = {"valid": not result.problems, "checked": result.checked, "problems": list(result.problems)}
        show_json({**found, "notes": result.notes})
    else:
        for problem in result.problems:
            complain(str(problem))
        if not result.problems:
            show("\n".join(f"{item}: valid" for item in result.checked))
        for note_ in result.notes:
            note(f"Note: {note_}")
    if result.problems:
        raise typer.Exit(1)


def diff(
    plans: PlansArgument = None, config: ConfigOption = None, output: ChangeOutputOption = ChangeOutput.TABLE
) -> None:
    """Show what a pass would do, and the decision. Exits 0: nothing, 2: changes, 1: error."""
    app = runtime.app_for(config)
    snapshot = app.source.load()
    results = [
        (plan, app.cycle.preview(plan, snapshot.approvals.get(plan.name, ())))
        for plan in runtime.chosen(snapshot, plans)
    ]
    broken = {} if plans else snapshot.invalid
    if output is ChangeOutput.JSON:
        show_json({"plans": [_as_json(plan, preview) for plan, preview in results], "invalid": broken})
    else:
        for plan, preview in results:
            _show_preview(plan, preview, markdown=output is ChangeOutput.MARKDOWN)
        _complain_of_invalid(broken)
    raise typer.Exit(1 if broken else _diff_code([preview for _, preview in results]))


def apply(plans: PlansArgument = None, config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Make one pass now, under the same policy as the daemon. Waits a minute for a plan that is being worked on.

    Exits 0: done, 1: failed, 3: denied, 4: waiting for approval.
    """
    from reconciler.cli.progress import progress
    from reconciler.daemon.signals import SignalPump

    reports: list[RunReport] = []
    with progress(quiet=output is Output.JSON) as display:
        app = runtime.app_for(config, display)
        snapshot = app.source.load()
        chosen = runtime.chosen(snapshot, plans)
        broken = {} if plans else snapshot.invalid
        stop = runtime.Stop(app.cycle)
        with SignalPump(stop.receive):
            make_passes(app, chosen, snapshot, stop, reports, display)
    if output is Output.JSON:
        show_json({"runs": reports, "invalid": broken})
    else:
        _complain_of_invalid(broken)
    left_out = len(reports) < len(chosen)
    raise typer.Exit(1 if broken or left_out else apply_code(reports))


def make_passes(
    app: App, plans: list[Plan], snapshot: Snapshot, stop: runtime.Stop, reports: list[RunReport], display: Progress
) -> None:
    """One pass over each plan, as ``apply`` makes it; what is left out has been complained of."""
    for plan in plans:
        if stop.asked:
            note(f"Interrupted: {plan.name} was not begun")
            continue
        try:
            report = runtime.when_free(partial(_pass, app, plan, snapshot), stop, app.clock)
        except PlanBusy as busy:
            complain(f"Error: {plan.name} was not begun: {busy}; try again when it is done")
            continue
        reports.append(report)
        display.outcome(report)


def _pass(app: App, plan: Plan, snapshot: Snapshot) -> RunReport:
    app.cycle.recover(plan)
    return app.cycle.run(plan, snapshot.approvals.get(plan.name, ()), "apply")


def apply_code(reports: list[RunReport]) -> int:
    """The exit code of ``apply``: the worst outcome counts."""
    codes = {_code(report.state, report.error) for report in reports}
    return next((code for code in (1, DENIED, WAITING) if code in codes), 0)


def _code(state: PlanState, error: str) -> int:
    from reconciler.model.report import PlanState

    if state is PlanState.DENIED:
        return DENIED
    if state is PlanState.PENDING_APPROVAL:
        return WAITING
    done = state in (PlanState.IN_SYNC, PlanState.PIPELINE_OPEN, PlanState.SUSPENDED)
    return 0 if done and not error else 1


def _diff_code(previews: list[PreviewLike]) -> int:
    """What couldn't be read might have changed: that is an error, not "no changes"."""
    if any(each.error or (each.changes is None and _not_looked_at(each)) or _unread(each) for each in previews):
        return 1
    return CHANGES if any(each.changes and not each.changes.empty for each in previews) else 0


def _not_looked_at(preview: PreviewLike) -> bool:
    """Whether the plan was refused before anything was read; a suspended plan has nothing to do."""
    return preview.decision is not None


def _unread(preview: PreviewLike) -> bool:
    return bool(preview.changes and preview.changes.unknown)


def _show_preview(plan: Plan, preview: PreviewLike, *, markdown: bool) -> None:
    from reconciler.cli.show import changes
    from reconciler.cli.show.decision import decision
    from reconciler.cli.show.page import Page
    from reconciler.review import unheeded

    if markdown:
        show(f"## {plan.name} ({plan.target.environment})\n")
    else:
        page = Page()
        page.parts(
            (f"Plan {plan.name}", "bold"),
            f" ({plan.target.environment}, account {plan.target.account}, {plan.target.region})",
        )
        show(page.text, "")
    for text in unheeded(plan):
        show(f"Note: {text}")
    if preview.changes is not None:
        show(changes.markdown(preview.changes) if markdown else changes.change_set(preview.changes))
        if preview.changes.changes:
            show(f"Change: {preview.changes.digest}")
    elif not preview.error and preview.decision is None:
        show("Suspended: nothing was looked at.")
    if preview.error is not None:
        complain(f"Error: {plan.name}: {preview.error}")
    if preview.decision is not None:
        show("", decision(preview.decision).plain if markdown else decision(preview.decision))
    show("")


def _as_json(plan: Plan, preview: PreviewLike) -> dict[str, Any]:
    from reconciler.review import unheeded

    changes = preview.changes
    return {
        "plan": plan.name,
        "environment": plan.target.environment,
        "account": plan.target.account,
        "region": plan.target.region,
        "digest": plan.digest,
        "changes": list(changes.changes) if changes else [],
        "steps": [
            {"id": step.id, "verb": step.verb, "action": step.action, "needs": sorted(step.needs)}
            for step in (changes.steps if changes else ())
        ],
        "conflicts": list(changes.conflicts) if changes else [],
        "resources": list(changes.resources) if changes else [],
        "change_digest": changes.digest if changes else "",
        "decision": preview.decision,
        "error": str(preview.error) if preview.error else "",
        "notes": unheeded(plan),
    }


def _complain_of_invalid(invalid: Mapping[str, tuple[Problem, ...]]) -> None:
    for name, problems in sorted(invalid.items()):
        for problem in problems:
            complain(f"Error: {name}: {problem}")
