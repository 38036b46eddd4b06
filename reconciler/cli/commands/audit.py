"""audit: verify and export the audit trail. Only the store is opened, or a file with an export."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import runtime
from reconciler.cli.guard import FAILED
from reconciler.cli.options import ConfigOption
from reconciler.cli.terminal import complain
from reconciler.model.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from reconciler.model.audit import AuditEntry
    from reconciler.ports import Store
    from reconciler.store.chain import Break, Check

#: Entries read at a time.
_PAGE = 5000


def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="An export or an archived file; without one, the store.")
    ] = None,
    head: Annotated[
        str, typer.Option("--head", metavar="HASH", help="A head noted before: it must still be in the trail.")
    ] = "",
    since: Annotated[
        int, typer.Option("--since", min=1, metavar="SEQ", help="Begin here: older archives were taken away.")
    ] = 1,
    partial: Annotated[
        bool, typer.Option("--partial", help="FILE holds the entries of one plan: numbers may be missing.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Check that no entry of the audit trail was changed, removed or put in."""
    if file is None and partial:
        raise ConfigurationError("--partial is for a FILE; the store's trail has no gaps")
    if file is not None and since > 1:
        raise ConfigurationError("--since is for the store; a FILE is checked from its first entry on")
    check, broken = _check_file(file, head, partial) if file is not None else _check_store(config, head, since)
    if broken is not None:
        complain(f"Broken at entry {broken.seq}: {broken.reason}.")
        raise typer.Exit(FAILED)
    if head and not check.noted:
        complain("The head that was noted isn't in the trail: entries were removed or replaced.")
        raise typer.Exit(FAILED)
    _say(check)


def export(
    since: Annotated[int, typer.Option("--since", min=1, metavar="SEQ", help="Begin with this entry.")] = 1,
    plan: Annotated[str, typer.Option("--plan", metavar="PLAN", help="Only what is about this plan.")] = "",
    config: ConfigOption = None,
) -> None:
    """Write the audit trail to standard output, one JSON object a line."""
    from reconciler.store.chain import canonical, document

    with _Opened(config) as store:
        for entry in _entries(store, since - 1, store.audit_head()[0]):
            if not plan or entry.event.plan == plan:
                sys.stdout.write(canonical(document(entry)) + "\n")


class _Opened:
    """The store alone, closed again at the end."""

    def __init__(self, config: Path | None) -> None:
        from reconciler import wiring

        self._store = wiring.open_store(runtime.settings_for(config))

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_error: object) -> None:
        close = getattr(self._store, "close", None)
        if close is not None:
            close()


def _check_store(config: Path | None, noted: str, since: int) -> tuple[Check, Break | None]:
    from reconciler.store.chain import GENESIS, Break, Check

    with _Opened(config) as store:
        seq, newest = store.audit_head()
        check = Check(since - 1, GENESIS if since == 1 else None, noted=noted)
        broken = check.read(_entries(store, since - 1, seq))
    if broken is None and check.seq < seq:
        broken = Break(check.seq + 1, f"it is missing, and so is everything up to {seq}")
    elif broken is None and seq >= since and check.head != newest:
        broken = Break(seq, "it isn't the newest entry that was written")
    return check, broken


def _check_file(file: Path, noted: str, partial: bool) -> tuple[Check, Break | None]:
    from reconciler.store.archive import read_lines
    from reconciler.store.chain import Check

    check = Check(None, None, gaps=partial, noted=noted)
    broken = check.read(read_lines(file))
    if broken is None and not check.entries:
        raise StoreError(f"{file}: there is no audit entry in it")
    return check, broken


def _entries(store: Store, after: int, last: int) -> Iterator[AuditEntry]:
    """The store's entries up to ``last``; what is appended meanwhile is left for another time."""
    while after < last:
        page = store.audit_entries(after, min(_PAGE, last - after))
        yield from (entry for entry in page if entry.seq <= last)
        if not page:
            return
        after = max(entry.seq for entry in page)


def _say(check: Check) -> None:
    if not check.entries:
        sys.stdout.write("The audit trail is empty.\n")
        return
    many = f"{check.entries} entries" if check.entries != 1 else "1 entry"
    sys.stdout.write(f"{many}, from {check.first} to {check.seq}: none was changed, removed or put in.\n")
    if check.first > 1:
        sys.stdout.write(f"What came before {check.first} was not checked.\n")
    if check.gaps:
        sys.stdout.write("Links were checked only between entries that follow each other.\n")
    if check.noted:
        sys.stdout.write(f"The head noted before is entry {check.noted}.\n")
    sys.stdout.write(f"Head: {check.head}\n")


commands = (verify, export)
