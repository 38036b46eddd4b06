"""The write-ahead journal and the approvals that passes use up, each with its entry in the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from reconciler.model.errors import StoreError
from reconciler.model.ids import LogicalId, PlanName, RunId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.report import RunReport
from reconciler.ports import Clock
from reconciler.store import tables
from reconciler.store.facts import approval_event, journal_event
from reconciler.store.part import Part
from reconciler.store.rules import SETTLED, completes

_JOURNAL = tables.journal.c
_IN_STATES = (
    select(_JOURNAL.body)
    .where(_JOURNAL.plan == bindparam("plan"), _JOURNAL.state.in_(bindparam("states", expanding=True)))
    .order_by(_JOURNAL.seq)
)
_LATER = tables.journal.alias().c
_NEWER = select(_LATER.seq).where(_LATER.plan == _JOURNAL.plan, _LATER.logical_id == _JOURNAL.logical_id)
_NEWEST_IN_STATES = _IN_STATES.where(~_NEWER.where(_LATER.seq > _JOURNAL.seq).exists())
_UNFINISHED = (JournalState.INTENT.value, JournalState.PENDING.value)


class Journals(Part):
    """Journal entries and used-up approvals."""

    _clock: Clock

    def write_journal(self, *entries: JournalEntry) -> None:
        rows = [
            {
                "run": entry.run,
                "step": entry.step,
                "plan": entry.plan,
                "logical_id": entry.logical_id,
                "state": entry.state.value,
                "body": self._db.encode(entry),
            }
            for entry in entries
        ]
        events = [event for entry in entries if (event := journal_event(entry)) is not None]
        with self._db.write() as connection:
            self._db.upsert(connection, tables.journal, ("run", "step"), *rows)
            self._trail.append(connection, *events)

    def unfinished(self, plan: PlanName) -> Sequence[JournalEntry]:
        return self._db.values(JournalEntry, _IN_STATES, plan=plan, states=_UNFINISHED)

    def unresolved(self, plan: PlanName) -> Sequence[JournalEntry]:
        return self._db.values(JournalEntry, _IN_STATES, plan=plan, states=[JournalState.UNDECIDABLE.value])

    def lost(self, plan: PlanName) -> Mapping[LogicalId, JournalEntry]:
        found = self._db.values(JournalEntry, _NEWEST_IN_STATES, plan=plan, states=[JournalState.LOST.value])
        return {entry.logical_id: entry for entry in found}

    def journal(self, run: RunId) -> Sequence[JournalEntry]:
        columns = tables.journal.c
        return self._db.values(JournalEntry, select(columns.body).where(columns.run == run).order_by(columns.seq))

    # approvals that a pass used up

    def consume_approval(self, digest: str, approval: str, scope: str, run: RunId) -> None:
        table = tables.consumed_approvals
        row = {"digest": digest, "approval": approval, "scope": scope, "run": run, "ended": False}
        key = (table.c.digest == digest, table.c.approval == approval, table.c.scope == scope)
        with self._db.write() as connection:
            used = connection.execute(select(table.c.run, table.c.ended).where(*key).with_for_update()).first()
            if used is not None and used.ended:
                raise StoreError(f"the approval {approval} ({scope}) was used up by the pass {used.run}; approve again")
            self._db.upsert(connection, table, ("digest", "approval", "scope"), row)
            plan, at = self._trail.plan_of(connection, run), self._clock.now()
            self._trail.append(connection, approval_event(plan, run, at, digest, approval, scope, "used up"))

    def release_approvals(self, run: RunId) -> None:
        table = tables.consumed_approvals
        mine = (table.c.run == run, table.c.ended.is_(False))
        with self._db.write() as connection:
            rows = connection.execute(select(table).where(*mine).order_by(table.c.approval, table.c.scope)).all()
            connection.execute(delete(table).where(*mine))
            plan, at = self._trail.plan_of(connection, run), self._clock.now()
            for row in rows:
                event = approval_event(plan, run, at, row.digest, row.approval, row.scope, "given back")
                self._trail.append(connection, event)

    def consumed_approvals(self, plan_digest: str) -> Collection[tuple[str, str]]:
        columns = tables.consumed_approvals.c
        query = select(columns.approval, columns.scope).where(columns.digest == plan_digest, columns.ended.is_(True))
        return {(approval, scope) for approval, scope in self._db.rows(query)}

    def _end_approvals(self, connection: Connection, report: RunReport) -> None:
        """From now on what the pass used up is gone; so is what a crashed one did whose work is complete."""
        columns = tables.consumed_approvals.c
        own = columns.run == report.run
        if completes(report) and report.context is not None:
            own |= columns.digest == report.context.digest
        connection.execute(update(tables.consumed_approvals).where(own).values(ended=True))

    def _forget_journals(self, connection: Connection, plan: PlanName, old: Collection[RunId]) -> None:
        """Drop the settled entries of forgotten runs, and older ones of runs that a crash left without a report."""
        journal = tables.journal.c
        last = connection.scalars(select(journal.seq).where(journal.run.in_(old)).order_by(journal.seq.desc())).first()
        if last is None:
            return
        kept = select(tables.runs.c.run).where(tables.runs.c.plan == plan, tables.runs.c.run.not_in(old))
        settled = delete(tables.journal).where(journal.plan == plan, journal.state.in_(SETTLED))
        connection.execute(settled.where(journal.seq <= last, journal.run.not_in(kept)))
