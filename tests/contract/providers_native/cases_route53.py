"""Hosted zones, health checks and records."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import REGION

# Left out, because moto doesn't know it: HostedZoneFeatures. QueryLoggingConfig is tried in ``test_route53``: its log
# group must be in us-east-1. DelegationSetId is for public zones.
ZONE = Case(
    "AWS::Route53::HostedZone",
    {
        "Name": "contract.example.com",
        "HostedZoneConfig": {"Comment": "for the contract"},
        "VPCs": [{"VPCId": "vpc-00000001", "VPCRegion": REGION}, {"VPCId": "vpc-00000002", "VPCRegion": REGION}],
        "HostedZoneTags": TAGS,
    },
    changes={
        "HostedZoneConfig": {"Comment": "otherwise"},
        "VPCs": [{"VPCId": "vpc-00000002", "VPCRegion": REGION}, {"VPCId": "vpc-00000003", "VPCRegion": REGION}],
        "HostedZoneTags": OTHER_TAGS,
    },
    resets={"HostedZoneConfig": ABSENT, "HostedZoneTags": ABSENT},
    attributes=("Id",),
    deny=("route53", "GetHostedZone"),
)

# Left out, because moto doesn't keep them: AlarmIdentifier, InsufficientDataHealthStatus, RoutingControlArn.
HEALTH_CHECK = Case(
    "AWS::Route53::HealthCheck",
    {
        "HealthCheckConfig": {
            "Type": "HTTPS_STR_MATCH",
            "FullyQualifiedDomainName": "www.example.com",
            "Port": 8443,
            "ResourcePath": "/health",
            "SearchString": "fine",
            "RequestInterval": 10,
            "FailureThreshold": 5,
            "MeasureLatency": True,
            "Inverted": False,
            "EnableSNI": True,
            "Regions": ["eu-west-1", "us-east-1", "us-west-1"],
        },
        "HealthCheckTags": TAGS,
    },
    changes={
        "HealthCheckConfig": {
            "Type": "HTTPS_STR_MATCH",
            "FullyQualifiedDomainName": "other.example.com",
            "Port": 443,
            "ResourcePath": "/other",
            "SearchString": "well",
            "RequestInterval": 10,
            "FailureThreshold": 2,
            "MeasureLatency": True,
            "Inverted": True,
            "EnableSNI": False,
            "Regions": ["eu-west-1", "sa-east-1", "us-west-2"],
        },
        "HealthCheckTags": OTHER_TAGS,
    },
    resets={"HealthCheckTags": ABSENT},
    attributes=("HealthCheckId",),
    deny=("route53", "GetHealthCheck"),
    twice=False,
)


def _zone(name: str, clients: Clients) -> None:
    zone = clients("route53").create_hosted_zone(Name=f"{name}.example.com", CallerReference=f"contract-{name}")
    TARGETS[f"@{name}"] = zone["HostedZone"]["Id"].removeprefix("/hostedzone/")


# Left out, because moto doesn't keep them: CidrRoutingConfig, GeoProximityLocation.
RECORD = Case(
    "AWS::Route53::RecordSet",
    {
        "HostedZoneId": "@records",
        "Name": "*.www.records.example.com.",
        "Type": "A",
        "TTL": "300",
        "ResourceRecords": ["192.0.2.1", "192.0.2.2"],
        "SetIdentifier": "first",
        "Weight": 10,
        "HealthCheckId": "abcdef11-2222-3333-4444-555555fedcba",
    },
    changes={
        "TTL": "60",
        "ResourceRecords": ["192.0.2.3"],
        "Weight": 0,
        "HealthCheckId": "abcdef11-2222-3333-4444-555555fedcbb",
    },
    resets={"HealthCheckId": ABSENT},
    attributes=("Name", "HostedZoneId"),
    setup=partial(_zone, "records"),
    deny=("route53", "ListResourceRecordSets"),
)


def _address(name: str, last: int) -> dict[str, Any]:
    return {"Name": f"{name}.group.example.com", "Type": "A", "TTL": "60", "ResourceRecords": [f"192.0.2.{last}"]}


# Left out: Comment, which can't be read.
GROUP = Case(
    "AWS::Route53::RecordSetGroup",
    {
        "HostedZoneName": "group.example.com.",
        "RecordSets": [
            _address("b", 1),
            {
                "Name": "a.group.example.com.",
                "Type": "A",
                "AliasTarget": {
                    "DNSName": "b.group.example.com",
                    "EvaluateTargetHealth": False,
                    "HostedZoneId": "Z0000000000000",
                },
            },
        ],
    },
    changes={"RecordSets": [_address("b", 2), _address("a", 3)]},
    attributes=("Id",),
    setup=partial(_zone, "group"),
    deny=("route53", "ListResourceRecordSets"),
)

CASES = (ZONE, HEALTH_CHECK, RECORD, GROUP)
