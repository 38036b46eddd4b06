"""A cycle over a Cloud Control API in memory, with every type managed through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.breakers import BreakerLimits, Breakers
from reconciler.cycle import Cycle, Limits
from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Facts, Mode, Ruling
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Guardrail, Origin, Plan, RollbackPolicy, Target
from reconciler.model.report import BranchInfo
from reconciler.revisions import Revisions
from reconciler.status.outcome import Backoff
from reconciler.template import load_template
from reconciler.testing.cloudcontrol import CloudControlApi
from reconciler.testing.cloudscope import CloudControlAccess, CloudControlOnly
from reconciler.testing.memory import EventLog, FakeClock, FreeLocks, MemoryStore, NoClaims, SilentTelemetry
from reconciler.testing.world import NoOutside

ACCOUNT, REGION = "111111111111", "us-east-1"


def plan_of(resources: Mapping[str, Any], name: str = "demo", **changes: Any) -> Plan:
    """A plan with these resources, as a source would give it."""
    target = Target("sandbox", ACCOUNT, REGION)
    loaded = load_template(
        {"Resources": resources}, parameters={}, target=target, plan_name=name, locate=lambda path: ("demo.yaml", 1)
    )
    plan = Plan(
        PlanName(name),
        "alice@example.com",
        target,
        Guardrail("passed"),
        RollbackPolicy("automatic"),
        Digest("sha256:" + "0" * 64),
        Origin("demo.yaml"),
        resources=loaded.resources,
        outputs=loaded.outputs,
    )
    return replace(plan, **changes)


class Allowed:
    """A policy that allows everything."""

    def admit(self, plan: Plan, facts: Facts) -> Decision:
        return Decision(Mode.APPLY)

    def review(self, changes: ChangeSet, facts: Facts) -> Decision:
        return Decision(Mode.APPLY, {change.logical_id: Ruling(True) for change in changes.changes})


class NoPipeline:
    """No branch is ever asked for."""

    def publish(self, changes: ChangeSet, decision: Decision) -> BranchInfo:
        raise AssertionError("nothing is to be published")

    def retire(self, plan: Plan, known: BranchInfo | None = None) -> BranchInfo | None:
        return None

    def abandon(self, plan: PlanName, known: BranchInfo) -> BranchInfo:
        raise AssertionError("there is none")


class Unrecorded:
    def record(self, report: Any, status: Any, plan: Any = None) -> None: ...


class Rig:
    """``api`` is the world; ``run`` makes a pass; ``forget`` loses the store."""

    def __init__(self, polls: int = 0) -> None:
        self.clock = FakeClock()
        self.api = CloudControlApi(clock=self.clock, polls=polls)
        self.forget()

    def forget(self) -> None:
        self.store = MemoryStore()
        self.cycle = Cycle(
            access=CloudControlAccess(self.api),
            providers=CloudControlOnly(),
            policy=Allowed(),
            pipeline=NoPipeline(),
            outside=lambda scope, secrets: NoOutside(),
            store=self.store,
            clock=self.clock,
            events=EventLog(),
            telemetry=SilentTelemetry(),
            recorder=Unrecorded(),
            claims=NoClaims(),
            locks=FreeLocks(),
            breakers=Breakers(BreakerLimits(), self.store, self.clock, lambda scope, identifier, since: ""),
            revisions=Revisions(self.store, self.clock, b"k" * 32),
            quotas=lambda scope, fault: {},
            limits=Limits(frozenset({"sandbox"}), 4, Backoff(5.0, 900.0)),
        )

    def run(self, plan: Plan) -> Any:
        """One pass; requests of earlier passes are forgotten."""
        self.api.log.clear()
        self.api.calls.clear()
        return self.cycle.run(plan, (), "test")
