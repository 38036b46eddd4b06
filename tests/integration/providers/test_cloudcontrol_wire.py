"""The Cloud Control provider against an emulator's endpoint: what goes over the wire, by botocore's own models.

The emulator is a plain store that makes up identifiers, so that only the format is held here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from reconciler.model.errors import AwsFault, GuardBlocked
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.plan import Target
from reconciler.model.progress import Done, Handle
from reconciler.model.resource import Observation, Wanted
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.cloudcontrol import CloudControl
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.memory import CountingTelemetry, FakeClock
from tests.integration.providers.test_access_denied import ACCOUNT, REGION, Ministack, ministack

__all__ = ["ministack"]
pytestmark = pytest.mark.ministack

STREAM = "AWS::Kinesis::Stream"


@pytest.fixture
def telemetry() -> CountingTelemetry:
    return CountingTelemetry()


@pytest.fixture
def access(ministack: Ministack, telemetry: CountingTelemetry) -> Iterator[Access]:
    ministack.reset()
    connection = ConnectionSettings(endpoint_url=ministack.endpoint, credentials=(ACCOUNT, "test"))
    opened = Access(FakeClock(), telemetry, AccessSettings(connection=connection))
    yield opened
    opened.close()


@pytest.fixture
def scope(access: Access) -> Scope:
    return access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)


def test_one_resource_through_its_life(scope: Scope, telemetry: CountingTelemetry) -> None:
    provider = CloudControl(TypeName(STREAM))  # the wire format is the same for every type
    made = provider.create(scope, {"Name": "wired", "ShardCount": "1"}, ClientToken("a" * 64))
    assert isinstance(made, Done)
    identifier = made.identifier
    live = provider.read_many(scope, [Wanted(identifier), Wanted(Identifier("gone"))])
    assert live.keys() == {identifier}
    found = live[identifier]
    assert isinstance(found, Observation)
    assert (found.properties["Name"], found.properties["ShardCount"]) == ("wired", 1)
    after = {**found.properties, "ShardCount": 2, "a/b": "~"}
    assert provider.update(scope, identifier, found.properties, after, frozenset({"ShardCount"})) == Done(identifier)
    changed = provider.read_many(scope, [Wanted(identifier)])[identifier]
    assert isinstance(changed, Observation)
    assert changed.properties["ShardCount"] == 2
    assert provider.delete(scope, identifier) == Done(identifier)
    assert provider.read_many(scope, [Wanted(identifier)]) == {}
    assert {key[2] for key in telemetry.counts if key[:2] == ("aws_call", "cloudcontrol")} >= {
        "CreateResource", "GetResource", "UpdateResource", "DeleteResource",
    }  # fmt: skip


def test_requests_are_known_by_their_tokens(scope: Scope) -> None:
    answer = scope.call("cloudcontrol", "create_resource", TypeName=STREAM, DesiredState=json.dumps({"Name": "x"}))
    event = answer["ProgressEvent"]
    provider = CloudControl(TypeName(STREAM))
    handle = Handle(Identifier(""), event["RequestToken"])
    assert provider.poll(scope, handle) == Done(Identifier(event["Identifier"]))
    with pytest.raises(AwsFault):
        provider.poll(scope, Handle(Identifier(""), "00000000-0000-0000-0000-000000000000"))


def test_listings_are_understood(scope: Scope) -> None:
    provider = CloudControl(TypeName("AWS::APS::Workspace"))
    from reconciler.model.ids import LogicalId, Owner, PlanName

    owner = Owner(PlanName("demo"), LogicalId("Thing"))
    tags = [{"Key": key, "Value": value} for key, value in owner.tags().items()]
    made = [
        provider.create(scope, {"Alias": "x", "Tags": given}, ClientToken(name))
        for name, given in (("1", tags), ("2", []))
    ]
    (found,) = provider.locate(scope, {"Alias": "x"}, owner)
    assert isinstance(made[0], Done)
    assert (found.identifier, found.owner) == (made[0].identifier, owner)


def test_a_read_only_target_is_read_and_never_written(access: Access) -> None:
    reader = access.open(Target("production", ACCOUNT, REGION), read_only=True)
    provider = CloudControl(TypeName(STREAM))
    assert provider.read_many(reader, [Wanted(Identifier("none"))]) == {}
    for call in (
        lambda: provider.create(reader, {"Name": "x"}, ClientToken("t")),
        lambda: provider.update(
            reader, Identifier("x"), {"ShardCount": 1}, {"ShardCount": 2}, frozenset({"ShardCount"})
        ),
        lambda: provider.delete(reader, Identifier("x")),
    ):
        with pytest.raises(GuardBlocked):
            call()
