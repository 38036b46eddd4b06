"""A plan of twenty-five resources, what becomes of it in its second version, and a small one for quick runs."""

from __future__ import annotations

from typing import Any

import yaml

ACCOUNT = "111111111111"

Resources = dict[str, Any]


def plan_text(resources: Resources, **spec: Any) -> str:
    """A whole plan file for the sandbox account."""
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "Plan",
        "metadata": {"name": "estate", "author": "alice@example.com"},
        "spec": {
            "target": {"environment": "sandbox", "account": ACCOUNT, "region": "us-east-1"},
            "guardrail": {"status": "passed", "reference": "https://ci.example.com/1"},
            "rollback": "automatic",
            "resources": resources,
            **spec,
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def _resource(kind: str, needs: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    more = {"DependsOn": needs} if needs else {}
    return {"Type": f"AWS::{kind}", **more, "Properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def _get(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def small() -> Resources:
    """Eight, with a chain, things without names, and things with."""
    return {
        "Vpc": _resource("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames=True),
        "A": _resource("EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.1.0/24"),
        "Web": _resource("EC2::SecurityGroup", GroupDescription="web", VpcId=_ref("Vpc")),
        "Gate": _resource("EC2::InternetGateway"),
        "Attached": _resource("EC2::VPCGatewayAttachment", VpcId=_ref("Vpc"), InternetGatewayId=_ref("Gate")),
        "Address": _resource("EC2::EIP", Domain="vpc"),
        "Jobs": _resource("SQS::Queue", QueueName="jobs", VisibilityTimeout=40),
        "Old": _resource("SNS::Topic", TopicName="old"),
    }


def small_changed() -> Resources:
    """An update, a replacement that makes the new one first, one that can't, a deletion, a new one."""
    changed = small()
    del changed["Old"]
    changed["Jobs"]["Properties"]["VisibilityTimeout"] = 50
    changed["Web"]["Properties"]["GroupDescription"] = "web, described otherwise"
    changed["A"]["Properties"]["AvailabilityZone"] = "us-east-1b"
    changed["News"] = _resource("SNS::Topic", TopicName="news", DisplayName="News")
    return changed


def estate() -> Resources:
    """Twenty-five."""
    return {
        **small(),
        "B": _resource("EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.2.0/24", MapPublicIpOnLaunch=True),
        "Routes": _resource("EC2::RouteTable", VpcId=_ref("Vpc")),
        "Default": _resource(
            "EC2::Route",
            ["Attached"],
            RouteTableId=_ref("Routes"),
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=_ref("Gate"),
        ),
        "RoutesOfB": _resource("EC2::SubnetRouteTableAssociation", SubnetId=_ref("B"), RouteTableId=_ref("Routes")),
        "Nat": _resource("EC2::NatGateway", SubnetId=_ref("B"), AllocationId=_get("Address", "AllocationId")),
        "Db": _resource(
            "EC2::SecurityGroup",
            GroupDescription="db",
            VpcId=_ref("Vpc"),
            SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "10.0.0.0/16"}],
        ),
        "Bucket": _resource("S3::Bucket", BucketName="estate-data", VersioningConfiguration={"Status": "Enabled"}),
        "Role": _resource(
            "IAM::Role", RoleName="estate", AssumeRolePolicyDocument=_TRUST, Description="for the estate"
        ),
        "Profile": _resource("IAM::InstanceProfile", InstanceProfileName="estate", Roles=[_ref("Role")]),
        "May": _resource(
            "IAM::ManagedPolicy",
            ManagedPolicyName="estate",
            Roles=[_ref("Role")],
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": _get("Jobs", "Arn")}],
            },
        ),
        "Dead": _resource("SQS::Queue", QueueName="dead"),
        "Topic": _resource("SNS::Topic", TopicName="topic", DisplayName="Topic"),
        "Items": _resource(
            "DynamoDB::Table",
            TableName="items",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ),
        "Logs": _resource("Logs::LogGroup", LogGroupName="/estate", RetentionInDays=14),
        "Setting": _resource("SSM::Parameter", Name="/estate/setting", Type="String", Value="one"),
        "Key": _resource("KMS::Key", Description="estate", EnableKeyRotation=True),
        "Alias": _resource("KMS::Alias", AliasName="alias/estate", TargetKeyId=_ref("Key")),
    }


def estate_changed() -> Resources:
    """Every verb at once, over the twenty-five."""
    changed = {**estate(), **small_changed()}
    for name in ("Old", "Dead", "Topic"):
        changed.pop(name, None)
    changed["Bucket"]["Properties"]["VersioningConfiguration"] = {"Status": "Suspended"}
    changed["Role"]["Properties"]["Description"] = "for the estate, changed"
    changed["Logs"]["Properties"]["RetentionInDays"] = 30
    changed["Setting"]["Properties"]["Value"] = "two"
    changed["Items"]["Properties"]["TableName"] = "items-by-key"  # AWS changes no key schema in place
    changed["Items"]["Properties"]["KeySchema"] = [{"AttributeName": "key", "KeyType": "HASH"}]
    changed["Items"]["Properties"]["AttributeDefinitions"] = [{"AttributeName": "key", "AttributeType": "S"}]
    changed["Db"]["Properties"]["SecurityGroupIngress"][0]["CidrIp"] = "10.0.1.0/24"
    changed["Extra"] = _resource("EC2::VPC", CidrBlock="10.9.0.0/16")
    return changed
