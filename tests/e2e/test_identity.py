"""Identities, policies that several resources hold, and secrets: made, in sync, moved, undone, and gone again."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import LogicalId, PlanName
from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text, queue

PLAN = PlanName("people")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def document(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def shared(action: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SANDBOX}:root"},
        "Action": action,
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def resources(*holders: str, queues: tuple[str, ...] = ("Jobs",)) -> dict[str, Any]:
    roles = {
        name: {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": TRUST}}
        for name in ("Reader", "Writer")
    }
    return {
        **roles,
        "Jobs": queue("jobs"),
        "Rest": queue("rest"),
        "Team": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "team"}},
        "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "bot", "Groups": [{"Ref": "Team"}]}},
        "Allow": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "allow",
                "PolicyDocument": document("s3:GetObject"),
                "Roles": [{"Ref": holder} for holder in holders],
            },
        },
        "Doors": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": name} for name in queues],
                "PolicyDocument": shared("sqs:SendMessage"),
            },
        },
        "News": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
        "Heard": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "News"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Jobs", "Arn"]},
                "RawMessageDelivery": True,
            },
        },
        "Word": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "word", "GenerateSecretString": {"PasswordLength": 20}},
        },
    }


def write(lab: Lab, wanted: dict[str, Any]) -> None:
    lab.write(plan_text("people", wanted))


def held(lab: Lab) -> dict[str, list[str]]:
    with lab.aws.uncounted():
        iam = lab.aws.client("iam", account=SANDBOX)
        return {
            role: iam.list_role_policies(RoleName=role)["PolicyNames"]
            for role in ("Reader", "Writer")
            if any(one["RoleName"] == role for one in iam.list_roles()["Roles"])
        }


def identifier(lab: Lab, name: str) -> str:
    return str(lab.app.store.records(PLAN)[LogicalId(name)].identifier)


def test_made_in_sync_moved_and_gone(lab: Lab) -> None:
    write(lab, resources("Reader"))
    report = lab.run("people")
    assert report.state is PlanState.IN_SYNC, report.message
    assert held(lab) == {"Reader": ["allow"], "Writer": []}
    lab.aws.reset_calls()
    report = lab.run("people")
    assert (report.state, report.changes) == (PlanState.IN_SYNC, ())
    assert not lab.aws.mutations(SANDBOX)

    write(lab, resources("Writer", queues=("Jobs", "Rest")))
    report = lab.run("people")
    assert report.state is PlanState.IN_SYNC, report.message
    assert held(lab) == {"Reader": [], "Writer": ["allow"]}
    assert identifier(lab, "Allow") == "allow|r:Writer"
    assert identifier(lab, "Doors").count("|") == 1
    lab.aws.reset_calls()
    assert lab.run("people").changes == ()
    assert not lab.aws.mutations(SANDBOX)

    left = {name: one for name, one in resources().items() if name in ("Reader", "Writer", "Jobs", "Rest")}
    write(lab, left)
    report = lab.run("people")
    assert report.state is PlanState.IN_SYNC, report.message
    assert held(lab) == {"Reader": [], "Writer": []}
    assert set(lab.app.store.records(PLAN)) == set(left)


def test_a_policy_that_moved_moves_back_when_a_later_step_fails(lab: Lab) -> None:
    write(lab, resources("Reader"))
    assert lab.run("people").state is PlanState.IN_SYNC
    wanted = resources("Writer")
    wanted["Last"] = {**queue("last"), "DependsOn": ["Allow"]}
    write(lab, wanted)
    lab.aws.fail("sqs", "CreateQueue", "InvalidParameterValue", times=1)
    report = lab.run("people")
    assert report.message.endswith("; rolled back"), [(step.id, step.error) for step in report.steps]
    assert held(lab) == {"Reader": ["allow"], "Writer": []}
    assert identifier(lab, "Allow") == "allow|r:Reader"
    write(lab, resources("Reader"))
    assert lab.run("people").changes == ()
