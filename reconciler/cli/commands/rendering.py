"""render: a plan as the files that the pipeline would put into a repository."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, PlanArgument
from reconciler.cli.terminal import note
from reconciler.model.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.change import ChangeSet
    from reconciler.model.plan import Plan, Snapshot
    from reconciler.pipeline.files import RenderedFile
    from reconciler.wiring import App


class Format(StrEnum):
    """What a plan is written as."""

    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"
    CDK = "cdk"


class Language(StrEnum):
    """What a CDK app is written in."""

    TYPESCRIPT = "typescript"
    PYTHON = "python"


class Provider(StrEnum):
    """What Terraform resources are written with where there is a choice."""

    AWSCC = "awscc"
    AWS = "aws"


def render(
    name: PlanArgument,
    config: ConfigOption = None,
    format_name: Annotated[
        Format | None, typer.Option("--format", "-f", help="Else the plan's, else the configuration's.")
    ] = None,
    language: Annotated[Language | None, typer.Option("--language", help="Of a CDK app.")] = None,
    provider: Annotated[Provider | None, typer.Option("--provider", help="Of Terraform resources.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the files there; else they are printed.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Without looking at AWS: nothing is known to exist already.")
    ] = False,
) -> None:
    """Write a plan as Terraform, CloudFormation or a CDK app. Exits 0, or 1 if that can't be done."""
    from reconciler.model.plan import Delivery
    from reconciler.pipeline import render as rendered

    app = runtime.app_for(config)
    snapshot = app.source.load()
    (plan,) = runtime.chosen(snapshot, [name])
    wanted = plan.pipeline or runtime.settings_for(config).pipeline
    if plan.delivery is not Delivery.RESOURCES:
        raise ConfigurationError(f"plan {plan.name} is a {plan.delivery} already: there is nothing to render")
    changes = _unseen(plan) if offline else _seen(app, plan, snapshot)
    files = rendered(
        changes,
        format_name or wanted.format,
        language or wanted.language,
        provider=provider or wanted.provider,
    )
    if out is None:
        for file in files:
            sys.stdout.write(f"==> {file.path} <==\n{file.content}\n")
        return
    _write(files, out)
    note(f"{len(files)} files of {plan.name} are in {out}")


def _seen(app: App, plan: Plan, snapshot: Snapshot) -> ChangeSet:
    """What a pass would do; existing resources are known."""
    preview = app.cycle.preview(plan, snapshot.approvals.get(plan.name, ()))
    if preview.changes is None:
        note("With --offline the plan is rendered without looking at AWS")
        raise preview.error or ConfigurationError(f"plan {plan.name} isn't looked at: see reconciler diff {plan.name}")
    return preview.changes


def _unseen(plan: Plan) -> ChangeSet:
    """The plan as if nothing of it existed."""
    from reconciler.live import with_ownership
    from reconciler.model.change import ChangeSet

    return ChangeSet(with_ownership(plan))


def _write(files: Sequence[RenderedFile], directory: Path) -> None:
    """Write the files. Raises ConfigurationError, and writes none, if one would replace a file with other content."""
    for file in files:
        place = directory / file.path
        if place.exists() and place.read_bytes() != file.content.encode():
            raise ConfigurationError(f"{place} exists and is different: remove it, or choose another --out")
    for file in files:
        place = directory / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file.content, encoding="utf-8")
