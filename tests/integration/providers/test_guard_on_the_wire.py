"""A read-only target and a real server: whatever is tried, no mutating call arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from reconciler.model.errors import GuardBlocked
from reconciler.model.ids import ClientToken, TypeName
from reconciler.ports import Scope
from reconciler.providers.access import Access
from reconciler.providers.registry import Registry
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import CountingTelemetry
from tests.integration.providers.conftest import ACCOUNT, PRODUCTION, REGION, SANDBOX


@pytest.fixture
def scope(access: Access, aws: LocalAws) -> Scope:
    opened = access.open(PRODUCTION, read_only=True)
    aws.reset_calls()
    return opened


@pytest.fixture
def client(access: Access, scope: Scope) -> Callable[[str], Any]:
    key = access.key(PRODUCTION, read_only=True)
    return lambda service: access.sessions.client(key, REGION, service)


def test_reads_pass(scope: Scope) -> None:
    assert scope.call("ec2", "describe_vpcs")["Vpcs"]
    assert scope.pages("iam", "list_roles", "Roles") == []
    scope.call("s3", "list_buckets")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}),
        ("ec2", "create_tags", {"Resources": ["vpc-1"], "Tags": []}),
        ("s3", "create_bucket", {"Bucket": "guarded"}),
        ("s3", "put_object", {"Bucket": "guarded", "Key": "k", "Body": b"x"}),
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
        ("sqs", "create_queue", {"QueueName": "q"}),
        ("dynamodb", "put_item", {"TableName": "t", "Item": {"k": {"S": "v"}}}),
        ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/admin", "RoleSessionName": "x"}),
        ("lambda", "invoke", {"FunctionName": "f"}),
        ("secretsmanager", "get_secret_value", {"SecretId": "s"}),
        ("ssm", "get_parameters", {"Names": ["/p"], "WithDecryption": True}),
    ],
)
def test_writes_are_blocked_before_the_wire(
    scope: Scope, aws: LocalAws, telemetry: CountingTelemetry, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(GuardBlocked, match="production is read-only"):
        scope.call(service, operation, **parameters)
    assert aws.calls() == {}
    assert sum(count for key, count in telemetry.counts.items() if key[0] == "guard_blocked") == 1


CREATED: dict[str, dict[str, Any]] = {
    "VPC": {"CidrBlock": "10.0.0.0/16"},
    "Subnet": {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"},
    "InternetGateway": {},
    "VPCGatewayAttachment": {"VpcId": "vpc-1", "InternetGatewayId": "igw-1"},
    "RouteTable": {"VpcId": "vpc-1"},
    "Route": {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
    "SubnetRouteTableAssociation": {"SubnetId": "subnet-1", "RouteTableId": "rtb-1"},
    "EIP": {},
    "NatGateway": {"SubnetId": "subnet-1"},
    "SecurityGroup": {"GroupDescription": "x"},
}


@pytest.mark.parametrize("name", CREATED)
def test_providers_are_blocked(scope: Scope, aws: LocalAws, name: str) -> None:
    """The guard is below the providers, whatever they do."""
    provider = Registry().get(TypeName(f"AWS::EC2::{name}"))
    assert provider is not None
    with pytest.raises(GuardBlocked):
        provider.create(scope, CREATED[name], ClientToken("token"))
    assert aws.mutations() == {}


def test_the_resource_interface_is_guarded(access: Access, scope: Scope, aws: LocalAws) -> None:
    session = boto3.session.Session(botocore_session=access.sessions.session(access.key(PRODUCTION, read_only=True)))
    ec2: Any = session.resource("ec2", region_name=REGION, endpoint_url=aws.endpoint)
    assert list(ec2.vpcs.all())
    with pytest.raises(GuardBlocked):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    for vpc in ec2.vpcs.all():
        with pytest.raises(GuardBlocked):
            vpc.delete()
    assert aws.mutations() == {}


def test_presigned_urls_of_writes_are_not_made(client: Callable[[str], Any]) -> None:
    s3 = client("s3")
    assert s3.generate_presigned_url("head_object", Params={"Bucket": "b", "Key": "k"})
    with pytest.raises(GuardBlocked):
        s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    with pytest.raises(GuardBlocked):
        s3.generate_presigned_url("put_object", Params={"Bucket": "b", "Key": "k"})
    with pytest.raises(GuardBlocked):
        s3.generate_presigned_post("b", "k")
    with pytest.raises(GuardBlocked):
        client("sts").generate_presigned_url("assume_role", Params={"RoleArn": "a" * 20, "RoleSessionName": "xx"})


def test_paginators_and_waiters_are_guarded(client: Callable[[str], Any], aws: LocalAws) -> None:
    assert list(client("ec2").get_paginator("describe_vpcs").paginate())
    paginator = client("lambda").get_paginator("list_functions")
    paginator._method = client("lambda").delete_function
    with pytest.raises(GuardBlocked):
        list(paginator.paginate(FunctionName="f"))
    waiter = client("ec2").get_waiter("vpc_available")
    waiter._operation_method = lambda **_: client("ec2").delete_vpc(VpcId="vpc-1")
    with pytest.raises(GuardBlocked):
        waiter.wait(VpcIds=["vpc-1"])
    assert aws.mutations() == {}


def test_a_writable_scope_of_the_same_account_is_not_affected(access: Access, scope: Scope) -> None:
    writable = access.open(SANDBOX, read_only=False)
    assert writable.call("ec2", "create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    with pytest.raises(GuardBlocked):
        scope.call("ec2", "create_vpc", CidrBlock="10.9.0.0/16")
