"""What means the same is equal; what differs stays different."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.values import Sensitive, Unknown
from reconciler.schema import Path, TypeSchema, canonical, same, schema_for

ROLE = "AWS::IAM::Role"
GROUP = "AWS::EC2::SecurityGroup"
TRUST = ("AssumeRolePolicyDocument",)


def schema(name: str) -> TypeSchema:
    found = schema_for(name)
    assert found is not None
    return found


def equal(name: str, path: Path, left: Any, right: Any) -> bool:
    return bool(canonical(schema(name), path, left) == canonical(schema(name), path, right))


def policy(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


@pytest.mark.parametrize(
    ("name", "path", "left", "right"),
    [
        # sets
        (ROLE, ("ManagedPolicyArns",), ["a", "b"], ["b", "a"]),
        (
            GROUP,
            ("SecurityGroupIngress",),
            [{"IpProtocol": "tcp", "FromPort": 1}, {"IpProtocol": "udp"}],
            [{"IpProtocol": "udp"}, {"FromPort": 1, "IpProtocol": "tcp"}],
        ),
        (
            "AWS::DynamoDB::Table",
            ("KeySchema",),
            [{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}],
            [{"AttributeName": "b", "KeyType": "RANGE"}, {"AttributeName": "a", "KeyType": "HASH"}],
        ),
        # scalars by their type
        ("AWS::SQS::Queue", ("DelaySeconds",), "5", 5),
        ("AWS::SQS::Queue", ("DelaySeconds",), 5.0, 5),
        ("AWS::SQS::Queue", ("FifoQueue",), "true", True),
        ("AWS::SQS::Queue", ("FifoQueue",), "False", False),
        ("AWS::SQS::Queue", ("QueueName",), 42, "42"),
        ("AWS::SSM::Parameter", ("Value",), True, "true"),
        ("AWS::CloudWatch::Alarm", ("Threshold",), "1.50", 1.5),
        ("AWS::CloudWatch::Alarm", ("Threshold",), "2", 2.0),
        # protocols and networks
        (
            GROUP,
            ("SecurityGroupIngress",),
            [{"IpProtocol": "6", "FromPort": "80"}],
            [{"IpProtocol": "tcp", "FromPort": 80}],
        ),
        (GROUP, ("SecurityGroupIngress",), [{"IpProtocol": -1, "FromPort": 0, "ToPort": 0}], [{"IpProtocol": "-1"}]),
        (
            GROUP,
            ("SecurityGroupEgress",),
            [{"IpProtocol": "all"}],
            [{"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}],
        ),
        (GROUP, ("SecurityGroupIngress",), [{"IpProtocol": "TCP"}], [{"IpProtocol": "tcp"}]),
        (GROUP, ("SecurityGroupIngress",), [{"IpProtocol": "58"}], [{"IpProtocol": "icmpv6"}]),
        ("AWS::EC2::SecurityGroupIngress", ("IpProtocol",), 17, "udp"),
        (
            GROUP,
            ("SecurityGroupIngress",),
            [{"IpProtocol": "tcp", "CidrIpv6": "2001:0DB8:0::/32"}],
            [{"IpProtocol": "tcp", "CidrIpv6": "2001:db8::/32"}],
        ),
        ("AWS::EC2::VPC", ("CidrBlock",), "10.0.0.9/16", "10.0.0.0/16"),
        ("AWS::EC2::Route", ("DestinationIpv6CidrBlock",), "0::0/0", "::/0"),
        # tags
        (
            GROUP,
            ("Tags",),
            [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
            [{"Key": "b", "Value": 2}, {"Key": "a", "Value": "1"}],
        ),
        (
            GROUP,
            ("Tags",),
            [{"Key": "a", "Value": "1"}, {"Key": "aws:cloudformation:stack-id", "Value": "x"}],
            [{"Key": "a", "Value": "1"}],
        ),
        ("AWS::SSM::Parameter", ("Tags",), {"a": 1}, {"a": "1", "aws:x": "y"}),
        (
            "AWS::EC2::LaunchTemplate",
            ("TagSpecifications",),
            [{"ResourceType": "x", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]}],
            [{"ResourceType": "x", "Tags": [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "1"}]}],
        ),
        # policy documents
        (ROLE, TRUST, policy(Action="sts:AssumeRole"), policy(Action=["STS:assumerole"])),
        (ROLE, TRUST, policy(Action=["a:B", "c:D"]), policy(Action=["c:D", "a:B"])),
        (ROLE, TRUST, policy(NotAction="a:B"), policy(NotAction=["a:b", "A:B"])),
        (
            ROLE,
            TRUST,
            policy(Principal={"AWS": "123456789012"}),
            policy(Principal={"AWS": ["arn:aws:iam::123456789012:root"]}),
        ),
        (
            ROLE,
            TRUST,
            policy(Principal={"AWS": 12345678901}),
            policy(Principal={"AWS": "arn:aws:iam::012345678901:root"}),
        ),
        (ROLE, TRUST, policy(Principal={"Service": ["b", "a"]}), policy(Principal={"Service": ["a", "b"]})),
        (ROLE, TRUST, policy(Resource="*"), policy(Resource=["*"])),
        (
            ROLE,
            TRUST,
            policy(Condition={"Bool": {"aws:SecureTransport": False}}),
            policy(Condition={"Bool": {"aws:securetransport": ["false"]}}),
        ),
        (
            ROLE,
            TRUST,
            policy(Condition={"NumericLessThan": {"x": 5}}),
            policy(Condition={"NumericLessThan": {"x": "5"}}),
        ),
        (
            ROLE,
            TRUST,
            {"Statement": {"Effect": "Allow", "Action": "a:b"}},
            {"Statement": [{"Effect": "Allow", "Action": "a:b"}]},
        ),
        (
            ROLE,
            TRUST,
            '{"Statement":[{"Effect":"Allow","Action":"a:b"}]}',
            {"Statement": [{"Action": "A:B", "Effect": "Allow"}]},
        ),
        (
            ROLE,
            TRUST,
            {"Statement": [{"Effect": "Allow", "Sid": "1"}, {"Effect": "Deny", "Sid": "2"}]},
            {"Statement": [{"Effect": "Deny", "Sid": "2"}, {"Effect": "Allow", "Sid": "1"}]},
        ),
        (
            ROLE,
            ("Policies",),
            [{"PolicyName": "p", "PolicyDocument": policy(Action="a:b")}],
            [{"PolicyName": "p", "PolicyDocument": policy(Action=["a:b"])}],
        ),
        (
            "AWS::Logs::Destination",
            ("DestinationPolicy",),
            '{"Statement": [{"Effect": "Allow", "Action": "a:b"}]}',
            '{"Statement":[{"Effect":"Allow","Action":["a:B"]}]}',
        ),
        # JSON by what it says
        (
            "AWS::SQS::Queue",
            ("RedrivePolicy",),
            '{"maxReceiveCount": 3, "deadLetterTargetArn": "x"}',
            {"deadLetterTargetArn": "x", "maxReceiveCount": 3},
        ),
        ("AWS::CloudWatch::Dashboard", ("DashboardBody",), '{"a": [1, 2]}', '{"a":[1,2]}'),
        # letter case, where AWS itself changes it
        ("AWS::RDS::DBInstance", ("DBInstanceIdentifier",), "MyDb", "mydb"),
        ("AWS::AmazonMQ::Broker", ("EngineType",), "ActiveMQ", "ACTIVEMQ"),
        # absent and secret
        (GROUP, (), {"GroupName": "x", "VpcId": None}, {"GroupName": "x"}),
        ("AWS::SSM::Parameter", ("Value",), Sensitive("s"), "s"),
        (ROLE, TRUST, Sensitive('{"Statement":[{"Effect":"Allow"}]}'), {"Statement": [{"Effect": Sensitive("Allow")}]}),
        (GROUP, ("Tags",), [{"Key": "a", "Value": Unknown("x")}], [{"Key": "a", "Value": Unknown("x")}]),
    ],
)
def test_means_the_same(name: str, path: Path, left: Any, right: Any) -> None:
    assert equal(name, path, left, right)
    assert canonical(schema(name), (), {path[0]: left} if path else left) == canonical(
        schema(name), (), {path[0]: right} if path else right
    )


@pytest.mark.parametrize(
    ("name", "path", "left", "right"),
    [
        (ROLE, ("ManagedPolicyArns",), ["a", "b"], ["a"]),
        (ROLE, ("Description",), "Mine", "mine"),
        (ROLE, ("Description",), '{"a": 1}', '{"a":1}'),
        ("AWS::SSM::Parameter", ("Value",), '{"a": 1}', '{"a":1}'),
        ("AWS::SSM::Parameter", ("Value",), "1.0", "1"),
        ("AWS::SQS::Queue", ("DelaySeconds",), "5s", 5),
        (
            GROUP,
            ("SecurityGroupIngress",),
            [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/16"}],
            [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/17"}],
        ),
        (GROUP, ("SecurityGroupIngress",), [{"IpProtocol": "tcp", "FromPort": 80}], [{"IpProtocol": "tcp"}]),
        (GROUP, ("SecurityGroupIngress",), [{"IpProtocol": "tcp"}, {"IpProtocol": "tcp"}], [{"IpProtocol": "tcp"}]),
        (GROUP, ("Tags",), [{"Key": "a", "Value": "x"}], [{"Key": "A", "Value": "x"}]),
        (GROUP, ("Tags",), [{"Key": "a", "Value": "x"}], [{"Key": "a", "Value": Unknown("x")}]),
        (ROLE, TRUST, policy(Action="a:b"), policy(NotAction="a:b")),
        (ROLE, TRUST, policy(Resource="arn:aws:s3:::A"), policy(Resource="arn:aws:s3:::a")),
        (ROLE, TRUST, policy(Principal="*"), policy(Principal={"AWS": "*"})),
        (
            ROLE,
            TRUST,
            policy(Principal={"AWS": "123456789012"}),
            policy(Principal={"AWS": "arn:aws:iam::123456789012:user/root"}),
        ),
        (
            ROLE,
            TRUST,
            policy(Principal={"Federated": "123456789012"}),
            policy(Principal={"Federated": "arn:aws:iam::123456789012:root"}),
        ),
        (ROLE, TRUST, policy(Sid="a"), policy(Sid="A")),
        (ROLE, TRUST, policy(Action="a:b"), {**policy(Action="a:b"), "Version": "2008-10-17"}),
        (ROLE, TRUST, policy(Condition={"StringEquals": {"x": "A"}}), policy(Condition={"StringEquals": {"x": "a"}})),
        (ROLE, TRUST, policy(Condition={"StringEquals": {"x": "a"}}), policy(Condition={"StringLike": {"x": "a"}})),
        ("AWS::SQS::Queue", ("RedrivePolicy",), {"a": True}, {"a": 1}),
        ("AWS::SQS::Queue", ("RedrivePolicy",), {"a": [1, 2]}, {"a": [2, 1]}),
        ("AWS::SQS::Queue", ("RedrivePolicy",), {"a": "1"}, {"a": 1}),
        ("AWS::EC2::DHCPOptions", ("DomainNameServers",), ["10.0.0.1", "10.0.0.2"], ["10.0.0.2", "10.0.0.1"]),
        ("AWS::Lambda::Function", ("Layers",), ["a", "b"], ["b", "a"]),
        ("AWS::S3::Bucket", ("BucketName",), "a", "A"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", ("Name",), "2001:DB8::/32", "2001:db8::/32"),
    ],
)
def test_differs(name: str, path: Path, left: Any, right: Any) -> None:
    assert not equal(name, path, left, right)


def test_without_a_schema_only_policies_and_json_are_understood() -> None:
    assert canonical(None, ("P",), policy(Action="A:b")) == canonical(None, ("P",), policy(Action=["a:B"]))
    assert canonical(None, ("L",), ["b", "a"]) != canonical(None, ("L",), ["a", "b"])
    assert canonical(None, ("B",), True) != canonical(None, ("B",), 1)


@pytest.mark.parametrize(
    "value", [None, [], {}, "", 0, [None], [[["x"]]], {"a": {"b": []}}, {1: 2, "a": 3}, Unknown("x"), b"x"]
)
@pytest.mark.parametrize("path", [(), ("Tags",), ("SecurityGroupIngress",), ("GroupName",), ("Nope", "x")])
def test_never_raises_and_never_changes_its_input(path: Path, value: Any) -> None:
    before = repr(value)
    canonical(schema(GROUP), path, value)
    assert repr(value) == before


def test_an_unknown_part_does_not_hide_the_others() -> None:
    found = canonical(schema(GROUP), ("SecurityGroupIngress",), [{"IpProtocol": "6", "CidrIp": Unknown("x")}])
    assert found == [{"IpProtocol": "tcp", "CidrIp": Unknown("x")}]


def test_map_keys_do_not_fill_the_cache() -> None:
    found = schema("AWS::Lambda::Function")
    canonical(found, ("Environment", "Variables"), {"A": 1})
    before = len(found.normalisers)
    result = canonical(found, ("Environment", "Variables"), {f"K{n}": n for n in range(1000)})
    assert result["K7"] == "7"
    assert len(found.normalisers) <= before + 1


TASK = "arn:aws:ecs:eu-central-1:123456789012:task-definition/"
HOME = "arn:aws:kms:us-east-1:123456789012:key/"
ARN = "arn:aws:kms:eu-central-1:123456789012:key/"


@pytest.mark.parametrize(
    ("name", "path", "given", "live", "accepted"),
    [
        ("AWS::RDS::DBInstance", ("EngineVersion",), "8.0", "8.0.35", True),
        ("AWS::RDS::DBInstance", ("EngineVersion",), 8, "8.0.35", True),
        ("AWS::RDS::DBInstance", ("EngineVersion",), "8.0", "8x0.35", False),
        ("AWS::RDS::DBInstance", ("EngineVersion",), "8.0", "5.7.1", False),
        ("AWS::RDS::DBInstance", ("KmsKeyId",), "1-2", f"{ARN}1-2", True),
        ("AWS::RDS::DBInstance", ("KmsKeyId",), "1-2", f"{ARN}1-3", False),
        ("AWS::RDS::DBInstance", ("DBName",), "Shop", "SHOP", True),
        ("AWS::DynamoDB::Table", ("SSESpecification", "KMSMasterKeyId"), "1-2", f"{ARN}1-2", True),
        ("AWS::ECS::TaskDefinition", ("TaskRoleArn",), "r", "arn:aws:iam::123456789012:role/r", True),
        ("AWS::ECS::TaskDefinition", ("TaskRoleArn",), "r", "arn:aws:iam::123456789012:role/q", False),
        ("AWS::Route53::RecordSet", ("Name",), "Www.Example.com.", "www.example.com", True),
        ("AWS::Route53::HostedZone", ("Name",), "Example.com", "example.com.", True),
        ("AWS::Route53::HostedZone", ("Name",), "example.com", "example.org.", False),
        ("AWS::EC2::EIP", ("Domain",), "standard", "vpc", True),
        ("AWS::EFS::FileSystem", ("KmsKeyId",), "alias/x", f"{ARN}1-2", True),
        ("AWS::EFS::FileSystem", ("KmsKeyId",), f"{ARN}1-3", f"{ARN}1-2", False),
        ("AWS::EC2::Volume", ("KmsKeyId",), "1-2", f"{HOME}1-2", True),
        ("AWS::EC2::Volume", ("KmsKeyId",), f"{HOME}1-2", "1-2", True),
        ("AWS::EC2::Volume", ("KmsKeyId",), "1-3", f"{ARN}1-2", False),
        ("AWS::EC2::Volume", ("KmsKeyId",), f"{ARN}1-3", f"{ARN}1-2", False),
        ("AWS::ECS::Service", ("Cluster",), "main", "arn:aws:ecs:us-east-1:123456789012:cluster/main", True),
        ("AWS::ECS::Service", ("Cluster",), "main", "arn:aws:ecs:eu-west-1:123456789012:cluster/main", False),
        ("AWS::ImageBuilder::ImageRecipe", ("Version",), "1.0.x", "1.0.12", True),
        ("AWS::ImageBuilder::ImageRecipe", ("Version",), "1.0.x", "1.1.12", False),
        ("AWS::ImageBuilder::ImageRecipe", ("Version",), "1.0.x", "1x0.12", False),
        ("AWS::GameLift::Fleet", ("AnywhereConfiguration", "Cost"), "10", "10.0", True),
        ("AWS::Lambda::EventSourceMapping", ("StartingPositionTimestamp",), "5", 5000, True),
        ("AWS::Lambda::EventSourceMapping", ("StartingPositionTimestamp",), 5, 5001, False),
        ("AWS::Cognito::UserPool", ("Schema", "*", "Name"), "team", "custom:team", True),
        ("AWS::DMS::Endpoint", ("MongoDbSettings", "AuthMechanism"), "scram-sha-1", "scram_sha_1", True),
        ("AWS::ECS::Service", ("TaskDefinition",), "web", f"{TASK}web:7", True),
        ("AWS::ECS::Service", ("TaskDefinition",), "web", f"{TASK}api:7", False),
        ("AWS::ECS::Service", ("TaskDefinition",), "web:6", f"{TASK}web:7", False),
        ("AWS::RDS::DBInstance", ("EngineVersion",), ["8.0"], "8.0.35", False),
        ("AWS::RDS::DBInstance", ("Nope",), "8.0", "8.0.35", False),
        ("AWS::S3::Bucket", ("BucketName",), "a", "b", False),
    ],
)
def test_what_aws_makes_of_a_value_is_accepted(name: str, path: Path, given: Any, live: Any, accepted: bool) -> None:
    properties: Any = given
    for part in reversed(path):
        properties = [properties] if part == "*" else {part: properties}
    around = tuple(_enclosing(properties, path))
    assert same(schema(name), path, given, live, around) is accepted


def _enclosing(properties: Any, path: Path) -> Iterator[dict[str, Any]]:
    for part in path:
        if isinstance(properties, dict):
            yield properties
        properties = properties[0 if part == "*" else part]
