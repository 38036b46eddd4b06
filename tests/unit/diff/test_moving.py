"""Moving resources between plans, over a world in memory: ownership goes over, nothing is deleted."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from reconciler.live import owner_in
from reconciler.model.decision import Mode
from reconciler.model.errors import AwsFault, FaultKind, Problem
from reconciler.model.ids import Owner, PlanName
from reconciler.model.plan import Plan, Snapshot
from reconciler.model.report import PlanState
from reconciler.model.resource import SyncState
from reconciler.source.claims import SourceClaims
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

REST = {"Rest": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "rest"}}}
ASSOCIATION = {
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Association": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": {"Ref": "Table"}},
    },
}


def plan(name: str, *parts: dict[str, Any], **changes: Any) -> Plan:
    resources = {key: value for part in parts for key, value in part.items()}
    return replace(make_plan(resources), name=PlanName(name), **changes)


class Estate:
    """Plans by name, as the source holds them, over one world."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.claims = SourceClaims()
        self.rig.claims = self.claims  # type: ignore[assignment]
        self.rig.restart()
        self.plans: dict[str, Plan] = {}

    def edit(self, *plans: Plan, invalid: str = "") -> None:
        """One edit of the source: these plans and no others."""
        self.plans = {plan.name: plan for plan in plans}
        bad = {invalid: (Problem("bad", invalid, reason="yaml"),)} if invalid else {}
        self.claims.update(Snapshot(dict(self.plans), invalid=bad))  # type: ignore[arg-type]

    def run(self, *names: str) -> list[Any]:
        reports = []
        for name in names:
            reports.append(self.rig.run(self.plans[name]))
            assert not [verb for verb, _ in self.rig.verbs() if verb == "delete"], "something was deleted"
        return reports

    def identifiers(self) -> set[tuple[str, str]]:
        return set(self.rig.world.resources)

    def owners(self) -> set[Owner]:
        found = {owner_in(live, "Tags") for live in self.rig.world.resources.values()}
        return {owner for owner in found if owner is not None}

    def recorded(self, name: str) -> set[str]:
        return set(self.rig.store.records(PlanName(name)))


@pytest.fixture
def estate() -> Estate:
    made = Estate()
    made.edit(plan("a", NETWORK, REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}))
    made.run("a", "b")
    return made


MOVED = plan("a", REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, NETWORK)


@pytest.mark.parametrize("order", ["ab", "ba", "aab", "bba"])
def test_blocks_moved_verbatim_go_over(estate: Estate, order: str) -> None:
    before = estate.identifiers()
    estate.edit(*MOVED)
    estate.run(*order)
    assert estate.identifiers() == before
    assert (estate.recorded("a"), estate.recorded("b")) == ({"Rest"}, {"Other", *NETWORK})
    owned = {Owner(PlanName("b"), name) for name in (*NETWORK, "Other")} | {Owner(PlanName("a"), "Rest")}
    assert estate.owners() == owned
    for report in estate.run("a", "b"):
        assert (report.state, report.changes, estate.rig.world.log) == (PlanState.IN_SYNC, (), [])


def test_the_change_is_an_adoption_that_says_where_from(estate: Estate) -> None:
    estate.edit(*MOVED)
    (report,) = estate.run("b")
    assert {change.action for change in report.changes} == {"adopt"}
    (vpc,) = [change for change in report.changes if change.logical_id == "Vpc"]
    assert "from plan a (Vpc)" in vpc.reason
    assert "nothing is deleted" in vpc.reason
    assert {field["path"] for field in vpc.fields} <= {"/Tags", "/Tags/reconciler:plan", "/Tags/reconciler:id"}
    assert vpc.fields != ()


def test_until_it_is_taken_over_it_is_the_former_plans_orphan(estate: Estate) -> None:
    before = estate.rig.world.snapshot()
    estate.edit(*MOVED)
    (report,) = estate.run("a")
    assert (report.state, estate.rig.world.resources) == (PlanState.IN_SYNC, before)
    orphans = {state.logical_id: state.message for state in report.resources if state.state is SyncState.ORPHANED}
    assert orphans.keys() == NETWORK.keys()
    assert "moves to plan b (Vpc)" in orphans["Vpc"]


