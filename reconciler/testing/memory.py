"""In-memory implementations of the ports: for tests and demonstrations, held to the same contract as the real ones."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from reconciler.model.codec import masked
from reconciler.model.errors import StoreError
from reconciler.model.events import Event
from reconciler.model.ids import Identifier, LogicalId, PlanName, RequestId, RunId, StepId, TypeName
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Approval, Plan, Snapshot
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.model.resource import Record
from reconciler.store.rules import is_quiet, storable

E = TypeVar("E")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FakeClock:
    """Virtual time: ``sleep`` moves it forward at once and remembers the pauses in ``slept``."""

    def __init__(self, start: datetime = START) -> None:
        self._lock = threading.Lock()
        self._start = start
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        with self._lock:
            return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        with self._lock:
            return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        with self._lock:
            self._elapsed += max(0.0, seconds)


class EventLog:
    """An EventSink that keeps everything it was told, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class SilentTelemetry:
    """A Telemetry that measures nothing."""

    def aws_call(self, service: str, operation: str, code: str, seconds: float) -> None: ...
    def aws_throttled(self, service: str) -> None: ...
    def guard_blocked(self, service: str, operation: str) -> None: ...
    def policy_decided(self, environment: str, mode: str, seconds: float) -> None: ...
    def policy_failed(self, reason: str) -> None: ...
    def phase(self, environment: str, phase: str, seconds: float) -> None: ...
    def action_applied(self, environment: str, type_name: str, action: str, result: str) -> None: ...
    def rolled_back(self, environment: str, result: str) -> None: ...
    def plan_problem(self, reason: str) -> None: ...
    def resync(self, trigger: str) -> None: ...
    def queue_depth(self, depth: int) -> None: ...


class CountingTelemetry:
    """A Telemetry that counts what it was told: ``counts[("aws_call", "ec2", "DescribeVpcs", "")] == 3``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.seconds: dict[tuple[str, ...], float] = {}

    def _count(self, *key: str, seconds: float = 0.0) -> None:
        with self._lock:
            self.counts[key] += 1
            self.seconds[key] = self.seconds.get(key, 0.0) + seconds

    def aws_call(self, service: str, operation: str, code: str, seconds: float) -> None:
        self._count("aws_call", service, operation, code, seconds=seconds)

    def aws_throttled(self, service: str) -> None:
        self._count("aws_throttled", service)

    def guard_blocked(self, service: str, operation: str) -> None:
        self._count("guard_blocked", service, operation)

    def policy_decided(self, environment: str, mode: str, seconds: float) -> None:
        self._count("policy_decided", environment, mode, seconds=seconds)

    def policy_failed(self, reason: str) -> None:
        self._count("policy_failed", reason)

    def phase(self, environment: str, phase: str, seconds: float) -> None:
        self._count("phase", environment, phase, seconds=seconds)

    def action_applied(self, environment: str, type_name: str, action: str, result: str) -> None:
        self._count("action_applied", environment, type_name, action, result)

    def rolled_back(self, environment: str, result: str) -> None:
        self._count("rolled_back", environment, result)

    def plan_problem(self, reason: str) -> None:
        self._count("plan_problem", reason)

    def resync(self, trigger: str) -> None:
        self._count("resync", trigger)

    def queue_depth(self, depth: int) -> None:
        self._count("queue_depth", str(depth))


class MemorySource:
    """A Source holding what a test put in; ``put`` and ``remove`` stand for edits of the files."""

    def __init__(self, *plans: Plan) -> None:
        self.snapshot = Snapshot(plans={plan.name: plan for plan in plans})

    def load(self) -> Snapshot:
        return self.snapshot

    def put(self, plan: Plan, *approvals: Approval) -> None:
        """Add or replace a plan together with its approvals."""
        self.snapshot = replace(
            self.snapshot,
            plans={**self.snapshot.plans, plan.name: plan},
            approvals={**self.snapshot.approvals, plan.name: approvals},
        )

    def remove(self, name: PlanName) -> None:
        """Take a plan's file away."""
        plans = {key: plan for key, plan in self.snapshot.plans.items() if key != name}
        self.snapshot = replace(self.snapshot, plans=plans)


