"""Ways around the guard, each tried against a real server that counts: nothing that writes arrives."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.endpoint import EndpointCreator
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader

from reconciler.model.errors import GuardBlocked
from reconciler.providers.access import Access
from reconciler.providers.guard import Guard
from reconciler.providers.outside import AwsOutside
from reconciler.providers.sessions import SessionKey
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import CountingTelemetry, MemoryStore
from reconciler.testing.outsiders import outsider
from tests.integration.providers.conftest import ACCOUNT, PRODUCTION, REGION, SANDBOX

VPC = {"CidrBlock": "10.0.0.0/16"}
BODY = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16"


@pytest.fixture
def key(access: Access) -> SessionKey:
    return access.key(PRODUCTION, read_only=True)


@pytest.fixture
def client(access: Access, aws: LocalAws, key: SessionKey) -> Callable[[str], Any]:
    access.open(PRODUCTION, read_only=True)
    aws.reset_calls()
    return lambda service: access.sessions.client(key, REGION, service)


@pytest.fixture(autouse=True)
def nothing_written(aws: LocalAws) -> Iterator[None]:
    yield
    assert aws.mutations() == {}


def prepared(client: Any, operation: str, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An operation's model, and the request that botocore would make of it, before any event of the guard's."""
    model = client.meta.service_model.operation_model(operation)
    request = client._serializer.serialize_to_request(params, model)
    context = {"client_config": client.meta.config, "client_region": REGION, "has_streaming_input": False}
    request |= {"url": client.meta.endpoint_url + request["url_path"], "context": context}
    return model, request


def test_private_methods_of_clients(client: Callable[[str], Any]) -> None:
    ec2 = client("ec2")
    with pytest.raises(GuardBlocked):
        ec2._make_api_call("CreateVpc", VPC)
    with pytest.raises(GuardBlocked):
        ec2._endpoint.make_request(*prepared(ec2, "CreateVpc", VPC))
    with pytest.raises(GuardBlocked):
        EndpointCreator(ec2.meta.events).create_endpoint(
            ec2.meta.service_model, REGION, ec2.meta.endpoint_url
        ).make_request(*prepared(ec2, "CreateVpc", VPC))


