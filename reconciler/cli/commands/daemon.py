"""run, demo, sync: the daemon, and asking it for a pass."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption, PlansArgument
from reconciler.cli.terminal import show, show_json

if TYPE_CHECKING:
    from reconciler.model.report import Receipt


def run(config: ConfigOption = None) -> None:
    """Run the daemon until SIGTERM or SIGINT. Exits 0 after a clean stop.

    SIGHUP reloads configuration, policies and plans and forces a full resync; SIGUSR1 forces a resync; SIGUSR2
    writes the state to the log; a second SIGTERM or SIGINT stops at once.
    """
    from reconciler.cli.service import serve

    clean = serve(config)
    sys.stdout.flush()
    sys.stderr.flush()
    if not clean:
        # Threads that outlived the grace period would keep the process; what they began is in the journal.
        os._exit(1)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit when everything was verified; 0 if it was.")] = False,
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where to keep its state; else a temporary directory.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="HTTP port; 0 takes a free one.")] = 9595,
) -> None:
    """Run the daemon on a local in-process AWS with the sample plans: no account, no credentials needed."""
    from reconciler.testing.demo import main

    raise typer.Exit(main(once=once, directory=directory, port=port))


def sync(
    plans: PlansArgument = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until every plan had its pass.")] = True,
    timeout: Annotated[str, typer.Option("--timeout", help="How long to wait.")] = "10m",
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask the running daemon for a pass. Exits 0 if it was made (or, with --no-wait, accepted)."""
    from reconciler.cli.client import Client
    from reconciler.cli.show.tables import receipt as page
    from reconciler.durations import parse_duration

    try:
        seconds = parse_duration(timeout)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timeout") from None
    settings = runtime.settings_for(config)
    client = Client(settings.http.host, settings.http.port, settings.http.token)
    receipt = client.sync(plans)
    if wait:
        receipt = client.wait_for(receipt, seconds)
    if output is Output.JSON:
        show_json(receipt)
    else:
        show(page(receipt))
    raise typer.Exit(0 if not wait or _made(receipt) else 1)


def _made(receipt: Receipt) -> bool:
    from reconciler.model.report import PlanState

    bad = (PlanState.FAILED, PlanState.INVALID)
    return receipt.answered and not any(state in bad for state in receipt.outcomes.values())
