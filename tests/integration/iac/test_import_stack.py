"""Taking over a stack of the second emulator: its CloudFormation works asynchronously and retains what it should."""

from __future__ import annotations

import json
import time
from typing import Any

import yaml
from typer.testing import CliRunner

from reconciler.cli.app import app as commands
from reconciler.model.report import PlanState
from reconciler.source.document import Limits
from reconciler.source.yamltext import read_yaml
from tests.integration.iac.conftest import ACCOUNTS, REGION, Bench
from tests.ministack import Ministack

SANDBOX = ACCOUNTS["sandbox"]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def typed(kind: str, needs: str = "", **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties, **({"DependsOn": needs} if needs else {})}


TEMPLATE: dict[str, Any] = {
    "Parameters": {"Name": {"Type": "String"}},
    "Resources": {
        "Net": typed("EC2::VPC", CidrBlock="10.7.0.0/16"),
        "Zone": typed("EC2::Subnet", VpcId={"Ref": "Net"}, CidrBlock="10.7.1.0/24"),
        "Routes": typed("EC2::RouteTable", VpcId={"Ref": "Net"}),
        "Tie": typed("EC2::SubnetRouteTableAssociation", SubnetId={"Ref": "Zone"}, RouteTableId={"Ref": "Routes"}),
        "Gate": typed("EC2::InternetGateway"),
        "Joint": typed("EC2::VPCGatewayAttachment", VpcId={"Ref": "Net"}, InternetGatewayId={"Ref": "Gate"}),
        "Web": typed("EC2::SecurityGroup", GroupDescription="web", GroupName="web", VpcId={"Ref": "Net"}),
        "Dead": typed("SQS::Queue", QueueName={"Fn::Sub": "${Name}-dead"}),
        "Jobs": typed(
            "SQS::Queue",
            QueueName={"Fn::Sub": "${Name}-jobs"},
            RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3},
        ),
        "News": typed("SNS::Topic", "Jobs", TopicName="news"),
        "Role": typed("IAM::Role", RoleName="worker", AssumeRolePolicyDocument=TRUST),
        "Profile": typed("IAM::InstanceProfile", InstanceProfileName="worker", Roles=[{"Ref": "Role"}]),
        "Store": typed("S3::Bucket", BucketName="imported-store"),
        "Logs": typed("Logs::LogGroup", LogGroupName="/imported", RetentionInDays=7),
        "Setting": typed("SSM::Parameter", Name="/imported/setting", Type="String", Value="one"),
    },
}


def retained() -> dict[str, Any]:
    kept = {
        name: {**one, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        for name, one in TEMPLATE["Resources"].items()
    }
    return {**TEMPLATE, "Resources": kept}


def settled(cloudformation: Any, *wanted: str) -> str:
    """Wait until the stack is in a state."""
    deadline = time.monotonic() + 60
    while True:
        found = [one["StackStatus"] for one in cloudformation.describe_stacks()["Stacks"]]
        status = found[0] if found else "DELETE_COMPLETE"
        if status in wanted:
            return str(status)
        assert time.monotonic() < deadline, status
        time.sleep(0.05)


def test_a_stack_is_taken_over_and_let_go(bench: Bench, ministack: Ministack) -> None:
    cloudformation = ministack.client("cloudformation")
    parameters = [{"ParameterKey": "Name", "ParameterValue": "shop"}]
    cloudformation.create_stack(StackName="shop", TemplateBody=json.dumps(TEMPLATE), Parameters=parameters)
    settled(cloudformation, "CREATE_COMPLETE")
    config = bench.directory / "reconciler.yaml"
    config.write_text(yaml.safe_dump(bench.settings()))
    where = ("-e", "sandbox", "--account", SANDBOX, "--region", REGION, "--author", "alice@example.com")
    file = bench.desired / "shop.yaml"
    answer = CliRunner().invoke(
        commands, ["import", "--stack", "shop", *where, "--out", str(file), "--config", str(config)]
    )
    assert answer.exit_code == 0, answer.stderr
    found = read_yaml(file.read_text(), "shop", Limits())[0].data["spec"]["resources"]
    assert list(found) == list(TEMPLATE["Resources"]), answer.stderr
    assert found["Tie"]["Properties"] == {"SubnetId": {"Ref": "Zone"}, "RouteTableId": {"Ref": "Routes"}}
    assert found["Jobs"]["Properties"]["QueueName"] == "shop-jobs"
    assert found["Jobs"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}
    assert found["News"]["DependsOn"] == "Jobs"
    report = bench.run("shop")
    assert report.state is PlanState.IN_SYNC, report.message
    assert in_sync_without_a_step(bench)
    cloudformation.update_stack(StackName="shop", TemplateBody=json.dumps(retained()), Parameters=parameters)
    settled(cloudformation, "UPDATE_COMPLETE")
    cloudformation.delete_stack(StackName="shop")
    settled(cloudformation, "DELETE_COMPLETE")
    assert in_sync_without_a_step(bench)
    assert ministack.client("sqs").get_queue_url(QueueName="shop-jobs")


def in_sync_without_a_step(bench: Bench) -> bool:
    report = bench.run("shop")
    assert report.state is PlanState.IN_SYNC, report.message
    return report.steps == ()
