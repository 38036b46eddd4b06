"""The names that an expression can refer to, and where what they stand for comes from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Protocol

from reconciler.model.plan import Target


class Lookup(Protocol):
    """Answers what only live state can. Each returns ``Unknown(expression)`` for what isn't known yet."""

    def reference(self, logical_id: str) -> Any:
        """What Ref returns for a resource."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """What Fn::GetAtt returns for a resource's attribute (``Endpoint.Address``)."""

    def zones(self, region: str) -> Any:
        """The availability zones of a region, sorted."""

    def imported(self, name: str) -> Any:
        """The value that another plan exports under a name."""

    def parameter(self, name: str) -> Any:
        """The plain value of a parameter in Systems Manager's Parameter Store; a list of it as text with commas."""

    def dynamic(self, service: str, key: str) -> Any:
        """The value of a dynamic reference: service ``ssm``, ``ssm-secure`` or ``secretsmanager``; a ``Sensitive``."""


class _NoValue(Enum):
    NO_VALUE = "AWS::NoValue"


#: What ``Ref: AWS::NoValue`` gives: the property or list item that holds it is left out.
NO_VALUE: Final = _NoValue.NO_VALUE


@dataclass(frozen=True, slots=True)
class FoldScope:
    """Everything an expression may name.

    ``conditions``: each already evaluated. ``resources``: those that exist in this template with these parameters;
    ``removed``: those that it defines but whose condition is false. Without ``lookup``, what depends on live
    state is deferred. ``keep_parameters``: what depends on a parameter is deferred too, except where the template's
    form depends on it (conditions, keys of mappings), and so is Fn::Base64, whose value nobody can read.
    """

    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, bool]
    pseudo: Mapping[str, Any]
    resources: frozenset[str]
    lookup: Lookup | None = None
    removed: frozenset[str] = field(default_factory=frozenset)
    keep_parameters: bool = False


#: region prefix → (partition, DNS suffix)
_PARTITIONS: tuple[tuple[str, str, str], ...] = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
)


def pseudo_parameters(target: Target, plan_name: str) -> Mapping[str, Any]:
    """The pseudo parameters of a plan. The plan stands for the stack; its StackId is stable and unlike any real one."""
    partition, suffix = next(
        ((partition, suffix) for prefix, partition, suffix in _PARTITIONS if target.region.startswith(prefix)),
        ("aws", "amazonaws.com"),
    )
    stack = uuid.uuid5(uuid.NAMESPACE_URL, f"reconciler:{target.account}:{target.region}:{plan_name}")
    return MappingProxyType(
        {
            "AWS::AccountId": target.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": [],
            "AWS::Partition": partition,
            "AWS::Region": target.region,
            "AWS::StackId": (
                f"arn:{partition}:cloudformation:{target.region}:{target.account}:stack/{plan_name}/{stack}"
            ),
            "AWS::StackName": plan_name,
            "AWS::URLSuffix": suffix,
        }
    )
