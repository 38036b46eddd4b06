"""Lessons that no type's contract tests need: what a client of the local AWS sees of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.testing.localaws import LocalAws

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


def test_a_request_for_a_certificate_that_is_gone_makes_a_new_one(aws: LocalAws) -> None:
    acm = aws.client("acm", region=REGION)

    def request() -> str:
        return str(acm.request_certificate(DomainName="example.com", IdempotencyToken="once")["CertificateArn"])

    first = request()
    assert request() == first, "the same request twice is one certificate"
    acm.delete_certificate(CertificateArn=first)
    assert request() != first


def test_a_stream_is_enabled_again(aws: LocalAws) -> None:
    dynamodb = aws.client("dynamodb", region=REGION)
    on = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    dynamodb.create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=on,
    )
    dynamodb.update_table(TableName="orders", StreamSpecification={"StreamEnabled": False})
    assert "LatestStreamArn" not in dynamodb.describe_table(TableName="orders")["Table"]
    dynamodb.update_table(TableName="orders", StreamSpecification=on)
    assert dynamodb.describe_table(TableName="orders")["Table"]["StreamSpecification"] == on


def function(aws: LocalAws) -> str:
    """The name of a function with no settings of its own."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handle(event, context): pass\n")
    role = aws.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made: dict[str, Any] = aws.client("lambda", region=REGION).create_function(
        FunctionName="handler",
        Role=role,
        Runtime="python3.12",
        Handler="main.handle",
        Code={"ZipFile": code.getvalue()},
    )
    return str(made["FunctionName"])


def test_settings_of_functions_that_nobody_has_set_are_shown(aws: LocalAws) -> None:
    client, name = aws.client("lambda", region=REGION), function(aws)
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    assert client.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_scaling_config(FunctionName=name, Qualifier="1")
    with pytest.raises(ClientError, match="Function not found"):
        client.get_runtime_management_config(FunctionName="another")


def test_a_pipeline_of_the_same_name_and_unique_id_is_the_same_one(aws: LocalAws) -> None:
    client = aws.client("datapipeline", region=REGION)

    def create(unique_id: str) -> str:
        return str(client.create_pipeline(name="nightly", uniqueId=unique_id)["pipelineId"])

    first = create("once")
    assert create("once") == first
    assert create("another") != first


def test_what_is_no_cluster_is_said_not_to_be_one(aws: LocalAws) -> None:
    client = aws.client("emr", region=REGION)
    with pytest.raises(client.exceptions.InvalidRequestException):
        client.list_instances(ClusterId="j-NONE")
