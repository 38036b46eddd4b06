"""A plan of a whole API: applied, left alone, changed, and taken away."""

from __future__ import annotations

from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text


def _resources(description: str) -> dict[str, Any]:
    api, root = {"Ref": "Api"}, {"Fn::GetAtt": ["Api", "RootResourceId"]}
    integration = {"Type": "MOCK", "IntegrationResponses": [{"StatusCode": "200"}]}
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "pets", "Description": description}},
        "Pets": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {"RestApiId": api, "ParentId": root, "PathPart": "pets"},
        },
        "List": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": api,
                "ResourceId": {"Ref": "Pets"},
                "HttpMethod": "GET",
                "OperationName": description,
                "MethodResponses": [{"StatusCode": "200"}],
                "Integration": integration,
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": "List",
            "Properties": {"RestApiId": api},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": api,
                "StageName": "live",
                "DeploymentId": {"Ref": "Deployment"},
                "Description": description,
                "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}],
            },
        },
    }


def test_an_api_with_all_its_parts(lab: Lab) -> None:
    lab.write(plan_text("gateway", _resources("first")))
    assert lab.run("gateway").state is PlanState.IN_SYNC

    lab.aws.reset_calls()
    again = lab.run("gateway")
    assert (again.state, again.changes, lab.aws.mutations()) == (PlanState.IN_SYNC, (), {})

    lab.write(plan_text("gateway", _resources("second")))
    assert lab.run("gateway").state is PlanState.IN_SYNC
    with lab.aws.uncounted():
        gateway = lab.aws.client("apigateway", account=SANDBOX)
        (api,) = gateway.get_rest_apis()["items"]
        (stage,) = gateway.get_stages(restApiId=api["id"])["item"]
        assert (api["description"], stage["description"]) == ("second", "second")

    lab.write(plan_text("gateway", _resources("second"), state="absent"))
    lab.run("gateway")
    with lab.aws.uncounted():
        assert gateway.get_rest_apis()["items"] == []
