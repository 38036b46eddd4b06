"""AWS::ElasticLoadBalancingV2::LoadBalancer.

This service's create calls answer a resource with the same settings as if they had made it ("this operation is
idempotent"), so that all of them look first. What becomes of attributes that a plan drops, see ``elbv2_attributes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Many, Read, Tagging, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.elbv2_attributes import OF_LOAD_BALANCERS, Attributed
from reconciler.providers.native.naming import NameRule
from reconciler.schema import MISSING


def tagging(kind: str = "", arns: str = "") -> Tagging:
    """The tags of any resource of this service."""
    return Tagging(
        "add_tags",
        "remove_tags",
        {"ResourceArns": ["{arn}"]},
        read="describe_tags",
        answer="TagDescriptions.0.Tags",
        create="Tags",
        kind=kind,
        arns=arns,
    )


_LOAD_BALANCER = Declaration(
    type=TypeName("AWS::ElasticLoadBalancingV2::LoadBalancer"),
    service="elbv2",
    naming=NameRule("Name", 32, distinct=("Scheme", "Type")),
    named=Read("describe_load_balancers", "LoadBalancers", constants={"Names": ["{Name}"]}),
    arn="{LoadBalancerArn}",
    read=Read(
        "describe_load_balancers",
        "LoadBalancers",
        {"Name": "LoadBalancerName", "CanonicalHostedZoneID": "CanonicalHostedZoneId", "Ipv4IpamPoolId": "IpamPools"},
        many=Many("LoadBalancerArns", "LoadBalancerArn", 20),
    ),
    extras=(
        Read(
            "describe_load_balancer_attributes",
            "Attributes",
            shows=("LoadBalancerAttributes",),
            into="LoadBalancerAttributes",
        ),
        Read(
            "describe_capacity_reservation",
            "MinimumLoadBalancerCapacity",
            shows=("MinimumLoadBalancerCapacity",),
            into="MinimumLoadBalancerCapacity",
        ),
    ),
    create=Call("create_load_balancer", renames={"Ipv4IpamPoolId": "IpamPools"}),
    made="LoadBalancers.0",
    looks_first=True,
    updates=(
        Update(Call("set_subnets", ("Subnets", "SubnetMappings"))),
        Update(Call("set_security_groups", ("SecurityGroups",))),
        Update(
            Call("set_security_groups", ("SecurityGroups", "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")),
            of=("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",),
            along=("SecurityGroups",),
            later=True,
        ),
        Update(Call("set_ip_address_type", ("IpAddressType",))),
        Update(
            Call("modify_ip_pools", ("Ipv4IpamPoolId",), {"Ipv4IpamPoolId": "IpamPools"}),
            clear=Call("modify_ip_pools", constants={"RemoveIpamPools": ["ipv4"]}),
        ),
        Update(
            Call("modify_capacity_reservation", ("MinimumLoadBalancerCapacity",)),
            clear=Call("modify_capacity_reservation", constants={"ResetCapacityReservation": True}),
            later=True,
        ),
        Update(
            Call(
                "modify_load_balancer_attributes",
                ("LoadBalancerAttributes",),
                {"LoadBalancerAttributes": "Attributes"},
            ),
            later=True,
        ),
    ),
    delete=Call("delete_load_balancer"),
    tagging=tagging("elasticloadbalancing:loadbalancer", r":loadbalancer/\w+/[^/]+/"),
    waiting=Waiting("State.Code", frozenset({"provisioning"}), frozenset({"failed"}), why="State.Reason"),
    resets={"IpAddressType": "ipv4", "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"},
    unsupported=frozenset({"EnableCapacityReservationProvisionStabilize"}),
)


class LoadBalancer(Attributed):
    """An application, network or gateway load balancer."""

    attributes = "LoadBalancerAttributes"
    defaults = OF_LOAD_BALANCERS

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: a pool is one property in the schema and an object in the API."""
        if pool := values.get("Ipv4IpamPoolId"):
            values["Ipv4IpamPoolId"] = {"Ipv4IpamPoolId": pool}
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: subnets are shown with their zones."""
        zones = item.answer.get("AvailabilityZones") or []
        properties.pop("Ipv4IpamPoolId", None)
        if pool := (item.answer.get("IpamPools") or {}).get("Ipv4IpamPoolId"):
            properties["Ipv4IpamPoolId"] = pool
        properties["Subnets"] = [zone["SubnetId"] for zone in zones if "SubnetId" in zone]
        properties["SubnetMappings"] = [_mapping(zone) for zone in zones if "SubnetId" in zone]
        arn = str(properties.get("LoadBalancerArn", ""))
        properties["LoadBalancerFullName"] = arn.partition(":loadbalancer/")[2]
        return properties

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``: subnets may be said in another way instead."""
        other = {"Subnets": "SubnetMappings", "SubnetMappings": "Subnets"}.get(name)
        if other is not None:
            return None if after.get(other) else MISSING
        return super().adapt_reset(name, before, after)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: security groups must be said again with what is about them."""
        rules = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        if rules in after and "SecurityGroups" not in after:
            after = {**after, "SecurityGroups": self.live(scope, identifier, "SecurityGroups") or []}
        super().change(scope, identifier, update, before, after)


def _mapping(zone: Mapping[str, Any]) -> dict[str, Any]:
    address: Mapping[str, Any] = next(iter(zone.get("LoadBalancerAddresses") or ()), {})
    shown = {
        "SubnetId": zone["SubnetId"],
        "AllocationId": address.get("AllocationId"),
        "PrivateIPv4Address": address.get("PrivateIPv4Address"),
        "IPv6Address": address.get("IPv6Address"),
        "SourceNatIpv6Prefix": next(iter(zone.get("SourceNatIpv6Prefixes") or ()), None),
    }
    return {name: value for name, value in shown.items() if value is not None}


PROVIDERS: tuple[ResourceProvider, ...] = (LoadBalancer(_LOAD_BALANCER),)