@pytest.mark.parametrize(
    ("service", "told", "sent", "params"),
    [
        ("ec2", "DescribeVpcs", "CreateVpc", VPC),
        ("iam", "ListRoles", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
        ("dynamodb", "ListTables", "DeleteTable", {"TableName": "t"}),
        ("s3", "HeadBucket", "CreateBucket", {"Bucket": "b"}),
        ("guardduty", "GetFindings", "CreateDetector", {"Enable": True}),
        ("cloudwatch", "ListMetrics", "DeleteAlarms", {"AlarmNames": ["a"]}),
        ("ssm", "GetParameter", "GetParameter", {"Name": "/x", "WithDecryption": True}),
    ],
)
def test_a_write_that_is_announced_as_a_read(
    client: Callable[[str], Any], aws: LocalAws, service: str, told: str, sent: str, params: dict[str, Any]
) -> None:
    made = client(service)
    _, request = prepared(made, sent, params)
    model = made.meta.service_model.operation_model(told)
    made.meta.events.emit(f"provide-client-params.{service}.{told}", params={}, model=model)  # the guard knows it now
    with pytest.raises(GuardBlocked):
        made._endpoint.make_request(model, request)
    assert aws.calls() == {}


def test_a_handler_that_turns_a_read_into_a_write(client: Callable[[str], Any], aws: LocalAws) -> None:
    ec2 = client("ec2")

    def turn(request: Any, **_: Any) -> None:
        request.body = BODY.encode()

    ec2.meta.events.register_first("before-send.ec2.DescribeVpcs", turn)
    try:
        with pytest.raises(GuardBlocked):
            ec2.describe_vpcs()
    finally:
        ec2.meta.events.unregister("before-send.ec2.DescribeVpcs", turn)
    assert aws.calls() == {}


def test_unregistering_by_name_or_by_handler(client: Callable[[str], Any], access: Access, key: SessionKey) -> None:
    session: Any = access.sessions.session(key)
    for events in (client("ec2").meta.events, session.get_component("event_emitter")):
        for event in ("provide-client-params", "before-parameter-build", "before-call", "before-sign", "before-send"):
            events.unregister(event, unique_id=f"reconciler-guard-{event}")
            events.unregister(event, handler=access.sessions._guard(key)._check)
    with pytest.raises(GuardBlocked):
        client("ec2").create_vpc(**VPC)
    with pytest.raises(GuardBlocked):
        session.create_client("ec2", region_name=REGION).create_vpc(**VPC)


def test_a_copy_of_a_client_without_its_handlers(client: Callable[[str], Any], aws: LocalAws) -> None:
    """What the client itself emits nobody hears any more; its endpoint's events are still heard."""
    sqs = client("sqs")
    with pytest.raises(GuardBlocked):
        sqs.create_queue(QueueName="q")  # the guard has met the service
    copied: Any = object.__new__(type(sqs))
    copied.__dict__.update(sqs.__dict__, meta=copy.copy(sqs.meta))
    copied.meta.events = HierarchicalEmitter()
    with pytest.raises(GuardBlocked):
        copied._make_api_call("CreateQueue", {"QueueName": "q"})
    assert aws.calls() == {}
    for held in (sqs, sqs.meta.events):
        with pytest.raises((TypeError, AttributeError, RecursionError, pickle.PicklingError)):
            pickle.dumps(held)


def test_requests_signed_by_hand(access: Access, client: Callable[[str], Any], key: SessionKey) -> None:
    client("sts").get_caller_identity()  # credentials are there, a call was signed with them
    credentials: Any = access.sessions.session(key).get_credentials()
    request = AWSRequest("POST", client("ec2").meta.endpoint_url, data=BODY)
    with pytest.raises(GuardBlocked):
        SigV4Auth(credentials, "ec2", REGION).add_auth(request)
    for name in ("access_key", "secret_key", "token"):
        with pytest.raises(GuardBlocked):
            getattr(credentials, name)
    with pytest.raises(GuardBlocked):
        client("ec2")._request_signer.get_auth_instance("ec2", REGION, "v4")
    assert "Authorization" not in request.headers
    assert credentials.account_id in (None, ACCOUNT)


def test_uploads_and_resources(access: Access, key: SessionKey, tmp_path: Path, aws: LocalAws) -> None:
    (tmp_path / "file").write_text("x")
    big = tmp_path / "big"
    big.write_bytes(b"x" * 9_000_000)  # in parts
    session = boto3.session.Session(botocore_session=access.sessions.session(key))
    s3 = session.client("s3", region_name=REGION, endpoint_url=aws.endpoint)
    for file in (tmp_path / "file", big):
        with pytest.raises(GuardBlocked):
            s3.upload_file(str(file), "bucket", "key")
    with pytest.raises(GuardBlocked):
        s3.get_object(Bucket="bucket", Key="key")
    table: Any = session.resource("dynamodb", region_name=REGION, endpoint_url=aws.endpoint)
    with pytest.raises(GuardBlocked), table.Table("t").batch_writer() as writer:
        writer.put_item(Item={"k": "v"})
    with pytest.raises(GuardBlocked):
        session.client("sqs", region_name=REGION, endpoint_url=aws.endpoint).create_queue(QueueName="q")


def test_endpoints_and_models_from_the_environment(
    access: Access, aws: LocalAws, key: SessionKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of the user's own could call a write by a reading name, so that ours never look there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", aws.endpoint)
    monkeypatch.setattr(Loader, "CUSTOMER_DATA_PATH", str(tmp_path))
    model = Loader().load_service_model("ec2", "service-2")
    folder = tmp_path / "ec2" / "2099-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({**model, "metadata": {**model["metadata"], "serviceId": "X"}}))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    access.sessions.forget(key)
    made: Any = access.sessions.session(key).create_client("ec2", region_name=REGION)
    assert str(made.meta.service_model.service_id) == "EC2"
    with pytest.raises(GuardBlocked):
        made.create_vpc(**VPC)


def stray_sessions() -> list[Callable[[], Any]]:
    class Own(botocore.session.Session):
        pass

    return [
        botocore.session.Session,
        botocore.session.get_session,
        lambda: botocore.session.Session(include_builtin_handlers=False),
        lambda: botocore.session.Session(event_hooks=HierarchicalEmitter()),
        Own,
        lambda: boto3.session.Session()._session,
    ]


@pytest.mark.parametrize("make", stray_sessions())
def test_sessions_made_elsewhere_in_the_process(
    access: Access, telemetry: CountingTelemetry, aws: LocalAws, make: Callable[[], Any]
) -> None:
    session = make()
    keys = {"aws_access_key_id": aws.access_key, "aws_secret_access_key": aws.secret_key}
    aws.reset_calls()
    made = session.create_client("sqs", region_name=REGION, endpoint_url=aws.endpoint, **keys)
    assert "QueueUrls" not in made.list_queues()
    with pytest.raises(GuardBlocked, match="a session that isn't the reconciler's own is read-only"):
        made.create_queue(QueueName="q")
    secrets = session.create_client("secretsmanager", region_name=REGION, endpoint_url=aws.endpoint, **keys)
    with pytest.raises(GuardBlocked):
        secrets.get_secret_value(SecretId="s")
    assert aws.calls() == {"sqs:ListQueues": 1}
    assert telemetry.counts["guard_blocked", "sqs", "CreateQueue"] == 1


def test_the_module_level_functions_of_boto3(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    keys = {"aws_access_key_id": aws.access_key, "aws_secret_access_key": aws.secret_key}
    options: dict[str, Any] = {"region_name": REGION, "endpoint_url": aws.endpoint, **keys}
    with pytest.raises(GuardBlocked):
        boto3.client("sqs", **options).create_queue(QueueName="q")
    with pytest.raises(GuardBlocked):
        boto3.resource("s3", **options).create_bucket(Bucket="b")


def test_sessions_that_fetch_credentials_do_nothing_else(access: Access, aws: LocalAws) -> None:
    base: Any = access.sessions._base(None)
    aws.reset_calls()
    sqs = base.create_client("sqs", region_name=REGION, endpoint_url=aws.endpoint)
    for call in (sqs.purge_queue, sqs.get_queue_attributes):
        with pytest.raises(GuardBlocked, match="only fetches credentials"):
            call(QueueUrl="q")
    sts = base.create_client("sts", region_name=REGION, endpoint_url=aws.endpoint)
    with pytest.raises(GuardBlocked):
        sts.get_session_token()
    assert aws.calls() == {}
    sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/reconciler", RoleSessionName="test")
    assert aws.calls() == {"sts:AssumeRole": 1}


def test_an_outsider_of_the_tests_is_not_guarded_and_only_he(aws: LocalAws) -> None:
    with outsider():
        outside = botocore.session.Session()
    inside = botocore.session.Session()
    keys = {"aws_access_key_id": aws.access_key, "aws_secret_access_key": aws.secret_key}
    for session, passes in ((outside, True), (inside, False)):
        make: Any = session.create_client
        made = make("sqs", region_name=REGION, endpoint_url=aws.endpoint, **keys)
        if passes:
            made.create_queue(QueueName="outsider")
            made.delete_queue(QueueUrl=made.get_queue_url(QueueName="outsider")["QueueUrl"])
            aws.reset_calls()
        else:
            with pytest.raises(GuardBlocked):
                made.create_queue(QueueName="insider")


def test_secrets_on_a_writable_target_only_for_dynamic_references(access: Access, aws: LocalAws) -> None:
    aws.client("secretsmanager", account=ACCOUNT, region=REGION).create_secret(Name="db", SecretString="hunter2")
    aws.client("ssm", account=ACCOUNT, region=REGION).put_parameter(Name="/db", Value="hunter3", Type="SecureString")
    scope = access.open(SANDBOX, read_only=False)
    aws.reset_calls()
    for service, operation, params in (
        ("secretsmanager", "get_secret_value", {"SecretId": "db"}),
        ("ssm", "get_parameter", {"Name": "/db", "WithDecryption": True}),
        ("kms", "decrypt", {"CiphertextBlob": b"x"}),
    ):
        with pytest.raises(GuardBlocked, match="no plan's dynamic reference asks for"):
            scope.call(service, operation, **params)
    assert aws.calls() == {}
    outside = AwsOutside(scope, MemoryStore(), secrets=True)
    assert outside.dynamic("secretsmanager", "db").reveal() == "hunter2"
    assert outside.dynamic("ssm-secure", "/db").reveal() == "hunter3"
    with pytest.raises(GuardBlocked):
        scope.call("secretsmanager", "get_secret_value", SecretId="db")


def test_a_guard_that_never_met_a_service_refuses_its_operations(telemetry: CountingTelemetry) -> None:
    emitter = HierarchicalEmitter()
    Guard("production", telemetry).install(emitter)
    with pytest.raises(GuardBlocked):
        emitter.emit("before-send.ec2.DescribeVpcs", request=AWSRequest("POST", "http://x", data="Action=DescribeVpcs"))
