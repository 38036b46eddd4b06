"""What cfn-lint finds fault with and AWS takes, each by its documentation: narrow, so that nothing else passes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from reconciler.schema.declared import BARE_NETWORKS

#: conditions are decided here, and a dependency on what one leaves out is none, as in CloudFormation
_LEFT_OUT = "will not exist when condition"
#: EC2 "canonicalizes the CIDR block", and to SES "an example of a range of IP addresses is 10.0.0.1/24"
_HOST_BITS = BARE_NETWORKS | {"AWS::SES::ReceiptFilter"}
_NETWORK = re.compile(r"'(?P<given>[^']+)' is not a 'ipv[46]-network'")
#: "The short name or full Amazon Resource Name (ARN) of the IAM role": a role's Ref is its name
_NAMES_A_ROLE = re.compile(
    r"\{'Ref': '\w+'\} does not match|'[\w+=,.@-]{1,64}' (is not a 'AWS::IAM::Role\.Arn'|does not match '\^arn:)"
)
_ROLES = frozenset({("AWS::ECS::TaskDefinition", "ExecutionRoleArn"), ("AWS::ECS::TaskDefinition", "TaskRoleArn")})
#: a classic load balancer's "SourceSecurityGroup.GroupName" is made to be given to the rules of other groups
_SOURCE_GROUP = re.compile(r"\{'Fn::GetAtt': \['\w+', 'SourceSecurityGroup\.GroupName'\]\} does not match")


def overruled(template: Mapping[str, Any], place: tuple[str | int, ...], message: str) -> bool:
    """Whether AWS takes what ``message`` says is wrong at ``place`` of ``template``."""
    if place[-1:] == ("DependsOn",) or place[-2:-1] == ("DependsOn",):
        return _LEFT_OUT in message
    kind = _type_at(template, place)
    if found := _NETWORK.match(message):
        return kind in _HOST_BITS and _is_network(found["given"])
    if (kind, place[3] if len(place) > 3 else "") in _ROLES:
        return _NAMES_A_ROLE.match(message) is not None
    return "SourceSecurityGroupName" in place and _SOURCE_GROUP.match(message) is not None


def _type_at(template: Mapping[str, Any], place: tuple[str | int, ...]) -> str:
    found: Any = template
    for key in (*place[:2], "Type"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return str(found)


def _is_network(text: str) -> bool:
    try:
        return "/" in text and bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False
