"""status, history, report: what is, and what was. They read the store; no daemon need run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption, PlanArgument
from reconciler.cli.terminal import out, show, show_json
from reconciler.model.errors import ConfigurationError
from reconciler.model.ids import PlanName, RunId

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reconciler.wiring import App


def status(
    plan: Annotated[str | None, typer.Argument(metavar="[PLAN]", help="A plan; without one, all.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing it until interrupted.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks with --watch.")] = 2.0,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the state of plans, each with when it was last verified."""
    app = runtime.app_for(config)
    if not watch:
        _show_status(app, plan, output)
        return
    if output is Output.JSON or not out().is_terminal:
        while True:
            _show_status(app, plan, output)
            app.clock.sleep(interval)
    from rich.live import Live

    with Live(_status(app, plan), console=out(), screen=True, auto_refresh=False) as live:
        while True:
            app.clock.sleep(interval)
            live.update(_status(app, plan), refresh=True)


def history(
    plan: PlanArgument,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many runs.")] = 20,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the runs of a plan, newest first."""
    from reconciler.cli.show.tables import history as table

    app = runtime.app_for(config)
    runs = app.store.history(PlanName(plan), limit)
    if not runs and app.store.status(PlanName(plan)) is None:
        raise _unknown(app, plan)
    if output is Output.JSON:
        show_json({"runs": list(runs)})
    else:
        show(table(runs))


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as status and history show it.")],
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show everything that a run did."""
    from reconciler.cli.show.protocol import report as page

    found = runtime.app_for(config).store.run(RunId(run))
    if found is None:
        raise ConfigurationError(f"no run {run}; `reconciler history PLAN` lists runs")
    if output is Output.JSON:
        show_json(found)
    else:
        show(page(found))


def _show_status(app: App, plan: str | None, output: Output) -> None:
    if output is Output.TABLE:
        show(_status(app, plan))
    elif plan is None:
        show_json({"plans": list(app.store.statuses()), "requests": list(app.store.receipts())})
    else:
        found = app.store.status(PlanName(plan))
        if found is None:
            raise _unknown(app, plan)
        show_json(found)


def _status(app: App, plan: str | None) -> RenderableType:
    from rich.console import Group

    from reconciler.cli.show import tables

    now = app.clock.now()
    if plan is not None:
        found = app.store.status(PlanName(plan))
        if found is None:
            raise _unknown(app, plan)
        return tables.status_detail(found, now)
    receipts = app.store.receipts(3)
    parts: list[RenderableType] = [tables.statuses(app.store.statuses(), now)]
    for receipt in receipts:
        parts += ["", tables.receipt(receipt)]
    return Group(*parts)


def _unknown(app: App, plan: str) -> ConfigurationError:
    known = ", ".join(status.plan for status in app.store.statuses()) or "none"
    return ConfigurationError(f"nothing is known of a plan named {plan}; known are {known}")
