"""Options and arguments that commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """How results are written to standard output."""

    TABLE = "table"
    JSON = "json"


class ChangeOutput(StrEnum):
    """How a difference is written; ``markdown`` suits a pull request."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration; else RECONCILER_CONFIG, else reconciler.yaml."),
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="For people, or for programs.")]
ChangeOutputOption = Annotated[ChangeOutput, typer.Option("--output", "-o", help="For people, programs or a PR.")]
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="A plan's name.", show_default=False)]
PlansArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[PLAN]...", help="Plans by name; without any, all.", show_default=False)
]
