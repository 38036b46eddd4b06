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
    from reconciler.daemon.app import PreviewLike
    from reconciler.model.change import ChangeSet
    from reconciler.model.plan import Plan, Snapshot
    from reconciler.settings import Settings
    from reconciler.wiring import App

_SCOPE = "create,update,adopt"


def digest(plan: PlanArgument, config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show the digest of a plan's content, which is what an approval approves."""
    found = runtime.chosen(runtime.app_for(config).source.load(), [plan])[0]
    if output is Output.JSON:
        show_json({"plan": found.name, "digest": found.digest, "file": found.origin.file})
    else:
        show(found.digest)


_Key = Annotated[Path, typer.Option("--key", help="Your SSH private key.")]
_Approver = Annotated[
    str | None, typer.Option("--approver", help="You, as allowed_signers names you; else whose key it is there.")
]
_Expires = Annotated[str, typer.Option("--expires", help="How long it is valid (30d), or until when.")]
_Scope = Annotated[
    str | None,
    typer.Option(
        "--scope",
        help="create, update, adopt, replace, delete, rollback; with commas. Default: the first three, "
        "with --change the actions of that change.",
    ),
]
_Ticket = Annotated[str, typer.Option("--ticket", help="The change ticket.")]
_Change = Annotated[
    bool,
    typer.Option("--change", help="Show what a pass would change now, and approve exactly that and nothing else."),
]


def approve(
    plan: PlanArgument,
    key: _Key = Path("~/.ssh/id_ed25519"),
    approver: _Approver = None,
    expires: _Expires = "30d",
    scope: _Scope = None,
    ticket: _Ticket = "",
    change: _Change = False,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Approve the present content of a plan: writes a signed approval next to it."""
    from reconciler.source.approvals import write_approval

    settings = runtime.settings_for(config)
    if settings.source.git is not None:
        raise ConfigurationError("the source is a Git repository: approve in your own clone (source.path), and push")
    app = runtime.build(settings)
    snapshot = app.source.load()
    found = runtime.chosen(snapshot, [plan])[0]
    changes = _looked_at(app, found, snapshot, output) if change else None
    now = app.clock.now()
    key = key.expanduser()
    file = write_approval(
        found,
        settings.source.path,
        key=key,
        approver=approver or _whose(key, settings),
        approved_at=now,
        expires_at=expiry(expires, now),
        scope=_scopes(scope, changes),
        ticket=ticket,
        passphrase=_passphrase(key),
        change=changes.digest if changes else None,
    )
    objection = _objection(app.source.load().approvals.get(found.name, ()), file)
    if output is Output.JSON:
        exactly = {"change": changes.digest, "changes": list(changes.changes)} if changes else {}
        show_json({"plan": found.name, "digest": found.digest, **exactly, "file": str(file), "objection": objection})
    else:
        what = "Approved exactly this change of" if changes else "Approved"
        show(f"{what} {found.name} ({found.digest})", f"Written: {file}")
    if objection:
        note(f"It will not count: {objection}")
        raise typer.Exit(1)


def _looked_at(app: App, plan: Plan, snapshot: Snapshot, output: Output) -> ChangeSet:
    """What a pass would change now, shown and, on a terminal, agreed to. Raises ReconcilerError if that can't be."""
    from reconciler.cli.show.approval import exact_change

    preview = app.cycle.preview(plan, snapshot.approvals.get(plan.name, ()))
    changes = _approvable(plan, preview)
    if output is Output.JSON:
        return changes
    assert preview.decision is not None
    show(exact_change(changes, preview.decision), "")
    if sys.stdin.isatty() and not typer.confirm("Approve exactly this change?", err=True):
        raise ConfigurationError("nothing was approved")
    return changes


def _approvable(plan: Plan, preview: PreviewLike) -> ChangeSet:
    """The change set of a preview. Raises ReconcilerError if an approval of it would mean nothing."""
    from reconciler.model.decision import Mode
    from reconciler.status.outcome import next_steps

    if preview.error is not None:
        raise preview.error
    changes, decision = preview.changes, preview.decision
    if decision is not None and decision.mode is Mode.DENY:
        raise ConfigurationError(f"{plan.name} is denied, which no approval changes: {next_steps(decision)}")
    if changes is None or decision is None:
        raise ConfigurationError(f"{plan.name} is suspended: there is nothing to approve")
    if not changes.changes:
        raise ConfigurationError(f"{plan.name} has nothing to change now: there is nothing to approve")
    if decision.mode is Mode.PIPELINE:
        raise ConfigurationError(f"{plan.name} goes to a Git branch: what it changes is reviewed and approved there")
    return changes


def _scopes(given: str | None, changes: ChangeSet | None) -> list[str]:
    from reconciler.review import needed_scopes

    if given is None and changes is not None:
        return sorted(needed_scopes(changes))
    return [item.strip() for item in (_SCOPE if given is None else given).split(",") if item.strip()]


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
