from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

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
from reconciler.testing.memory import EventLog, FakeClock, FreeLocks, MemoryStore, NoClaims, SilentTelemetry
from reconciler.testing.world import FakeAccess, FakeProviders, NoOutside, World

ACCOUNT = "111111111111"

NETWORK: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"},
    },
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "web", "VpcId": {"Ref": "Vpc"}},
    },
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs", "DelaySeconds": 5}},
}


def make_plan(resources: Mapping[str, Any], environment: str = "sandbox", **changes: Any) -> Plan:
    """A plan with these resources, as a source would give it."""
    target = Target(environment, ACCOUNT, "us-east-1")
    loaded = load_template(
        {"Resources": resources, "Outputs": changes.pop("outputs", {})},
        parameters={},
        target=target,
        plan_name="demo",
        locate=lambda path: ("demo.yaml", 1),
    )
    plan = Plan(
        PlanName("demo"),
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


class Policy:
    """Says ``mode`` to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.mode = Mode.APPLY
        self.admission = Mode.APPLY
        self.reviewed: list[ChangeSet] = []
        self.facts: list[Facts] = []
        self.error: Exception | None = None

    def admit(self, plan: Plan, facts: Facts) -> Decision:
        return Decision(self.admission)

    def review(self, changes: ChangeSet, facts: Facts) -> Decision:
        if self.error is not None:
            raise self.error
        self.reviewed.append(changes)
        self.facts.append(facts)
        return Decision(self.mode, {change.logical_id: Ruling(True) for change in changes.changes})


class Branches:
    """A pipeline that remembers what it was given."""

    def __init__(self) -> None:
        self.published: list[ChangeSet] = []
        self.retired: list[Plan] = []

    def publish(self, changes: ChangeSet, decision: Decision) -> BranchInfo:
        self.published.append(changes)
        return BranchInfo("repo", "main", "feature/x", "open")

    def abandon(self, plan: PlanName, known: BranchInfo) -> BranchInfo:
        return replace(known, state="obsolete")

    def retire(self, plan: Plan, known: BranchInfo | None = None) -> BranchInfo | None:
        self.retired.append(plan)
        return None


class Recorded:
    def __init__(self) -> None:
        self.reports: list[Any] = []

    def record(self, report: Any, status: Any, plan: Any = None) -> None:
        self.reports.append((report, status))


class Rig:
    """A cycle over a world in memory."""

    def __init__(self) -> None:
        self.world, self.store, self.clock, self.events = World(), MemoryStore(), FakeClock(), EventLog()
        self.policy, self.branches, self.recorded = Policy(), Branches(), Recorded()
        self.access = FakeAccess(self.world)
        self.types: set[str] | None = None
        self.claims, self.locks, self.limits, self.culprit = NoClaims(), FreeLocks(), BreakerLimits(), ""
        self.cycle = self.restart()

    def restart(self) -> Cycle:
        """A new process over the same world and store."""
        self.cycle = Cycle(
            access=self.access,
            providers=FakeProviders(self.world, self.types),
            policy=self.policy,
            pipeline=self.branches,
            outside=lambda scope, secrets: NoOutside(),
            store=self.store,
            clock=self.clock,
            events=self.events,
            telemetry=SilentTelemetry(),
            recorder=self.recorded,
            claims=self.claims,
            locks=self.locks,
            breakers=Breakers(self.limits, self.store, self.clock, lambda scope, identifier, since: self.culprit),
            revisions=Revisions(self.store, self.clock, b"k" * 32),
            quotas=lambda scope, fault: {},
            limits=Limits(frozenset({"sandbox", "development"}), 4, Backoff(5.0, 900.0)),
        )
        return self.cycle

    def run(self, plan: Plan) -> Any:
        """One pass; mutations of earlier passes are forgotten."""
        self.world.log.clear()
        return self.cycle.run(plan, (), "test")

    def verbs(self) -> list[tuple[str, str]]:
        """Mutations of the last pass, in order, without identifiers."""
        return [(verb, name) for verb, name, _identifier in self.world.log]


@pytest.fixture
def rig() -> Rig:
    return Rig()
