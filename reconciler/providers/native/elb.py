"""AWS::ElasticLoadBalancing::LoadBalancer, the classic one. Its listeners and their policies: ``elb_listeners``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Tagging, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.native import elb_listeners
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import without_empty

_ATTRIBUTES = {
    "AccessLoggingPolicy": "AccessLog",
    "ConnectionDrainingPolicy": "ConnectionDraining",
    "CrossZone": "CrossZoneLoadBalancing",
}
_LISTENING = ("AppCookieStickinessPolicy", "LBCookieStickinessPolicy", "Listeners", "Policies")
_BALANCER = Declaration(
    type=TypeName("AWS::ElasticLoadBalancing::LoadBalancer"),
    service="elb",
    naming=NameRule("LoadBalancerName", 32, distinct=("Scheme",)),
    arn="arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{LoadBalancerName}",
    read=Read(
        "describe_load_balancers",
        "LoadBalancerDescriptions",
        many=Many("LoadBalancerNames", "LoadBalancerName", 20),
    ),
    extras=(
        Read(
            "describe_load_balancer_attributes",
            "LoadBalancerAttributes",
            _ATTRIBUTES,
            shows=("AccessLoggingPolicy", "ConnectionDrainingPolicy", "ConnectionSettings", "CrossZone"),
        ),
        Read(
            "describe_load_balancer_policies",
            "PolicyDescriptions",
            {
                "Policies/PolicyType": "PolicyTypeName",
                "Policies/Attributes": "PolicyAttributeDescriptions",
                "Policies/Attributes/Name": "AttributeName",
                "Policies/Attributes/Value": "AttributeValue",
            },
            shows=("Policies",),
            into="Policies",
        ),
    ),
    create=Call(
        "create_load_balancer",
        ("AvailabilityZones", "Listeners", "LoadBalancerName", "Scheme", "SecurityGroups", "Subnets"),
    ),
    looks_first=True,  # it answers one with the same settings as if it had made it
    updates=(
        Update(Call("create_load_balancer_listeners", _LISTENING), whole=True),
        Update(Call("apply_security_groups_to_load_balancer", ("SecurityGroups",))),
        Update(
            Call("attach_load_balancer_to_subnets", ("Subnets",)),
            clear=Call("detach_load_balancer_from_subnets", ("Subnets",)),
        ),
        Update(
            Call("enable_availability_zones_for_load_balancer", ("AvailabilityZones",)),
            clear=Call("disable_availability_zones_for_load_balancer", ("AvailabilityZones",)),
        ),
        Update(
            Call("register_instances_with_load_balancer", ("Instances",)),
            clear=Call("deregister_instances_from_load_balancer", ("Instances",)),
        ),
        Update(Call("configure_health_check", ("HealthCheck",))),
        Update(
            Call(
                "modify_load_balancer_attributes",
                ("AccessLoggingPolicy", "ConnectionDrainingPolicy", "ConnectionSettings", "CrossZone"),
                _ATTRIBUTES,
                under="LoadBalancerAttributes",
            )
        ),
    ),
    delete=Call("delete_load_balancer"),
    tagging=Tagging(
        "add_tags",
        "remove_tags",
        {"LoadBalancerNames": ["{LoadBalancerName}"]},
        read="describe_tags",
        answer="TagDescriptions.0.Tags",
        keys="Tags",
        create="Tags",
        kind="elasticloadbalancing:loadbalancer",
        arns=r":loadbalancer/[^/]+$",
    ),
    resets={
        "AccessLoggingPolicy": {"Enabled": False},
        "ConnectionDrainingPolicy": {"Enabled": False},
        "ConnectionSettings": {"IdleTimeout": 60},
        "CrossZone": False,
    },
    also=(
        "elasticloadbalancing:CreateAppCookieStickinessPolicy",
        "elasticloadbalancing:CreateLBCookieStickinessPolicy",
        "elasticloadbalancing:CreateLoadBalancerPolicy",
        "elasticloadbalancing:DeleteLoadBalancerListeners",
        "elasticloadbalancing:DeleteLoadBalancerPolicy",
        "elasticloadbalancing:SetLoadBalancerListenerSSLCertificate",
        "elasticloadbalancing:SetLoadBalancerPoliciesForBackendServer",
        "elasticloadbalancing:SetLoadBalancerPoliciesOfListener",
    ),
)
#: What is added and taken away item by item.
_MEMBERS = ("AvailabilityZones", "Instances", "Subnets")


class LoadBalancer(Declared):
    """A classic load balancer."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: the API's shapes differ here and there."""
        if "Listeners" in values:
            values["Listeners"] = [elb_listeners.listener(one) for one in values["Listeners"]]
        if "Instances" in values:
            values["Instances"] = [{"InstanceId": one} for one in values["Instances"]]
        if "CrossZone" in values:
            values["CrossZone"] = {"Enabled": values["CrossZone"]}
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        answer = item.answer
        crossing = properties.get("CrossZone")
        if isinstance(crossing, Mapping):
            properties["CrossZone"] = crossing.get("Enabled")
        properties["Instances"] = [str(one["InstanceId"]) for one in answer.get("Instances") or []]
        policies = properties.pop("Policies", None)
        properties |= elb_listeners.observed(answer, policies if isinstance(policies, list) else [])
        return without_empty(properties)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: members come before others go, so that there are always some."""
        if "Listeners" in update.names:
            live = self._live(scope, identifier, frozenset(_LISTENING))
            wanted = after if "Listeners" in after else {**after, "Listeners": live.get("Listeners") or []}
            elb_listeners.bring(scope, identifier, self._reader.item(scope, identifier), live, wanted)
            return
        name = next(iter(update.names)) if len(update.names) == 1 else ""
        if name not in _MEMBERS:
            super().change(scope, identifier, update, before, after)
            return
        old, new = before.get(name) or [], after.get(name) or []
        if fresh := [one for one in new if one not in old]:
            super().change(scope, identifier, update, {}, {name: fresh})
        if stale := [one for one in old if one not in new]:
            super().change(scope, identifier, update, {name: stale}, {})

    def _rest(self, desired: Properties) -> dict[str, Any]:
        """The create call makes listeners without policies."""
        rest = super()._rest(desired)
        if any(one.get("PolicyNames") for one in desired.get("Listeners") or ()) or rest.keys() & set(_LISTENING):
            rest["Listeners"] = desired["Listeners"]
        return rest


PROVIDERS: tuple[ResourceProvider, ...] = (LoadBalancer(_BALANCER),)
