"""rollback: return to an earlier revision of a plan, under an approval of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.cli import runtime
from reconciler.cli.commands.passes import DENIED, WAITING, apply_code, make_passes
from reconciler.cli.guard import FAILED
from reconciler.cli.options import ConfigOption, Output, OutputOption, PlanArgument
from reconciler.cli.terminal import note, show, show_json
from reconciler.model.errors import ConfigurationError

if TYPE_CHECKING:
    from reconciler.cli.progress import Progress
    from reconciler.daemon.app import PreviewLike
    from reconciler.model.plan import Plan, Snapshot
    from reconciler.model.report import RunReport
    from reconciler.model.revision import Pin, Revision
    from reconciler.wiring import App


def rollback(
    plan: PlanArgument,
    to: Annotated[
        int | None, typer.Option("--to", min=1, metavar="N", help="The revision; else the one before the file's.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show the revisions that are kept, and do nothing.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give up a rollback: the file is in force again.")] = False,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Return to an earlier revision of a plan: shows the change, and makes it once it is approved.

    It stays in force until the plan's file is edited. Exits 0: done, 1: failed, 3: denied, 4: waiting for approval.
    """
    from reconciler.cli.progress import progress

    if listed + cancel + (to is not None) > 1:
        raise ConfigurationError("--list, --cancel and --to exclude each other")
    with progress(quiet=output is Output.JSON) as display:
        app = runtime.app_for(config, display)
        snapshot = app.source.load()
        found = runtime.chosen(snapshot, [plan])[0]
        if listed:
            _list(app, found, output)
        elif cancel:
            _cancel(app, found, output)
        else:
            code = _Rollback(app, found, snapshot, display, output).to(to)
            raise typer.Exit(code)


def _list(app: App, plan: Plan, output: Output) -> None:
    from reconciler.cli.show.revisions import listing, marks

    revisions, pin = app.store.revisions(plan.name), app.store.pin(plan.name)
    if output is Output.TABLE:
        show(listing(plan, revisions, pin))
        return
    shown = [
        {
            "number": each.number,
            "digest": each.digest,
            "at": each.at,
            "run": each.run,
            "marks": marks(plan, revisions, pin, each),
        }
        for each in revisions
    ]
    show_json({"plan": plan.name, "digest": plan.digest, "revisions": shown})


def _cancel(app: App, plan: Plan, output: Output) -> None:
    pin = app.revisions.release(plan, "cancelled")
    if pin is None:
        raise ConfigurationError(f"no rollback of {plan.name} is in force or asked for")
    if output is Output.JSON:
        show_json({"plan": plan.name, "revision": pin.revision, "cancelled": True})
    else:
        show(f"The rollback of {plan.name} to revision {pin.revision} is given up: its file is in force again.")


class _Rollback:
    """One rollback of a plan."""

    def __init__(self, app: App, plan: Plan, snapshot: Snapshot, display: Progress, output: Output) -> None:
        self._app, self._plan, self._snapshot = app, plan, snapshot
        self._display, self._quiet = display, output is Output.JSON
        pin = app.store.pin(plan.name)
        self._pin = pin if pin is not None and pin.digest == plan.digest else None
        self._revisions = app.store.revisions(plan.name)

    def to(self, number: int | None) -> int:
        """Show what it takes, ask for it, make a pass; the exit code. Raises ReconcilerError: nothing was asked for."""
        plan = self._plan
        if plan.absent or plan.suspend:
            what = "is to be absent" if plan.absent else "is suspended"
            raise ConfigurationError(f"{plan.name} {what}, and its file has the last word: edit it first")
        number = default_revision(plan, self._revisions, self._pin) if number is None else number
        wanted = self._app.revisions.at(plan, number)
        if self._is_the_file(number):
            return self._nothing(number, f"revision {number} is what the file of {plan.name} says")
        preview = self._app.cycle.preview(wanted, self._snapshot.approvals.get(plan.name, ()))
        if preview.error is not None:
            raise preview.error
        if self._there(number, preview):
            return self._nothing(number, f"{plan.name} is at revision {number} already")
        self._show(preview)
        if _denied(preview):
            self._say(f"Denied: nothing was asked for; {plan.name} stays as it is.")
            self._json(number, preview, ())
            return DENIED
        if self._pin is None or self._pin.revision != number:
            self._app.revisions.pin(plan, number)
        return self._made(number, preview)

    def _made(self, number: int, preview: PreviewLike) -> int:
        """Make the pass. One that only waits has nothing to tell that wasn't just shown."""
        from reconciler.cli.progress import progress
        from reconciler.cli.show.revisions import waiting
        from reconciler.daemon.signals import SignalPump

        reports: list[RunReport] = []
        stop = runtime.Stop(self._app.cycle)
        with SignalPump(stop.receive), progress(quiet=True) as silent:
            make_passes(self._app, [self._plan], self._snapshot, stop, reports, silent)
        code = apply_code(reports) if reports else FAILED
        if code == WAITING and not self._quiet:
            show(waiting(self._plan, number))
        else:
            for report in reports:
                self._display.outcome(report)
        self._json(number, preview, reports)
        return code

    def _is_the_file(self, number: int) -> bool:
        """Whether there is nothing to return from: the file has this very content, and no rollback is in force."""
        same = any(each.number == number and each.digest == self._plan.digest for each in self._revisions)
        if same and self._pin is not None:
            raise ConfigurationError(
                f"revision {number} is what the file says: `reconciler rollback {self._plan.name} --cancel`"
            )
        return same

    def _there(self, number: int, preview: PreviewLike) -> bool:
        pinned = self._pin is not None and self._pin.revision == number and self._pin.reached
        return pinned and preview.changes is not None and preview.changes.empty

    def _nothing(self, number: int, why: str) -> int:
        self._say(f"Nothing to do: {why}.")
        if self._quiet:
            show_json({"plan": self._plan.name, "revision": number, "message": why, "runs": []})
        return 0

    def _show(self, preview: PreviewLike) -> None:
        from reconciler.cli.show.approval import exact_change

        if not self._quiet and preview.changes is not None and preview.decision is not None:
            show(exact_change(preview.changes, preview.decision), "")

    def _say(self, text: str) -> None:
        if not self._quiet:
            note(text)

    def _json(self, number: int, preview: PreviewLike, reports: Sequence[RunReport]) -> None:
        if not self._quiet:
            return
        changes = preview.changes
        document: dict[str, Any] = {
            "plan": self._plan.name,
            "digest": self._plan.digest,
            "revision": number,
            "changes": list(changes.changes) if changes else [],
            "change_digest": changes.digest if changes else "",
            "decision": preview.decision,
            "runs": list(reports),
        }
        show_json(document)


def default_revision(plan: Plan, revisions: Sequence[Revision], pin: Pin | None) -> int:
    """The one that a rollback was asked for; else the newest before the file's; else, if that never was, the newest.

    ``revisions``: newest first. ``pin``: of this content of the plan. Raises ConfigurationError if there is none.
    """
    if pin is not None:
        return pin.revision
    current = next((each.number for each in revisions if each.digest == plan.digest), None)
    earlier = [each.number for each in revisions if current is None or each.number < current]
    if not earlier:
        why = "its file's content is the first that was in sync" if revisions else "it has never been in sync"
        raise ConfigurationError(f"{plan.name} has no earlier revision to return to: {why}")
    return earlier[0]


def _denied(preview: PreviewLike) -> bool:
    from reconciler.model.decision import Mode

    return preview.decision is not None and preview.decision.mode is Mode.DENY
