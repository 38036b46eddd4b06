"""AWS::ApiGateway: an API, its resources, methods, deployments and stages."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, TAGS, TARGETS, Case, Clients, bucket_policy


def definition(path: str) -> dict[str, Any]:
    method = {"x-amazon-apigateway-integration": {"type": "MOCK", "httpMethod": "POST"}}
    return {"openapi": "3.0.1", "info": {"title": "defined", "version": "1"}, "paths": {path: {"get": method}}}


# moto forgets BinaryMediaTypes, Version, SecurityPolicy and EndpointAccessMode, keeps MinimumCompressionSize and
# VpcEndpointIds as they are and DisableExecuteApiEndpoint once it is set; it tags stages, but no APIs
API = Case(
    "AWS::ApiGateway::RestApi",
    {
        "Name": "contract",
        "Description": "as wanted",
        "ApiKeySourceType": "AUTHORIZER",
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "MinimumCompressionSize": 1024,
        "Policy": bucket_policy("contract", "execute-api:Invoke"),
        "Tags": TAGS,
    },
    changes={
        "Name": "contract-renamed",
        "Description": "otherwise",
        "ApiKeySourceType": "HEADER",
        "DisableExecuteApiEndpoint": True,
        "EndpointConfiguration": {"Types": ["EDGE"]},
        "Policy": bucket_policy("contract", "execute-api:Other"),
    },
    resets={
        "ApiKeySourceType": "HEADER",
        "Description": ABSENT,
        "EndpointConfiguration": {"Types": ["EDGE"]},
        "Policy": ABSENT,
    },
    attributes=("RestApiId", "RootResourceId"),
    deny=("apigateway", "GetRestApi"),
)


def _api(name: str) -> Any:
    def setup(clients: Clients) -> None:
        api = clients("apigateway").create_rest_api(name=name)
        TARGETS[f"@{name}"], TARGETS[f"@{name}-root"] = api["id"], api["rootResourceId"]

    return setup


RESOURCE = Case(
    "AWS::ApiGateway::Resource",
    {"RestApiId": "@api-of-resource", "ParentId": "@api-of-resource-root", "PathPart": "{pet}"},
    attributes=("ResourceId",),
    setup=_api("api-of-resource"),
    deny=("apigateway", "GetResource"),
)

CASES = (API, RESOURCE)
