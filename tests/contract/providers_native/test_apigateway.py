"""API Gateway: definitions, the patches that change things, and stages that come with a deployment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.errors import AwsFault
from reconciler.ports import Scope
from reconciler.providers.native.apigateway_patches import Way, patches
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases_apigateway import definition
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner

API = "AWS::ApiGateway::RestApi"
DEPLOYMENT = "AWS::ApiGateway::Deployment"
WAYS = {
    "Name": Way("/name"),
    "Types": Way("/types", values=True),
    "Ids": Way("/ids", listed=True),
    "Variables": Way("/variables", keys=True),
    "Log": Way("/log", parts={"Arn": Way("/log/arn"), "Format": Way("/log/format")}),
}


def test_patches_say_what_differs_and_nothing_else() -> None:
    before = {"Name": "a", "Types": ["a/b", "c"], "Ids": ["1", "2"], "Variables": {"x": "1", "y": "2", "z": "3"}}
    after = {"Name": "a", "Types": ["a/b", "d/~e"], "Ids": ["2", "3"], "Variables": {"y": "2", "z": "4", "q/r": "5"}}
    assert patches(WAYS, before, after) == [
        {"op": "add", "path": "/types/d~1~0e"},
        {"op": "remove", "path": "/types/c"},
        {"op": "add", "path": "/ids", "value": "3"},
        {"op": "remove", "path": "/ids", "value": "1"},
        {"op": "remove", "path": "/variables/x"},
        {"op": "replace", "path": "/variables/q~1r", "value": "5"},
        {"op": "replace", "path": "/variables/z", "value": "4"},
    ]
    assert patches(WAYS, before, {}) == []


def test_objects_are_patched_by_member_and_taken_away_when_empty() -> None:
    live = {"Log": {"Arn": "a", "Format": "f"}}
    assert patches(WAYS, live, {"Log": {"Arn": "b"}}) == [{"op": "replace", "path": "/log/arn", "value": "b"}]
    assert patches(WAYS, live, {"Log": {}}) == [{"op": "remove", "path": "/log"}]
    assert patches(WAYS, {}, {"Name": True}) == [{"op": "replace", "path": "/name", "value": "true"}]


@pytest.fixture
def gateway(aws: LocalAws) -> Any:
    return aws.client("apigateway", account=ACCOUNT, region=REGION)


def paths(gateway: Any, api: str) -> set[str]:
    return {one["path"] for one in gateway.get_resources(restApiId=api)["items"]}


def test_a_definition_is_imported_once_the_api_has_its_tags(aws: LocalAws, scope: Scope, gateway: Any) -> None:
    hands = Hands(scope, API)
    desired = owned({"Description": "mine", "Body": definition("/pets")}, owner("Defined"), API)
    aws.fail("apigateway", "PutRestApi", "BadRequestException", times=1, status=400)
    with pytest.raises(AwsFault):
        hands.create(desired)
    made = hands.create(desired)
    assert [one["name"] for one in gateway.get_rest_apis()["items"] if one["id"] == made] == ["defined"]
    assert len([one for one in gateway.get_rest_apis()["items"] if one["name"] == "defined"]) == 1
    assert paths(gateway, made) == {"/", "/pets"}
    assert hands.drift(made, {"Description": "mine"}) == []
    changed = {**desired, "Body": definition("/owners")}
    hands.update(made, changed, "Body")
    assert paths(gateway, made) == {"/", "/owners"}
    with pytest.raises(AwsFault, match="can't be taken back"):
        hands.update(made, {"Name": "defined"}, "Body")
    hands.delete(made)


def test_a_definition_can_lie_in_a_bucket(aws: LocalAws, scope: Scope, gateway: Any) -> None:
    s3 = aws.client("s3", account=ACCOUNT, region=REGION)
    s3.create_bucket(Bucket="definitions", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="definitions", Key="api.json", Body=json.dumps(definition("/stored")).encode())
    place = {"Bucket": "definitions", "Key": "api.json"}
    hands = Hands(scope, API)
    made = hands.create(owned({"Name": "stored", "BodyS3Location": place}, owner("Stored"), API))
    assert paths(gateway, made) == {"/", "/stored"}
    hands.delete(made)


@pytest.fixture
def api(gateway: Any) -> str:
    made = gateway.create_rest_api(name="deployed")
    method = {"restApiId": made["id"], "resourceId": made["rootResourceId"], "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="MOCK")
    return str(made["id"])


def test_a_stage_comes_and_goes_with_its_deployment(scope: Scope, gateway: Any, api: str) -> None:
    hands = Hands(scope, DEPLOYMENT)
    described = {"Variables": {"one": "1"}, "LoggingLevel": "INFO", "Tags": [{"Key": "team", "Value": "web"}]}
    desired = {"RestApiId": api, "StageName": "live", "StageDescription": described}
    first = hands.create(desired)
    stage = gateway.get_stage(restApiId=api, stageName="live")
    assert stage["deploymentId"] == first.partition("|")[0]
    assert stage["variables"] == {"one": "1"}
    assert stage["methodSettings"]["*/*"]["loggingLevel"] == "INFO"
    assert stage["tags"]["team"] == "web"
    second = hands.create({**desired, "StageDescription": {"Variables": {"one": "2"}}})
    stage = gateway.get_stage(restApiId=api, stageName="live")
    assert stage["deploymentId"] == second.partition("|")[0]
    assert stage["variables"] == {"one": "2"}
    hands.delete(first)
    assert [one["stageName"] for one in gateway.get_stages(restApiId=api)["item"]] == ["live"]
    hands.update(second, {**desired, "StageDescription": {"Variables": {"one": "3"}}}, "StageDescription")
    assert gateway.get_stage(restApiId=api, stageName="live")["variables"] == {"one": "3"}
    hands.delete(second)
    assert gateway.get_stages(restApiId=api)["item"] == []


def test_a_stage_of_somebody_elses_outlives_a_deployment(scope: Scope, gateway: Any, api: str) -> None:
    hands = Hands(scope, DEPLOYMENT)
    made = hands.create({"RestApiId": api})
    gateway.create_stage(restApiId=api, stageName="theirs", deploymentId=made.partition("|")[0])
    hands.delete(made)  # AWS refuses it, moto doesn't
    assert [one["stageName"] for one in gateway.get_stages(restApiId=api)["item"]] == ["theirs"]


def test_a_stage_isnt_described_without_its_name(scope: Scope, api: str) -> None:
    with pytest.raises(AwsFault, match="says nothing without a StageName"):
        Hands(scope, DEPLOYMENT).create({"RestApiId": api, "StageDescription": {"Description": "x"}})
