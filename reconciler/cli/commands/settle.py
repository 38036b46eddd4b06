"""settle: say what became of an interrupted call that could not be decided."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption, PlanArgument
from reconciler.cli.terminal import out, show, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.journal import JournalEntry


class Presence(StrEnum):
    """What a person saw of the resource that a call was about."""

    PRESENT = "present"
    ABSENT = "absent"


def settle(
    plan: PlanArgument,
    step: Annotated[
        str | None, typer.Argument(metavar="[STEP]", help="The step; without it, all are listed.", show_default=False)
    ] = None,
    outcome: Annotated[
        Presence | None, typer.Option("--outcome", help="Whether its resource is there now, as you saw it in AWS.")
    ] = None,
    identifier: Annotated[
        str | None, typer.Option("--identifier", metavar="ID", help="The resource that a create made, if it is there.")
    ] = None,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say what became of an interrupted call that can't be decided. The plan waits until then."""
    if step is None or outcome is None:
        _list(plan, step, config, output)
        return
    closed = _decide(plan, step, outcome, identifier, config)
    if output is Output.JSON:
        show_json(_facts(closed))
        return
    what = f"{closed.type} {closed.identifier or ''}".strip()
    show(f"Settled: {closed.step} counts as {closed.state.value} ({what} is {outcome.value}).")
    if not _unresolved(plan, config):
        show(f"Nothing is undecided in {plan} any more; its next pass goes on.")


def _decide(plan: str, step: str, outcome: Presence, identifier: str | None, config: Any) -> JournalEntry:
    """Under the plan's lease, so that no pass runs meanwhile. Raises PlanBusy, ConfigurationError, StoreError."""
    from reconciler import wiring
    from reconciler.apply.resume import decide
    from reconciler.clock import SystemClock
    from reconciler.model.ids import Identifier, PlanName, StepId

    settings, clock = runtime.settings_for(config), SystemClock()
    store = wiring.open_store(settings)
    known = Identifier(identifier) if identifier else None
    with wiring.leases(settings, store, clock).hold(PlanName(plan)):
        present = outcome is Presence.PRESENT
        return decide(store, clock, PlanName(plan), StepId(step), present=present, identifier=known)


def _unresolved(plan: str, config: Any) -> Sequence[JournalEntry]:
    from reconciler import wiring
    from reconciler.model.ids import PlanName

    return wiring.open_store(runtime.settings_for(config)).unresolved(PlanName(plan))


def _list(plan: str, step: str | None, config: Any, output: Output) -> None:
    from reconciler.apply.resume import ways_out

    entries = [entry for entry in _unresolved(plan, config) if step in (None, entry.step)]
    if output is Output.JSON:
        show_json([{**_facts(entry), "commands": list(ways_out(entry))} for entry in entries])
        return
    if not entries:
        show(f"Nothing is undecided in {plan}{f', step {step}' if step else ''}.")
    for entry in entries:
        show(
            f"{entry.step}, run {entry.run}, {entry.at:%Y-%m-%d %H:%M:%S} UTC",
            f"  {entry.verb.value} {entry.type}, account {entry.account}, {entry.region}",
            f"  {entry.error}",
            "  Look there, then say what is so:",
        )
        for command in ways_out(entry):
            out().print(f"    {command}", markup=False, highlight=False, soft_wrap=True)


def _facts(entry: JournalEntry) -> dict[str, Any]:
    return {
        "plan": entry.plan,
        "step": entry.step,
        "run": entry.run,
        "verb": entry.verb.value,
        "type": entry.type,
        "identifier": entry.identifier,
        "account": entry.account,
        "region": entry.region,
        "at": entry.at,
        "state": entry.state.value,
        "error": entry.error,
    }
