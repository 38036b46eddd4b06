"""Out-of-band changes over one of every type: each is seen as exactly that drift and repaired; nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.report import PlanState
from reconciler.testing.localaws import LocalAws
from tests.e2e.conftest import ESTATE, SANDBOX, Lab

ANYWHERE = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
OTHER_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)


class Hand:
    """Somebody with access to the account."""

    def __init__(self, aws: LocalAws, identifiers: dict[str, str]) -> None:
        self._aws, self.id = aws, identifiers

    def __getattr__(self, service: str) -> Any:
        return self._aws.client(service, account=SANDBOX)


def _inline(hand: Hand) -> None:
    hand.iam.put_role_policy(RoleName="estate-role", PolicyName="inline", PolicyDocument=OTHER_POLICY)


def _queue_gone(hand: Hand) -> None:
    hand.sqs.delete_queue(QueueUrl=hand.id["Queue"])


def _bucket_gone(hand: Hand) -> None:
    hand.s3.delete_bucket(Bucket="estate-bucket")


def _detach(hand: Hand) -> None:
    hand.iam.detach_role_policy(RoleName="estate-role", PolicyArn=hand.id["Managed"])


def _new_version(hand: Hand) -> None:
    hand.iam.create_policy_version(PolicyArn=hand.id["Managed"], PolicyDocument=OTHER_POLICY, SetAsDefault=True)


# what somebody does, and the drift that must be seen: {(logical id, path)}
TABLE: list[tuple[str, Callable[[Hand], Any], set[tuple[str, str]]]] = [
    (
        "rule added",
        lambda h: h.ec2.authorize_security_group_ingress(
            GroupId=h.id["Web"], IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **ANYWHERE}]
        ),
        {("Web", "/SecurityGroupIngress")},
    ),
    (
        "rule removed",
        lambda h: h.ec2.revoke_security_group_ingress(
            GroupId=h.id["Web"], IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **ANYWHERE}]
        ),
        {("Web", "/SecurityGroupIngress")},
    ),
    (
        "egress rule removed",
        lambda h: h.ec2.revoke_security_group_egress(
            GroupId=h.id["Web"], IpPermissions=[{"IpProtocol": "-1", **ANYWHERE}]
        ),
        {("Web", "/SecurityGroupEgress")},
    ),
    (
        "tag removed from a network",
        lambda h: h.ec2.delete_tags(Resources=[h.id["Vpc"]], Tags=[{"Key": "Name"}]),
        {("Vpc", "/Tags/Name")},
    ),
    (
        "tag changed on a queue",
        lambda h: h.sqs.tag_queue(QueueUrl=h.id["Queue"], Tags={"team": "ops"}),
        {("Queue", "/Tags/team")},
    ),
    (
        "ownership tag removed",
        lambda h: h.ec2.delete_tags(Resources=[h.id["Gateway"]], Tags=[{"Key": "reconciler:plan"}]),
        {("Gateway", "/Tags/reconciler:plan")},
    ),
    (
        "DNS host names off",
        lambda h: h.ec2.modify_vpc_attribute(VpcId=h.id["Vpc"], EnableDnsHostnames={"Value": False}),
        {("Vpc", "/EnableDnsHostnames")},
    ),
    (
        "public addresses off",
        lambda h: h.ec2.modify_subnet_attribute(SubnetId=h.id["Subnet"], MapPublicIpOnLaunch={"Value": False}),
        {("Subnet", "/MapPublicIpOnLaunch")},
    ),
    (
        "versioning off",
        lambda h: h.s3.put_bucket_versioning(Bucket="estate-bucket", VersioningConfiguration={"Status": "Suspended"}),
        {("Bucket", "/VersioningConfiguration/Status")},
    ),
    (
        "public access block removed",
        lambda h: h.s3.delete_public_access_block(Bucket="estate-bucket"),
        {("Bucket", "/PublicAccessBlockConfiguration")},
    ),
    (
        "bucket tags removed",
        lambda h: h.s3.delete_bucket_tagging(Bucket="estate-bucket"),
        {("Bucket", "/Tags/team"), ("Bucket", "/Tags/reconciler:plan"), ("Bucket", "/Tags/reconciler:id")},
    ),
    (
        "bucket policy deleted",
        lambda h: h.s3.delete_bucket_policy(Bucket="estate-bucket"),
        {("BucketPolicy", "/Bucket"), ("BucketPolicy", "/PolicyDocument")},
    ),
    ("inline policy edited", _inline, {("Role", "/Policies")}),
    (
        "role description edited",
        lambda h: h.iam.update_role(RoleName="estate-role", Description="mine now"),
        {("Role", "/Description")},
    ),
    ("managed policy edited", _new_version, {("Managed", "/PolicyDocument")}),
    ("managed policy detached", _detach, {("Managed", "/Roles")}),
    (
        "route removed",
        lambda h: h.ec2.delete_route(RouteTableId=h.id["Table1"], DestinationCidrBlock="0.0.0.0/0"),
        {("Default", "/RouteTableId"), ("Default", "/DestinationCidrBlock"), ("Default", "/GatewayId")},
    ),
    (
        "visibility timeout changed",
        lambda h: h.sqs.set_queue_attributes(QueueUrl=h.id["Queue"], Attributes={"VisibilityTimeout": "1"}),
        {("Queue", "/VisibilityTimeout")},
    ),
    (
        "display name changed",
        lambda h: h.sns.set_topic_attributes(
            TopicArn=h.id["Topic"], AttributeName="DisplayName", AttributeValue="Mine"
        ),
        {("Topic", "/DisplayName")},
    ),
    (
        "retention changed",
        lambda h: h.logs.put_retention_policy(logGroupName="/estate", retentionInDays=1),
        {("Logs", "/RetentionInDays")},
    ),
    (
        "parameter changed",
        lambda h: h.ssm.put_parameter(Name="/estate/setting", Value="two", Type="String", Overwrite=True),
        {("Setting", "/Value")},
    ),
    (
        "key rotation off",
        lambda h: h.kms.disable_key_rotation(KeyId=h.id["Key"]),
        {("Key", "/EnableKeyRotation")},
    ),
    (
        "table protected",
        lambda h: h.dynamodb.update_table(TableName="estate-items", DeletionProtectionEnabled=True),
        {("Items", "/DeletionProtectionEnabled")},
    ),
    (
        "role taken out of the profile",
        lambda h: h.iam.remove_role_from_instance_profile(InstanceProfileName="estate-profile", RoleName="estate-role"),
        {("Profile", "/Roles")},
    ),
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, local_aws: LocalAws) -> Iterator[Lab]:
    """The estate, applied once for the whole table."""
    with pytest.MonkeyPatch.context() as patch:
        local_aws.reset()
        for key, value in local_aws.environment().items():
            patch.setenv(key, value)
        lab = Lab(Path(tmp_path_factory.mktemp("estate")), local_aws)
        lab.write(ESTATE.read_text())
        report = lab.run("estate")
        assert report.state is PlanState.IN_SYNC, report.message
        assert len(report.steps) == 22
        yield lab
        lab.close()


def test_a_second_pass_makes_no_mutating_call(standing: Lab) -> None:
    standing.aws.reset_calls()
    report = standing.run("estate")
    assert (report.state, report.changes) == (PlanState.IN_SYNC, ())
    assert not {name: count for name, count in standing.aws.mutations().items() if name != "sts:AssumeRole"}


@pytest.mark.parametrize(("change", "drift"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_drift_is_seen_exactly_and_repaired(
    standing: Lab, change: Callable[[Hand], Any], drift: set[tuple[str, str]]
) -> None:
    records = standing.app.store.records("estate")
    change(Hand(standing.aws, {name: record.identifier for name, record in records.items()}))
    report = standing.run("estate")
    assert report.state is PlanState.IN_SYNC, report.message
    seen = {(item.logical_id, field["path"]) for item in report.changes for field in item.fields}
    assert seen == drift
    assert standing.preview("estate").changes.changes == ()


@pytest.mark.parametrize(("gone", "change"), [("Queue", _queue_gone), ("Bucket", _bucket_gone)])
def test_a_deleted_resource_is_made_again(standing: Lab, gone: str, change: Callable[[Hand], Any]) -> None:
    records = standing.app.store.records("estate")
    change(Hand(standing.aws, {name: record.identifier for name, record in records.items()}))
    report = standing.run("estate")
    assert report.state is PlanState.IN_SYNC, report.message
    assert ("create", gone) in {(item.action, item.logical_id) for item in report.changes}
    assert standing.preview("estate").changes.changes == ()


def test_withdrawn_with_nothing_left(standing: Lab) -> None:
    standing.write(ESTATE.read_text().replace("  rollback: automatic", "  rollback: automatic\n  state: absent"))
    report = standing.run("estate")
    assert report.state is PlanState.IN_SYNC, report.message
    assert len(report.steps) == 22
    client = standing.aws.client
    vpcs = client("ec2", account=SANDBOX).describe_vpcs(Filters=[{"Name": "tag:reconciler:plan", "Values": ["estate"]}])
    assert vpcs["Vpcs"] == []
    assert client("s3", account=SANDBOX).list_buckets()["Buckets"] == []
    assert client("iam", account=SANDBOX).list_roles()["Roles"] == []
