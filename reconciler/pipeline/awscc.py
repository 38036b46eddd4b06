"""What the awscc provider makes of a resource type: whether it has it, and how a value is typed there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation
from reconciler.pipeline import naming
from reconciler.pipeline.files import Place
from reconciler.pipeline.hcl import Call, Raw
from reconciler.schema import TypeSchema, reference_value

#: The oldest provider whose resources these rules were checked against.
MINIMUM_VERSION = "1.106.0"

# Types that Cloud Control handles but that provider leaves out: their schemas are beyond its generator.
_LEFT_OUT: Mapping[str, str] = {
    "ARCRegionSwitch": "Plan",
    "AmazonMQ": "Broker ConfigurationAssociation",
    "AmplifyUIBuilder": "Component Form Theme",
    "AppSync": "GraphQLSchema",
    "ApplicationSignals": "Discovery",
    "AutoScalingPlans": "ScalingPlan",
    "BCM": "Dashboard",
    "BcmPricingCalculator": "BillEstimate",
    "Bedrock": "Flow RetrievalInstruction",
    "BedrockAgentCore": "Dataset GatewayTarget",
    "Budgets": "Budget",
    "CleanRooms": "IdNamespaceAssociation",
    "CloudFront": "AnycastIpList Distribution FieldLevelEncryptionConfig",
    "Cognito": "UserPool",
    "Connect": "EvaluationForm Rule",
    "ControlTower": "EnabledBaseline",
    "CustomerProfiles": "RecommenderSchema",
    "DataBrew": "Recipe",
    "DevOpsGuru": "LogAnomalyDetectionIntegration",
    "EC2": "IpamInternetRegistryAssociation NetworkAclEntry VPNGatewayRoutePropagation",
    "ECS": "Gateway GatewayClusterAssociations",
    "EKS": "Nodegroup",
    "EMR": "InstanceFleetConfig InstanceGroupConfig",
    "EMRContainers": "Endpoint JobTemplate SecurityConfiguration VirtualCluster",
    "FSx": "Backup FileCache",
    "Glue": "UsageProfile",
    "IAM": "Policy",
    "IoTFleetWise": "DecoderManifest",
    "IoTSiteWise": "ComputationModel",
    "IoTTwinMaker": "ComponentType Entity",
    "Logs": "Transformer",
    "MGN": "LaunchConfigurationTemplate",
    "MPA": "ApprovalTeam",
    "MediaConvert": "CertificateAssociation",
    "MediaLive": "Input InputSecurityGroup",
    "MediaPackage": "Channel OriginEndpoint",
    "MediaTailor": "PlaybackConfiguration",
    "NovaAct": "WorkflowDefinition",
    "ObservabilityAdmin": "TelemetryPipelines",
    "OpenSearchServerless": "Index",
    "QBusiness": "DataAccessor",
    "QuickSight": "ApprovalPolicy",
    "Rekognition": "StreamProcessor",
    "Route53": "DelegationSet",
    "SES": "ReceiptRule",
    "SNS": "TopicPolicy",
    "SQS": "QueuePolicy",
    "SageMaker": "ComputeQuota ModelCard",
    "SecurityHub": "ActionTarget AutomationRule",
    "SecurityLake": "Subscriber",
    "Transfer": "User",
    "VpcLattice": "DomainVerification TargetGroup",
    "WAFv2": "RuleGroup WebACL",
    "WorkSpaces": "Workspace",
}
_COMBINERS = ("oneOf", "anyOf", "allOf")
_PROBE = "identifier|probe"


def resource_type(schema: TypeSchema) -> str:
    """The awscc resource of a type. Raises ValueError if the provider has none."""
    name = naming.resource_type(schema.type_name)
    _, service, kind = schema.type_name.split("::")
    if "create" not in schema.handler_permissions or kind in _LEFT_OUT.get(service, "").split():
        raise ValueError(
            f"the awscc provider has no resource for {schema.type_name}: use format cloudformation for this plan"
        )
    return name


def reference(schema: TypeSchema, address: str, place: Place) -> Raw | Call:
    """What ``Ref`` returns for a resource, as an expression on its address."""
    probe = Observation(Identifier(_PROBE), {name: f"property:{name}" for name in schema.properties})
    value = str(reference_value(schema, probe))
    if value.startswith("property:"):
        return Raw(f"{address}.{naming.top_level_name(schema.type_name, value.removeprefix('property:'))}")
    if value == _PROBE:
        single = schema.primary_identifier[0] if len(schema.primary_identifier) == 1 else ""
        if single in schema.properties:
            return Raw(f"{address}.{naming.top_level_name(schema.type_name, single)}")
        return Raw(f"{address}.id")
    left, right = _PROBE.split("|")
    separator = value.removeprefix(left).removesuffix(right)
    if value == f"{left}{separator}{right}":
        return Call("replace", (Raw(f"{address}.id"), "|", separator))
    raise place.refuse(f"what Ref of {schema.type_name} returns can't be written in Terraform")


def attribute(schema: TypeSchema, address: str, name: str, place: Place) -> Raw:
    """What ``Fn::GetAtt`` returns for an attribute of a resource, as an expression on its address."""
    first, *rest = name.split(".")
    if schema.node(tuple(name.split("."))) is None:
        raise place.refuse(f"{schema.type_name} has no attribute {name} in the awscc provider")
    steps = [naming.top_level_name(schema.type_name, first), *map(naming.attribute_name, rest)]
    return Raw(".".join([address, *steps]))


def is_free_form(schema: TypeSchema, node: Mapping[str, Any]) -> bool:
    """Whether the provider takes the value as a JSON string: an object of any shape, of several kinds or of none."""
    kinds = set(_kinds(schema, node))
    if not kinds:
        return True
    if len(kinds) > 1 and kinds & {"object", "array"}:
        return True
    return kinds == {"object"} and not is_object(schema, node) and not _is_map(node)


def is_object(schema: TypeSchema, node: Mapping[str, Any]) -> bool:
    """Whether the node describes named properties, itself or in one of its alternatives."""
    return bool(node.get("properties")) or any(is_object(schema, other) for other in _alternatives(schema, node))


def _is_map(node: Mapping[str, Any]) -> bool:
    return bool(node.get("patternProperties")) or isinstance(node.get("additionalProperties"), Mapping)


def _kinds(schema: TypeSchema, node: Mapping[str, Any]) -> Iterator[str]:
    kinds = node.get("type", ())
    if kinds:
        yield from (kinds,) if isinstance(kinds, str) else kinds
        return
    if node.get("properties") or _is_map(node):
        yield "object"
    for other in _alternatives(schema, node):
        yield from _kinds(schema, other)


def _alternatives(schema: TypeSchema, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for keyword in _COMBINERS:
        for alternative in node.get(keyword, ()):
            yield schema.follow(alternative)
