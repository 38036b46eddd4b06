"""Calls whose answer never comes, fails half way or contradicts itself: decided by looking, never by guessing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.apply.resume import decide
from reconciler.model.errors import AwsFault, ConfigurationError, FaultKind
from reconciler.model.ids import Identifier, PlanName, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan, RollbackPolicy
from reconciler.model.report import PlanState, StepState
from reconciler.testing.world import FakeProvider
from tests.unit.apply.dying import Mortal
from tests.unit.cycle.conftest import NETWORK, make_plan

VPC, QUEUE, DEMO = "AWS::EC2::VPC", "AWS::SQS::Queue", PlanName("demo")
LOST = AwsFault(FaultKind.TIMEOUT, "no answer", service="ec2", operation="CreateVpc", ambiguous=True)
TAGS = [{"Key": "reconciler:plan", "Value": "demo"}, {"Key": "reconciler:id", "Value": "Vpc"}]


def vpc(mode: str = "manual", **properties: Any) -> Plan:
    body = {"Type": VPC, "Properties": {"CidrBlock": "10.0.0.0/16", **properties}}
    return make_plan({"Vpc": body}, rollback=RollbackPolicy(mode))


def queue(seconds: int) -> Plan:
    return make_plan({"Queue": {"Type": QUEUE, "Properties": {"QueueName": "jobs", "DelaySeconds": seconds}}})


@pytest.fixture
def rig() -> Mortal:
    return Mortal()


def journal(rig: Mortal) -> dict[str, JournalEntry]:
    """The newest entry of each step."""
    runs = [report.run for report, _ in rig.recorded.reports]
    return {entry.step: entry for run in runs for entry in rig.store.journal(run)}


def answers_get_lost(rig: Mortal, verb: str, name: str, *, applied: bool) -> None:
    rig.world.fail[verb, name] = [LOST]
    if applied:
        rig.world.after_effect.add((verb, name))


class Blind:
    """Makes looking for resources impossible."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blind = False
        locate = FakeProvider.locate

        def looking(provider: FakeProvider, *arguments: Any) -> Any:
            if self.blind:
                raise AwsFault(FaultKind.UNAVAILABLE, "AWS is down")
            return locate(provider, *arguments)

        monkeypatch.setattr(FakeProvider, "locate", looking)


@pytest.fixture
def sight(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blind]:
    yield Blind(monkeypatch)


def test_a_create_that_shows_late_is_the_one(rig: Mortal) -> None:
    rig.world.lag = 4
    answers_get_lost(rig, "create", "Vpc", applied=True)
    report = rig.run(vpc())
    assert report.state is PlanState.IN_SYNC, report.message
    assert journal(rig)["Vpc:create"].state is JournalState.DONE
    rig.is_as(vpc())


def test_a_create_of_which_there_is_no_trace_is_lost_and_repeated_with_its_token(rig: Mortal) -> None:
    """It did take effect after all, but nobody could see it: AWS knows the token."""
    rig.world.lag = 20
    answers_get_lost(rig, "create", "Vpc", applied=True)
    report = rig.run(vpc())
    assert report.state is PlanState.FAILED
    first = journal(rig)["Vpc:create"]
    assert (first.state, first.identifier) == (JournalState.LOST, None)
    assert "no trace of it was found" in first.error
    rig.world.lag = 0
    rig.converges(vpc())
    assert journal(rig)["Vpc:create"].token == first.token


def test_other_properties_need_another_token(rig: Mortal) -> None:
    answers_get_lost(rig, "create", "Vpc", applied=False)
    rig.run(vpc())
    first = journal(rig)["Vpc:create"]
    changed = vpc(EnableDnsSupport=True)
    rig.converges(changed)
    assert journal(rig)["Vpc:create"].token != first.token


def test_while_aws_is_down_the_call_stays_open_and_the_next_pass_settles_it(rig: Mortal, sight: Blind) -> None:
    answers_get_lost(rig, "create", "Vpc", applied=True)
    boundary = rig.death.boundary

    def goes_blind(moment: str) -> None:
        boundary(moment)
        sight.blind = sight.blind or moment == "before create Vpc"

    rig.world.boundary = goes_blind
    report = rig.run(vpc())
    assert report.state is PlanState.FAILED
    (entry,) = rig.store.unfinished(DEMO)
    assert (entry.state, "no answer" in entry.error) == (JournalState.INTENT, True)
    rig.world.boundary = boundary
    assert "AWS is down" in rig.run(vpc()).message
    assert len(rig.store.unfinished(DEMO)) == 1
    sight.blind = False
    rig.converges(vpc())
    assert len(rig.world.of(VPC)) == 1


