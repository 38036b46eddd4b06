"""Which services' describe calls show a resource type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: where boto3 calls a service otherwise than CloudFormation does, or one type is shown by several
_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "ApplicationAutoScaling": ("application-autoscaling",),
    "AutoScaling": ("autoscaling", "ec2"),
    "CertificateManager": ("acm",),
    "CloudWatch": ("cloudwatch",),
    "Cognito": ("cognito-idp",),
    "ElasticLoadBalancing": ("elb",),
    "ElasticLoadBalancingV2": ("elbv2",),
    "Elasticsearch": ("es",),
    "KinesisFirehose": ("firehose",),
    "OpenSearchService": ("opensearch",),
    "SES": ("ses", "sesv2"),
    "ServiceCatalogAppRegistry": ("servicecatalog-appregistry",),
    "StepFunctions": ("stepfunctions",),
    "VerifiedPermissions": ("verifiedpermissions",),
    "IoT": ("iot",),
    "Synthetics": ("synthetics",),
    "EKS": ("eks",),
}


def services_of(types: Iterable[str]) -> frozenset[str]:
    """boto3's names of the services of these types."""
    names = {one.split("::")[1] for one in types if one.count("::") == 2 and not one.startswith("Custom::")}
    return frozenset(service for name in names for service in _OTHERWISE.get(name, (name.lower(),)))
