"""The breakers through the whole program, over a local AWS: what it is spared, and what people are told."""

from __future__ import annotations

import pytest

from reconciler.model.ids import PlanName, RequestId
from reconciler.model.report import PlanState, PlanStatus
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import REGION, Shell, plan_text, queue

BREAKER = {"failures": 2, "flips": 2}


def calls(lab: Lab) -> int:
    return sum(lab.aws.calls(SANDBOX).values())


def status(lab: Lab) -> PlanStatus:
    found = lab.app.store.status(PlanName("first"))
    assert found is not None
    return found


def change(lab: Lab, seconds: str) -> None:
    client = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    client.set_queue_attributes(QueueUrl=url(lab), Attributes={"VisibilityTimeout": seconds})


def url(lab: Lab) -> str:
    client = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    return str(client.get_queue_url(QueueName="first-jobs")["QueueUrl"])


def timeout(lab: Lab) -> str:
    client = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    return str(
        client.get_queue_attributes(QueueUrl=url(lab), AttributeNames=["All"])["Attributes"]["VisibilityTimeout"]
    )


@pytest.fixture
def installation(lab: Lab) -> Lab:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs", VisibilityTimeout=60)}))
    lab.open(breaker=BREAKER)
    return lab


def test_a_plan_that_keeps_failing_leaves_aws_alone(installation: Lab) -> None:
    lab = installation
    lab.aws.fail("sqs", "CreateQueue", "InvalidAttributeValue", times=100)
    for _ in range(2):
        assert lab.run("first").state is PlanState.FAILED
    lab.aws.reset_calls()
    report = lab.run("first")
    assert (report.skipped, calls(lab)) == (True, 0)
    assert "InvalidAttributeValue" in status(lab).message
    shown = Shell(lab)("status", "first")
    assert "reconciler sync first" in shown.text
    lab.aws.clear_faults()
    lab.open(breaker=BREAKER)  # a restart doesn't forget
    assert lab.run("first").skipped
    snapshot = lab.app.source.load()
    plan = snapshot.plans[PlanName("first")]
    assert lab.app.cycle.run(plan, (), "sync", (RequestId("r"),)).state is PlanState.IN_SYNC


def test_a_field_that_somebody_else_keeps_changing_is_left_to_people(installation: Lab) -> None:
    lab = installation
    lab.run("first")
    for _ in range(2):
        change(lab, "5")
        assert lab.run("first").state is PlanState.IN_SYNC
    change(lab, "5")
    report = lab.run("first")  # this AWS has no CloudTrail to tell who it was, and that does no harm
    assert (report.state, timeout(lab)) == (PlanState.DRIFTED, "5")
    assert "Jobs/VisibilityTimeout was put right 2 times" in report.message
    assert 'reconciler_breaker_open{environment="sandbox",kind="field",plan="first"} 1.0' in (
        lab.app.metrics.exposition()[0].decode()
    )


def test_an_account_that_throttles_is_left_alone(installation: Lab) -> None:
    lab = installation
    lab.open(breaker={"throttles": 2, "relief": 300})
    lab.aws.fail("sqs", "*", "RequestThrottled", times=2)
    lab.run("first")
    lab.aws.reset_calls()
    report = lab.run("first")
    assert (report.state, report.error_reason, calls(lab)) == (PlanState.FAILED, "throttled", 0)
    assert "left to the people who work there until" in report.message
    assert status(lab).held_until is None  # the account's breaker, not the plan's
    text = lab.app.metrics.exposition()[0].decode()
    assert f'reconciler_account_throttled{{account="{SANDBOX}",region="{REGION}"}} 1.0' in text
    assert "at once by `reconciler sync`" in report.message
    snapshot = lab.app.source.load()
    asked = lab.app.cycle.run(snapshot.plans[PlanName("first")], (), "request", (RequestId("r1"),))
    assert asked.state is PlanState.IN_SYNC, asked.message
    assert lab.run("first").error_reason == "throttled"  # nobody asked for this one
