"""import: a plan out of what is in AWS already, which it adopts as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption
from reconciler.cli.terminal import note
from reconciler.model.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.adoption import Adoption, Asked
    from reconciler.adoption.document import Head
    from reconciler.model.ids import Identifier, Owner, TypeName
    from reconciler.model.plan import Target
    from reconciler.wiring import App

_NO_ACCOUNT = "000000000000"


_Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TYPE ID",
        help="A resource type and identifiers (or ARNs): AWS::EC2::VPC vpc-0abc",
        show_default=False,
    ),
]
_Tag = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="KEY=VALUE", help="What has this tag; repeated: all of these tags."),
]
_Stack = Annotated[str | None, typer.Option("--stack", metavar="NAME", help="The resources of a CloudFormation stack.")]
_Environment = Annotated[
    str | None, typer.Option("--environment", "-e", help="The plan's environment: sandbox, development …")
]
_Account = Annotated[
    str | None,
    typer.Option("--account", metavar="ACCOUNT", help="The account; else the one that the credentials belong to."),
]
_Region = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="The region; else AWS_REGION or AWS_DEFAULT_REGION."),
]
_Profile = Annotated[str | None, typer.Option("--profile", help="AWS profile, also for the plan.")]
_RoleArn = Annotated[str | None, typer.Option("--role-arn", help="Role to assume, also for the plan.")]
_ExternalId = Annotated[str | None, typer.Option("--external-id", help="Of that role.")]
_Name = Annotated[str | None, typer.Option("--name", metavar="PLAN", help="The plan's name.")]
_Author = Annotated[str | None, typer.Option("--author", help="The plan's author; else as Git knows you (user.email).")]
_File = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the plan there; else it is printed.")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite FILE.")]


def import_(
    words: _Words = None,
    tag: _Tag = None,
    stack: _Stack = None,
    environment: _Environment = None,
    account: _Account = None,
    region: _Region = None,
    profile: _Profile = None,
    role_arn: _RoleArn = None,
    external_id: _ExternalId = None,
    name: _Name = None,
    author: _Author = None,
    file: _File = None,
    force: _Force = False,
    config: ConfigOption = None,
) -> None:
    """Write a plan that adopts existing resources as they are; AWS is only read.

    Exits 0, or 1 without a plan. What can't be taken over, or not be read, is listed on standard error.
    """
    from reconciler.adoption.document import Head

    asked = _asked(words or [], tag or [], stack)
    if file is not None and file.exists() and not force:
        raise ConfigurationError(f"{file} exists: choose another --out, or --force to overwrite it")
    app = runtime.app_for(config)
    target = _target(app, environment, account, region or [], profile, role_arn, external_id)
    head = Head(_plan_name(name, asked), author or _author(), target, _origin(asked, target))
    _check(head)
    adoption = _adopted(app, asked, head)
    _write(adoption.text, file)
    for line in _told(adoption, asked, head, file):
        note(line)


# what was asked for


def _asked(words: Sequence[str], tags: Sequence[str], stack: str | None) -> Asked:
    from reconciler.adoption import Asked

    if sum((bool(words), bool(tags), stack is not None)) != 1:
        raise ConfigurationError(
            "say what to import: TYPE ID..., or --tag KEY=VALUE, or --stack NAME; one of the three"
        )
    if stack is not None:
        return Asked(stack=stack)
    if tags:
        wanted: dict[str, tuple[str, ...]] = {}
        for text in tags:
            key, equals, value = text.partition("=")
            if not key:
                raise ConfigurationError(f"--tag {text}: write it like team=web")
            wanted[key] = (*wanted.get(key, ()), *([value] if equals else ()))
        return Asked(tags=wanted)
    type_name, *identifiers = words
    if not identifiers:
        raise ConfigurationError(f"which {type_name}? Add identifiers or ARNs: reconciler import {type_name} ID...")
    return Asked(type=type_name, identifiers=tuple(identifiers))


def _target(
    app: App,
    environment: str | None,
    account: str | None,
    regions: Sequence[str],
    profile: str | None,
    role_arn: str | None,
    external_id: str | None,
) -> Target:
    """Where to look, which is where the plan applies."""
    from reconciler.model.plan import Target

    if environment is None:
        raise ConfigurationError("which environment is it? --environment sandbox, development, staging or production")
    if len({*regions}) > 1 or any("," in one for one in regions):
        raise ConfigurationError("a plan has one region: import once for each, into a plan of its own each")
    region = regions[0] if regions else os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ConfigurationError("which region? --region eu-central-1, say, or AWS_REGION")
    known = account or (role_arn.split(":")[4] if role_arn is not None and role_arn.count(":") >= 5 else None)
    target = Target(environment, known or _NO_ACCOUNT, region, profile, role_arn, external_id)
    if known:
        return target
    if profile is None and app.settings.aws.role_pattern:
        raise ConfigurationError("which account? --account 123456789012: aws.role_pattern names a role in every one")
    found = app.access.account(target)
    return Target(environment, found, region, profile, role_arn, external_id)


def _plan_name(name: str | None, asked: Asked) -> str:
    from reconciler.adoption.naming import plan_name

    if name is not None:
        return name
    if asked.stack:
        return plan_name(asked.stack.split("/")[1] if asked.stack.count("/") > 1 else asked.stack)
    if asked.tags is not None:
        return plan_name("imported", *(part for key, values in asked.tags.items() for part in (key, *values)))
    return plan_name("imported", asked.type.rpartition("::")[2], asked.identifiers[0].rpartition("/")[2])


def _author() -> str:
    """As Git knows the person. Raises ConfigurationError if it doesn't."""
    from reconciler.subprocesses import environment

    for variable in ("GIT_AUTHOR_EMAIL", "EMAIL"):
        if found := os.environ.get(variable, ""):
            return found
    try:
        answer = subprocess.run(
            ["git", "config", "--get", "user.email"],  # noqa: S607 - wherever the person's own Git is
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            env=environment(),
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        answer = ""
    if not answer:
        raise ConfigurationError("who writes the plan? --author you@example.com (or set Git's user.email)")
    return answer


def _origin(asked: Asked, target: Target) -> str:
    where = f"account {target.account}, {target.region}"
    if asked.stack:
        return f"the CloudFormation stack {asked.stack} ({where})"
    if asked.tags is not None:
        tags = ", ".join(f"{key}={'|'.join(values)}" if values else key for key, values in asked.tags.items())
        return f"what is tagged {tags} ({where})"
    return f"{len(asked.identifiers)} {asked.type} ({where})"


def _check(head: Head) -> None:
    """Raise ConfigurationError for what no plan may say, before AWS is asked."""
    from pydantic import ValidationError

    from reconciler.source.models import PlanMetadata, TargetShape

    target = head.target
    given: dict[str, Any] = {
        "environment": target.environment,
        "account": target.account,
        "region": target.region,
        "profile": target.profile,
        "roleArn": target.role_arn,
        "externalId": target.external_id,
    }
    try:
        TargetShape.model_validate(given)
        PlanMetadata.model_validate({"name": head.name, "author": head.author})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "target"
        raise ConfigurationError(f"{where} can't be used in a plan: {first['msg']}") from None


# what comes of it


def _adopted(app: App, asked: Asked, head: Head) -> Adoption:
    from reconciler.adoption import Search
    from reconciler.model.ids import Owner
    from reconciler.providers.registry import Registry

    scope = app.access.open(head.target, read_only=True, asked=True)

    def owners(type_name: TypeName, identifier: Identifier) -> Owner | None:
        record = app.store.owner_of(type_name, identifier, scope.account, scope.region)
        return None if record is None else Owner(record.plan, record.logical_id)

    return Search(scope, Registry(), owners, app.clock, app.settings.state_dir / "lint").adopt(asked, head)


def _write(text: str, file: Path | None) -> None:
    from reconciler.source.atomic import write_atomically

    if file is None:
        sys.stdout.write(text)
        return
    try:
        write_atomically(file, text.encode(), mode=0o644)
    except OSError as error:
        raise ConfigurationError(f"{file} can't be written: {error.strerror or error}") from None


def _told(adoption: Adoption, asked: Asked, head: Head, file: Path | None) -> list[str]:
    """What a person must know and do, on standard error."""
    from reconciler.cli.show.adoption import report

    return report(adoption, head, stack=asked.stack, tagged=asked.tags is not None, file=file)
