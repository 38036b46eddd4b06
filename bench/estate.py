"""The estate: N mixed resources, a tenth of each of ten types, in one plan or several."""

from __future__ import annotations

import json
from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
INLINE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
ACCOUNT = "111111111111"


def _resources(index: int) -> dict[str, Any]:
    rules = [{"IpProtocol": "tcp", "FromPort": p, "ToPort": p, "CidrIp": "10.0.0.0/8"} for p in (80, 443, 8080)]
    name, tags = f"bench-{index}", [{"Key": "bench", "Value": "1"}]
    encryption = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    return {
        f"Vpc{index}": ("EC2::VPC", {"CidrBlock": f"10.{index // 256}.{index % 256}.0/24", "Tags": tags}),
        f"Subnet{index}": (
            "EC2::Subnet",
            {
                "VpcId": {"Ref": "Base"},
                "CidrBlock": f"172.16.{index // 16}.{index % 16 * 16}/28",
                "AvailabilityZone": "us-east-1a",
                "Tags": tags,
            },
        ),
        f"Group{index}": (
            "EC2::SecurityGroup",
            {"GroupName": name, "GroupDescription": "bench", "VpcId": {"Ref": "Base"}, "SecurityGroupIngress": rules},
        ),
        f"Bucket{index}": (
            "S3::Bucket",
            {
                "BucketName": name,
                "VersioningConfiguration": {"Status": "Enabled"},
                "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
                "Tags": tags,
            },
        ),
        f"Role{index}": (
            "IAM::Role",
            {
                "RoleName": name,
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [{"PolicyName": "p", "PolicyDocument": INLINE}],
            },
        ),
        f"Queue{index}": ("SQS::Queue", {"QueueName": name}),
        f"Table{index}": (
            "DynamoDB::Table",
            {
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
        ),
        f"Topic{index}": ("SNS::Topic", {"TopicName": name}),
        f"Logs{index}": ("Logs::LogGroup", {"LogGroupName": f"/bench/{index}", "RetentionInDays": 7}),
        f"Value{index}": ("SSM::Parameter", {"Name": f"/bench/p{index}", "Type": "String", "Value": "v"}),
    }


def plans(count: int, number: int = 1) -> dict[str, str]:
    """Plan files by plan name, as JSON: ``count`` resources in ``number`` plans of one account.

    The first network of each is the one that its subnets and groups are in.
    """
    each = count // 10 // number
    return {f"bench-{part}": plan(f"bench-{part}", range(part * each, part * each + each)) for part in range(number)}


def plan(name: str, indexes: range) -> str:
    """A plan file with ten resources an index."""
    resources: dict[str, Any] = {"Base": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "172.16.0.0/16"}}}
    for index in indexes:
        for logical_id, (kind, properties) in _resources(index).items():
            if logical_id == f"Vpc{indexes.start}":
                continue  # ``Base`` stands for it
            resources[logical_id] = {"Type": f"AWS::{kind}", "Properties": properties}
    return json.dumps(
        {
            "apiVersion": "reconciler/v1",
            "kind": "Plan",
            "metadata": {"name": name, "author": "bench@example.com"},
            "spec": {
                "target": {"environment": "sandbox", "account": ACCOUNT, "region": "us-east-1"},
                "guardrail": {"status": "passed"},
                "rollback": "manual",
                "resources": resources,
            },
        }
    )
