"""What a resource of its own adds to another one's list is left alone there, and what nobody wants isn't."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
BASE = f"arn:aws:iam::{SANDBOX}:policy/base"


def role(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": name, "AssumeRolePolicyDocument": TRUST, **properties},
    }


def policy(name: str, role_name: Any) -> dict[str, Any]:
    properties = {"ManagedPolicyName": name, "PolicyDocument": READ, "Roles": [role_name]}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}


def attached(lab: Lab, name: str) -> set[str]:
    found = lab.aws.client("iam", account=SANDBOX).list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {one["PolicyName"] for one in found}


def quiet(lab: Lab, plan: str) -> bool:
    """Whether a pass finds nothing and writes nothing."""
    lab.aws.reset_calls()
    report = lab.run(plan)
    written = {name for name in lab.aws.mutations() if name != "sts:AssumeRole"}
    return (report.state, report.changes, written) == (PlanState.IN_SYNC, (), set())


def test_a_policy_of_the_same_plan_and_of_another_one_stay_attached(lab: Lab) -> None:
    iam = lab.aws.client("iam", account=SANDBOX)
    for name in ("base", "strangers"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(READ))
    worker = role("worker", ManagedPolicyArns=[BASE])
    lab.write(plan_text("team", {"Worker": worker, "Mine": policy("mine", {"Ref": "Worker"})}), "team.yaml")
    lab.write(plan_text("other", {"Theirs": policy("theirs", "worker")}), "other.yaml")
    assert lab.run("team").state is PlanState.IN_SYNC
    assert quiet(lab, "team")
    assert lab.run("other").state is PlanState.IN_SYNC
    assert quiet(lab, "team")
    assert attached(lab, "worker") == {"base", "mine", "theirs"}

    iam.attach_role_policy(RoleName="worker", PolicyArn=BASE.replace("base", "strangers"))
    report = lab.run("team")
    paths = [(change.logical_id, field["path"]) for change in report.changes for field in change.fields]
    assert paths == [("Worker", "/ManagedPolicyArns")]
    assert attached(lab, "worker") == {"base", "mine", "theirs"}

    lab.write(plan_text("team", {"Worker": worker}), "team.yaml")
    assert lab.run("team").state is PlanState.IN_SYNC
    assert attached(lab, "worker") == {"base", "theirs"}
    assert quiet(lab, "team")
    assert quiet(lab, "other")
