"""A Store in memory, held to the same contract as the one on disk."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from reconciler.model.audit import AuditEntry, AuditEvent
from reconciler.model.codec import masked
from reconciler.model.contest import Contest
from reconciler.model.errors import StoreError
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, RequestId, RunId, StepId, TypeName
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.lease import LeaseRow
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.model.resource import Record
from reconciler.model.revision import Pin, Revision
from reconciler.store.chain import GENESIS, chained
from reconciler.store.facts import approval_event, journal_event
from reconciler.store.rules import KEEP_REVISIONS, SETTLED, completes, is_quiet, storable
from reconciler.testing.clock import FakeClock


class MemoryStore:
    """A Store that forgets everything when the process ends.

    ``failing``: set it to a message and every method raises StoreError with it, as a broken disk would.
    """

    def __init__(self, keep_runs: int = 200) -> None:
        self._lock, self._clock = threading.RLock(), FakeClock()
        self._keep_runs = keep_runs
        self._records: dict[tuple[PlanName, LogicalId], Record] = {}
        self._journal: dict[tuple[RunId, StepId], JournalEntry] = {}
        self._runs: dict[RunId, RunReport] = {}
        self._statuses: dict[PlanName, PlanStatus] = {}
        self._consumed: dict[tuple[str, str, str], tuple[RunId, bool]] = {}
        self._leases: dict[PlanName, LeaseRow] = {}
        self._revisions: dict[tuple[PlanName, int], Revision] = {}
        self._pins: dict[PlanName, Pin] = {}
        self._contests: dict[tuple[PlanName, LogicalId, str], Contest] = {}
        self._audit: list[AuditEntry] = []
        self._receipts: dict[RequestId, Receipt] = {}
        self._exports: dict[tuple[str, str, str, PlanName], Any] = {}
        self.failing: str = ""

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            if self.failing:
                raise StoreError(self.failing)
            yield

    def ping(self) -> None:
        with self._working():
            pass

    def records(self, plan: PlanName) -> Mapping[LogicalId, Record]:
        with self._working():
            return {logical_id: record for (name, logical_id), record in sorted(self._records.items()) if name == plan}

    def owner_of(self, type_name: TypeName, identifier: Identifier, account: str, region: str) -> Record | None:
        wanted = (type_name, identifier, account, region)
        with self._working():
            for _, record in sorted(self._records.items()):
                if (record.type, record.identifier, record.account, record.region) == wanted:
                    return record
            return None

    def save_record(self, record: Record) -> None:
        with self._working():
            self._records[record.plan, record.logical_id] = masked(record)

    def drop_record(self, plan: PlanName, logical_id: LogicalId) -> None:
        with self._working():
            self._records.pop((plan, logical_id), None)

    def move_record(self, record: Record, former: Owner) -> None:
        with self._working():
            self._records.pop((former.plan, former.logical_id), None)
            self._records[record.plan, record.logical_id] = masked(record)

    def records_in(self, account: str, region: str, types: Collection[TypeName] | None = None) -> Collection[Record]:
        with self._working():
            there = [record for _, record in sorted(self._records.items())]
            there = [record for record in there if (record.account, record.region) == (account, region)]
            return [record for record in there if types is None or record.type in types]

    def identifiers(self, account: str, region: str, type_name: TypeName) -> Mapping[Owner, Identifier]:
        return {
            Owner(record.plan, record.logical_id): record.identifier
            for record in self.records_in(account, region, {type_name})
        }

    def recorded_plans(self) -> Collection[PlanName]:
        with self._working():
            return sorted({plan for plan, _ in self._records})

    def write_journal(self, *entries: JournalEntry) -> None:
        with self._working():
            for entry in entries:
                self._journal[entry.run, entry.step] = masked(entry)
                event = journal_event(masked(entry))
                if event is not None:
                    self._append(event)

    def unfinished(self, plan: PlanName) -> Sequence[JournalEntry]:
        open_states = (JournalState.INTENT, JournalState.PENDING)
        with self._working():
            return [entry for entry in self._journal.values() if entry.plan == plan and entry.state in open_states]

    def unresolved(self, plan: PlanName) -> Sequence[JournalEntry]:
        with self._working():
            state = JournalState.UNDECIDABLE
            return [entry for entry in self._journal.values() if entry.plan == plan and entry.state is state]

    def lost(self, plan: PlanName) -> Mapping[LogicalId, JournalEntry]:
        with self._working():
            newest = {entry.logical_id: entry for entry in self._journal.values() if entry.plan == plan}
            return {name: entry for name, entry in newest.items() if entry.state is JournalState.LOST}

    def journal(self, run: RunId) -> Sequence[JournalEntry]:
        with self._working():
            return [entry for entry in self._journal.values() if entry.run == run]

    def lease(self, plan: PlanName) -> LeaseRow | None:
        with self._working():
            return self._leases.get(plan)

    def take_lease(self, row: LeaseRow, former: LeaseRow | None) -> bool:
        with self._working():
            if self._leases.get(row.plan) != former:
                return False
            self._leases[row.plan] = row
            return True

    def drop_lease(self, row: LeaseRow) -> None:
        with self._working():
            if (held := self._leases.get(row.plan)) is not None and held.holder == row.holder:
                del self._leases[row.plan]

    def save_revision(self, revision: Revision) -> None:
        with self._working():
            self._revisions[revision.plan, revision.number] = revision
            pin = self._pins.get(revision.plan)
            own = sorted(number for plan, number in self._revisions if plan == revision.plan)
            for number in own[:-KEEP_REVISIONS]:
                if pin is None or pin.revision != number:
                    del self._revisions[revision.plan, number]

    def revisions(self, plan: PlanName) -> Sequence[Revision]:
        with self._working():
            own = [revision for (name, _), revision in self._revisions.items() if name == plan]
            return sorted(own, key=lambda revision: revision.number, reverse=True)

    def save_pin(self, pin: Pin) -> None:
        with self._working():
            self._pins[pin.plan] = pin

    def pin(self, plan: PlanName) -> Pin | None:
        with self._working():
            return self._pins.get(plan)

    def drop_pin(self, plan: PlanName) -> None:
        with self._working():
            self._pins.pop(plan, None)

    def save_contest(self, contest: Contest) -> None:
        with self._working():
            self._contests[contest.plan, contest.logical_id, contest.path] = contest

    def contests(self, plan: PlanName) -> Sequence[Contest]:
        with self._working():
            return [contest for _, contest in sorted(self._contests.items()) if contest.plan == plan]

    def drop_contest(self, contest: Contest) -> None:
        with self._working():
            self._contests.pop((contest.plan, contest.logical_id, contest.path), None)

    def audit(self, event: AuditEvent) -> None:
        with self._working():
            self._append(event)

    def audit_entries(self, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        with self._working():
            return self._audit[after : after + max(0, limit)]

    def audit_head(self) -> tuple[int, str]:
        with self._working():
            return (self._audit[-1].seq, self._audit[-1].hash) if self._audit else (0, GENESIS)

    def last_audited(self, plan: PlanName, kind: str) -> AuditEntry | None:
        with self._working():
            own = (entry for entry in reversed(self._audit) if (entry.event.plan, entry.event.kind) == (plan, kind))
            return next(own, None)

    def _append(self, event: AuditEvent) -> None:
        seq, previous = self.audit_head()
        self._audit.append(chained(event, seq + 1, previous))

    def save_run(self, report: RunReport) -> None:
        with self._working():
            self._runs[report.run] = masked(report)
            digest = report.context.digest if completes(report) and report.context is not None else None
            for key, (run, _) in self._consumed.items():
                if run == report.run or key[0] == digest:
                    self._consumed[key] = (run, True)
            for quiet in (True, False):
                same = [run.run for run in self._runs.values() if run.plan == report.plan and is_quiet(run) is quiet]
                for old in same[: -self._keep_runs]:
                    self._forget_journal(report.plan, old)
                    del self._runs[old]

    def _forget_journal(self, plan: PlanName, old: RunId) -> None:
        keys = list(self._journal)
        last = max((index for index, (run, _) in enumerate(keys) if run == old), default=-1)
        for key in keys[: last + 1]:
            entry = self._journal[key]
            kept = key[0] in self._runs and key[0] != old
            if entry.plan == plan and entry.state in SETTLED and not kept:
                del self._journal[key]

    def run(self, run: RunId) -> RunReport | None:
        with self._working():
            return self._runs.get(run)

    def history(self, plan: PlanName, limit: int = 50) -> Sequence[RunReport]:
        with self._working():
            return [run for run in reversed(self._runs.values()) if run.plan == plan][: max(0, limit)]

    def save_status(self, status: PlanStatus) -> None:
        with self._working():
            self._statuses[status.plan] = masked(status)

    def status(self, plan: PlanName) -> PlanStatus | None:
        with self._working():
            return self._statuses.get(plan)

    def statuses(self) -> Sequence[PlanStatus]:
        with self._working():
            return [status for _, status in sorted(self._statuses.items())]

    def drop_status(self, plan: PlanName) -> None:
        with self._working():
            self._statuses.pop(plan, None)

    def consume_approval(self, digest: str, approval: str, scope: str, run: RunId) -> None:
        key = (digest, approval, scope)
        with self._working():
            used_by, ended = self._consumed.get(key, (run, False))
            if ended:
                raise StoreError(f"the approval {approval} ({scope}) was used up by the pass {used_by}; approve again")
            self._consumed[key] = (run, False)
            self._append(approval_event(self._plan_of(run), run, self._clock.now(), *key, "used up"))

    def release_approvals(self, run: RunId) -> None:
        with self._working():
            for key in sorted(key for key, value in self._consumed.items() if value == (run, False)):
                del self._consumed[key]
                self._append(approval_event(self._plan_of(run), run, self._clock.now(), *key, "given back"))

    def _plan_of(self, run: RunId) -> PlanName:
        plans = (entry.event.plan for entry in reversed(self._audit) if entry.event.run == run)
        return next(plans, PlanName(""))

    def consumed_approvals(self, plan_digest: str) -> Collection[tuple[str, str]]:
        with self._working():
            return {
                (approval, scope)
                for (digest, approval, scope), (_, ended) in self._consumed.items()
                if digest == plan_digest and ended
            }

    def save_receipt(self, receipt: Receipt) -> None:
        with self._working():
            self._receipts[receipt.id] = receipt

    def receipt(self, request: RequestId) -> Receipt | None:
        with self._working():
            return self._receipts.get(request)

    def receipts(self, limit: int = 20) -> Sequence[Receipt]:
        with self._working():
            return list(reversed(self._receipts.values()))[: max(0, limit)]

    def save_exports(self, plan: PlanName, account: str, region: str, exports: Mapping[str, Any]) -> None:
        with self._working():
            kept = {name: value for name, value in exports.items() if storable(value)}
            for key in [key for key in self._exports if key[:2] == (account, region) and key[3] == plan]:
                if key[2] not in kept:
                    del self._exports[key]
            for name, value in kept.items():
                self._exports[account, region, name, plan] = value

    def export(self, account: str, region: str, name: str) -> Any | None:
        with self._working():
            for key, value in self._exports.items():
                if key[:3] == (account, region, name):
                    return value
            return None
