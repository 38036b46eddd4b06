"""approve, digest: bind a person's word to exactly one content of a plan."""

from __future__ import annotations

import base64
import binascii
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption, PlanArgument
from reconciler.cli.terminal import note, show, show_json
from reconciler.model.errors import ConfigurationError

if TYPE_CHECKING:
    from reconciler.settings import Settings

_SCOPE = "create,update,adopt"


def digest(plan: PlanArgument, config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show the digest of a plan's content, which is what an approval approves."""
    found = runtime.chosen(runtime.app_for(config).source.load(), [plan])[0]
    if output is Output.JSON:
        show_json({"plan": found.name, "digest": found.digest, "file": found.origin.file})
    else:
        show(found.digest)


def approve(
    plan: PlanArgument,
    key: Annotated[Path, typer.Option("--key", help="Your SSH private key.")] = Path("~/.ssh/id_ed25519"),
    approver: Annotated[
        str | None, typer.Option("--approver", help="You, as allowed_signers names you; else whose key it is there.")
    ] = None,
    expires: Annotated[str, typer.Option("--expires", help="How long it is valid (30d), or until when.")] = "30d",
    scope: Annotated[
        str, typer.Option("--scope", help="create, update, adopt, replace, delete, rollback; with commas.")
    ] = _SCOPE,
    ticket: Annotated[str, typer.Option("--ticket", help="The change ticket.")] = "",
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Approve the present content of a plan: writes a signed approval next to it."""
    from reconciler.source.approvals import write_approval

    settings = runtime.settings_for(config)
    if settings.source.git is not None:
        raise ConfigurationError("the source is a Git repository: approve in your own clone (source.path), and push")
    app = runtime.build(settings)
    found = runtime.chosen(app.source.load(), [plan])[0]
    now = app.clock.now()
    key = key.expanduser()
    file = write_approval(
        found,
        settings.source.path,
        key=key,
        approver=approver or _whose(key, settings),
        approved_at=now,
        expires_at=expiry(expires, now),
        scope=[item.strip() for item in scope.split(",") if item.strip()],
        ticket=ticket,
        passphrase=_passphrase(key),
    )
    objection = _objection(app.source.load().approvals.get(found.name, ()), file)
    if output is Output.JSON:
        show_json({"plan": found.name, "digest": found.digest, "file": str(file), "objection": objection})
    else:
        show(f"Approved {found.name} ({found.digest})", f"Written: {file}")
    if objection:
        note(f"It will not count: {objection}")
        raise typer.Exit(1)


def expiry(text: str, now: datetime) -> datetime:
    """A moment from a duration (``30d``) or an RFC 3339 time. Raises ConfigurationError."""
    from reconciler.durations import parse_duration

    try:
        return now + timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--expires {text}: write a duration like 30d or a time like {now:%FT%TZ}") from None
    if moment.tzinfo is None:
        raise ConfigurationError(f"--expires {text}: add the time zone, as in {text}Z")
    return moment


def _whose(key: Path, settings: Settings) -> str:
    """The person whose key it is, by the allowed_signers file."""
    from reconciler.source.signers import load_signers

    signers = load_signers(settings.allowed_signers)
    blob = _public_blob(key)
    names = {signer.principals for signer in signers.signers if blob and signer.key.blob == blob}
    if len(names) == 1 and not set("*?!,") & set(name := names.pop()):
        return name
    why = signers.problem or f"{settings.allowed_signers} doesn't name one person for {key}.pub"
    raise ConfigurationError(f"who approves? {why}; use --approver")


def _public_blob(key: Path) -> bytes:
    try:
        return base64.b64decode(Path(f"{key}.pub").read_text(encoding="utf-8").split()[1], validate=True)
    except (OSError, UnicodeDecodeError, IndexError, binascii.Error):
        return b""


def _passphrase(key: Path) -> str | None:
    """Asked for on a terminal only, and only if the key can't be read without one."""
    from reconciler.source.approvals import sign_approval

    try:
        sign_approval({"spec": {}}, key)
    except ConfigurationError as error:
        if "passphrase" not in str(error) or not sys.stdin.isatty():
            raise
        answer: str = typer.prompt(f"Passphrase of {key}", hide_input=True, err=True)
        return answer
    return None


def _objection(approvals: object, file: Path) -> str:
    for approval in approvals if isinstance(approvals, tuple) else ():
        if Path(approval.file).name == file.name:
            return "" if approval.verified else str(approval.reason)
    return "the source doesn't show it; is it ignored?"