@pytest.mark.parametrize("applied", [True, False])
def test_an_update_without_an_answer_is_decided_by_reading(rig: Mortal, applied: bool) -> None:
    rig.run(queue(5))
    answers_get_lost(rig, "update", "Queue", applied=applied)
    report = rig.run(queue(9))
    assert (report.state is PlanState.IN_SYNC) is applied
    assert journal(rig)["Queue:update"].state is (JournalState.DONE if applied else JournalState.LOST)
    assert [live["DelaySeconds"] for live in rig.world.of(QUEUE).values()] == [9 if applied else 5]
    rig.converges(queue(9))


@pytest.mark.parametrize("applied", [True, False])
def test_a_delete_without_an_answer_is_decided_by_reading(rig: Mortal, applied: bool) -> None:
    rig.run(make_plan({"Vpc": NETWORK["Vpc"], "Queue": NETWORK["Queue"]}))
    answers_get_lost(rig, "delete", "Queue", applied=applied)
    report = rig.run(vpc())
    assert (report.state is PlanState.IN_SYNC) is applied
    assert journal(rig)["Queue:delete"].state is (JournalState.DONE if applied else JournalState.LOST)
    rig.converges(vpc())


def test_a_create_that_failed_half_way_is_known_of(rig: Mortal) -> None:
    rig.world.fail["create", "Vpc"] = [AwsFault(FaultKind.ACCESS_DENIED, "no ec2:ModifyVpcAttribute")]
    rig.world.after_effect.add(("create", "Vpc"))
    assert rig.run(vpc()).state is PlanState.FAILED
    assert journal(rig)["Vpc:create"].state is JournalState.FAILED
    assert [record.identifier for record in rig.store.records(DEMO).values()] == ["vpc-1"]
    rig.converges(queue(5))  # the plan has dropped it by now
    assert rig.world.of(VPC) == {}


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.CREDENTIALS, FaultKind.ACCESS_DENIED])
def test_an_operation_that_could_not_be_asked_about_goes_on(rig: Mortal, kind: FaultKind) -> None:
    rig.world.slow.add(VPC)
    rig.world.fail["poll", "vpc-1"] = [AwsFault(kind, "not now")]
    assert rig.run(vpc()).state is PlanState.FAILED
    (entry,) = rig.store.unfinished(DEMO)
    assert (entry.state, entry.identifier) == (JournalState.PENDING, "vpc-1")
    rig.converges(vpc())
    assert len(rig.world.of(VPC)) == 1


def test_what_a_rollback_has_taken_back_is_not_looked_for_again(rig: Mortal) -> None:
    """AWS knows the token of what was deleted, so the next create needs another one."""
    rig.world.slow.add(VPC)
    rig.world.fail["poll", "vpc-1"] = [AwsFault(FaultKind.UNAVAILABLE, "down")]
    report = rig.run(vpc("automatic"))
    assert "rolled back" in report.message
    first = journal(rig)["Vpc:create"]
    assert (first.state, rig.world.of(VPC)) == (JournalState.PENDING, {})
    report = rig.run(vpc("automatic"))
    assert report.state is PlanState.IN_SYNC, report.message
    rig.is_as(vpc())
    settled = next(entry for entry in rig.store.journal(first.run) if entry.step == first.step)
    assert (settled.state, settled.error) == (JournalState.FAILED, "taken back before it was known to be done")
    assert journal(rig)["Vpc:create"].token != first.token


def test_an_operation_that_aws_denies_for_a_moment_is_looked_for(rig: Mortal) -> None:
    rig.world.slow.add(VPC)
    rig.world.lag = 3
    rig.world.fail["poll", "vpc-1"] = [AwsFault(FaultKind.NOT_FOUND, "no such operation") for _ in range(3)]
    report = rig.run(vpc())
    assert report.state is PlanState.IN_SYNC, report.message
    rig.is_as(vpc())


def test_an_operation_that_failed_is_failed(rig: Mortal) -> None:
    rig.world.slow.add(VPC)
    rig.world.fail["poll", "vpc-1"] = [AwsFault(FaultKind.QUOTA, "no more")]
    rig.run(vpc())
    assert journal(rig)["Vpc:create"].state is JournalState.FAILED
    assert rig.store.unfinished(DEMO) == []
    rig.converges(vpc())


