"""A resync of many plans: each type in a place is read once; what is done, each pass looks at for itself."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.daemon.daemon import Daemon
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.testing.localaws import LocalAws
from tests.e2e.conftest import SANDBOX, Lab

PLANS = [f"team-{number}" for number in range(6)]


def resources(name: str) -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": name, "VpcId": {"Ref": "Vpc"}},
        },
        "One": role,
        "Two": role,
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, "DelaySeconds": 5}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/{name}"}},
        "Value": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/{name}", "Type": "String", "Value": "v"}},
    }


def write(lab: Lab, name: str, **spec: Any) -> None:
    target = {"environment": "sandbox", "account": SANDBOX, "region": "us-east-1"}
    spec = {
        "target": target,
        "guardrail": {"status": "passed"},
        "rollback": "automatic",
        "resources": resources(name),
        **spec,
    }
    metadata = {"name": name, "author": "alice@example.com"}
    document = {"apiVersion": "reconciler/v1", "kind": "Plan", "metadata": metadata, "spec": spec}
    lab.write(json.dumps(document), f"{name}.json")


def work_off(daemon: Daemon, workers: int) -> None:
    def work() -> None:
        while daemon.passes.next(0):
            pass

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    for name in PLANS:
        write(lab, name)
    made = Daemon(lab.app)
    made.load("start")
    work_off(made, 1)
    states = {status.plan: status.state for status in lab.app.store.statuses()}
    assert states == dict.fromkeys(PLANS, PlanState.IN_SYNC)
    yield made
    made.queue.close()


def resync(daemon: Daemon, aws: LocalAws, workers: int = 1) -> Counter[str]:
    """The calls of a full resync."""
    aws.reset_calls()
    receipt = daemon.request_sync(None, "test")
    work_off(daemon, workers)
    assert daemon.receipts.find(receipt.id) is None, "every pass has answered"
    return aws.calls(SANDBOX)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_full_resync_reads_each_type_once_for_all_plans(
    lab: Lab, local_aws: LocalAws, daemon: Daemon, workers: int
) -> None:
    calls = resync(daemon, local_aws, workers)
    once = (
        "ec2:DescribeVpcs",
        "ec2:DescribeSecurityGroups",
        "iam:GetAccountAuthorizationDetails",
        "logs:DescribeLogGroups",
        "ssm:GetParameters",
        "sts:GetCallerIdentity",
    )
    assert {name: calls[name] for name in once} == dict.fromkeys(once, 1)
    assert calls["sqs:GetQueueAttributes"] == len(PLANS)
    assert calls["tagging:GetResources"] == 3, "tags of queues, log groups and parameters, a call each"
    assert sum(calls.values()) == len(once) + len(PLANS) + 3, calls
    assert lab.app.cycle._sharing.kept() == 0


def test_what_changed_is_found_and_put_right_and_each_look_around_a_step_is_the_passes_own(
    lab: Lab, local_aws: LocalAws, daemon: Daemon
) -> None:
    sqs = local_aws.client("sqs", account=SANDBOX)
    url = sqs.get_queue_url(QueueName=PLANS[3])["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "60"})
    calls = resync(daemon, local_aws)
    assert local_aws.mutations(SANDBOX) == Counter({"sqs:SetQueueAttributes": 1})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["DelaySeconds"] == "5"
    # one for each in the shared read; before and after the step; and once more for the two plans that came after it
    assert calls["sqs:GetQueueAttributes"] == len(PLANS) + 2 + 2
    status = lab.app.store.status(PlanName(PLANS[3]))
    assert status is not None
    assert status.state is PlanState.IN_SYNC


def test_a_plan_that_policy_refuses_is_not_read_for(lab: Lab, local_aws: LocalAws, daemon: Daemon) -> None:
    write(lab, PLANS[0], guardrail={"status": "failed"})
    resync(daemon, local_aws)
    assert resync(daemon, local_aws)["sqs:GetQueueAttributes"] == len(PLANS) - 1


def test_one_resource_that_cannot_be_read_is_one_plans_trouble(lab: Lab, local_aws: LocalAws, daemon: Daemon) -> None:
    local_aws.fail("sqs", "GetQueueAttributes", "AccessDenied", times=1, status=403)
    resync(daemon, local_aws)
    states = Counter(status.state for status in lab.app.store.statuses())
    assert states == Counter({PlanState.IN_SYNC: len(PLANS)}), "it was asked for again by its own pass, and read"


def test_a_resync_says_when_it_looked(lab: Lab, local_aws: LocalAws, daemon: Daemon) -> None:
    resync(daemon, local_aws)
    first = lab.app.store.history(PlanName(PLANS[0]), 1)[0]
    last = lab.app.store.status(PlanName(PLANS[-1]))
    assert last is not None
    dates = [state.verified_at for state in last.resources]
    assert all(date is not None and first.started_at <= date <= first.finished_at for date in dates)
