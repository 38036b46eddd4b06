"""The quota behind an error, as Service Quotas tells it. Whatever can't be found out is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from reconciler.model.denial import denial_in
from reconciler.model.errors import AwsFault, GuardBlocked
from reconciler.ports import Scope

log = structlog.get_logger(__name__)

#: Where quotas of global services live, by partition.
_HOME = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}
#: IAM says which and how much: "Cannot exceed quota for RolesPerAccount: 1000".
_TOLD = re.compile(r"quota for (\w+): (\d+)")


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of Service Quotas. ``code`` is empty where only the ``name`` is known: then it is looked for by that."""

    service: str
    name: str
    code: str = ""
    everywhere: bool = False  # the same for all regions, kept in one


#: By AWS's error code: those that only one quota answers with.
_BY_CODE: Mapping[str, Quota] = {
    "VpcLimitExceeded": Quota("vpc", "VPCs per Region", "L-F678F1CE"),
    "SubnetLimitExceeded": Quota("vpc", "Subnets per VPC", "L-407747CB"),
    "InternetGatewayLimitExceeded": Quota("vpc", "Internet gateways per Region", "L-A4707A72"),
    "NatGatewayLimitExceeded": Quota("vpc", "NAT gateways per Availability Zone", "L-FE5A380F"),
    "RouteTableLimitExceeded": Quota("vpc", "Route tables per VPC", "L-589F43AA"),
    "RouteLimitExceeded": Quota("vpc", "Routes per route table", "L-93826ACB"),
    "SecurityGroupLimitExceeded": Quota("vpc", "VPC security groups per Region", "L-E79EC296"),
    "RulesPerSecurityGroupLimitExceeded": Quota("vpc", "Inbound or outbound rules per security group", "L-0EA8095F"),
    "AddressLimitExceeded": Quota("ec2", "EC2-VPC Elastic IPs", "L-0263D0A3"),
    "TooManyBuckets": Quota("s3", "General purpose buckets", "L-DC2B2D3D", everywhere=True),
}
#: By service and operation: those that answer with a code that says only "limit exceeded".
_BY_OPERATION: Mapping[tuple[str, str], Quota] = {
    ("iam", "CreateRole"): Quota("iam", "Roles per account", "L-FE177D64", everywhere=True),
    ("iam", "CreatePolicy"): Quota("iam", "Customer managed policies per account", "L-E95E4862", everywhere=True),
    ("iam", "CreateInstanceProfile"): Quota("iam", "Instance profiles per account", "L-6E65F664", everywhere=True),
    ("iam", "AttachRolePolicy"): Quota(
        "iam", "Managed policies attached to an IAM role", "L-0DA4ABF3", everywhere=True
    ),
    ("sns", "CreateTopic"): Quota("sns", "Topics per Account", "L-61103206"),
    ("dynamodb", "CreateTable"): Quota("dynamodb", "Maximum number of tables", "L-F98FE922"),
    ("kms", "CreateKey"): Quota("kms", "Customer Master Keys (CMKs)", "L-C2F1777E"),
    ("kms", "CreateAlias"): Quota("kms", "Aliases per CMK", "L-2601EE20"),
    ("logs", "CreateLogGroup"): Quota("logs", "Log groups"),
    ("ssm", "PutParameter"): Quota("ssm", "parameters"),
}


def quota_of(scope: Scope, fault: AwsFault) -> Mapping[str, str]:
    """See ``ports.Quotas``. Also ``region``: where an increase has to be asked for."""
    told = _TOLD.search(fault.message)
    known = {"name": told[1], "value": told[2]} if told else {}
    quota = _quota(fault)
    if quota is None:
        return known
    region = _HOME.get(scope.partition, scope.region) if quota.everywhere else scope.region
    known = {"name": quota.name, "service": quota.service, "region": region, **known}
    if quota.code:
        known["code"] = quota.code
    return known | _worded(_asked(scope, quota, region), region)


def _quota(fault: AwsFault) -> Quota | None:
    call = denial_in(fault.message)  # a step's error begins with the call
    service, operation = fault.service or call.service, fault.operation or call.operation
    return _BY_CODE.get(fault.code) or _BY_OPERATION.get((service, operation))


def _asked(scope: Scope, quota: Quota, region: str) -> Mapping[str, Any]:
    """Service Quotas' description of a quota; empty if it can't or won't tell. Never raises."""
    if region != scope.region:
        return {}
    try:
        if quota.code:
            answer = scope.call("service-quotas", "get_service_quota", ServiceCode=quota.service, QuotaCode=quota.code)
            found: Mapping[str, Any] = answer["Quota"]
            return found
        listed = scope.pages("service-quotas", "list_service_quotas", "Quotas", ServiceCode=quota.service)
        return next((each for each in listed if quota.name.lower() in str(each["QuotaName"]).lower()), {})
    except (AwsFault, GuardBlocked, KeyError) as error:
        log.info("quota not known", service=quota.service, quota=quota.name, reason=str(error))
        return {}


def _worded(found: Mapping[str, Any], region: str) -> dict[str, str]:
    if not found:
        return {}
    service, code = str(found["ServiceCode"]), str(found["QuotaCode"])
    words = {
        "service": service,
        "code": code,
        "name": str(found.get("QuotaName", "")),
        "value": f"{found['Value']:.15g}" if "Value" in found else "",
        "url": f"https://{region}.console.aws.amazon.com/servicequotas/home/services/{service}/quotas/{code}",
    }
    return {name: text for name, text in words.items() if text}