@pytest.mark.parametrize("gone", [True, False])
def test_a_handle_that_aws_has_forgotten_means_looking(rig: Mortal, gone: bool) -> None:
    rig.world.slow.add(VPC)
    assert rig.dies_after(vpc(), "poll vpc-1")
    (entry,) = rig.store.unfinished(DEMO)
    assert entry.state is JournalState.PENDING
    rig.world.fail["poll", "vpc-1"] = [AwsFault(FaultKind.NOT_FOUND, "no such operation")]
    if gone:
        rig.world.resources.clear()
        rig.world.tokens.clear()
    rig.run(vpc())
    assert rig.store.unfinished(DEMO) == []
    rig.converges(vpc())


def copied(rig: Mortal) -> None:
    """An interrupted create, and somebody who has copied the tags of what it made."""
    assert rig.dies_after(vpc(), "after create Vpc")
    rig.world.resources[VPC, "vpc-copy"] = {"VpcId": "vpc-copy", "CidrBlock": "10.0.0.0/16", "Tags": TAGS}


def test_two_that_cannot_be_told_apart_wait_for_a_person(rig: Mortal) -> None:
    copied(rig)
    for _ in range(2):
        report = rig.run(vpc())
        assert (report.state, report.error_reason) == (PlanState.FAILED, "undecidable")
        assert rig.world.log == []
    assert "2 resources carry the tags of Vpc (plan demo): vpc-1, vpc-copy" in report.message
    assert "reconciler settle demo Vpc:create --outcome present --identifier ID" in report.message
    assert "reconciler settle demo Vpc:create --outcome absent" in report.message


def test_a_persons_word_lets_the_plan_go_on(rig: Mortal) -> None:
    copied(rig)
    rig.run(vpc())
    step = StepId("Vpc:create")
    with pytest.raises(ConfigurationError, match="name it by --identifier"):
        decide(rig.store, rig.clock, DEMO, step, present=True, identifier=None)
    closed = decide(rig.store, rig.clock, DEMO, step, present=True, identifier=Identifier("vpc-1"))
    assert closed.state is JournalState.DONE
    assert "settle" in [entry.event.kind for entry in rig.store.audit_entries()]
    del rig.world.resources[VPC, "vpc-copy"]
    rig.converges(vpc())
    assert list(rig.world.of(VPC)) == ["vpc-1"]
    with pytest.raises(ConfigurationError, match="no step Vpc:create whose outcome is undecidable"):
        decide(rig.store, rig.clock, DEMO, step, present=True, identifier=Identifier("vpc-1"))


def test_absent_means_it_is_made_anew_with_a_new_token(rig: Mortal) -> None:
    copied(rig)
    rig.run(vpc())
    rig.world.resources.clear()
    first = rig.store.unresolved(DEMO)[0]
    decide(rig.store, rig.clock, DEMO, first.step, present=False, identifier=None)
    rig.converges(vpc())
    assert journal(rig)["Vpc:create"].token != first.token


def test_a_call_in_another_account_is_not_guessed_about(rig: Mortal) -> None:
    assert rig.dies_after(vpc(), "after create Vpc")
    rig.world.account = "222222222222"
    moved = replace(vpc(), target=replace(vpc().target, account="222222222222"))
    report = rig.run(moved)
    assert report.error_reason == "undecidable"
    assert "create AWS::EC2::VPC was called in account 111111111111" in report.message
    assert "the plan's target is account 222222222222, us-east-1 by now" in report.message
    assert rig.store.records(DEMO) == {}


def test_two_with_the_same_tags_are_a_conflict_for_the_diff_too(rig: Mortal) -> None:
    for name in ("vpc-1", "vpc-2"):
        rig.world.resources[VPC, name] = {"VpcId": name, "CidrBlock": "10.0.0.0/16", "Tags": TAGS}
    report = rig.run(vpc())
    assert report.state is PlanState.FAILED
    assert "can't be told apart" in report.message
    assert rig.world.log == []


def test_a_lost_lease_stops_before_the_call_and_writes_nothing_more(rig: Mortal) -> None:
    boundary = rig.death.boundary

    def taken_over(moment: str) -> None:
        boundary(moment)
        if moment == "after write_journal Vpc:create":
            rig.locks.lease.lost = "another process has it"

    rig.death.boundary = taken_over  # type: ignore[method-assign]
    report = rig.run(vpc())
    assert report.state is PlanState.FAILED
    assert rig.world.log == []
    (entry,) = rig.store.unfinished(DEMO)
    assert (entry.state, entry.error) == (JournalState.INTENT, "")
    rig.locks.lease.lost = ""
    rig.death.boundary = boundary  # type: ignore[method-assign]
    rig.converges(vpc())


