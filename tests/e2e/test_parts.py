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


def carrier(*volumes: str) -> dict[str, Any]:
    listed = [{"Device": f"/dev/sd{letter}", "VolumeId": one} for letter, one in zip("fg", volumes, strict=False)]
    more = {"Volumes": listed} if volumes else {}
    return {"Type": "AWS::EC2::Instance", "Properties": {"ImageId": "ami-12345678", "InstanceType": "t3.micro", **more}}


def test_volumes_that_others_attached_stay_and_those_of_the_plan_go_with_it(lab: Lab) -> None:
    ec2 = lab.aws.client("ec2", account=SANDBOX)
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    first, second, others = (ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"] for _ in range(3))

    def held() -> set[str]:
        found = ec2.describe_volumes(VolumeIds=[first, second, others])["Volumes"]
        return {one["VolumeId"] for one in found if one["Attachments"]}

    lab.write(plan_text("disks", {"Host": carrier(first, second)}), "disks.yaml")
    assert lab.run("disks").state is PlanState.IN_SYNC
    host = ec2.describe_volumes(VolumeIds=[first])["Volumes"][0]["Attachments"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=others, InstanceId=host, Device="/dev/sdz")
    assert quiet(lab, "disks")
    assert held() == {first, second, others}

    ec2.detach_volume(VolumeId=second, InstanceId=host)
    report = lab.run("disks")
    assert [field["path"] for change in report.changes for field in change.fields] == ["/Volumes"]
    assert held() == {first, second, others}

    for left in ({first}, set()):
        lab.write(plan_text("disks", {"Host": carrier(*left)}), "disks.yaml")
        assert lab.run("disks").state is PlanState.IN_SYNC
        assert held() == {*left, others}
        assert quiet(lab, "disks")
