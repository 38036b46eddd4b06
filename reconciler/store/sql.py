"""The Store port on a SQL database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, select, update

from reconciler.clock import SystemClock
from reconciler.model.audit import AuditEntry, AuditEvent
from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.ports import Clock
from reconciler.store import tables
from reconciler.store.database import Database
from reconciler.store.journals import Journals
from reconciler.store.managed import Managed
from reconciler.store.rules import KEEP_AUDIT, KEEP_RECEIPTS, KEEP_RUNS, is_quiet
from reconciler.store.standing import Standing
from reconciler.store.trail import Trail

_STATUS = select(tables.statuses.c.body).where(tables.statuses.c.plan == bindparam("plan"))
_RECEIPT = select(tables.receipts.c.body).where(tables.receipts.c.id == bindparam("request"))
_RUNS = tables.runs.c
#: The runs of a plan beyond the newest ones that are kept.
_OLD_RUNS = (
    select(_RUNS.run)
    .where(_RUNS.plan == bindparam("plan"), _RUNS.quiet == bindparam("quiet"))
    .order_by(_RUNS.seq.desc())
    .offset(bindparam("kept"))
)


class SqlStore(Managed, Journals, Standing):
    """A Store in a SQL database.

    ``url``: a file path, ``sqlite:///PATH`` or ``postgresql://…``. The schema is brought up to date on opening.
    ``keep_runs``: reports kept per plan, counted apart for quiet runs and for those that did or found something.
    ``busy_timeout``: seconds to wait for another process that is writing. ``keep_audit``: entries of the audit trail
    kept in an SQLite file; older ones go to files beside it. ``clock``: for times in the trail that no event carries.
    Raises StoreError if the store can't be opened, ConfigurationError if the URL is wrong or its driver missing.
    """

    def __init__(
        self,
        url: str | Path,
        *,
        keep_runs: int = KEEP_RUNS,
        busy_timeout: float = 5.0,
        keep_audit: int = KEEP_AUDIT,
        clock: Clock | None = None,
    ) -> None:
        self._keep_runs = max(1, keep_runs)
        self._clock = clock or SystemClock()
        self._db = Database(url, busy_timeout=busy_timeout)
        self._decoded: dict[PlanName, tuple[bytes | str, PlanStatus]] = {}
        self._trail = Trail(self._db, keep=keep_audit)

    def close(self) -> None:
        """Close the connections; what was written is in the database file alone afterwards."""
        self._db.close()

    def ping(self) -> None:
        row = {"id": 1, "beats": 1}
        with self._db.write() as connection:
            for table in tables.metadata.sorted_tables:  # a damaged file may be whole in some of them
                connection.execute(select(table).limit(1))
            beat = update(tables.heartbeat).values(beats=tables.heartbeat.c.beats + 1)
            if not connection.execute(beat).rowcount:
                self._db.upsert(connection, tables.heartbeat, ("id",), row)

    # the audit trail

    def audit(self, event: AuditEvent) -> None:
        with self._db.write() as connection:
            self._trail.append(connection, event)

    def audit_entries(self, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        return self._trail.entries(after, limit)

    def audit_head(self) -> tuple[int, str]:
        return self._trail.head()

    def last_audited(self, plan: PlanName, kind: str) -> AuditEntry | None:
        return self._trail.last(plan, kind)

    # reports and status

    def save_run(self, report: RunReport) -> None:
        quiet = is_quiet(report)
        row = {"run": report.run, "plan": report.plan, "quiet": quiet, "body": self._db.pack(report)}
        try:
            with self._db.write() as connection:
                self._db.upsert(connection, tables.runs, ("run",), row)
                self._end_approvals(connection, report)
                self._forget_old_runs(connection, report.plan, quiet)
        except StoreError:
            # Without a report, too, an approval must not be good for another pass.
            with self._db.write() as connection:
                self._end_approvals(connection, report)
            raise
        self._trail.tidy()

    def run(self, run: RunId) -> RunReport | None:
        return self._db.first(RunReport, select(tables.runs.c.body).where(tables.runs.c.run == run))

    def history(self, plan: PlanName, limit: int = 50) -> Sequence[RunReport]:
        columns = tables.runs.c
        query = select(columns.body).where(columns.plan == plan).order_by(columns.seq.desc()).limit(max(0, limit))
        return self._db.values(RunReport, query)

    def save_status(self, status: PlanStatus) -> None:
        body = self._db.pack(status)
        with self._db.write() as connection:
            self._db.upsert(connection, tables.statuses, ("plan",), {"plan": status.plan, "body": body})

    def status(self, plan: PlanName) -> PlanStatus | None:
        body = next((body for (body,) in self._db.rows(_STATUS, plan=plan)), None)
        if body is None:
            return None
        known = self._decoded.get(plan)  # a pass asks several times, and it names every resource
        if known is None or known[0] != body:
            known = self._decoded[plan] = (body, self._db.decode(PlanStatus, body))
        return known[1]

    def statuses(self) -> Sequence[PlanStatus]:
        return self._db.values(PlanStatus, select(tables.statuses.c.body).order_by(tables.statuses.c.plan))

    def drop_status(self, plan: PlanName) -> None:
        self._decoded.pop(plan, None)
        with self._db.write() as connection:
            connection.execute(delete(tables.statuses).where(tables.statuses.c.plan == plan))

    # requests and their receipts

    def save_receipt(self, receipt: Receipt) -> None:
        columns = tables.receipts.c
        with self._db.write() as connection:
            self._db.upsert(connection, tables.receipts, ("id",), {"id": receipt.id, "body": self._db.encode(receipt)})
            newest = select(columns.seq).order_by(columns.seq.desc()).limit(KEEP_RECEIPTS)
            connection.execute(delete(tables.receipts).where(columns.seq.not_in(newest)))

    def receipt(self, request: RequestId) -> Receipt | None:
        return self._db.first(Receipt, _RECEIPT, request=request)

    def receipts(self, limit: int = 20) -> Sequence[Receipt]:
        columns = tables.receipts.c
        return self._db.values(Receipt, select(columns.body).order_by(columns.seq.desc()).limit(max(0, limit)))

    def _forget_old_runs(self, connection: Connection, plan: PlanName, quiet: bool) -> None:
        """Drop the reports beyond the newest ``keep_runs`` and the settled part of their journals."""
        beyond = {"plan": plan, "quiet": quiet, "kept": self._keep_runs}
        old = [RunId(run) for run in connection.scalars(_OLD_RUNS, beyond)]
        if not old:
            return
        self._forget_journals(connection, plan, old)
        connection.execute(delete(tables.runs).where(_RUNS.run.in_(old)))