def test_the_report_says_which_call_failed(rig: Mortal) -> None:
    denied = AwsFault(
        FaultKind.ACCESS_DENIED,
        "not authorized",
        service="ec2",
        operation="CreateVpc",
        code="UnauthorizedOperation",
        permission="ec2:CreateVpc",
        resource="arn:aws:ec2:us-east-1:111111111111:vpc/*",
    )
    rig.world.fail["create", "Vpc"] = [denied]
    (step,) = rig.run(vpc()).steps
    assert (step.state, step.service, step.operation) == (StepState.FAILED, "ec2", "CreateVpc")
    assert (step.code, step.permission) == ("UnauthorizedOperation", "ec2:CreateVpc")
    assert step.resource == "arn:aws:ec2:us-east-1:111111111111:vpc/*"


def test_a_delete_keeps_all_there_was_to_read(rig: Mortal) -> None:
    rig.run(make_plan({"Vpc": NETWORK["Vpc"], "Queue": NETWORK["Queue"]}))
    (live,) = rig.world.of(QUEUE).values()
    live["VisibilityTimeout"] = 77  # by somebody else: no plan names it
    rig.run(vpc())
    assert journal(rig)["Queue:delete"].before["VisibilityTimeout"] == 77


def test_what_is_in_sync_is_remembered_as_the_plan_wants_it(rig: Mortal) -> None:
    """A field that others had set already is the plan's from then on, and taken back when the plan drops it."""
    rig.run(make_plan({"Queue": NETWORK["Queue"]}))
    (live,) = rig.world.of(QUEUE).values()
    live["VisibilityTimeout"] = 77
    body = {**NETWORK["Queue"], "Properties": {**NETWORK["Queue"]["Properties"], "VisibilityTimeout": 77}}
    assert rig.run(make_plan({"Queue": body})).changes == ()
    rig.run(make_plan({"Queue": NETWORK["Queue"]}))
    assert "VisibilityTimeout" not in live


def test_a_retention_added_later_is_kept_to(rig: Mortal) -> None:
    rig.run(make_plan({"Queue": NETWORK["Queue"], "Vpc": NETWORK["Vpc"]}))
    rig.run(make_plan({"Queue": {**NETWORK["Queue"], "DeletionPolicy": "Retain"}, "Vpc": NETWORK["Vpc"]}))
    rig.run(vpc())
    assert len(rig.world.of(QUEUE)) == 1


PROFILE = "AWS::IAM::InstanceProfile"


@pytest.mark.parametrize(
    ("left", "ours"),
    [
        ({"Path": "/"}, True),  # the call that adds the role wasn't made any more
        ({"Path": "/", "Roles": ["web"]}, True),
        ({"Path": "/", "Roles": ["another"]}, False),
        ({"Path": "/others/"}, False),
    ],
)
def test_what_a_create_of_several_calls_left_without_tags_is_ours_as_far_as_it_came(
    rig: Mortal, left: dict[str, Any], ours: bool
) -> None:
    """There is nothing in its place before the intent; what isn't as wanted there somebody else has made meanwhile."""
    wanted = {"InstanceProfileName": "web", "Path": "/", "Roles": ["web"]}
    plan = make_plan({"Profile": {"Type": PROFILE, "Properties": wanted}}, rollback=RollbackPolicy("automatic"))
    lost = AwsFault(FaultKind.TIMEOUT, "no answer", service="iam", operation="AddRole", ambiguous=True)
    rig.world.fail["create", "web"] = [lost]

    def stands(moment: str) -> None:
        if moment == "before create web":
            rig.world.resources[PROFILE, "web"] = {"InstanceProfileName": "web", **left}

    rig.world.boundary = stands
    report = rig.run(plan)
    assert report.state is (PlanState.IN_SYNC if left.get("Roles") == ["web"] else PlanState.FAILED), report.message
    assert report.state is PlanState.IN_SYNC or "iam:AddRole: no answer" in report.message
    assert journal(rig)["Profile:create"].state is (JournalState.DONE if ours else JournalState.LOST)
    assert set(rig.world.of(PROFILE)) == ({"web"} if report.state is PlanState.IN_SYNC or not ours else set())
