"""Parameters from the Parameter Store: plain ones at use, in read-only environments too, secret ones never."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reconciler.model.report import PlanState
from tests.e2e.conftest import PRODUCTION, SANDBOX, Lab
from tests.e2e.running import ACCOUNTS, plan_text

TEMPLATE = {
    "Parameters": {
        "Delay": {"Type": "AWS::SSM::Parameter::Value<String>"},
        "Names": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/names"},
    },
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": {"Fn::Select": [1, {"Ref": "Names"}]},
                "Tags": [{"Key": "delay", "Value": {"Fn::Sub": "${Delay}s"}}],
            },
        }
    },
}


def prepare(lab: Lab, environment: str) -> None:
    ssm = lab.aws.client("ssm", account=ACCOUNTS[environment])
    ssm.put_parameter(Name="/delay", Type="String", Value="17")
    ssm.put_parameter(Name="/hidden", Type="SecureString", Value="very-Secret-value")
    ssm.put_parameter(Name="/names", Type="StringList", Value="first,second")
    lab.write(yaml.safe_dump(TEMPLATE), "_queue.cfn.yaml")


def write(lab: Lab, environment: str, name: str) -> None:
    plan = yaml.safe_load(plan_text("queues", {}, environment, template="_queue.cfn.yaml", parameters={"Delay": name}))
    del plan["spec"]["resources"]
    lab.write(yaml.safe_dump(plan))


def test_a_plain_parameter_is_used_where_it_stands(lab: Lab) -> None:
    prepare(lab, "sandbox")
    write(lab, "sandbox", "/delay")
    assert lab.run("queues").state is PlanState.IN_SYNC
    sqs = lab.aws.client("sqs", account=SANDBOX)
    url = sqs.get_queue_url(QueueName="second")["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"]["delay"] == "17s"
    lab.aws.client("ssm", account=SANDBOX).put_parameter(Name="/delay", Value="18", Overwrite=True)
    assert lab.run("queues").state is PlanState.IN_SYNC
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"]["delay"] == "18s"


def test_a_read_only_environment_reads_it_too(lab: Lab) -> None:
    prepare(lab, "production")
    write(lab, "production", "/delay")
    lab.aws.reset_calls()
    changes = lab.preview("queues").changes
    tags = {tag["Key"]: tag["Value"] for tag in changes.desired["Queue"]["Tags"]}
    assert tags["delay"] == "17s"
    assert changes.desired["Queue"]["QueueName"] == "second"
    assert lab.aws.mutations(PRODUCTION) == {}


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_a_secure_string_is_refused_and_never_kept(lab: Lab, environment: str) -> None:
    prepare(lab, environment)
    write(lab, environment, "/hidden")
    report = lab.run("queues")
    assert report.state is PlanState.FAILED
    assert "/hidden is a SecureString" in report.message
    for file in Path(lab.directory / "state").rglob("*"):
        assert not file.is_file() or b"very-Secret-value" not in file.read_bytes()
