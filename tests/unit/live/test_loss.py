"""What people are told before they approve a deletion or replacement."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from reconciler.live import loss_of
from reconciler.model.ids import TypeName
from reconciler.schema import schema_for
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

NEW_ID = "its identifier: a new one is given"
QUEUE = {"QueueName": "jobs", "QueueUrl": "https://sqs/1/jobs", "Arn": "arn:aws:sqs:us-east-1:1:jobs"}


@pytest.mark.parametrize(
    ("kind", "live", "lost"),
    [
        ("AWS::EC2::VPC", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}, (NEW_ID,)),
        ("AWS::EC2::EIP", {"PublicIp": "1.2.3.4", "AllocationId": "eipalloc-1"}, (NEW_ID, "its public address")),
        ("AWS::SQS::Queue", QUEUE, ("the messages in it",)),
        ("AWS::DynamoDB::Table", {"TableName": "t"}, ("the items in it",)),
        ("AWS::Logs::LogGroup", {"LogGroupName": "/l"}, ("the log events in it",)),
        ("AWS::S3::Bucket", {"BucketName": "b"}, ("its name, if somebody else takes it meanwhile",)),
        ("AWS::SSM::Parameter", {"Name": "/p", "Type": "String"}, ("its earlier versions",)),
        ("AWS::KMS::Key", {"KeyId": "k-1"}, ("30 days from then on, all that is encrypted with it",)),
        ("AWS::EC2::Route", {"RouteTableId": "rtb-1", "CidrBlock": "0.0.0.0/0"}, ()),
        ("AWS::KMS::Alias", {"AliasName": "alias/a"}, ()),
    ],
)
def test_by_type(kind: str, live: dict[str, Any], lost: tuple[str, ...]) -> None:
    assert loss_of(schema_for(kind), TypeName(kind), live) == lost


def test_what_aws_never_returns_is_named_if_it_was_set() -> None:
    kind = TypeName("AWS::RDS::DBInstance")
    live = {"DBInstanceIdentifier": "db"}
    assert loss_of(schema_for(kind), kind, live, {"MasterUserPassword": "(sensitive:0)", "Engine": "x"}) == (
        "the data in it",
        "its MasterUserPassword, which AWS never returns",
    )
    assert loss_of(schema_for(kind), kind, live, {"Engine": "x"}) == ("the data in it",)


def test_once_made_again_nothing_is_at_risk() -> None:
    kind = TypeName("AWS::S3::Bucket")
    assert loss_of(schema_for(kind), kind, {"BucketName": "b"}, made_again=True) == ()


def test_it_is_in_the_change_set_for_what_is_destroyed_and_nothing_else(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    resources = deepcopy(NETWORK)
    del resources["Group"]
    resources["Subnet"]["Properties"]["AvailabilityZone"] = "us-east-1b"
    resources["Queue"]["Properties"]["DelaySeconds"] = 9
    changes = rig.cycle.preview(make_plan(resources), ()).changes
    assert changes is not None
    assert {change.logical_id: change.loss for change in changes.changes} == {
        "Group": (NEW_ID,),
        "Subnet": (NEW_ID,),
        "Queue": (),
    }


@pytest.fixture
def rig() -> Rig:
    return Rig()
