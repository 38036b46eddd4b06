"""The breakers of plans and fields, in whole passes over a world in memory: what is left alone, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.breakers import BreakerLimits
from reconciler.model.decision import Mode
from reconciler.model.errors import AwsFault, FaultKind, PipelineError, StoreError
from reconciler.model.ids import Digest, RequestId
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState
from reconciler.model.resource import SyncState
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

QUEUE = "AWS::SQS::Queue"
MINUTE, HOUR = 60.0, 3600.0
OTHER = Digest("sha256:" + "1" * 64)
SUBNET_ONLY = {name: NETWORK[name] for name in ("Vpc", "Subnet", "Group")}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def status(rig: Rig) -> Any:
    found = rig.store.status("demo")
    assert found is not None
    return found


def break_creates(rig: Rig, times: int = 100, kind: FaultKind = FaultKind.QUOTA) -> None:
    rig.world.fail["create", "Queue"] = [
        AwsFault(kind, "no more queues", service="sqs", operation="CreateQueue")
    ] * times


def failing(rig: Rig, plan: Plan | None = None, passes: int = 5) -> Plan:
    """A plan after so many failed passes in a row."""
    plan = plan or make_plan(NETWORK)
    break_creates(rig)
    for _ in range(passes):
        assert rig.run(plan).state is PlanState.FAILED
    return plan


def asked(rig: Rig, plan: Plan) -> Any:
    rig.world.log.clear()
    return rig.cycle.run(plan, (), "sync", (RequestId("r-1"),))


# plans


def test_a_plan_that_keeps_failing_is_held_and_aws_is_left_alone(rig: Rig) -> None:
    plan = failing(rig)
    held = status(rig)
    assert held.held_until == rig.clock.now() + timedelta(minutes=30)
    for words in ("no more queues", "failed 5 times in a row", "`reconciler sync demo`", "edit of the plan", "UTC"):
        assert words in held.message
    rig.clock.sleep(10 * MINUTE)
    opened, runs = len(rig.access.opened), len(rig.store.history("demo"))
    report = rig.run(plan)
    assert (report.state, report.retry_after) == (PlanState.FAILED, 20 * MINUTE)
    assert (rig.world.log, len(rig.access.opened), len(rig.store.history("demo"))) == ([], opened, runs)
    now = status(rig)
    assert replace(now, updated_at=held.updated_at) == held  # the error, the failures and the explanations stay
    assert rig.recorded.reports[-1][0] is None  # no pass, as far as metrics are concerned


def test_four_failures_in_a_row_hold_nothing(rig: Rig) -> None:
    plan = failing(rig, passes=4)
    assert status(rig).held_until is None
    rig.world.fail.clear()
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert status(rig).strikes == 0


def test_the_first_pass_after_the_cooldown_is_the_trial_and_success_closes(rig: Rig) -> None:
    plan = failing(rig)
    rig.world.fail.clear()
    rig.clock.sleep(30 * MINUTE)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert (status(rig).held_until, status(rig).strikes, status(rig).failures) == (None, 0, 0)


def test_every_failed_trial_doubles_the_pause_up_to_the_limit(rig: Rig) -> None:
    plan = failing(rig)
    pauses = []
    for _ in range(5):
        rig.clock.sleep((status(rig).held_until - rig.clock.now()).total_seconds())
        assert rig.run(plan).state is PlanState.FAILED
        assert rig.world.log != []  # it was tried
        pauses.append((status(rig).held_until - rig.clock.now()).total_seconds() / HOUR)
    assert pauses == [1, 2, 4, 4, 4]


def test_a_hold_survives_a_restart(rig: Rig) -> None:
    plan = failing(rig)
    rig.restart()
    opened = len(rig.access.opened)
    assert rig.run(plan).skipped
    assert len(rig.access.opened) == opened


def test_an_edit_or_a_person_tries_at_once(rig: Rig) -> None:
    plan = failing(rig)
    assert rig.run(plan).skipped
    assert not asked(rig, plan).skipped
    assert rig.world.log != []
    assert status(rig).strikes == 6
    assert not rig.run(replace(plan, digest=OTHER)).skipped
    assert (status(rig).strikes, status(rig).held_until) == (1, None)  # new content starts from the beginning


@pytest.mark.parametrize("kind", [FaultKind.UNAVAILABLE, FaultKind.TIMEOUT, FaultKind.CREDENTIALS, FaultKind.THROTTLED])
def test_what_passes_by_itself_holds_no_plan(rig: Rig, kind: FaultKind) -> None:
    plan = make_plan(NETWORK)
    rig.access.fault = AwsFault(kind, "not now")
    for _ in range(8):
        assert rig.run(plan).state is PlanState.FAILED
    assert (status(rig).failures, status(rig).held_until) == (8, None)
    rig.access.fault = None
    assert rig.run(plan).state is PlanState.IN_SYNC


def test_an_outage_in_between_neither_counts_nor_forgives(rig: Rig) -> None:
    plan = failing(rig, passes=4)
    rig.access.fault = AwsFault(FaultKind.UNAVAILABLE, "not now")
    rig.run(plan)
    assert status(rig).held_until is None
    rig.access.fault = None
    rig.run(plan)
    assert status(rig).held_until is not None


def test_a_refusal_or_a_wait_is_no_failure(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    for mode in (Mode.WAIT, Mode.DENY):
        rig.policy.mode = mode
        for _ in range(6):
            rig.run(plan)
        assert status(rig).held_until is None
    rig.policy.mode = Mode.APPLY
    assert rig.run(plan).state is PlanState.IN_SYNC


@pytest.mark.parametrize("error", [PipelineError("no Git"), StoreError("disk full")])
def test_git_and_the_store_are_not_the_plans_fault(rig: Rig, error: Exception) -> None:
    plan = make_plan(NETWORK)
    rig.policy.error = error
    for _ in range(6):
        assert rig.run(plan).state is PlanState.FAILED
    assert status(rig).held_until is None


def test_an_internal_error_counts(rig: Rig) -> None:
    rig.policy.error = RuntimeError("boom")
    plan = make_plan(NETWORK)
    for _ in range(5):
        rig.run(plan)
    assert status(rig).held_until is not None


# fields


def drift(rig: Rig, value: int = 60) -> None:
    (queue,) = rig.world.of(QUEUE).values()
    queue["DelaySeconds"] = value


def delay(rig: Rig) -> int:
    (queue,) = rig.world.of(QUEUE).values()
    return int(queue["DelaySeconds"])


def fought(rig: Rig, times: int = 3) -> Plan:
    """A plan one of whose fields was changed and put right so many times."""
    plan = make_plan(NETWORK)
    rig.run(plan)
    for _ in range(times):
        rig.clock.sleep(5 * MINUTE)
        drift(rig)
        assert rig.run(plan).state is PlanState.IN_SYNC
        assert delay(rig) == 5
    return plan


def held_field(rig: Rig) -> Plan:
    plan = fought(rig)
    rig.clock.sleep(5 * MINUTE)
    drift(rig)
    rig.run(plan)
    return plan


def test_a_field_that_is_fought_over_is_left_alone_and_named(rig: Rig) -> None:
    rig.culprit = "arn:aws:iam::111111111111:user/mallory"
    plan = held_field(rig)
    report = rig.run(plan)
    assert (report.state, delay(rig), rig.world.log) == (PlanState.DRIFTED, 60, [])
    for words in ("Queue/DelaySeconds", "put right 3 times since", "mallory", "the plan wants 5", "left alone until"):
        assert words in report.message
    now = status(rig)
    assert len(now.held) == 1
    assert now.drift_since is not None
    (queue,) = [resource for resource in now.resources if resource.logical_id == "Queue"]
    assert (queue.state, queue.message) == (SyncState.DRIFTED, report.message)
    assert (now.failures, report.retry_after) == (0, None)


def test_other_fields_and_resources_are_still_put_right(rig: Rig) -> None:
    plan = held_field(rig)
    (queue,) = rig.world.of(QUEUE).values()
    queue["Tags"] = []
    rig.world.of("AWS::EC2::SecurityGroup")[next(iter(rig.world.of("AWS::EC2::SecurityGroup")))]["Tags"] = []
    report = rig.run(plan)
    assert [verb for verb, _ in rig.verbs()] == ["update", "update"]
    assert queue["Tags"] != []
    assert (report.state, delay(rig), report.retry_after) == (PlanState.DRIFTED, 60, None)
    assert len(status(rig).held) == 1


def test_a_field_that_stays_put_is_in_sync_though_watched(rig: Rig) -> None:
    plan = fought(rig)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert status(rig).held == ()


def test_after_the_hold_comes_one_trial(rig: Rig) -> None:
    plan = held_field(rig)
    rig.clock.sleep(HOUR)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert delay(rig) == 5
    drift(rig)
    assert rig.run(plan).state is PlanState.DRIFTED  # the trial failed: held at once
    assert delay(rig) == 60


def test_a_fight_that_ended_is_forgotten(rig: Rig) -> None:
    plan = held_field(rig)
    drift(rig, 5)
    rig.clock.sleep(HOUR)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert rig.store.contests("demo") == []


def test_slow_drift_is_no_fight(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    rig.run(plan)
    for _ in range(6):
        rig.clock.sleep(3.5 * HOUR)
        drift(rig)
        assert rig.run(plan).state is PlanState.IN_SYNC
        assert delay(rig) == 5
    assert len(rig.store.contests("demo")) == 1
    rig.clock.sleep(7 * HOUR)
    rig.run(plan)
    assert rig.store.contests("demo") == []


def test_new_content_or_a_person_begins_anew(rig: Rig) -> None:
    plan = held_field(rig)
    assert rig.run(replace(plan, digest=OTHER)).state is PlanState.IN_SYNC
    assert delay(rig) == 5
    plan = held_field(rig)
    assert asked(rig, plan).state is PlanState.IN_SYNC
    assert delay(rig) == 5
    assert [contest.times for contest in rig.store.contests("demo")] == [1]


def test_a_fields_hold_survives_a_restart(rig: Rig) -> None:
    plan = held_field(rig)
    rig.restart()
    assert rig.run(plan).state is PlanState.DRIFTED
    assert delay(rig) == 60


def test_a_preview_neither_begins_nor_ends_a_fight(rig: Rig) -> None:
    plan = held_field(rig)
    before = rig.store.contests("demo")
    rig.clock.sleep(2 * HOUR)
    preview = rig.cycle.preview(plan, ())
    assert preview.changes is not None
    assert [change.logical_id for change in preview.changes.changes] == ["Queue"]
    assert rig.store.contests("demo") == before


def test_a_preview_says_what_is_left_alone_and_remembers_nothing(rig: Rig) -> None:
    plan = fought(rig)
    drift(rig)
    before = rig.store.contests("demo")
    preview = rig.cycle.preview(plan, ())
    assert preview.outcome is not None
    assert preview.outcome.state is PlanState.DRIFTED
    assert "left alone until" in preview.outcome.held[0]
    assert rig.store.contests("demo") == before


def test_the_name_is_asked_for_until_cloudtrail_tells(rig: Rig) -> None:
    plan = held_field(rig)
    assert " by " not in status(rig).message
    rig.culprit = "mallory"
    assert "changed again by mallory" in rig.run(plan).message


def test_changes_of_the_plan_are_no_fight(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    rig.run(plan)
    for seconds in range(10, 16):
        resources = {
            **NETWORK,
            "Queue": {**NETWORK["Queue"], "Properties": {"QueueName": "jobs", "DelaySeconds": seconds}},
        }
        assert rig.run(make_plan(resources)).state is PlanState.IN_SYNC
    assert rig.store.contests("demo") == []


# resources that somebody keeps deleting


def delete(rig: Rig, kind: str) -> None:
    for key in [key for key in rig.world.resources if key[0] == kind]:
        del rig.world.resources[key]


def test_a_resource_that_is_deleted_again_and_again_is_not_made_again(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    rig.run(plan)
    for _ in range(3):
        delete(rig, QUEUE)
        assert rig.run(plan).state is PlanState.IN_SYNC
    delete(rig, QUEUE)
    report = rig.run(plan)
    assert (report.state, rig.world.of(QUEUE)) == (PlanState.DRIFTED, {})
    assert "Queue was put right 3 times" in report.message
    assert "deleted again" in report.message
    (queue,) = [resource for resource in status(rig).resources if resource.logical_id == "Queue"]
    assert queue.state is SyncState.MISSING
    rig.clock.sleep(HOUR)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert len(rig.world.of(QUEUE)) == 1


def test_what_refers_to_a_missing_resource_that_is_left_alone_is_left_alone_too(rig: Rig) -> None:
    plan = make_plan(SUBNET_ONLY)
    rig.run(plan)
    for _ in range(3):
        delete(rig, "AWS::EC2::VPC")
        assert rig.run(plan).state is PlanState.IN_SYNC
    delete(rig, "AWS::EC2::VPC")
    report = rig.run(plan)
    assert (report.state, rig.world.log) == (PlanState.DRIFTED, [])
    told = {resource.logical_id: resource.message for resource in report.resources}
    assert "refers to Vpc, which is left alone" in told["Subnet"]


def test_a_plan_change_of_a_watched_resource_is_made(rig: Rig) -> None:
    """Existence is what is left alone, not the resource's fields."""
    plan = make_plan(NETWORK)
    rig.run(plan)
    for _ in range(3):
        delete(rig, QUEUE)
        rig.run(plan)
    drift(rig)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert delay(rig) == 5


@pytest.mark.parametrize(("strikes", "hours"), [(5, 0.5), (6, 1), (7, 2), (8, 4), (9, 4), (5000, 4)])
def test_pauses_are_bounded(strikes: int, hours: float) -> None:
    assert BreakerLimits().pause(strikes) == timedelta(hours=hours)
