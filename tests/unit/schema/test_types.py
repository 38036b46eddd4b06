"""The provider schemas as read, and what is asked of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.model.errors import ConfigurationError
from reconciler.model.resource import Observation
from reconciler.model.values import Sensitive, Unknown
from reconciler.schema import (
    MISSING,
    TypeSchema,
    attribute_value,
    conceal,
    data,
    defaults,
    identifier_of,
    known_types,
    reference_value,
    schema_for,
)

NATIVE = (
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::RouteTable",
    "AWS::EC2::Route",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::InstanceProfile",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
    "AWS::KMS::Key",
    "AWS::KMS::Alias",
)


def schema(name: str, region: str = "eu-central-1") -> TypeSchema:
    found = schema_for(name, region)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NATIVE)
def test_every_native_type_has_a_schema(name: str) -> None:
    found = schema(name)
    assert found.primary_identifier
    assert found.properties >= found.required
    assert set(found.handler_permissions) >= {"create", "read", "delete", "list"}


def test_a_schema_says_what_may_change_and_what_is_hidden() -> None:
    group = schema("AWS::EC2::SecurityGroup")
    assert group.forces_replacement(("GroupName",))
    assert not group.forces_replacement(("SecurityGroupIngress",))
    assert group.is_secret(("SecurityGroupIngress", "*", "SourceSecurityGroupName"))
    assert group.is_secret(("SecurityGroupIngress", "0", "SourceSecurityGroupName"))
    assert not group.is_secret(("SecurityGroupIngress",))
    assert (group.tag_property, group.tag_style) == ("Tags", "list")
    assert ("Id",) in group.read_only
    assert "ec2:CreateSecurityGroup" in group.handler_permissions["create"]


def test_a_change_above_or_below_a_create_only_property_replaces() -> None:
    found = TypeSchema("T", "r", create_only=frozenset({("A", "*", "B"), ("C",)}))
    assert found.forces_replacement(("A",))
    assert found.forces_replacement(("A", "3", "B", "X"))
    assert not found.forces_replacement(("A", "*", "Z"))
    assert found.forces_replacement(("C", "D"))
    assert not found.forces_replacement(("B",))


@pytest.mark.parametrize(
    ("name", "tags", "style"),
    [
        ("AWS::SSM::Parameter", "Tags", "map"),
        ("AWS::SQS::Queue", "Tags", "list"),
        ("AWS::EC2::Route", None, None),
        ("AWS::Route53::HostedZone", "HostedZoneTags", "list"),
        ("AWS::AutoScaling::AutoScalingGroup", None, None),
        ("AWS::Glue::Job", "Tags", "map"),
    ],
)
def test_where_tags_are(name: str, tags: str | None, style: str | None) -> None:
    found = schema(name, "us-east-1")
    assert (found.tag_property, found.tag_style) == (tags, style)


def test_nodes_are_found_through_references_arrays_maps_and_alternatives() -> None:
    bucket = schema("AWS::S3::Bucket")
    rule = bucket.node(("LifecycleConfiguration", "Rules", "*", "Status"))
    assert rule is not None
    assert rule["type"] == "string"
    assert bucket.node(("LifecycleConfiguration", "Rules", "0", "Status")) is rule
    assert bucket.node(("Nope", "x")) is None
    table = schema("AWS::DynamoDB::Table")
    assert table.node(("KeySchema", "*", "KeyType")) is not None


def test_defaults() -> None:
    assert defaults(schema("AWS::IAM::Role"), ("Path",)) == "/"
    assert defaults(schema("AWS::IAM::Role"), ("RoleName",)) is MISSING
    assert defaults(schema("AWS::IAM::Role"), ("Nope",)) is MISSING
    assert not MISSING


def test_types_depend_on_the_region() -> None:
    assert schema_for("AWS::EC2::Vpc", "eu-central-1") is None
    everywhere, somewhere = known_types("us-east-1"), known_types("ap-southeast-7")
    assert len(everywhere) > 1500
    assert "AWS::EC2::VPC" in somewhere
    absent = sorted(everywhere - somewhere)[0]
    assert schema_for(absent, "ap-southeast-7") is None
    assert schema_for(absent, "us-east-1") is not None
    assert known_types("xx-new-9") == everywhere
    assert known_types("../../etc") == everywhere


def test_the_same_schema_is_read_once() -> None:
    assert schema("AWS::EC2::VPC") is schema("AWS::EC2::VPC")


def test_every_packaged_schema_parses() -> None:
    odd = [name for name in sorted(known_types("us-east-1"))[::9] if not schema(name, "us-east-1").primary_identifier]
    assert odd == []


def test_cfn_lint_itself_is_not_imported() -> None:
    code = (
        "import sys; from reconciler.schema import schema_for; assert schema_for('AWS::EC2::VPC');"
        "print([name for name in sys.modules if name.split('.')[0] in ('cfnlint', 'boto3', 'botocore')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "providers").mkdir()
    (tmp_path / "resources").mkdir()
    (tmp_path / "providers" / "us-east-1.json").write_text('{"AWS::A::B": "0123", "AWS::A::C": "4567"}')
    (tmp_path / "resources" / "0123.json").write_text("{")
    monkeypatch.setattr(data, "_root", lambda: tmp_path)
    data.type_index.cache_clear()
    schema_for.cache_clear()
    yield tmp_path
    data.type_index.cache_clear()
    schema_for.cache_clear()


@pytest.mark.usefixtures("damaged")
@pytest.mark.parametrize("name", ["AWS::A::B", "AWS::A::C"])
def test_a_damaged_installation_is_said_to_be_one(name: str) -> None:
    with pytest.raises(ConfigurationError, match="reinstall cfn-lint"):
        schema_for(name)


@pytest.mark.parametrize(
    ("name", "properties", "identifier"),
    [
        ("AWS::EC2::VPC", {"VpcId": "vpc-1"}, "vpc-1"),
        ("AWS::EC2::VPC", {}, None),
        ("AWS::EC2::VPC", {"VpcId": Unknown("x")}, None),
        ("AWS::EC2::EIP", {"PublicIp": "1.2.3.4", "AllocationId": "eipalloc-1"}, "1.2.3.4|eipalloc-1"),
        ("AWS::EC2::EIP", {"PublicIp": "1.2.3.4"}, None),
        ("AWS::EC2::Route", {"RouteTableId": "rtb-1", "CidrBlock": "0.0.0.0/0"}, "rtb-1|0.0.0.0/0"),
        ("AWS::S3::StorageLens", {"StorageLensConfiguration": {"Id": "lens"}}, "lens"),
        ("AWS::S3::Bucket", {"BucketName": Sensitive("b")}, None),
    ],
)
def test_identifiers(name: str, properties: dict[str, object], identifier: str | None) -> None:
    assert identifier_of(schema(name, "us-east-1"), properties) == identifier


@pytest.mark.parametrize(
    ("name", "identifier", "properties", "value"),
    [
        ("AWS::EC2::VPC", "vpc-1", {}, "vpc-1"),
        ("AWS::EC2::EIP", "1.2.3.4|eipalloc-1", {}, "1.2.3.4"),
        ("AWS::EC2::SecurityGroup", "sg-1", {"GroupId": "sg-1", "Id": "sg-1"}, "sg-1"),
        ("AWS::SQS::Queue", "https://sqs/q", {"QueueUrl": "https://sqs/q"}, "https://sqs/q"),
        ("AWS::SNS::Topic", "arn:aws:sns:r:1:t", {}, "arn:aws:sns:r:1:t"),
        ("AWS::IAM::ManagedPolicy", "arn:aws:iam::1:policy/p", {}, "arn:aws:iam::1:policy/p"),
        ("AWS::IAM::Role", "role", {"RoleName": "role", "Arn": "arn"}, "role"),
        ("AWS::DynamoDB::Table", "table", {}, "table"),
        ("AWS::KMS::Key", "1-2-3", {"KeyId": "1-2-3", "Arn": "arn"}, "1-2-3"),
        ("AWS::ApiGateway::Resource", "api|res", {}, "res"),
        ("AWS::ApiGateway::Stage", "api|prod", {"RestApiId": "api", "StageName": "prod"}, "prod"),
        ("AWS::Cognito::UserPoolClient", "pool|client", {}, "client"),
        ("AWS::ECS::Service", "arn:svc|cluster", {}, "arn:svc"),
        ("AWS::Lambda::Version", "arn:f:1", {}, "arn:f:1"),
    ],
)
def test_what_ref_returns(name: str, identifier: str, properties: dict[str, object], value: str) -> None:
    assert reference_value(schema(name, "us-east-1"), Observation(identifier, properties)) == value  # type: ignore[arg-type]


def test_attributes() -> None:
    live = {"Arn": "a", "Endpoint": {"Address": "h", "Port": 1}, "Dotted.Name": "d", "Zones": ["x", "y"]}
    assert attribute_value(live, "Arn") == "a"
    assert attribute_value(live, "Endpoint.Port") == 1
    assert attribute_value(live, "Dotted.Name") == "d"
    assert attribute_value(live, "Zones.1") == "y"
    for absent in ("Nope", "Endpoint.Nope", "Arn.x", "Zones.2"):
        with pytest.raises(KeyError):
            attribute_value(live, absent)


def test_write_only_parts_are_concealed() -> None:
    group = schema("AWS::EC2::SecurityGroup")
    rules = [{"IpProtocol": "tcp", "SourceSecurityGroupName": "secret"}]
    shown = conceal(group, (), {"SecurityGroupIngress": rules, "GroupName": "g"})
    assert shown == {
        "SecurityGroupIngress": [{"IpProtocol": "tcp", "SourceSecurityGroupName": Sensitive("secret")}],
        "GroupName": "g",
    }
    assert conceal(group, ("GroupName",), Sensitive("x")) == Sensitive("x")