class MemoryStore:
    """A Store that forgets everything when the process ends.

    ``failing``: set it to a message and every method raises StoreError with it, as a broken disk would.
    """

    def __init__(self, keep_runs: int = 200) -> None:
        self._lock = threading.RLock()
        self._keep_runs = keep_runs
        self._records: dict[tuple[PlanName, LogicalId], Record] = {}
        self._journal: dict[tuple[RunId, StepId], JournalEntry] = {}
        self._runs: dict[RunId, RunReport] = {}
        self._statuses: dict[PlanName, PlanStatus] = {}
        self._consumed: dict[tuple[str, str, str], RunId] = {}
        self._receipts: dict[RequestId, Receipt] = {}
        self._exports: dict[tuple[str, str, str, PlanName], Any] = {}
        self.failing: str = ""

    def _check(self) -> None:
        if self.failing:
            raise StoreError(self.failing)

    def ping(self) -> None:
        self._check()

    def records(self, plan: PlanName) -> Mapping[LogicalId, Record]:
        with self._lock:
            self._check()
            return {logical_id: record for (name, logical_id), record in sorted(self._records.items()) if name == plan}

    def owner_of(self, type_name: TypeName, identifier: Identifier, account: str, region: str) -> Record | None:
        wanted = (type_name, identifier, account, region)
        with self._lock:
            self._check()
            for _, record in sorted(self._records.items()):
                if (record.type, record.identifier, record.account, record.region) == wanted:
                    return record
            return None

    def save_record(self, record: Record) -> None:
        with self._lock:
            self._check()
            self._records[record.plan, record.logical_id] = masked(record)

    def drop_record(self, plan: PlanName, logical_id: LogicalId) -> None:
        with self._lock:
            self._check()
            self._records.pop((plan, logical_id), None)

    def recorded_plans(self) -> Collection[PlanName]:
        with self._lock:
            self._check()
            return sorted({plan for plan, _ in self._records})

    def write_journal(self, entry: JournalEntry) -> None:
        with self._lock:
            self._check()
            self._journal[entry.run, entry.step] = masked(entry)

    def unfinished(self, plan: PlanName) -> Sequence[JournalEntry]:
        open_states = (JournalState.INTENT, JournalState.PENDING)
        with self._lock:
            self._check()
            return [entry for entry in self._journal.values() if entry.plan == plan and entry.state in open_states]

    def journal(self, run: RunId) -> Sequence[JournalEntry]:
        with self._lock:
            self._check()
            return [entry for entry in self._journal.values() if entry.run == run]

    def save_run(self, report: RunReport) -> None:
        with self._lock:
            self._check()
            self._runs[report.run] = masked(report)
            for quiet in (True, False):
                same = [run.run for run in self._runs.values() if run.plan == report.plan and is_quiet(run) is quiet]
                for old in same[: -self._keep_runs]:
                    del self._runs[old]

    def run(self, run: RunId) -> RunReport | None:
        with self._lock:
            self._check()
            return self._runs.get(run)

    def history(self, plan: PlanName, limit: int = 50) -> Sequence[RunReport]:
        with self._lock:
            self._check()
            return [run for run in reversed(self._runs.values()) if run.plan == plan][: max(0, limit)]

    def save_status(self, status: PlanStatus) -> None:
        with self._lock:
            self._check()
            self._statuses[status.plan] = masked(status)

    def status(self, plan: PlanName) -> PlanStatus | None:
        with self._lock:
            self._check()
            return self._statuses.get(plan)

    def statuses(self) -> Sequence[PlanStatus]:
        with self._lock:
            self._check()
            return [status for _, status in sorted(self._statuses.items())]

    def drop_status(self, plan: PlanName) -> None:
        with self._lock:
            self._check()
            self._statuses.pop(plan, None)

    def consume_approval(self, digest: str, approval: str, scope: str, run: RunId) -> None:
        with self._lock:
            self._check()
            self._consumed.setdefault((digest, approval, scope), run)

    def consumed_approvals(self, plan_digest: str) -> Collection[tuple[str, str]]:
        with self._lock:
            self._check()
            return {(approval, scope) for digest, approval, scope in self._consumed if digest == plan_digest}

    def save_receipt(self, receipt: Receipt) -> None:
        with self._lock:
            self._check()
            self._receipts[receipt.id] = receipt

    def receipt(self, request: RequestId) -> Receipt | None:
        with self._lock:
            self._check()
            return self._receipts.get(request)

    def receipts(self, limit: int = 20) -> Sequence[Receipt]:
        with self._lock:
            self._check()
            return list(reversed(self._receipts.values()))[: max(0, limit)]

    def save_exports(self, plan: PlanName, account: str, region: str, exports: Mapping[str, Any]) -> None:
        with self._lock:
            self._check()
            kept = {name: value for name, value in exports.items() if storable(value)}
            for key in [key for key in self._exports if key[:2] == (account, region) and key[3] == plan]:
                if key[2] not in kept:
                    del self._exports[key]
            for name, value in kept.items():
                self._exports[account, region, name, plan] = value

    def export(self, account: str, region: str, name: str) -> Any | None:
        with self._lock:
            self._check()
            for key, value in self._exports.items():
                if key[:3] == (account, region, name):
                    return value
            return None