@pytest.mark.parametrize("how", ["suspended", "waiting", "denied"])
def test_a_plan_that_cant_take_over_yet_costs_nothing(estate: Estate, how: str) -> None:
    before = estate.rig.world.snapshot()
    a, b = MOVED
    estate.edit(a, replace(b, suspend=how == "suspended"))
    estate.rig.policy.mode = {"waiting": Mode.WAIT, "denied": Mode.DENY}.get(how, Mode.APPLY)
    estate.run("b", "b")
    estate.rig.policy.mode = Mode.APPLY
    estate.run("a", "a")
    assert estate.rig.world.resources == before
    estate.edit(a, b)
    estate.run("b", "a")
    assert estate.recorded("b") == {"Other", *NETWORK}


def test_a_file_that_is_broken_when_the_other_drops_keeps_everything(estate: Estate) -> None:
    """The new plan's last good version claims nothing yet, and what its newest one claims isn't known."""
    before = estate.rig.world.snapshot()
    a, b = MOVED
    estate.edit(a, plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}), invalid="b")
    estate.run("a", "b", "a")
    assert estate.rig.world.resources == before
    estate.edit(a, b)
    estate.run("a", "b", "a")
    assert set(estate.rig.world.resources) == set(before)
    assert estate.recorded("b") == {"Other", *NETWORK}


def test_types_without_tags_go_over_by_their_record(estate: Estate) -> None:
    estate.edit(plan("a", NETWORK, REST, ASSOCIATION), estate.plans["b"])
    estate.run("a")
    before = estate.identifiers()
    estate.edit(plan("a", REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, NETWORK, ASSOCIATION))
    estate.run("a", "b", "a")
    assert estate.identifiers() == before
    assert {"Association", "Table"} <= estate.recorded("b")
    assert [report.changes for report in estate.run("b")] == [()]


def test_movedfrom_takes_it_over_under_another_logical_id(estate: Estate) -> None:
    before = estate.identifiers()
    queue = {**NETWORK["Queue"], "Metadata": {"Reconciler": {"movedFrom": "a/Queue"}}}
    rest = {name: NETWORK[name] for name in NETWORK if name != "Queue"}
    estate.edit(plan("a", REST, rest), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}, "Jobs": queue}))
    estate.run("a", "b", "a", "b")
    assert estate.identifiers() == before
    assert estate.recorded("b") == {"Other", "Jobs"}
    assert Owner(PlanName("b"), "Jobs") in estate.owners()


def test_movedfrom_finds_it_by_its_tags_when_the_store_is_lost(estate: Estate) -> None:
    before = estate.identifiers()
    vpc = {"Main": {**NETWORK["Vpc"], "Metadata": {"Reconciler": {"movedFrom": "a/Vpc"}}}}
    estate.rig.store = type(estate.rig.store)()
    estate.rig.restart()
    estate.edit(plan("a", REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, vpc))
    reports = estate.run("b")
    assert reports[0].state is PlanState.IN_SYNC, reports[0].message
    assert estate.identifiers() == before
    assert Owner(PlanName("b"), "Main") in estate.owners()


def test_movedfrom_of_something_that_isnt_there_is_a_conflict(estate: Estate) -> None:
    before = estate.identifiers()
    vpc = {"Main": {**NETWORK["Vpc"], "Metadata": {"Reconciler": {"movedFrom": "a/Nothing"}}}}
    estate.edit(estate.plans["a"], plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, vpc))
    (report,) = estate.run("b")
    assert (report.state, estate.identifiers()) == (PlanState.FAILED, before)
    assert "plan a (Nothing)" in report.message
    assert "movedFrom" in report.message


@pytest.mark.parametrize("own", ["movedFrom", "adopt"])
def test_what_the_former_plan_still_lists_is_a_conflict_and_nothing_changes(estate: Estate, own: str) -> None:
    (vpc,) = estate.rig.world.of("AWS::EC2::VPC")
    before = estate.rig.world.snapshot()
    claim = {**NETWORK["Vpc"], "Metadata": {"Reconciler": {own: "a/Vpc" if own == "movedFrom" else vpc}}}
    estate.edit(estate.plans["a"], plan("b", {"Other": {"Type": "AWS::SNS::Topic"}, "Main": claim}))
    for report in (*estate.run("b"), *estate.run("b")):
        assert report.state is PlanState.FAILED
        assert "still lists it" in report.message
    estate.run("a")
    assert estate.rig.world.resources == before


def test_a_move_that_would_replace_is_a_conflict(estate: Estate) -> None:
    before = estate.rig.world.snapshot()
    changed = deepcopy(NETWORK)
    changed["Vpc"]["Properties"]["CidrBlock"] = "10.9.0.0/16"
    estate.edit(plan("a", REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, changed))
    reports = estate.run("a", "b", "a")
    assert reports[1].state is PlanState.FAILED
    assert "/CidrBlock would force a replacement" in reports[1].message
    assert estate.rig.world.resources == before


