"""How a resource is named: its identifier, what ``Ref`` returns for it, and its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation
from reconciler.model.values import Properties, Sensitive, Unknown
from reconciler.schema.types import TypeSchema

#: What Ref returns where it isn't the (first part of the) primary identifier: a property, by the resource's user guide.
_REFERENCES: Mapping[str, str] = {
    "AWS::ApiGateway::Authorizer": "AuthorizerId",
    "AWS::ApiGateway::Deployment": "DeploymentId",
    "AWS::ApiGateway::Model": "Name",
    "AWS::ApiGateway::RequestValidator": "RequestValidatorId",
    "AWS::ApiGateway::Resource": "ResourceId",
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::ApiGatewayV2::Authorizer": "AuthorizerId",
    "AWS::ApiGatewayV2::Deployment": "DeploymentId",
    "AWS::ApiGatewayV2::Integration": "IntegrationId",
    "AWS::ApiGatewayV2::Route": "RouteId",
    "AWS::ApiGatewayV2::Stage": "StageName",
    "AWS::AutoScaling::LifecycleHook": "LifecycleHookName",
    "AWS::AutoScaling::ScheduledAction": "ScheduledActionName",
    "AWS::Batch::JobDefinition": "JobDefinitionArn",
    "AWS::Cognito::UserPoolClient": "ClientId",
    "AWS::Cognito::UserPoolGroup": "GroupName",
    "AWS::EC2::EIP": "PublicIp",
    "AWS::EC2::EIPAssociation": "Id",
    "AWS::EC2::SecurityGroup": "GroupId",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::Service": "ServiceArn",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "PolicyArn",
    "AWS::IAM::Policy": "PolicyName",
    "AWS::KMS::Key": "KeyId",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicArn",
    "AWS::SQS::Queue": "QueueUrl",
    "AWS::SSM::Parameter": "Name",
}

#: Where security groups are given by name and in no other way, by the format in the schema.
GROUPS_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "AWS::EC2::Instance": ("SecurityGroups",),
    "AWS::EC2::LaunchTemplate": ("LaunchTemplateData", "SecurityGroups"),
}

#: Where Ref is the whole compound identifier.
_WHOLE = frozenset({"AWS::EC2::Route", "AWS::EC2::VPCGatewayAttachment"})


def identifier_of(schema: TypeSchema, properties: Properties) -> Identifier | None:
    """The primary identifier that ``properties`` spell out, parts joined by ``|``.

    None when a part is absent or not known yet; a part that is a secret makes no identifier either.
    """
    parts: list[str] = []
    for name in schema.primary_identifier:
        value: Any = properties
        for step in name.split("/"):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None or value == "" or isinstance(value, Unknown | Sensitive | Mapping | list):
            return None
        parts.append(str(value))
    return Identifier("|".join(parts)) if parts else None


def reference_value(schema: TypeSchema, observation: Observation) -> Any:
    """What CloudFormation's Ref returns for a live resource.

    That is the first part of the primary identifier unless the type is in the table of exceptions above.
    """
    if schema.type_name in _WHOLE:
        return observation.identifier
    names = schema.primary_identifier
    name = _REFERENCES.get(schema.type_name, names[0] if len(names) > 1 else "")
    if observation.properties.get(name) is not None:
        return observation.properties[name]
    parts = observation.identifier.split("|")
    if len(names) <= 1 or len(parts) != len(names):
        return observation.identifier
    return parts[names.index(name) if name in names else 0]


def attribute_value(properties: Properties, name: str) -> Any:
    """What ``Fn::GetAtt`` returns for attribute ``name`` (``Endpoint.Address``). Raises KeyError if it is absent."""
    if name in properties:
        return properties[name]
    value: Any = properties
    for part in name.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(name)
    return value
