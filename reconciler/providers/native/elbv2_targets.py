"""AWS::ElasticLoadBalancingV2::TargetGroup."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Many, Read, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.elbv2 import tagging
from reconciler.providers.native.elbv2_attributes import OF_TARGET_GROUPS, Attributed
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import read_each
from reconciler.schema import MISSING

_TARGET_GROUP = Declaration(
    type=TypeName("AWS::ElasticLoadBalancingV2::TargetGroup"),
    service="elbv2",
    naming=NameRule(
        "Name", 32, distinct=("IpAddressType", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId")
    ),
    named=Read("describe_target_groups", "TargetGroups", constants={"Names": ["{Name}"]}),
    arn="{TargetGroupArn}",
    read=Read(
        "describe_target_groups",
        "TargetGroups",
        {"Name": "TargetGroupName"},
        many=Many("TargetGroupArns", "TargetGroupArn", 20),
    ),
    extras=(
        Read(
            "describe_target_group_attributes",
            "Attributes",
            shows=("TargetGroupAttributes",),
            into="TargetGroupAttributes",
        ),
    ),
    create=Call("create_target_group"),
    made="TargetGroups.0",
    looks_first=True,
    updates=(
        Update(
            Call(
                "modify_target_group",
                (
                    "HealthCheckEnabled",
                    "HealthCheckIntervalSeconds",
                    "HealthCheckPath",
                    "HealthCheckPort",
                    "HealthCheckProtocol",
                    "HealthCheckTimeoutSeconds",
                    "HealthyThresholdCount",
                    "Matcher",
                    "UnhealthyThresholdCount",
                ),
            )
        ),
        Update(
            Call("modify_target_group_attributes", ("TargetGroupAttributes",), {"TargetGroupAttributes": "Attributes"}),
            later=True,
        ),
        Update(Call("register_targets", ("Targets",)), clear=Call("deregister_targets", ("Targets",)), later=True),
    ),
    delete=Call("delete_target_group"),
    tagging=tagging("elasticloadbalancing:targetgroup"),
    also_reads=("elasticloadbalancing:DescribeTargetHealth",),
)

_WEB = ("HTTP", "HTTPS")


class TargetGroup(Attributed):
    """A target group, with targets where a plan names them."""

    attributes = "TargetGroupAttributes"
    defaults = OF_TARGET_GROUPS

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        arn = str(properties.get("TargetGroupArn", ""))
        properties["TargetGroupFullName"] = arn.rpartition(":")[2]
        return properties

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``."""
        found = dict(super().read_many(scope, wanted))
        asked = [
            item
            for item in wanted
            if "Targets" in item.properties and isinstance(found.get(item.identifier), Observation)
        ]
        targets = read_each(scope, asked, partial(_targets, scope))
        for item in asked:
            known, told = found.pop(item.identifier), targets.get(item.identifier)
            if isinstance(told, Unreadable):
                found[item.identifier] = told
            elif told is not None and isinstance(known, Observation):
                found[item.identifier] = Observation(item.identifier, {**known.properties, "Targets": told})
        return found

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``: how health is checked depends on what is checked."""
        if name == self.attributes or name == "Targets":
            return super().adapt_reset(name, before, after)
        known = {**before, **after}
        protocol = str(known.get("Protocol", ""))
        kind = str(known.get("TargetType", "instance"))
        return _health_check(protocol, kind, str(known.get("ProtocolVersion", "HTTP1")), known).get(name, MISSING)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: targets are added and taken away by calls of their own."""
        if update.call.operation != "register_targets":
            super().change(scope, identifier, update, before, after)
            return
        old = [dict(one) for one in before.get("Targets") or ()]
        new = [dict(one) for one in after.get("Targets") or ()]
        stale = [one for one in old if not any(_covers(other, one) for other in new)]
        fresh = [one for one in new if not any(_covers(one, other) for other in old)]
        if fresh:
            super().change(scope, identifier, update, {}, {"Targets": fresh})
        if stale:
            super().change(scope, identifier, update, {"Targets": stale}, {})


def _targets(scope: Scope, item: Wanted) -> list[dict[str, Any]]:
    """The targets of a group, without those that are on their way out."""
    answer = scope.call("elbv2", "describe_target_health", TargetGroupArn=item.identifier)
    shown = answer.get("TargetHealthDescriptions") or []
    return [dict(one["Target"]) for one in shown if (one.get("TargetHealth") or {}).get("State") != "draining"]


def _covers(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether a live target is the one that is wanted, which needn't say its port."""
    return all(str(live.get(name)) == str(value) for name, value in wanted.items())


def _health_check(protocol: str, kind: str, version: str, known: Properties) -> dict[str, Any]:
    """AWS's defaults, as CreateTargetGroup documents them."""
    grpc, web, function = version == "GRPC", protocol in _WEB, kind == "lambda"
    checked_by = "HTTP" if web or kind == "alb" else "TCP"
    asked = str(known.get("HealthCheckProtocol", checked_by))
    by_web = asked in _WEB
    found: dict[str, Any] = {
        "HealthCheckEnabled": not function,
        "HealthCheckIntervalSeconds": 35 if function else 30,
        "HealthCheckPort": "traffic-port",
        "HealthCheckProtocol": checked_by,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckTimeoutSeconds": _timeout(protocol, asked, function=function),
    }
    if by_web or function:
        found["HealthCheckPath"] = "/AWS.ALB/healthcheck" if grpc else "/"
        codes = "200" if web or function else "200-399"
        found["Matcher"] = {"GrpcCode": "12"} if grpc else {"HttpCode": codes}
    return found


def _timeout(protocol: str, asked: str, *, function: bool) -> int:
    if function:
        return 30
    if protocol in (*_WEB, "GENEVE"):
        return 5
    return 6 if asked == "HTTP" else 10


PROVIDERS: tuple[ResourceProvider, ...] = (TargetGroup(_TARGET_GROUP),)
