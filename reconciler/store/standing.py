"""What stands about a plan between passes: its lease, earlier contents, a rollback asked for, fights with others."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, bindparam, delete, select, update

from reconciler.model.contest import Contest
from reconciler.model.ids import PlanName
from reconciler.model.lease import LeaseRow
from reconciler.model.revision import Pin, Revision
from reconciler.store import tables
from reconciler.store.part import Part
from reconciler.store.rules import KEEP_REVISIONS

_PLAN: BindParameter[str] = bindparam("plan")
_LEASE = select(tables.leases.c.body).where(tables.leases.c.plan == _PLAN)
_LOCKED_LEASE = _LEASE.with_for_update()
_PIN = select(tables.pins.c.body).where(tables.pins.c.plan == _PLAN)
_CONTESTS = (
    select(tables.contests.c.body)
    .where(tables.contests.c.plan == _PLAN)
    .order_by(tables.contests.c.logical_id, tables.contests.c.path)
)


class Standing(Part):
    """Leases, revisions, pins and contests."""

    def lease(self, plan: PlanName) -> LeaseRow | None:
        return self._db.first(LeaseRow, _LEASE, plan=plan)

    def take_lease(self, row: LeaseRow, former: LeaseRow | None) -> bool:
        table = tables.leases
        values = {"plan": row.plan, "body": self._db.encode(row)}
        with self._db.write() as connection:
            if self._locked_lease(connection, row.plan) != former:
                return False
            if former is None:
                # Where transactions run side by side, another one may have inserted since the look.
                return self._db.insert_once(connection, table, values)
            connection.execute(update(table).where(table.c.plan == row.plan).values(values))
            return True

    def drop_lease(self, row: LeaseRow) -> None:
        table = tables.leases
        with self._db.write() as connection:
            stored = self._locked_lease(connection, row.plan)
            if stored is not None and stored.holder == row.holder:
                connection.execute(delete(table).where(table.c.plan == row.plan))

    def save_revision(self, revision: Revision) -> None:
        table, plan = tables.revisions, revision.plan
        row = {"plan": plan, "number": revision.number, "body": self._db.pack(revision)}
        newest = select(table.c.number).where(table.c.plan == plan).order_by(table.c.number.desc())
        pinned = select(tables.pins.c.revision).where(tables.pins.c.plan == plan)
        with self._db.write() as connection:
            self._db.upsert(connection, table, ("plan", "number"), row)
            old = delete(table).where(table.c.plan == plan, table.c.number.not_in(newest.limit(KEEP_REVISIONS)))
            connection.execute(old.where(table.c.number.not_in(pinned)))

    def revisions(self, plan: PlanName) -> Sequence[Revision]:
        columns = tables.revisions.c
        query = select(columns.body).where(columns.plan == plan).order_by(columns.number.desc())
        return self._db.values(Revision, query)

    def save_pin(self, pin: Pin) -> None:
        row = {"plan": pin.plan, "revision": pin.revision, "body": self._db.encode(pin)}
        with self._db.write() as connection:
            self._db.upsert(connection, tables.pins, ("plan",), row)

    def pin(self, plan: PlanName) -> Pin | None:
        return self._db.first(Pin, _PIN, plan=plan)

    def drop_pin(self, plan: PlanName) -> None:
        with self._db.write() as connection:
            connection.execute(delete(tables.pins).where(tables.pins.c.plan == plan))

    def save_contest(self, contest: Contest) -> None:
        row = {
            "plan": contest.plan,
            "logical_id": contest.logical_id,
            "path": contest.path,
            "body": self._db.encode(contest),
        }
        with self._db.write() as connection:
            self._db.upsert(connection, tables.contests, ("plan", "logical_id", "path"), row)

    def contests(self, plan: PlanName) -> Sequence[Contest]:
        return self._db.values(Contest, _CONTESTS, plan=plan)

    def drop_contest(self, contest: Contest) -> None:
        columns = tables.contests.c
        key = (columns.plan == contest.plan, columns.logical_id == contest.logical_id, columns.path == contest.path)
        with self._db.write() as connection:
            connection.execute(delete(tables.contests).where(*key))

    def _locked_lease(self, connection: Connection, plan: PlanName) -> LeaseRow | None:
        """The stored lease; nobody else changes it until the transaction ends."""
        body = connection.scalars(_LOCKED_LEASE, {"plan": plan}).first()
        return None if body is None else self._db.decode(LeaseRow, body)
