"""Access denied by a real enforcement of IAM (ministack with AUTH=true), from the first read to the last write.

A user with exactly what ``iam-policy`` prints can apply and verify a plan. With one action taken away the pass names
precisely that one, and the statement that it says to add makes it work. Neither tables nor parameters are among the
resources: asked for tags of what does not exist, this emulator says "access denied" of the one, "none" of the other.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reconciler import wiring
from reconciler.cli.app import app as commands
from reconciler.model.ids import PlanName
from reconciler.model.report import Explanation, PlanState, RunReport
from reconciler.settings import Settings
from reconciler.testing.memory import FakeClock
from tests.ministack import Ministack
from tests.parts import real_part

pytestmark = pytest.mark.ministack

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT, REGION = "111111111111", "us-east-1"
PLAN = f"""
apiVersion: reconciler/v1
kind: Plan
metadata: {{name: guarded, author: alice@example.com}}
spec:
  target: {{environment: sandbox, account: "{ACCOUNT}", region: {REGION}}}
  guardrail: {{status: passed, reference: https://ci.example.com/1}}
  rollback: automatic
  resources:
    Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.0.0.0/16}}}}
    Group:
      Type: AWS::EC2::SecurityGroup
      Properties: {{GroupName: guarded, GroupDescription: guarded, VpcId: !Ref Vpc}}
    Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: guarded, VisibilityTimeout: 45}}}}
    Topic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: guarded}}}}
    Bucket:
      Type: AWS::S3::Bucket
      Properties: {{BucketName: guarded-bucket, VersioningConfiguration: {{Status: Enabled}}}}
    Logs: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: /guarded, RetentionInDays: 14}}}}
    Role:
      Type: AWS::IAM::Role
      Properties:
        RoleName: guarded
        AssumeRolePolicyDocument:
          Version: "2012-10-17"
          Statement: [{{Effect: Allow, Principal: {{Service: ec2.amazonaws.com}}, Action: sts:AssumeRole}}]
        Policies:
          - PolicyName: inline
            PolicyDocument:
              Version: "2012-10-17"
              Statement: [{{Effect: Allow, Action: s3:GetObject, Resource: "*"}}]
"""


#: The emulator doesn't see which resource these are about, and asks for them on all.
UNPLACED = {"sns:ListTagsForResource"}


class Desk:
    """A user in the account with policies to give and take, and a Reconciler that works as that user."""

    def __init__(self, directory: Path, aws: Ministack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws, self.iam = aws, aws.client("iam")
        self.iam.create_user(UserName="reconciler")
        key = self.iam.create_access_key(UserName="reconciler")["AccessKey"]
        (directory / "desired").mkdir()
        (directory / "desired" / "plan.yaml").write_text(PLAN)
        shutil.copytree(ROOT / "policies", directory / "policies")
        variables = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "RECONCILER_SOURCE__PATH": str(directory / "desired"),
            "RECONCILER_POLICY__DIRECTORY": str(directory / "policies"),
            "RECONCILER_STATE_DIR": str(directory / "state"),
            "RECONCILER_AWS__ENDPOINT_URL": aws.endpoint,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        self.app = wiring.build(Settings(), clock=FakeClock())

    def printed(self) -> list[dict[str, Any]]:
        """The documents that ``iam-policy`` prints."""
        answer = CliRunner().invoke(commands, ["iam-policy", "guarded", "--output", "json"])
        assert answer.exit_code == 0, answer.output
        return [policy["document"] for policy in json.loads(answer.stdout)["policies"]]

    def allow(self, documents: list[dict[str, Any]], name: str = "printed") -> None:
        """Give the user exactly these documents, but for what the emulator can't place."""
        named = {action for each in documents for one in each["Statement"] for action in one["Action"]} & UNPLACED
        if named:
            documents = [*documents, {"Version": "2012-10-17", "Statement": [_anywhere(named)]}]
        for old in self.iam.list_user_policies(UserName="reconciler")["PolicyNames"]:
            if old.startswith(name):
                self.iam.delete_user_policy(UserName="reconciler", PolicyName=old)
        for number, document in enumerate(documents):
            self.iam.put_user_policy(
                UserName="reconciler", PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(document)
            )

    def run(self) -> RunReport:
        snapshot = self.app.source.load()
        return self.app.cycle.run(snapshot.plans[PlanName("guarded")], (), "test")


def _anywhere(actions: set[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}


def without(documents: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """The documents with one action taken away; it must have been there."""
    assert any(action in statement["Action"] for document in documents for statement in document["Statement"])
    left = [
        [{**one, "Action": [name for name in one["Action"] if name != action]} for one in document["Statement"]]
        for document in documents
    ]
    return [{"Version": "2012-10-17", "Statement": [one for one in each if one["Action"]]} for each in left]


def denials(report: RunReport) -> list[Explanation]:
    return [each for each in report.explanations if each.kind == "permission"]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    running = Ministack(real_part("ministack"), tmp_path_factory.mktemp("ministack") / "log", AUTH="true")
    yield running
    running.stop()


@pytest.fixture
def desk(tmp_path: Path, ministack: Ministack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    ministack.reset()
    made = Desk(tmp_path, ministack, monkeypatch)
    yield made
    made.app.close()


def test_what_is_printed_suffices_and_nothing_less_does(desk: Desk) -> None:
    report = desk.run()
    assert report.state is PlanState.FAILED
    assert denials(report)
    desk.allow(desk.printed())
    report = desk.run()
    assert report.state is PlanState.IN_SYNC, [dict(d.analysis)["Message"] for d in denials(report)] or report.message
    assert len(report.steps) == 7
    again = desk.run()
    assert (again.state, again.changes) == (PlanState.IN_SYNC, ())


#: Asked for where everything is there already; and where it isn't yet. With RECONCILER_STRESS=1, all of them.
READS = [
    "s3:GetBucketVersioning", "iam:GetRolePolicy", "sns:ListTagsForResource", "ec2:DescribeSecurityGroups",
    "sqs:GetQueueAttributes", "iam:GetRole", "logs:DescribeLogGroups", "ec2:DescribeVpcs",
]  # fmt: skip
WRITES = [
    "ec2:CreateVpc", "s3:PutBucketVersioning", "iam:PutRolePolicy", "sqs:GetQueueUrl",
    "sns:CreateTopic", "logs:PutRetentionPolicy", "sqs:CreateQueue", "s3:CreateBucket", "iam:CreateRole",
    "logs:CreateLogGroup", "ec2:CreateSecurityGroup",
]  # fmt: skip
SIZE = None if os.environ.get("RECONCILER_STRESS") else 4


@pytest.mark.parametrize("action", [*READS[:SIZE], *WRITES[:SIZE]])
def test_one_action_less_is_named_and_its_statement_helps(desk: Desk, action: str) -> None:
    everything = desk.printed()
    if action in READS:  # there has to be something to read
        desk.allow(everything)
        assert desk.run().state is PlanState.IN_SYNC
    desk.allow(without(everything, action))
    report = desk.run()
    assert report.state is PlanState.FAILED
    (denied,) = denials(report)
    facts = dict(denied.analysis)
    assert facts["Required permission"] == action
    assert f"arn:aws:iam::{ACCOUNT}:user/reconciler" in facts["Profile"]
    assert denied.statement is not None
    desk.allow([{"Version": "2012-10-17", "Statement": [denied.statement]}], "added")
    report = desk.run()
    assert report.state is PlanState.IN_SYNC, report.message
