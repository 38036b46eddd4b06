"""What only one type of EC2 has to get right, on the local AWS."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.progress import Done
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner


def client(aws: LocalAws, service: str, region: str = REGION) -> Any:
    return aws.client(service, account=ACCOUNT, region=region)


def test_a_changed_launch_template_is_a_new_version_and_only_one(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::EC2::LaunchTemplate")
    desired = {"LaunchTemplateName": "specific", "LaunchTemplateData": {"InstanceType": "t3.micro"}}
    template = hands.create(desired)
    after = {**desired, "LaunchTemplateData": {"InstanceType": "t3.large", "ImageId": "ami-12345678"}}
    after["TagSpecifications"] = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    hands.update(template, after, "LaunchTemplateData", "TagSpecifications")
    hands.update(template, after, "LaunchTemplateData", "TagSpecifications")
    ec2 = client(aws, "ec2")
    versions = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    assert [one["LaunchTemplateData"] for one in versions] == [
        {"InstanceType": "t3.micro"},
        {"InstanceType": "t3.large", "ImageId": "ami-12345678"},
    ]
    # moto's templates don't show tags that came later, so that taking them away can't be seen here
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [template]}])["Tags"]
    assert [(tag["Key"], tag["Value"]) for tag in tags] == [("a", "b")]
    hands.delete(template)


def test_a_launch_template_of_somebody_else_is_not_taken(aws: LocalAws, scope: Scope) -> None:
    """Its data can be compared, though it is never shown."""
    ec2 = client(aws, "ec2")
    ec2.create_launch_template(LaunchTemplateName="theirs", LaunchTemplateData={"InstanceType": "m5.large"})
    hands = Hands(scope, "AWS::EC2::LaunchTemplate")
    with pytest.raises(AwsFault, match="with other data") as caught:
        hands.create({"LaunchTemplateName": "theirs", "LaunchTemplateData": {"InstanceType": "t3.micro"}})
    assert caught.value.kind is FaultKind.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("type_name", "desired"),
    [
        ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"InstanceType": "t3.micro"}}),
        ("AWS::AutoScaling::LaunchConfiguration", {"ImageId": "ami-12345678", "InstanceType": "t3.micro"}),
    ],
)
def test_what_has_no_tags_and_no_name_gets_that_of_its_token(
    scope: Scope, type_name: str, desired: dict[str, Any]
) -> None:
    hands = Hands(scope, type_name)
    made = hands.create(desired, "one")
    assert hands.create(desired, "one") == made
    other = hands.create(desired, "two")
    assert other != made
    for identifier in (made, other):
        hands.delete(identifier)


def test_user_data_that_is_not_base64_is_refused(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::AutoScaling::LaunchConfiguration")
    aws.reset_calls()
    with pytest.raises(AwsFault, match="base64") as caught:
        hands.create({"LaunchConfigurationName": "odd", "ImageId": "ami-1", "UserData": "#!/bin/sh"})
    assert caught.value.kind is FaultKind.INVALID_REQUEST
    assert not aws.mutations()


def test_no_key_pair_is_made_whose_private_key_nobody_could_keep(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::EC2::KeyPair")
    aws.reset_calls()
    with pytest.raises(AwsFault, match="needs PublicKeyMaterial"):
        hands.create(owned({"KeyName": "private"}, owner("Private"), "AWS::EC2::KeyPair"))
    assert not aws.mutations()


def test_a_peering_is_accepted_here_and_left_to_another_region(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::EC2::VPCPeeringConnection")
    ec2, there = client(aws, "ec2"), client(aws, "ec2", "us-east-1")
    mine = ec2.create_vpc(CidrBlock="10.101.0.0/16")["Vpc"]["VpcId"]
    near = ec2.create_vpc(CidrBlock="10.102.0.0/16")["Vpc"]["VpcId"]
    far = there.create_vpc(CidrBlock="10.103.0.0/16")["Vpc"]["VpcId"]
    states = {}
    for name, other in (("Near", {"PeerVpcId": near}), ("Far", {"PeerVpcId": far, "PeerRegion": "us-east-1"})):
        desired = owned({"VpcId": mine, **other}, owner(name), hands.type_name)
        progress = hands.provider.create(scope, desired, f"token-{name}")  # type: ignore[arg-type]
        assert isinstance(progress, Done)
        given = {"VpcPeeringConnectionIds": [progress.identifier]}
        states[name] = ec2.describe_vpc_peering_connections(**given)["VpcPeeringConnections"][0]["Status"]["Code"]
        hands.delete(progress.identifier)
    assert states == {"Near": "active", "Far": "pending-acceptance"}
