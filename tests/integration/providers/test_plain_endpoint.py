"""An endpoint that lacks calls: moto as it is, without what the local AWS teaches it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import pytest

from reconciler.adoption.finding import Finder
from reconciler.adoption.found import Guess, Subject
from reconciler.live import as_far_as_known
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.plan import Target
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.registry import Registry
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.memory import FakeClock, SilentTelemetry

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = [{"AttributeName": "k", "KeyType": "HASH"}]


@pytest.fixture(scope="module")
def scope() -> Iterator[Scope]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stderr=subprocess.DEVNULL)
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=f"http://127.0.0.1:{port}", credentials=("testing", "testing")),
        budget=BudgetSettings(rate=100_000),
    )
    access = Access(FakeClock(), SilentTelemetry(), settings)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    finally:
        access.close()
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def made(scope: Scope) -> dict[TypeName, Identifier]:
    topic = scope.call("sns", "create_topic", Name="news")["TopicArn"]
    scope.call("logs", "create_log_group", logGroupName="/app")
    scope.call("s3", "create_bucket", Bucket="plain-endpoint")
    attributes = [{"AttributeName": "k", "AttributeType": "S"}]
    table = {"KeySchema": KEY, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST"}
    scope.call("dynamodb", "create_table", TableName="items", **table)
    volume = scope.call("ec2", "create_volume", Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    return {
        TypeName("AWS::SNS::Topic"): Identifier(topic),
        TypeName("AWS::Logs::LogGroup"): Identifier("/app"),
        TypeName("AWS::S3::Bucket"): Identifier("plain-endpoint"),
        TypeName("AWS::DynamoDB::Table"): Identifier("items"),
        TypeName("AWS::EC2::Volume"): Identifier(volume),
    }


def test_all_that_it_has_calls_for_is_read(scope: Scope, made: dict[TypeName, Identifier]) -> None:
    for kind, identifier in made.items():
        provider = Registry().get(kind)
        assert provider is not None

        def read(
            one: Identifier, names: frozenset[str], provider: object = provider
        ) -> Observation | Unreadable | None:
            return provider.read_many(scope, [Wanted(one, names)]).get(one)  # type: ignore[attr-defined]

        found = as_far_as_known(partial(read, identifier), frozenset(), provider.supported)
        assert isinstance(found, Observation), (kind, found)


def test_what_is_there_can_be_taken_over(scope: Scope, made: dict[TypeName, Identifier]) -> None:
    subjects = [Subject(identifier, (Guess(kind, identifier),)) for kind, identifier in made.items()]
    found = Finder(scope, Registry()).find(subjects)
    assert found.left == ()
    assert len(found.taken) == len(made)