def test_what_differs_otherwise_is_put_right_on_the_way(estate: Estate) -> None:
    changed = deepcopy(NETWORK)
    changed["Queue"]["Properties"]["DelaySeconds"] = 9
    estate.edit(plan("a", REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, changed))
    estate.run("b", "a", "b")
    (queue,) = estate.rig.world.of("AWS::SQS::Queue").values()
    assert queue["DelaySeconds"] == 9


def test_a_renamed_plan_moves_everything(estate: Estate) -> None:
    before = estate.identifiers()
    estate.edit(plan("z", NETWORK, REST), estate.plans["b"])
    assert [report.state for report in estate.run("z")] == [PlanState.IN_SYNC]
    assert estate.identifiers() == before
    assert (estate.recorded("a"), estate.recorded("z")) == (set(), {*NETWORK, "Rest"})


def test_an_absent_plan_deletes_only_what_nobody_claims(estate: Estate) -> None:
    queue = {"Queue": NETWORK["Queue"]}
    estate.edit(plan("a", REST, NETWORK, absent=True), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, queue))
    estate.rig.run(estate.plans["a"])
    assert {kind for kind, _ in estate.identifiers()} == {"AWS::SQS::Queue", "AWS::SNS::Topic"}
    assert len(estate.rig.world.of("AWS::SNS::Topic")) == 1
    estate.run("b")
    assert (estate.recorded("a"), estate.recorded("b")) == (set(), {"Other", "Queue"})


def test_nobodys_any_more_is_deleted_as_ever(estate: Estate) -> None:
    estate.edit(plan("a", REST), estate.plans["b"])
    report = estate.rig.run(estate.plans["a"])
    assert report.state is PlanState.IN_SYNC
    assert {kind for kind, _ in estate.identifiers()} == {"AWS::SNS::Topic"}


def test_a_new_logical_id_in_the_same_plan_keeps_the_resource(estate: Estate) -> None:
    before = estate.identifiers()
    renamed = {name: NETWORK[name] for name in NETWORK if name != "Queue"}
    renamed["Jobs"] = {**NETWORK["Queue"], "Metadata": {"Reconciler": {"movedFrom": "a/Queue"}}}
    estate.edit(plan("a", REST, renamed), estate.plans["b"])
    estate.run("a", "a")
    assert estate.identifiers() == before
    assert "Jobs" in estate.recorded("a")
    assert "Queue" not in estate.recorded("a")


def test_read_only_environments_say_sensibly_what_moves(estate: Estate) -> None:
    """There is no record in such an environment; what a plan has dropped is left, and nothing breaks."""
    estate.edit(
        plan("c", REST, target=replace(estate.plans["a"].target, environment="staging")),
        plan("d", NETWORK, target=replace(estate.plans["a"].target, environment="staging")),
    )
    estate.rig.policy.mode = Mode.PIPELINE
    before = estate.rig.world.snapshot()
    estate.run("c", "d", "c", "d")
    assert estate.rig.world.resources == before


@pytest.mark.parametrize("victim", ["Vpc", "Subnet", "Extra"])
def test_a_move_that_is_rolled_back_leaves_everything_with_the_former_plan(estate: Estate, victim: str) -> None:
    before, records = estate.rig.world.snapshot(), estate.rig.store.records(PlanName("a"))
    verb = "create" if victim == "Extra" else "update"
    extra = {"Extra": {"Type": "AWS::SQS::Queue", "DependsOn": [*NETWORK], "Properties": {"QueueName": "extra"}}}
    estate.edit(plan("a", REST), plan("b", {"Other": {"Type": "AWS::SNS::Topic"}}, NETWORK, extra))
    failures = [AwsFault(FaultKind.QUOTA, "no")]
    identifiers = {key: next(i for k, i in before if k == NETWORK[key]["Type"]) for key in NETWORK}
    estate.rig.world.fail[verb, victim] = list(failures)
    estate.rig.world.fail[verb, identifiers.get(victim, "")] = list(failures)
    report = estate.rig.run(estate.plans["b"])
    assert report.state is PlanState.FAILED, report.message
    assert estate.rig.world.resources == before
    assert estate.rig.store.records(PlanName("a")) == records
    assert estate.recorded("b") == {"Other"}
    estate.rig.world.fail.clear()
    estate.run("a", "b", "a")
    assert estate.recorded("b") == {"Other", "Extra", *NETWORK}
    assert set(before) < estate.identifiers()
