"""The Store port on a SQL database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from reconciler.model.ids import Identifier, LogicalId, PlanName, RequestId, RunId, TypeName
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.model.resource import Record
from reconciler.store import tables
from reconciler.store.database import Database
from reconciler.store.rules import KEEP_RECEIPTS, KEEP_RUNS, is_quiet, storable

_UNFINISHED = (JournalState.INTENT, JournalState.PENDING)
_SETTLED = (JournalState.DONE, JournalState.FAILED)


class SqlStore:
    """A Store in a SQL database.

    ``url``: a file path, ``sqlite:///PATH`` or ``postgresql://…``. The schema is brought up to date on opening.
    ``keep_runs``: reports kept per plan, counted apart for quiet runs and for those that did or found something.
    ``busy_timeout``: seconds to wait for another process that is writing.
    Raises StoreError if the store can't be opened, ConfigurationError if the URL is wrong or its driver missing.
    """

    def __init__(self, url: str | Path, *, keep_runs: int = KEEP_RUNS, busy_timeout: float = 5.0) -> None:
        self._keep_runs = max(1, keep_runs)
        self._db = Database(url, busy_timeout=busy_timeout)

    def close(self) -> None:
        """Close the connections; what was written is in the database file alone afterwards."""
        self._db.close()

    def ping(self) -> None:
        row = {"id": 1, "beats": 1}
        with self._db.write() as connection:
            beat = update(tables.heartbeat).values(beats=tables.heartbeat.c.beats + 1)
            if not connection.execute(beat).rowcount:
                self._db.upsert(connection, tables.heartbeat, row, ("id",))

    # what plans manage

    def records(self, plan: PlanName) -> Mapping[LogicalId, Record]:
        table = tables.records
        query = select(table.c.body).where(table.c.plan == plan).order_by(table.c.logical_id)
        return {record.logical_id: record for record in self._db.values(Record, query)}

    def owner_of(self, type_name: TypeName, identifier: Identifier, account: str, region: str) -> Record | None:
        columns = tables.records.c
        query = (
            select(columns.body)
            .where(columns.type == type_name, columns.identifier == identifier)
            .where(columns.account == account, columns.region == region)
            .order_by(columns.plan, columns.logical_id)
        )
        return self._db.first(Record, query)

    def save_record(self, record: Record) -> None:
        row = {
            "plan": record.plan,
            "logical_id": record.logical_id,
            "type": record.type,
            "identifier": record.identifier,
            "account": record.account,
            "region": record.region,
            "body": self._db.encode(record),
        }
        with self._db.write() as connection:
            self._db.upsert(connection, tables.records, row, ("plan", "logical_id"))

    def drop_record(self, plan: PlanName, logical_id: LogicalId) -> None:
        table = tables.records
        with self._db.write() as connection:
            connection.execute(delete(table).where(table.c.plan == plan, table.c.logical_id == logical_id))

    def recorded_plans(self) -> Collection[PlanName]:
        column = tables.records.c.plan
        with self._db.read() as connection:
            return [PlanName(name) for name in connection.scalars(select(column).distinct().order_by(column))]

    # the journal

    def write_journal(self, entry: JournalEntry) -> None:
        row = {
            "run": entry.run,
            "step": entry.step,
            "plan": entry.plan,
            "state": entry.state.value,
            "body": self._db.encode(entry),
        }
        with self._db.write() as connection:
            self._db.upsert(connection, tables.journal, row, ("run", "step"))

    def unfinished(self, plan: PlanName) -> Sequence[JournalEntry]:
        columns = tables.journal.c
        query = select(columns.body).where(columns.plan == plan, columns.state.in_(_UNFINISHED)).order_by(columns.seq)
        return self._db.values(JournalEntry, query)

    def journal(self, run: RunId) -> Sequence[JournalEntry]:
        columns = tables.journal.c
        return self._db.values(JournalEntry, select(columns.body).where(columns.run == run).order_by(columns.seq))

    # reports and status

    def save_run(self, report: RunReport) -> None:
        quiet = is_quiet(report)
        row = {"run": report.run, "plan": report.plan, "quiet": quiet, "body": self._db.pack(report)}
        with self._db.write() as connection:
            self._db.upsert(connection, tables.runs, row, ("run",))
            self._forget_old_runs(connection, report.plan, quiet)

    def run(self, run: RunId) -> RunReport | None:
        return self._db.first(RunReport, select(tables.runs.c.body).where(tables.runs.c.run == run))

    def history(self, plan: PlanName, limit: int = 50) -> Sequence[RunReport]:
        columns = tables.runs.c
        query = select(columns.body).where(columns.plan == plan).order_by(columns.seq.desc()).limit(max(0, limit))
        return self._db.values(RunReport, query)

    def save_status(self, status: PlanStatus) -> None:
        body = self._db.pack(status)
        with self._db.write() as connection:
            self._db.upsert(connection, tables.statuses, {"plan": status.plan, "body": body}, ("plan",))

    def status(self, plan: PlanName) -> PlanStatus | None:
        return self._db.first(PlanStatus, select(tables.statuses.c.body).where(tables.statuses.c.plan == plan))

    def statuses(self) -> Sequence[PlanStatus]:
        return self._db.values(PlanStatus, select(tables.statuses.c.body).order_by(tables.statuses.c.plan))

    def drop_status(self, plan: PlanName) -> None:
        with self._db.write() as connection:
            connection.execute(delete(tables.statuses).where(tables.statuses.c.plan == plan))

    # approvals that a pass used up

    def consume_approval(self, digest: str, approval: str, scope: str, run: RunId) -> None:
        row = {"digest": digest, "approval": approval, "scope": scope, "run": run}
        with self._db.write() as connection:
            self._db.insert_once(connection, tables.consumed_approvals, row)

    def consumed_approvals(self, plan_digest: str) -> Collection[tuple[str, str]]:
        columns = tables.consumed_approvals.c
        with self._db.read() as connection:
            rows = connection.execute(select(columns.approval, columns.scope).where(columns.digest == plan_digest))
            return {(approval, scope) for approval, scope in rows}

    # requests and their receipts

    def save_receipt(self, receipt: Receipt) -> None:
        columns = tables.receipts.c
        with self._db.write() as connection:
            self._db.upsert(connection, tables.receipts, {"id": receipt.id, "body": self._db.encode(receipt)}, ("id",))
            newest = select(columns.seq).order_by(columns.seq.desc()).limit(KEEP_RECEIPTS)
            connection.execute(delete(tables.receipts).where(columns.seq.not_in(newest)))

    def receipt(self, request: RequestId) -> Receipt | None:
        return self._db.first(Receipt, select(tables.receipts.c.body).where(tables.receipts.c.id == request))

    def receipts(self, limit: int = 20) -> Sequence[Receipt]:
        columns = tables.receipts.c
        return self._db.values(Receipt, select(columns.body).order_by(columns.seq.desc()).limit(max(0, limit)))

    # templates' outputs

    def save_exports(self, plan: PlanName, account: str, region: str, exports: Mapping[str, Any]) -> None:
        columns = tables.exports.c
        kept = {name: self._db.encode(value) for name, value in exports.items() if storable(value)}
        place = (columns.account == account, columns.region == region, columns.plan == plan)
        with self._db.read() as connection:
            rows = connection.execute(select(columns.name, columns.body).where(*place)).tuples()
            stored = dict(rows.all())
        if stored == kept:
            return
        with self._db.write() as connection:
            connection.execute(delete(tables.exports).where(*place, columns.name.not_in(kept)))
            for name, body in kept.items():
                row = {"account": account, "region": region, "name": name, "plan": plan, "body": body}
                self._db.upsert(connection, tables.exports, row, ("account", "region", "name", "plan"))

    def export(self, account: str, region: str, name: str) -> Any | None:
        columns = tables.exports.c
        query = (
            select(columns.body)
            .where(columns.account == account, columns.region == region, columns.name == name)
            .order_by(columns.seq)  # of two plans that export the same name, the first keeps it
        )
        with self._db.read() as connection:
            body = connection.scalars(query.limit(1)).first()
        return None if body is None else json.loads(body)

    def _forget_old_runs(self, connection: Connection, plan: PlanName, quiet: bool) -> None:
        """Drop the reports beyond the newest ``keep_runs`` and the settled part of their journals."""
        runs, journal = tables.runs.c, tables.journal.c
        newest = select(runs.seq).where(runs.plan == plan, runs.quiet == quiet).order_by(runs.seq.desc())
        old = connection.scalars(newest.offset(self._keep_runs)).all()
        if not old:
            return
        names = select(runs.run).where(runs.seq.in_(old))
        connection.execute(delete(tables.journal).where(journal.run.in_(names), journal.state.in_(_SETTLED)))
        connection.execute(delete(tables.runs).where(runs.seq.in_(old)))
