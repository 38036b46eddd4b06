"""What answers requests and what leads there.

AWS::ElasticLoadBalancingV2, AWS::Lambda, AWS::ECS, AWS::AppMesh, AWS::MediaPackage, AWS::Route53.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import (
    TAGS,
    Apart,
    As,
    AwsType,
    First,
    Implied,
    Inside,
    Into,
    Keyed,
    Nested,
    Pairs,
    Rules,
    Wrapped,
    names,
    never,
)

_ACTION: Rules = {
    **names("Order TargetGroupArn Type"),
    "FixedResponseConfig": Nested(
        "fixed_response", names("ContentType MessageBody StatusCode"), needs=("ContentType",)
    ),
    "ForwardConfig": Nested(
        "forward",
        {
            "TargetGroupStickinessConfig": Nested(
                "stickiness", names("Enabled", DurationSeconds="duration"), needs=("DurationSeconds",)
            ),
            "TargetGroups": Nested("target_group", names("Weight", TargetGroupArn="arn"), needs=("TargetGroupArn",)),
        },
        needs=("TargetGroups",),
    ),
    "RedirectConfig": Nested("redirect", names("Host Path Port Protocol Query StatusCode")),
}
_CONDITION: Rules = {
    "HostHeaderConfig": Nested("host_header", names("Values")),
    "HttpHeaderConfig": Nested("http_header", names("HttpHeaderName Values"), needs=("HttpHeaderName", "Values")),
    "HttpRequestMethodConfig": Nested("http_request_method", names("Values"), needs=("Values",)),
    "PathPatternConfig": Nested("path_pattern", names("Values")),
    "SourceIpConfig": Nested("source_ip", names("Values"), needs=("Values",)),
}
_CHECK = {
    "HealthCheckEnabled": "enabled",
    "HealthCheckIntervalSeconds": "interval",
    "HealthCheckPath": "path",
    "HealthCheckPort": "port",
    "HealthCheckProtocol": "protocol",
    "HealthCheckTimeoutSeconds": "timeout",
    "HealthyThresholdCount": "healthy_threshold",
    "UnhealthyThresholdCount": "unhealthy_threshold",
}
_RECORD: Rules = {
    **names("HealthCheckId Name SetIdentifier TTL Type", HostedZoneId="zone_id", ResourceRecords="records"),
    "AliasTarget": Nested(
        "alias",
        names("EvaluateTargetHealth", DNSName="name", HostedZoneId="zone_id"),
        {"evaluate_target_health": False},
    ),
    "CidrRoutingConfig": Nested("cidr_routing_policy", names("CollectionId LocationName")),
    "Failover": Wrapped("failover_routing_policy", "type"),
    "GeoLocation": Nested(
        "geolocation_routing_policy",
        names("", ContinentCode="continent", CountryCode="country", SubdivisionCode="subdivision"),
    ),
    "GeoProximityLocation": Nested(
        "geoproximity_routing_policy",
        {
            **names("Bias LocalZoneGroup", AWSRegion="aws_region"),
            "Coordinates": Nested("coordinates", names("Latitude Longitude")),
        },
    ),
    "MultiValueAnswer": As("multivalue_answer_routing_policy"),
    "Region": Wrapped("latency_routing_policy", "region"),
    "Weight": Wrapped("weighted_routing_policy", "weight"),
}


def _record(group: str, item: Any) -> str | None:
    """A record's id: ``zone_name_type_set identifier``; ``group`` has the zone's in front."""
    parts = [item[key] for key in ("Name", "Type", "SetIdentifier") if key in item]
    if not all(isinstance(part, str) for part in parts):
        return None
    return "_".join([group.partition("|")[0], parts[0].rstrip("."), *parts[1:]])


TYPES: Mapping[str, AwsType] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": AwsType(
        "aws_lb",
        {
            **names("IpAddressType Name SecurityGroups Subnets", Type="load_balancer_type"),
            "LoadBalancerAttributes": Keyed(
                "Key",
                "Value",
                {
                    "deletion_protection.enabled": As("enable_deletion_protection"),
                    "idle_timeout.timeout_seconds": As("idle_timeout"),
                    "load_balancing.cross_zone.enabled": As("enable_cross_zone_load_balancing"),
                    "routing.http.desync_mitigation_mode": As("desync_mitigation_mode"),
                    "routing.http.drop_invalid_header_fields.enabled": As("drop_invalid_header_fields"),
                    "routing.http2.enabled": As("enable_http2"),
                },
            ),
            "Scheme": As("internal", {"internal": True, "internet-facing": False}),
            **TAGS,
        },
        ref="arn",
        attributes={
            "CanonicalHostedZoneID": "zone_id",
            "DNSName": "dns_name",
            "LoadBalancerArn": "arn",
            "LoadBalancerFullName": "arn_suffix",
            "LoadBalancerName": "name",
        },
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": AwsType(
        "aws_lb_target_group",
        {
            **names("IpAddressType Name Port Protocol ProtocolVersion TargetType VpcId"),
            **{prop: Into("health_check", As(name)) for prop, name in _CHECK.items()},
            "Matcher": Into("health_check", Inside(names("", HttpCode="matcher"))),
            "TargetGroupAttributes": Keyed(
                "Key",
                "Value",
                {
                    "deregistration_delay.timeout_seconds": As("deregistration_delay"),
                    "load_balancing.algorithm.type": As("load_balancing_algorithm_type"),
                    "slow_start.duration_seconds": As("slow_start"),
                    "stickiness.enabled": Into("stickiness", As("enabled")),
                    "stickiness.lb_cookie.duration_seconds": Into("stickiness", As("cookie_duration")),
                    "stickiness.type": Into("stickiness", As("type")),
                },
            ),
            "Targets": Apart(
                "aws_lb_target_group_attachment",
                "",
                "target_group_arn",
                names("AvailabilityZone Port", Id="target_id"),
                to="arn",
            ),
            **TAGS,
        },
        ref="arn",
        attributes={"TargetGroupArn": "arn", "TargetGroupFullName": "arn_suffix", "TargetGroupName": "name"},
    ),
    "AWS::ElasticLoadBalancingV2::Listener": AwsType(
        "aws_lb_listener",
        {
            **names("LoadBalancerArn Port Protocol SslPolicy"),
            "Certificates": First(Inside(names("CertificateArn"))),
            "DefaultActions": Nested("default_action", _ACTION),
            **TAGS,
        },
        ref="arn",
        attributes={"ListenerArn": "arn"},
        needs=("LoadBalancerArn",),
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": AwsType(
        "aws_lb_listener_rule",
        {
            **names("ListenerArn Priority"),
            "Actions": Nested("action", _ACTION),
            "Conditions": Nested("condition", _CONDITION),
            **TAGS,
        },
        ref="arn",
        attributes={"RuleArn": "arn"},
        needs=("ListenerArn",),
    ),
    "AWS::Lambda::Function": AwsType(
        "aws_lambda_function",
        {
            **names(
                "Architectures Description FunctionName Handler KmsKeyArn Layers MemorySize PackageType "
                "ReservedConcurrentExecutions Role Runtime Timeout",
            ),
            "Code": Inside(names("ImageUri S3Bucket S3Key S3ObjectVersion")),
            "DeadLetterConfig": Nested("dead_letter_config", names("TargetArn"), needs=("TargetArn",)),
            "Environment": Nested("environment", {"Variables": Pairs("variables")}),
            "EphemeralStorage": Nested("ephemeral_storage", names("Size")),
            "TracingConfig": Nested("tracing_config", names("Mode"), needs=("Mode",)),
            "VpcConfig": Nested(
                "vpc_config",
                names("Ipv6AllowedForDualStack SecurityGroupIds SubnetIds"),
                needs=("SecurityGroupIds", "SubnetIds"),
            ),
            **TAGS,
        },
        ref="function_name",
        attributes={"Arn": "arn"},
        needs=("FunctionName",),
    ),
    "AWS::Lambda::Permission": AwsType(
        "aws_lambda_permission",
        names(
            "Action EventSourceToken FunctionName FunctionUrlAuthType Principal SourceAccount SourceArn",
            PrincipalOrgID="principal_org_id",
        ),
        imported=never,
    ),
    "AWS::Lambda::EventSourceMapping": AwsType(
        "aws_lambda_event_source_mapping",
        names(
            "BatchSize BisectBatchOnFunctionError Enabled EventSourceArn FunctionName FunctionResponseTypes "
            "MaximumBatchingWindowInSeconds MaximumRecordAgeInSeconds MaximumRetryAttempts ParallelizationFactor "
            "StartingPosition TumblingWindowInSeconds"
        )
        | TAGS,
    ),
    "AWS::ECS::Cluster": AwsType(
        "aws_ecs_cluster",
        {
            **names("", ClusterName="name"),
            "ClusterSettings": Nested("setting", names("Name Value"), needs=("Name", "Value")),
            **TAGS,
        },
        ref="name",
        attributes={"Arn": "arn"},
        needs=("ClusterName",),
    ),
    "AWS::AppMesh::Mesh": AwsType(
        "aws_appmesh_mesh",
        {
            **names("", MeshName="name"),
            "Spec": Nested(
                "spec",
                {
                    "EgressFilter": Nested("egress_filter", names("Type")),
                    "ServiceDiscovery": Nested("service_discovery", names("IpPreference")),
                },
            ),
            **TAGS,
        },
        ref="arn",
        attributes={
            "Arn": "arn",
            "Id": "arn",
            "MeshName": "name",
            "MeshOwner": "mesh_owner",
            "ResourceOwner": "resource_owner",
        },
        imported=lambda identifier, _live: identifier.rsplit("/", 1)[-1],
        needs=("MeshName",),
    ),
    "AWS::MediaPackage::Channel": AwsType(
        "aws_media_package_channel", names("Description", Id="channel_id") | TAGS, attributes={"Arn": "arn"}
    ),
    "AWS::Route53::HostedZone": AwsType(
        "aws_route53_zone",
        {
            **names("Name"),
            "HostedZoneConfig": Inside(names("Comment")),
            "HostedZoneTags": Pairs(),
            "VPCs": Nested("vpc", names("", VPCId="vpc_id", VPCRegion="vpc_region")),
        },
        ref="zone_id",
        attributes={"Id": "zone_id", "NameServers": "name_servers"},
        needs=("Name",),
    ),
    "AWS::Route53::RecordSet": AwsType(
        "aws_route53_record", _RECORD, ref="name", needs=("HostedZoneId",), imported=never
    ),
    "AWS::Route53::RecordSetGroup": AwsType(
        "aws_route53_record",
        {
            # it is about the change that makes the records, and Route 53 doesn't keep it
            "Comment": Implied(),
            "HostedZoneId": As("zone_id"),
            "RecordSets": Apart(
                "aws_route53_record", "", "", _RECORD, imported=_record, key=("Name", "Type", "SetIdentifier")
            ),
        },
        needs=("HostedZoneId", "RecordSets"),
        imported=never,
    ),
}
