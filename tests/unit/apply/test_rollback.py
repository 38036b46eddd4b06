"""Automatic rollback, case by case, over a world in memory: what is undone, what must stay, what is said."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from reconciler.apply.renames import Renames, own_names
from reconciler.model.change import Verb
from reconciler.model.errors import AwsFault, FaultKind, LeaseLost, StoreError
from reconciler.model.ids import Identifier
from reconciler.model.journal import JournalEntry
from reconciler.model.plan import Plan, RollbackPolicy
from reconciler.model.report import PlanState, RunReport, StepState
from reconciler.model.resource import Observation
from reconciler.schema import schema_for
from reconciler.testing.memory import MemoryStore
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

VPC, SUBNET, QUEUE, TOPIC = "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::SQS::Queue", "AWS::SNS::Topic"
LAST = {"Type": TOPIC, "DependsOn": ["Vpc", "Subnet", "Group", "Queue"], "Properties": {"TopicName": "last"}}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def no(text: str = "no") -> AwsFault:
    return AwsFault(FaultKind.INVALID_REQUEST, text)


def network(**properties: dict[str, Any]) -> dict[str, Any]:
    """The network, some properties changed, with a topic that comes last."""
    resources = deepcopy(NETWORK)
    for name, values in properties.items():
        resources[name]["Properties"].update(values)
    return {**resources, "Last": LAST}


def by_step(report: RunReport) -> dict[str, tuple[StepState, str, str]]:
    return {step.id: (step.state, step.result, step.error) for step in report.steps}


def test_what_others_did_meanwhile_to_the_same_resource_stays(rig: Rig) -> None:
    """Tags that the step didn't set, and fields that it didn't touch."""
    rig.run(make_plan(NETWORK))
    (queue,) = rig.world.of(QUEUE).values()
    original = deepcopy(queue)
    rig.world.fail["create", "Last"] = [no()]

    class Meddling(list[AwsFault]):
        def pop(self, *_: Any) -> AwsFault:
            queue["Tags"].append({"Key": "cost", "Value": "42"})
            queue["MaximumMessageSize"] = 2048
            return super().pop(0)

    rig.world.fail["create", "Last"] = Meddling([no()])
    report = rig.run(make_plan(network(Queue={"DelaySeconds": 9, "Tags": [{"Key": "new", "Value": "1"}]})))
    assert report.message.endswith("; rolled back"), by_step(report)
    tags = {tag["Key"]: tag["Value"] for tag in queue["Tags"]}
    assert (queue["DelaySeconds"], queue["MaximumMessageSize"]) == (5, 2048)
    assert tags == {**{tag["Key"]: tag["Value"] for tag in original["Tags"]}, "cost": "42"}


def test_an_undo_that_fails_keeps_what_it_rests_upon_and_undoes_the_rest(rig: Rig) -> None:
    rig.world.fail["create", "Last"] = [no()]
    rig.world.fail["delete", "Subnet"] = [no("in use")]
    report = rig.run(make_plan(network()))
    assert report.state is PlanState.FAILED
    assert report.message.endswith("; rollback FAILED")
    steps = by_step(report)
    assert steps["Subnet:create"][0] is StepState.FAILED
    assert "rollback failed: in use" in steps["Subnet:create"][2]
    assert steps["Vpc:create"][2] == (
        "rollback failed: not undone: Subnet:create could not be undone, and it needs this"
    )
    assert steps["Queue:create"][0] is StepState.ROLLED_BACK
    assert {kind for kind, _ in rig.world.resources} == {VPC, SUBNET}
    assert set(rig.store.records("demo")) == {"Vpc", "Subnet"}  # type: ignore[arg-type]
    assert rig.run(make_plan(network())).state is PlanState.IN_SYNC


def test_only_automatic_undoes(rig: Rig) -> None:
    for mode in ("manual", "procedure"):
        rig.world.fail["create", "Last"] = [no()]
        report = rig.run(make_plan(network(), rollback=RollbackPolicy(mode, "call alice")))
        assert "rolled back" not in report.message
        assert {kind for kind, _ in rig.world.resources} == {VPC, SUBNET, QUEUE, "AWS::EC2::SecurityGroup"}


def test_a_dependant_that_was_not_reached_is_led_to_what_was_made_again(rig: Rig) -> None:
    """The old half goes first; the new one fails; who names the old one by its identifier was never touched."""
    resources = deepcopy(NETWORK)
    resources["Fan"] = {
        "Type": TOPIC,
        "Properties": {"TopicName": "fan", "DisplayName": {"Fn::Sub": "arn:x:${Queue}/y"}},
    }
    rig.run(make_plan(resources))
    (old,) = rig.world.of(QUEUE)
    changed = deepcopy(resources)
    changed["Queue"]["Properties"]["FifoQueue"] = True
    rig.world.fail["create", "Queue"] = [no()]
    report = rig.run(make_plan(changed))
    assert report.message.endswith("; rolled back"), by_step(report)
    (new,) = rig.world.of(QUEUE)
    assert new != old
    (fan,) = rig.world.of(TOPIC).values()
    assert fan["DisplayName"] == f"arn:x:{new}/y"
    assert rig.store.records("demo")["Fan"].applied["DisplayName"] == f"arn:x:{new}/y"  # type: ignore[index,arg-type]
    assert "Fan led to it" in by_step(report)["Queue:delete"][1]
    assert rig.run(make_plan(resources)).changes == ()


def test_one_that_names_itself_names_its_new_self(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    ((old, queue),) = rig.world.of(QUEUE).items()
    queue["KmsMasterKeyId"] = f"of {old}"
    rig.world.fail["delete", "Vpc"] = [no()]
    report = rig.run(make_plan({"Last": {**LAST, "DependsOn": []}}))
    assert report.message.endswith("; rolled back"), by_step(report)
    ((new, queue),) = rig.world.of(QUEUE).items()
    assert (new != old, queue["KmsMasterKeyId"]) == (True, f"of {new}")


def test_a_name_that_is_not_free_yet_is_waited_for(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    rig.world.fail["delete", "Vpc"] = [no()]
    rig.world.fail["create", "Queue"] = [AwsFault(FaultKind.CONFLICT, "deleted recently") for _ in range(3)]
    report = rig.run(make_plan({"Last": {**LAST, "DependsOn": []}}))
    assert report.message.endswith("; rolled back"), by_step(report)
    assert len(rig.world.of(QUEUE)) == 1


@pytest.mark.parametrize(("refusals", "state"), [(4, PlanState.IN_SYNC), (5, PlanState.FAILED)])
def test_a_replacement_that_deletes_first_waits_for_the_name_for_a_minute(
    rig: Rig, refusals: int, state: PlanState
) -> None:
    def named(fifo: bool) -> Plan:
        properties = {"QueueName": "jobs.fifo", "FifoQueue": fifo}
        return make_plan({"Queue": {"Type": QUEUE, "Properties": properties}}, rollback=RollbackPolicy("manual"))

    rig.run(named(True))
    rig.world.fail["create", "Queue"] = [AwsFault(FaultKind.CONFLICT, "deleted recently") for _ in range(refusals)]
    began = rig.clock.monotonic()
    report = rig.run(named(False))
    assert report.state is state, by_step(report)
    assert rig.clock.monotonic() - began >= 60
    assert len(rig.world.of(QUEUE)) == (state is PlanState.IN_SYNC)
    assert rig.run(named(False)).state is PlanState.IN_SYNC
    assert len(rig.world.of(QUEUE)) == 1


def test_a_conflict_of_a_first_create_is_not_waited_out(rig: Rig) -> None:
    rig.world.fail["create", "Queue"] = [AwsFault(FaultKind.CONFLICT, "deleted recently")]
    began = rig.clock.monotonic()
    assert rig.run(make_plan(NETWORK)).state is PlanState.FAILED
    assert rig.clock.monotonic() - began < 60


def test_a_delete_cut_short_is_looked_at(rig: Rig) -> None:
    """It failed after it had taken effect: then the resource is made again."""
    rig.run(make_plan(NETWORK))
    world = rig.world.snapshot()
    rig.world.fail["delete", "Queue"] = [no()]
    rig.world.after_effect.add(("delete", "Queue"))
    resources = {name: value for name, value in NETWORK.items() if name != "Queue"}
    report = rig.run(make_plan(resources))
    assert report.message.endswith("; rolled back"), by_step(report)
    assert len(rig.world.resources) == len(world)
    assert rig.run(make_plan(NETWORK)).changes == ()


class LosingStore(MemoryStore):
    """Loses the lease (or the disk) when an undo is about to be written."""

    def __init__(self, error: StoreError, after: int) -> None:
        super().__init__()
        self.error, self.left = error, after

    def write_journal(self, *entries: JournalEntry) -> None:
        for _ in (entry for entry in entries if entry.step.endswith(":undo") and entry.state == "intent"):
            if self.left == 0:
                raise self.error
            self.left -= 1
        super().write_journal(*entries)


@pytest.mark.parametrize("error", [LeaseLost("taken over"), StoreError("disk full")])
@pytest.mark.parametrize("after", [0, 1])
def test_it_stops_at_once_when_the_lease_or_the_store_is_lost(error: StoreError, after: int) -> None:
    rig = Rig()
    rig.store = LosingStore(error, after)
    rig.restart()
    rig.world.fail["create", "Last"] = [no()]
    report = rig.run(make_plan(network()))
    assert report.message.endswith("; rollback FAILED")
    assert [verb for verb, _, _ in rig.world.log].count("delete") == after
    left = [step for step in report.steps if step.state is StepState.FAILED and str(error) in step.error]
    assert len(left) == 4 - after
    assert all(step.verb is Verb.CREATE for step in left)


def test_names_are_replaced_as_a_whole_and_inside_of_longer_texts() -> None:
    old = own_names(schema_for(VPC), Observation(Identifier("vpc-1"), {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}))
    new = own_names(schema_for(VPC), Observation(Identifier("vpc-2"), {"VpcId": "vpc-2", "CidrBlock": "10.0.0.0/16"}))
    renames = Renames()
    renames.lost(old)
    assert renames.dangles({"a": ["x/vpc-1"]})
    assert renames.found(old, new) == {"vpc-1": "vpc-2"}
    assert not renames.dangles("vpc-1")
    before = {"a": "vpc-1", "b": ["arn:aws:ec2:x:1:vpc/vpc-1", "vpc-10", "my-vpc-1", 1], "c": "10.0.0.0/16"}
    assert renames(before) == {
        "a": "vpc-2",
        "b": ["arn:aws:ec2:x:1:vpc/vpc-2", "vpc-10", "my-vpc-1", 1],
        "c": "10.0.0.0/16",
    }
    assert renames.place(Identifier("vpc-1")) == "vpc-2"


def test_what_names_something_not_yet_made_again_is_put_back_in_the_end(rig: Rig) -> None:
    """The role comes back under its own name after the queue, which names it, was undone."""

    def resources(path: str, kind: str) -> dict[str, Any]:
        role = {"RoleName": "role-1", "Path": path, "AssumeRolePolicyDocument": {"Version": "2012-10-17"}}
        named = {"Fn::Sub": f"${{Role.Arn}}/{kind}"}
        return {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Queue": {"Type": QUEUE, "Properties": {"QueueName": "jobs", "KmsMasterKeyId": named}},
        }

    rig.run(make_plan(resources("/a/", "old")))
    rig.world.fail["create", "Last"] = [no()]
    last = {"Last": {**LAST, "DependsOn": ["Queue"]}}
    report = rig.run(make_plan({**resources("/b/", "new"), **last}))
    assert report.message.endswith("; rolled back"), by_step(report)
    assert [name for verb, name in rig.verbs() if verb == "delete"] == ["Role", "Role"]
    (queue,) = rig.world.of(QUEUE).values()
    assert queue["KmsMasterKeyId"] == "arn:fake:role-1/old"
    assert rig.run(make_plan(resources("/a/", "old"))).changes == ()
