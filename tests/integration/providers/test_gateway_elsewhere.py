"""API Gateway on a second emulator (ministack), which keeps what moto doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.ids import Identifier
from reconciler.model.plan import Target
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.memory import CountingTelemetry, FakeClock
from tests.contract.providers_native.cases import TAGS
from tests.contract.providers_native.hands import Hands, owned, owner
from tests.ministack import ACCOUNT, REGION, Ministack
from tests.parts import real_part

pytestmark = pytest.mark.ministack


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scope]:
    running = Ministack(real_part("ministack"), tmp_path_factory.mktemp("ministack") / "log")
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=running.endpoint, credentials=(ACCOUNT, "test"))
    )
    access = Access(FakeClock(), CountingTelemetry(), settings)
    yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    access.close()
    running.stop()


def made(scope: Scope, type_name: str, desired: dict[str, Any], **changes: Any) -> Identifier:
    """Made, as wanted, changed, as wanted."""
    hands = Hands(scope, type_name)
    wanted = owned(desired, owner("Elsewhere"), type_name)
    identifier = hands.create(wanted)
    assert hands.drift(identifier, wanted) == []
    for name, value in changes.items():
        wanted = owned({**desired, name: value}, owner("Elsewhere"), type_name)
        hands.update(identifier, wanted, name)
        assert hands.drift(identifier, {name: wanted[name]}) == [], name
    return identifier


def test_an_api_with_all_its_parts(there: Scope) -> None:
    desired = {"Name": "pets", "Description": "as wanted", "BinaryMediaTypes": ["image/png"], "Tags": TAGS}
    # it takes what is added to media types for all of them, doesn't know "~1", and shows only the tags of a create
    changes = {"Description": "otherwise", "MinimumCompressionSize": 2048}
    api = made(there, "AWS::ApiGateway::RestApi", desired, **changes)
    live = Hands(there, "AWS::ApiGateway::RestApi").read(api)
    assert live is not None
    root = live.properties["RootResourceId"]
    pets = made(there, "AWS::ApiGateway::Resource", {"RestApiId": api, "ParentId": root, "PathPart": "pets"})
    method = {
        "RestApiId": api,
        "ResourceId": pets.partition("|")[2],
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "MethodResponses": [{"StatusCode": "200"}],
        "Integration": {"Type": "MOCK", "IntegrationResponses": [{"StatusCode": "200"}]},
    }
    integration = {"Type": "HTTP_PROXY", "IntegrationHttpMethod": "GET", "Uri": "https://example.com"}
    listing = made(
        there,
        "AWS::ApiGateway::Method",
        method,
        AuthorizationType="AWS_IAM",
        MethodResponses=[{"StatusCode": "200"}, {"StatusCode": "404"}],
        Integration=integration,
    )
    deployment = made(
        there, "AWS::ApiGateway::Deployment", {"RestApiId": api, "Description": "first"}, Description="second"
    )
    stage = {
        "RestApiId": api,
        "StageName": "live",
        "DeploymentId": deployment.partition("|")[0],
        "Variables": {"one": "1", "two": "2"},
        "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}],
        "Tags": TAGS,
    }
    live_stage = made(there, "AWS::ApiGateway::Stage", stage, Variables={"one": "3"}, Description="otherwise")
    for kind, identifier in (
        ("Stage", live_stage),
        ("Deployment", deployment),
        ("Method", listing),
        ("Resource", pets),
        ("RestApi", api),
    ):
        hands = Hands(there, f"AWS::ApiGateway::{kind}")
        hands.delete(identifier)
        assert hands.read(identifier) is None, kind
