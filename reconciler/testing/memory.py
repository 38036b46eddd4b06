"""In-memory implementations of the ports: for tests and demonstrations, held to the same contract as the real ones."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TypeVar

from reconciler.model.claim import Claim
from reconciler.model.errors import LeaseLost
from reconciler.model.events import Event
from reconciler.model.ids import LogicalId, PlanName
from reconciler.model.plan import Approval, Plan, Snapshot
from reconciler.model.resource import Record
from reconciler.testing.clock import START, FakeClock
from reconciler.testing.store import MemoryStore

__all__ = [
    "START",
    "CountingTelemetry",
    "EventLog",
    "FakeClock",
    "FreeLease",
    "FreeLocks",
    "MemorySource",
    "MemoryStore",
    "NoClaims",
    "SilentTelemetry",
]

E = TypeVar("E")


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
    def account_throttled(self, account: str, region: str, *, left_alone: bool) -> None: ...
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

    def account_throttled(self, account: str, region: str, *, left_alone: bool) -> None:
        self._count("account_throttled", account, region, str(left_alone))

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


class FreeLease:
    """A Lease that never runs out, unless a test says so by ``lost``."""

    def __init__(self) -> None:
        self.lost = ""

    def ensure(self) -> None:
        if self.lost:
            raise LeaseLost(self.lost)


class FreeLocks:
    """Locks that everybody gets at once."""

    def __init__(self) -> None:
        self.lease = FreeLease()

    def hold(self, plan: PlanName) -> AbstractContextManager[FreeLease]:
        return nullcontext(self.lease)


class NoClaims:
    """No resource ever moves between plans."""

    def kept(self, dropped: Collection[Record], records: Collection[Record]) -> Mapping[LogicalId, str]:
        return {}

    def incoming(self, plan: Plan, records: Collection[Record]) -> Mapping[LogicalId, Claim]:
        return {}

    def exporter(self, plan: Plan, name: str) -> str:
        return ""
