"""Names and services in an emulator that isn't the one which the contract is tried on (ministack).

Left out is what it lacks: classic load balancers, deleting zones (ListQueryLoggingConfigs), finding by Route 53's tags
(ListTagsForResources), and Batch (which it describes by name alone, and where nothing is deregistered).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.plan import Target
from reconciler.model.resource import Located
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.memory import FakeClock, SilentTelemetry
from tests.contract.providers_native.hands import Hands, owned, owner
from tests.ministack import ACCOUNT, REGION, Ministack
from tests.parts import real_part

pytestmark = pytest.mark.ministack

TAGS = [{"Key": "team", "Value": "web"}]
IMAGE = {"Name": "web", "Image": "nginx", "Memory": 128, "Essential": True}


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scope]:
    program = real_part("ministack")
    aws = Ministack(program, tmp_path_factory.mktemp("ministack") / "log")
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=aws.endpoint, credentials=(ACCOUNT, "test")),
        role_pattern="arn:aws:iam::{account}:role/reconciler",
        budget=BudgetSettings(rate=100_000),
    )
    access = Access(FakeClock(), SilentTelemetry(), settings)
    yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    access.close()
    aws.stop()


def _through(scope: Scope, type_name: str, desired: dict[str, Any], *, finds: bool = True, **changes: Any) -> None:
    """Create, find, change each property, and delete. ``finds``: whether the emulator has what finding takes."""
    hands, me = Hands(scope, type_name), owner("Thing")
    wanted = owned(desired, me, type_name)
    made = hands.create(wanted)
    assert hands.drift(made, wanted) == []
    assert hands.create(wanted) == made
    tagged = hands.schema is not None and hands.schema.tag_property is not None
    assert not finds or hands.locate(wanted, me) == Located(made, me if tagged else None)
    for name, value in changes.items():
        wanted = {**wanted, name: value}
        hands.update(made, wanted, name)
        assert hands.drift(made, wanted) == [], name
    hands.delete(made)
    assert hands.read(made) is None
    hands.delete(made)


def test_a_health_check(scope: Scope) -> None:
    config = {
        "Type": "HTTP",
        "FullyQualifiedDomainName": "www.example.com",
        "Port": 80,
        "ResourcePath": "/a",
        "RequestInterval": 30,
        "FailureThreshold": 3,
    }
    changed = {**config, "ResourcePath": "/b", "FailureThreshold": 2}
    desired = {"HealthCheckConfig": config, "HealthCheckTags": TAGS}
    _through(scope, "AWS::Route53::HealthCheck", desired, finds=False, HealthCheckConfig=changed)


def test_a_zone_and_its_records(scope: Scope) -> None:
    zones = Hands(scope, "AWS::Route53::HostedZone")
    desired = {"Name": "records.example.com", "HostedZoneConfig": {"Comment": "one"}, "HostedZoneTags": TAGS}
    zone = zones.create(desired, token="records")
    assert zones.create(desired, token="records") == zone
    zones.update(zone, {**desired, "HostedZoneConfig": {"Comment": "two"}}, "HostedZoneConfig")
    assert zones.drift(zone, {**desired, "HostedZoneConfig": {"Comment": "two"}}) == []
    record = {"Name": "*.records.example.com.", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]}
    desired = {"HostedZoneId": zone, **record, "SetIdentifier": "one", "Weight": 1}
    _through(scope, "AWS::Route53::RecordSet", desired, TTL="30", ResourceRecords=["192.0.2.2"], Weight=0)
    other = {**record, "Name": "other.records.example.com"}
    changed = [{**record, "TTL": "30"}, other]
    _through(
        scope,
        "AWS::Route53::RecordSetGroup",
        {"HostedZoneId": zone, "RecordSets": [record, other]},
        RecordSets=changed,
    )


def test_a_service(scope: Scope) -> None:
    Hands(scope, "AWS::ECS::Cluster").create({"ClusterName": "second"})
    task = Hands(scope, "AWS::ECS::TaskDefinition").create({"Family": "second", "ContainerDefinitions": [IMAGE]})
    desired = {
        "ServiceName": "second",
        "Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/second",
        "TaskDefinition": task,
        "DesiredCount": 0,
        "DeploymentConfiguration": {"MaximumPercent": 200, "MinimumHealthyPercent": 50},
        "EnableExecuteCommand": False,
        "Tags": TAGS,
    }
    changed = {"MaximumPercent": 150, "MinimumHealthyPercent": 100}
    _through(scope, "AWS::ECS::Service", desired, DeploymentConfiguration=changed)
