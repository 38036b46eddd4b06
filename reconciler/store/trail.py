"""The audit trail in the database: appended to inside the transaction of what it records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import Connection, Row, RowMapping, delete, insert, select, update

from reconciler.model.audit import AuditEntry, AuditEvent
from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName, RunId
from reconciler.store import tables
from reconciler.store.archive import Archive
from reconciler.store.chain import Check, canonical, chained, document, entry_of
from reconciler.store.database import Database

log = structlog.get_logger(__name__)

_COLUMNS = tables.audit.c
_HEAD, _ADVANCE, _APPEND = (
    select(tables.audit_head).with_for_update(),
    update(tables.audit_head),
    insert(tables.audit),
)


class Trail:
    """The chain. Thread-safe; appends of all threads and processes are one after the other."""

    def __init__(self, database: Database, *, keep: int) -> None:
        """``keep``: entries that stay in the table when older ones are archived, where there is a place for them."""
        self._db, self._keep, self._batch = database, keep, max(1, keep // 10)
        self._archive = Archive(database.beside("audit")) if database.file else None
        #: Appended here since the last look at whether there are too many; a new process looks at once.
        self._unseen = self._batch

    def append(self, connection: Connection, *events: AuditEvent) -> None:
        """Append within a writing transaction: if either fails, neither happened. Raises StoreError."""
        if not events:
            return
        # SQLite's transaction is the only one that writes; elsewhere the row's lock makes the next one wait.
        last = self._locked_head(connection)
        number, newest = last.seq, last.hash
        for event in events:  # one by one: the database itself sees to it that each follows the newest
            try:
                entry = chained(event, number + 1, newest)
            except ValueError as error:
                raise StoreError(f"{self._db}: {error}") from error
            number, newest, row = entry.seq, entry.hash, document(entry)
            connection.execute(_APPEND, {**row, "facts": canonical(row["facts"])})
            connection.execute(_ADVANCE, {"seq": number, "hash": newest})
        self._unseen += len(events)

    def entries(self, after: int, limit: int) -> Sequence[AuditEntry]:
        """What the archive and the table hold after a number, oldest first."""
        query = select(tables.audit).where(_COLUMNS.seq > after).order_by(_COLUMNS.seq).limit(max(0, limit))
        with self._db.read() as connection:
            head = connection.execute(select(tables.audit_head)).one()
            rows = connection.execute(query).mappings().all()
        old: list[AuditEntry] = []
        if self._archive is not None and after < head.archived_seq:
            found = self._archive.entries(after, head.archived_seq, head.archived_hash)
            old = list(islice(found, max(0, limit)))
        return [*old, *(self._entry(row) for row in rows[: max(0, limit) - len(old)])]

    def tidy(self) -> None:
        """Move the oldest entries to the archive once there are too many. What fails is tried again another time."""
        if self._archive is None or self._unseen < self._batch:
            return
        try:
            with self._db.read() as connection:
                head = connection.execute(select(tables.audit_head)).one()
            if head.seq - head.archived_seq >= self._keep + self._batch:
                self._move(self._archive, head)
            else:
                self._unseen = 0
        except StoreError as error:
            log.warning("audit trail not archived", error=str(error), consequence="tried again after the next pass")

    def _move(self, archive: Archive, head: Row[Any]) -> None:
        entries, check = self.entries(head.archived_seq, self._batch), Check(head.archived_seq, head.archived_hash)
        broken = check.read(entries)
        if broken is not None:
            raise StoreError(f"{self._db}: the audit trail is broken at {broken.seq}: {broken.reason}")
        archive.write(entries)
        with self._db.write() as connection:
            if self._locked_head(connection).archived_seq != head.archived_seq:
                return  # another process has done it
            moved = {"archived_seq": check.seq, "archived_hash": check.head}
            connection.execute(update(tables.audit_head).values(moved))
            connection.execute(delete(tables.audit).where(_COLUMNS.seq <= check.seq))

    def last(self, plan: PlanName, kind: str) -> AuditEntry | None:
        """The newest entry of a kind about a plan that the table holds."""
        query = select(tables.audit).where(_COLUMNS.plan == plan, _COLUMNS.kind == kind).order_by(_COLUMNS.seq.desc())
        with self._db.read() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return self._entry(row) if row is not None else None

    def head(self) -> tuple[int, str]:
        """The number and hash of the newest entry, as appends remember them."""
        with self._db.read() as connection:
            row = connection.execute(select(tables.audit_head.c.seq, tables.audit_head.c.hash)).one()
        return row.seq, row.hash

    def plan_of(self, connection: Connection, run: RunId) -> PlanName:
        """The plan that a run is about, by what the trail says of it; empty if it says nothing."""
        query = select(_COLUMNS.plan).where(_COLUMNS.run == run).order_by(_COLUMNS.seq.desc()).limit(1)
        return PlanName(connection.scalars(query).first() or "")

    def _locked_head(self, connection: Connection) -> Row[Any]:
        """The head; no other transaction appends or archives until this one ends."""
        row = connection.execute(_HEAD).one_or_none()
        if row is None:
            raise StoreError(f"{self._db}: the head of the audit trail is gone; the database was edited")
        return row

    def _entry(self, row: RowMapping) -> AuditEntry:
        try:
            return entry_of({**row, "facts": json.loads(row["facts"])})
        except ValueError as error:
            raise StoreError(
                f"{self._db}: the audit entry {row['seq']} can't be read ({error}); the database was edited"
            ) from error
