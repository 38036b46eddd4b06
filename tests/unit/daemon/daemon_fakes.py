"""A fake application for the daemon: passes that do what a test says, on virtual time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from reconciler.model.errors import PlanBusy, Problem, ReconcilerError
from reconciler.model.ids import Digest, PlanName, RequestId, RunId
from reconciler.model.plan import Approval, Guardrail, Origin, Plan, RollbackPolicy, Snapshot, Target
from reconciler.model.report import PlanState, PlanStatus, RunReport
from reconciler.ports import Turn
from reconciler.testing.memory import CountingTelemetry, EventLog, FakeClock, MemoryStore


def a_plan(name: str = "web", digest: str = "1", **changes: Any) -> Plan:
    plan = Plan(
        name=PlanName(name),
        author="alice@example.com",
        target=Target("sandbox", "111111111111", "eu-central-1"),
        guardrail=Guardrail("passed"),
        rollback=RollbackPolicy("automatic"),
        digest=Digest(f"sha256:{digest * 64}"[:71]),
        origin=Origin(f"{name}.yaml"),
    )
    return replace(plan, **changes)


def a_status(name: str, state: PlanState = PlanState.IN_SYNC, **changes: Any) -> PlanStatus:
    status = PlanStatus(
        plan=PlanName(name),
        environment="sandbox",
        account="111111111111",
        region="eu-central-1",
        delivery="resources",
        digest=Digest("sha256:1"),
        state=state,
        message="",
        file=f"{name}.yaml",
    )
    return replace(status, **changes)


class FakeMetrics(CountingTelemetry):
    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[PlanName, PlanStatus] = {}
        self.healthy: bool | None = None
        self.stale: bool | None = None

    def record(self, report: RunReport | None, status: PlanStatus, plan: Plan | None = None) -> None:
        self.shown[status.plan] = status

    def forget(self, plan: PlanName) -> None:
        self.shown.pop(plan, None)

    def source_healthy(self, healthy: bool) -> None:
        self.healthy = healthy

    def policy_stale(self, stale: bool) -> None:
        self.stale = stale


@dataclass
class FakePolicy:
    revision: str = "r1"
    problem: str = ""
    reloads: int = 0
    on_reload: Callable[[FakePolicy], None] = lambda _policy: None

    def reload(self) -> bool:
        self.reloads += 1
        self.on_reload(self)
        return not self.problem


@dataclass
class FakeSource:
    root: Path
    snapshot: Snapshot = field(default_factory=Snapshot)
    loads: int = 0
    on_load: Callable[[], None] = lambda: None

    def load(self) -> Snapshot:
        self.loads += 1
        self.on_load()
        return self.snapshot

    def watch_paths(self) -> tuple[Path, ...]:
        return (self.root,)

    def put(self, *plans: Plan, approvals: tuple[Approval, ...] = ()) -> None:
        found = {**self.snapshot.plans, **{plan.name: plan for plan in plans}}
        agreed = {**self.snapshot.approvals, **{plan.name: approvals for plan in plans if approvals}}
        self.snapshot = replace(self.snapshot, plans=found, approvals=agreed)

    def remove(self, name: str) -> None:
        self.snapshot = replace(self.snapshot, plans={k: v for k, v in self.snapshot.plans.items() if k != name})

    def break_(self, key: str, *problems: Problem) -> None:
        self.snapshot = replace(self.snapshot, invalid={**self.snapshot.invalid, key: problems})

    def mend(self, key: str) -> None:
        self.snapshot = replace(self.snapshot, invalid={k: v for k, v in self.snapshot.invalid.items() if k != key})


class FakeCycle:
    """Passes that succeed at once; ``during`` is called inside each, ``retry_after`` and ``recovery`` are settable.

    ``busy``: the plans that another process works on. ``unretired``: why a withdrawn plan's branch can't be retired.
    """

    def __init__(self, store: MemoryStore, clock: FakeClock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self.passes: list[tuple[str, str, tuple[RequestId, ...]]] = []
        self.turns: list[Turn | None] = []
        self.recovered: list[str] = []
        self.flying: set[str] = set()
        self.overlaps: list[str] = []
        self.stopped = threading.Event()
        self.during: Callable[[Plan], None] = lambda _plan: None
        self.retry_after: float | None = None
        self.recovery: ReconcilerError | None = None
        self.busy: set[str] = set()
        self.withdrawn: list[PlanName] = []
        self.unretired = ""

    def run(
        self,
        plan: Plan,
        approvals: tuple[Approval, ...],
        trigger: str,
        requests: tuple[RequestId, ...] = (),
        turn: Turn | None = None,
    ) -> RunReport:
        self._check_free(plan)
        with self._lock:
            if plan.name in self.flying:
                self.overlaps.append(plan.name)
            self.flying.add(plan.name)
            self.passes.append((plan.name, trigger, requests))
            self.turns.append(turn)
            number = len(self.passes)
        try:
            self.during(plan)
        finally:
            with self._lock:
                self.flying.discard(plan.name)
        now = self._clock.now()
        report = RunReport(
            run=RunId(f"run-{number}"),
            plan=plan.name,
            trigger=trigger,
            started_at=now,
            finished_at=now,
            state=PlanState.IN_SYNC,
            message="in sync",
            requests=requests,
            retry_after=self.retry_after,
        )
        self._store.save_status(a_status(plan.name, run=report.run, file=plan.origin.file))
        return report

    def _check_free(self, plan: Plan) -> None:
        if plan.name in self.busy:
            raise PlanBusy(f"{plan.name} is being worked on by process 4711 on build-7")

    def recover(self, plan: Plan) -> None:
        self._check_free(plan)
        self.recovered.append(plan.name)
        if self.recovery:
            raise self.recovery

    def withdraw(self, plan: PlanName) -> str:
        self.withdrawn.append(plan)
        status = self._store.status(plan)
        if not self.unretired and status is not None and status.branch is not None:
            self._store.save_status(replace(status, branch=replace(status.branch, state="obsolete")))
        return self.unretired

    def stop(self) -> None:
        self.stopped.set()

    @property
    def made(self) -> list[str]:
        return [name for name, _, _ in self.passes]


@dataclass
class FakeApp:
    settings: Any
    source: FakeSource
    cycle: FakeCycle
    store: MemoryStore
    policy: FakePolicy
    metrics: FakeMetrics
    clock: Any
    events: EventLog


def an_app(root: Path, *plans: Plan, clock: Any = None, **daemon: Any) -> FakeApp:
    clock = clock or FakeClock()
    store = MemoryStore()
    (root / "policies").mkdir(exist_ok=True)
    (root / "desired").mkdir(exist_ok=True)
    times = {
        "interval": 300.0,
        "jitter": 0.1,
        "workers": 4,
        "debounce": 0.05,
        "grace_period": 5.0,
        "backoff_base": 5.0,
        "backoff_max": 60.0,
        **daemon,
    }
    settings = SimpleNamespace(
        daemon=SimpleNamespace(**times),
        policy=SimpleNamespace(directory=root / "policies"),
        poll_interval=30.0,
    )
    source = FakeSource(root / "desired")
    source.put(*plans)
    return FakeApp(settings, source, FakeCycle(store, clock), store, FakePolicy(), FakeMetrics(), clock, EventLog())
