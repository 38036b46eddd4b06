"""Killed at every boundary of every kind of step: after a restart the world is as the plan says, without help."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import LogicalId
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState
from tests.unit.apply.dying import Mortal
from tests.unit.cycle.conftest import NETWORK, make_plan

VPC, SUBNET, QUEUE = "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::SQS::Queue"
FULL = os.environ.get("RECONCILER_STRESS") == "1"

STORAGE: dict[str, Any] = {
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "data"}},
    "Policy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    },
}


def network(**properties: dict[str, Any]) -> dict[str, Any]:
    resources = deepcopy(NETWORK)
    for name, values in properties.items():
        resources[name]["Properties"].update(values)
    return resources


def without(*names: str) -> dict[str, Any]:
    return {name: body for name, body in NETWORK.items() if name not in names}


def existing(rig: Mortal) -> None:
    rig.world.resources[VPC, "vpc-9"] = {"VpcId": "vpc-9", "CidrBlock": "10.0.0.0/16", "Tags": []}


ADOPTING = {"Vpc": {**NETWORK["Vpc"], "Metadata": {"Reconciler": {"adopt": "vpc-9"}}}}


class Scenario:
    """What there was, what is wanted then, and how the world behaves."""

    def __init__(
        self,
        before: dict[str, Any] | None,
        wanted: dict[str, Any],
        prepare: Callable[[Mortal], None] = lambda rig: None,
        **world: Any,
    ) -> None:
        self.before, self.wanted, self.prepare, self.world = before, wanted, prepare, world

    def rig(self) -> Mortal:
        rig = Mortal(**deepcopy(self.world))
        self.prepare(rig)
        if self.before is not None:
            rig.converges(make_plan(self.before))
        return rig


SCENARIOS = {
    "create": Scenario(None, NETWORK),
    "create, asynchronous": Scenario(None, NETWORK, slow={VPC, QUEUE}),
    "create, seen late": Scenario(None, without("Subnet", "Group"), lag=3),
    "create, without tags": Scenario(None, STORAGE),
    "update": Scenario(NETWORK, network(Queue={"DelaySeconds": 9}, Vpc={"EnableDnsSupport": True})),
    "update, asynchronous": Scenario(NETWORK, network(Queue={"DelaySeconds": 9}), slow={QUEUE}),
    "delete": Scenario(NETWORK, without("Subnet", "Queue")),
    "delete, asynchronous": Scenario(NETWORK, without("Subnet", "Queue"), slow={SUBNET}),
    "replace, new one first": Scenario(NETWORK, network(Vpc={"CidrBlock": "10.9.0.0/16"})),
    "replace, asynchronous": Scenario(without("Group"), {**network(Vpc={"CidrBlock": "10.9.0.0/16"})}, slow={VPC}),
    "replace, old one first": Scenario(NETWORK, network(Queue={"FifoQueue": True})),
    "adopt": Scenario(None, ADOPTING, prepare=existing),
}
each_kind = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())


def boundaries(scenario: Scenario, plan: Plan) -> range:
    """All of them, or by default every third, beginning elsewhere for each kind."""
    rig = scenario.rig()
    rig.death.spare()
    rig.run(plan)
    count = len(rig.death.moments)
    return range(count) if FULL else range(len(str(scenario.wanted)) % 3, count, 3)


@each_kind
def test_killed_anywhere_the_world_becomes_as_planned(scenario: Scenario) -> None:
    plan = make_plan(scenario.wanted)
    for at in boundaries(scenario, plan):
        rig = scenario.rig()
        rig.dies(plan, at)
        rig.converges(plan)


@each_kind
def test_killed_again_while_resuming(scenario: Scenario) -> None:
    plan = make_plan(scenario.wanted)
    for at in boundaries(scenario, plan)[::2]:
        for again in (1, 3, 6):
            rig = scenario.rig()
            rig.dies(plan, at)
            rig.dies(plan, again)
            rig.converges(plan)


@each_kind
def test_the_plan_may_change_before_the_restart(scenario: Scenario) -> None:
    """Back to what was before, or to nothing at all: nothing that was begun is forgotten."""
    plan = make_plan(scenario.wanted)
    back = make_plan(scenario.before) if scenario.before is not None else None
    for number, at in enumerate(boundaries(scenario, plan)):
        rig = scenario.rig()
        rig.dies(plan, at)
        if scenario.prepare is existing:
            return  # what was there before the plan is not the plan's to delete
        rig.converges(back if back is not None and number % 2 else make_plan({"Topic": {"Type": "AWS::SNS::Topic"}}))


FAILING = [("create", "Group"), ("create", "Subnet"), ("create", "Queue"), ("delete", "Vpc"), ("delete", "Subnet")]


def failing(name: str, verb: str, victim: str) -> Mortal:
    """A scenario in which one step is going to fail for good."""
    rig = SCENARIOS[name].rig()
    rig.world.fail[verb, victim] = [AwsFault(FaultKind.QUOTA, "no more")]
    return rig


def undoing(moments: list[str]) -> range:
    """The boundaries from the first call that takes a step back."""
    first = next((number for number, moment in enumerate(moments) if ":undo" in moment), len(moments))
    return range(first, len(moments), 1 if FULL else 2)


@pytest.mark.parametrize("name", ["create", "replace, new one first", "replace, old one first"])
@pytest.mark.parametrize(("verb", "victim"), FAILING)
def test_a_rollback_may_be_killed_too(name: str, verb: str, victim: str) -> None:
    plan = make_plan(SCENARIOS[name].wanted)
    whole = failing(name, verb, victim)
    whole.death.moments.clear()
    whole.run(plan)
    for at in undoing(whole.death.moments):
        rig = failing(name, verb, victim)
        rig.dies(plan, at)
        rig.world.fail.clear()
        rig.converges(plan)


def halved(rig: Mortal, **spec: Any) -> Plan:
    """A replacement of the network that was killed when the new VPC had just been made."""
    rig.converges(make_plan(NETWORK, **spec))
    plan = make_plan(network(Vpc={"CidrBlock": "10.9.0.0/16"}), **spec)
    assert rig.dies_after(plan, "after create Vpc")
    return plan


def test_the_old_half_goes_when_nothing_refers_to_it_any_more() -> None:
    rig = Mortal()
    plan = halved(rig)
    (old,) = {record.identifier for record in rig.store.records(plan.name).values() if record.type == VPC}
    rig.run(plan)
    done = [(verb, identifier) for verb, _name, identifier in rig.world.log]
    assert done[-1] == ("delete", old)
    rig.converges(plan)


def test_a_replacement_that_was_never_made_leaves_nothing_behind() -> None:
    rig = Mortal()
    rig.converges(make_plan(NETWORK))
    assert rig.dies_after(make_plan(network(Vpc={"CidrBlock": "10.9.0.0/16"})), "before create Vpc")
    assert len(rig.store.records(make_plan(NETWORK).name)) == len(NETWORK) + 1
    rig.converges(make_plan(NETWORK))


def test_a_record_of_an_old_half_that_nothing_has_replaced_deletes_nothing() -> None:
    rig = Mortal()
    plan = make_plan(NETWORK)
    rig.converges(plan)
    record = rig.store.records(plan.name)[LogicalId("Vpc")]
    rig.store.save_record(replace(record, logical_id=LogicalId("Vpc#replaced")))
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert rig.world.log == []


def test_the_old_half_goes_although_nothing_is_pruned() -> None:
    rig = Mortal()
    plan = halved(rig, prune=False)
    rig.converges(plan)
    assert len(rig.world.of(VPC)) == 1


def test_what_is_to_be_retained_when_replaced_stays() -> None:
    kept = deepcopy(NETWORK)
    kept["Queue"]["UpdateReplacePolicy"] = "Retain"
    plan = make_plan({"Queue": {**kept["Queue"], "Properties": {"QueueName": "other"}}})
    for at in range(30):
        rig = Mortal()
        rig.converges(make_plan({"Queue": kept["Queue"]}))
        rig.dies(plan, at)
        reports = [rig.run(plan) for _ in range(3)]
        assert reports[-1].state is PlanState.IN_SYNC, (rig.moment, reports[-1].message)
        assert len(rig.world.of(QUEUE)) == 2, rig.moment
        assert set(rig.store.records(plan.name)) == {"Queue"}


@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_field_that_the_plan_drops_is_taken_back_although_the_pass_that_set_it_was_killed(verb: str) -> None:
    plain = make_plan({"Queue": NETWORK["Queue"]})
    plan = make_plan({"Queue": network(Queue={"VisibilityTimeout": 77})["Queue"]})
    scenario = Scenario({"Queue": NETWORK["Queue"]} if verb == "update" else None, {})
    for at in range(30):
        rig = scenario.rig()
        rig.dies(plan, at)
        rig.run(plan)
        rig.converges(plain)
        (queue,) = rig.world.of(QUEUE).values()
        assert "VisibilityTimeout" not in queue, rig.moment
