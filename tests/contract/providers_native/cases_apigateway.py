"""AWS::ApiGateway: an API, its resources, methods, deployments and stages."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients, bucket_policy
from tests.contract.providers_native.hands import ACCOUNT, REGION


def definition(path: str) -> dict[str, Any]:
    integration = {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://example.com"}
    method = {"responses": {}, "x-amazon-apigateway-integration": integration}
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

# moto forgets the integration's ConnectionId and CacheKeyParameters
METHOD = Case(
    "AWS::ApiGateway::Method",
    {
        "RestApiId": "@api-of-method",
        "ResourceId": "@api-of-method-root",
        "HttpMethod": "POST",
        "AuthorizationType": "CUSTOM",
        "AuthorizerId": "abc123",
        "ApiKeyRequired": True,
        "OperationName": "AddPet",
        "RequestModels": {"application/json": "Empty"},
        "RequestParameters": {"method.request.header.X-Id": True},
        "RequestValidatorId": "val123",
        "MethodResponses": [
            {
                "StatusCode": "200",
                "ResponseModels": {"application/json": "Empty"},
                "ResponseParameters": {"method.response.header.X-Id": True},
            },
            {"StatusCode": "400"},
        ],
        "Integration": {
            "Type": "HTTP",
            "IntegrationHttpMethod": "PUT",
            "Uri": "https://example.com/pets",
            "CacheNamespace": "pets",
            "ConnectionType": "INTERNET",
            "ContentHandling": "CONVERT_TO_TEXT",
            "Credentials": f"arn:aws:iam::{ACCOUNT}:role/contract-gateway",
            "PassthroughBehavior": "NEVER",
            "RequestParameters": {"integration.request.header.X-Id": "method.request.header.X-Id"},
            "RequestTemplates": {"application/json": "$input.json('$')"},
            "TimeoutInMillis": 5000,
            "IntegrationResponses": [
                {
                    "StatusCode": "200",
                    "ContentHandling": "CONVERT_TO_TEXT",
                    "ResponseParameters": {"method.response.header.X-Id": "integration.response.header.X-Id"},
                    "ResponseTemplates": {"application/json": "$input.json('$')"},
                },
                {"StatusCode": "400", "SelectionPattern": "4.."},
            ],
        },
    },
    changes={
        "AuthorizationType": "AWS_IAM",
        "AuthorizerId": "def456",
        "ApiKeyRequired": False,
        "AuthorizationScopes": ["pets"],
        "OperationName": "PutPet",
        "RequestModels": {"application/xml": "Empty"},
        "RequestParameters": {"method.request.header.X-Id": False},
        "RequestValidatorId": "val456",
        "MethodResponses": [{"StatusCode": "404"}, {"StatusCode": "200"}],
        "Integration": {
            "Type": "MOCK",
            "RequestTemplates": {"application/json": '{"statusCode": 200}'},
            "IntegrationResponses": [{"StatusCode": "404"}],
        },
    },
    resets={
        "ApiKeyRequired": False,
        "AuthorizationScopes": ABSENT,
        "AuthorizationType": "NONE",
        "AuthorizerId": ABSENT,
        "OperationName": ABSENT,
        "RequestModels": ABSENT,
        "RequestParameters": ABSENT,
        "RequestValidatorId": ABSENT,
        "Integration": ABSENT,
        "MethodResponses": ABSENT,
    },
    setup=_api("api-of-method"),
    deny=("apigateway", "GetMethod"),
)


def _deployable(name: str) -> Any:
    def setup(clients: Clients) -> None:
        _api(name)(clients)
        gateway = clients("apigateway")
        method = {"restApiId": TARGETS[f"@{name}"], "resourceId": TARGETS[f"@{name}-root"], "httpMethod": "GET"}
        gateway.put_method(**method, authorizationType="NONE")
        gateway.put_integration(**method, type="MOCK")
        for number in ("one", "two"):
            TARGETS[f"@{name}-{number}"] = gateway.create_deployment(restApiId=TARGETS[f"@{name}"])["id"]

    return setup


# moto can't change a deployment
DEPLOYMENT = Case(
    "AWS::ApiGateway::Deployment",
    {"RestApiId": "@api-of-deployment", "Description": "as wanted"},
    attributes=("DeploymentId",),
    findable=False,
    setup=_deployable("api-of-deployment"),
    deny=("apigateway", "GetDeployment"),
    twice=False,
)

# moto forgets CanarySetting, ClientCertificateId and DocumentationVersion, and that settings of methods were taken away
STAGE = Case(
    "AWS::ApiGateway::Stage",
    {
        "RestApiId": "@api-of-stage",
        "StageName": "test",
        "DeploymentId": "@api-of-stage-one",
        "Description": "as wanted",
        "AccessLogSetting": {
            "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:contract-stage:*",
            "Format": "$context.requestId",
        },
        "CacheClusterEnabled": True,
        "CacheClusterSize": "0.5",
        "MethodSettings": [
            {
                "ResourcePath": "/*",
                "HttpMethod": "*",
                "CacheDataEncrypted": False,
                "CacheTtlInSeconds": 60,
                "CachingEnabled": True,
                "DataTraceEnabled": True,
                "LoggingLevel": "INFO",
                "MetricsEnabled": True,
                "ThrottlingBurstLimit": 10,
                "ThrottlingRateLimit": 5.5,
            },
            {"ResourcePath": "/~1pets~1{pet}", "HttpMethod": "GET", "MetricsEnabled": True},
        ],
        "TracingEnabled": True,
        "Variables": {"one": "1", "two": "2"},
        "Tags": TAGS,
    },
    changes={
        "DeploymentId": "@api-of-stage-two",
        "Description": "otherwise",
        "AccessLogSetting": {
            "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:contract-other-stage",
            "Format": "$context.identity.sourceIp",
        },
        "CacheClusterSize": "1.6",
        "MethodSettings": [
            {"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "ERROR", "ThrottlingBurstLimit": 20},
            {"ResourcePath": "/pets/{pet}", "HttpMethod": "GET", "MetricsEnabled": False},
        ],
        "TracingEnabled": False,
        "Variables": {"one": "3", "three": "3"},
        "Tags": OTHER_TAGS,
    },
    resets={
        "AccessLogSetting": ABSENT,
        "CacheClusterEnabled": False,
        "Description": ABSENT,
        "TracingEnabled": False,
        "Variables": ABSENT,
        "Tags": ABSENT,
    },
    setup=_deployable("api-of-stage"),
    deny=("apigateway", "GetStage"),
    searchable=False,
)

CASES = (API, RESOURCE, METHOD, DEPLOYMENT, STAGE)
