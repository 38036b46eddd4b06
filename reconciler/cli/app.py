"""The Typer application: global options, and the commands by the order in which people meet them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import reconciler
from reconciler.cli import guard, runtime
from reconciler.cli.commands import (
    adopting,
    approvals,
    audit,
    configuration,
    daemon,
    iam,
    looking,
    passes,
    policy,
    rendering,
    rollback,
    settle,
)
from reconciler.cli.guard import guarded


class Group(TyperGroup):
    """A wrong command line exits with 1: for ``diff``, 2 already means that there are changes."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().make_context(*args, **kwargs)
        except typer.TyperException as error:
            error.exit_code = guard.FAILED
            raise

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().invoke(*args, **kwargs)
        except typer.TyperException as error:
            error.exit_code = guard.FAILED
            raise


app = typer.Typer(
    name="reconciler",
    cls=Group,
    help="Keeps AWS in the state that approved plans describe, under policy.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help would cost a third of its 0.4 seconds
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"reconciler {reconciler.__version__}\n")
        raise typer.Exit


@app.callback()
def main(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration file, for every command.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Keeps AWS in the state that approved plans describe, under policy."""
    guard.debugging = debug
    runtime.global_config = config


for command in (daemon.run, daemon.demo):
    app.command()(guarded(command))
app.command()(guarded(passes.validate))
app.command()(guarded(passes.diff))
app.command()(guarded(passes.apply))
app.command()(guarded(daemon.sync))
app.command()(guarded(approvals.approve))
app.command()(guarded(approvals.digest))
app.command()(guarded(looking.status))
app.command()(guarded(looking.history))
app.command()(guarded(looking.report))
app.command()(guarded(rollback.rollback))
app.command()(guarded(rendering.render))
app.command("import")(guarded(adopting.import_))
app.command()(guarded(settle.settle))
app.command()(guarded(iam.iam_policy))
_GROUPS: tuple[tuple[str, tuple[Callable[..., None], ...], str], ...] = (
    ("policy", policy.commands, "Test the Rego policies, and show what they allow."),
    ("config", configuration.commands, "Show the effective configuration."),
    ("audit", audit.commands, "Verify and export the audit trail."),
)
for name, group, text in _GROUPS:
    nested = typer.Typer(name=name, help=text, no_args_is_help=True, cls=Group, rich_markup_mode=None)
    for member in group:
        nested.command()(guarded(member))
    app.add_typer(nested)


def run() -> None:
    """Run the command line. ``--debug`` is understood anywhere in it."""
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--debug" in arguments[:end]:
        arguments = ["--debug", *(word for i, word in enumerate(arguments) if i >= end or word != "--debug")]
    try:
        app(args=arguments, prog_name="reconciler")
    finally:
        guard.flush()
