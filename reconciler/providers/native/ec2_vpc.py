"""AWS::EC2::VPC and AWS::EC2::Subnet."""

# ruff: noqa: ARG002 - methods have the signature that the port or the base gives them, needed or not

from __future__ import annotations

from functools import partial
from typing import Any

from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.ec2_base import Ec2Provider, Item, filters, tag_specifications
from reconciler.providers.native.shapes import boolean, chosen, integers, network

_DNS_DEFAULTS = {"EnableDnsSupport": True, "EnableDnsHostnames": False}
_DNS_ATTRIBUTES = {"EnableDnsSupport": "enableDnsSupport", "EnableDnsHostnames": "enableDnsHostnames"}


def _associated(item: Item, key: str, state: str, cidr: str) -> list[str]:
    """The CIDRs of an association set that are in force."""
    return [
        entry[cidr] for entry in item.get(key, ()) if entry.get(state, {}).get("State", "associated") == "associated"
    ]


class Vpc(Ec2Provider):
    """A VPC. The DNS attributes cost a call each, so they are read only where a plan sets them."""

    type_name = TypeName("AWS::EC2::VPC")
    describe = "describe_vpcs"
    key = "Vpcs"
    id_filter = "vpc-id"
    id_field = "VpcId"
    resource_type = "vpc"
    supported = frozenset(
        {"CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId", "Ipv4NetmaskLength", *_DNS_DEFAULTS, "Tags"}
    )

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """All but DNS attributes and the default group and network ACL."""
        properties = chosen(item, ("VpcId", "CidrBlock", "InstanceTenancy"))
        properties["CidrBlockAssociations"] = [
            entry["AssociationId"] for entry in item.get("CidrBlockAssociationSet", ()) if "AssociationId" in entry
        ]
        six = _associated(item, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlockState", "Ipv6CidrBlock")
        properties["Ipv6CidrBlocks"] = six
        return properties

    def enrich(self, scope: Scope, found: dict[Identifier, dict[str, Any]], wanted: frozenset[str]) -> None:
        """DNS attributes one by one and in parallel, the defaults in one call for all."""
        names = [name for name in _DNS_ATTRIBUTES if name in wanted]
        pairs = [(identifier, name) for identifier in found for name in names]
        values = scope.gather([partial(_dns, scope, *pair) for pair in pairs])
        for (identifier, name), value in zip(pairs, values, strict=True):
            found[identifier][name] = value
        vpcs = list(found)
        if "DefaultSecurityGroup" in wanted:
            by = filters(vpc_id=vpcs, group_name=["default"])
            for group in scope.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=by):
                found[group["VpcId"]]["DefaultSecurityGroup"] = group["GroupId"]
        if "DefaultNetworkAcl" in wanted:
            by = filters(vpc_id=vpcs, default=["true"])
            for acl in scope.pages("ec2", "describe_network_acls", "NetworkAcls", Filters=by):
                found[acl["VpcId"]]["DefaultNetworkAcl"] = acl["NetworkAclId"]

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """CreateVpc; AWS has no client token for it, the ownership tags stand in."""
        parameters = chosen(desired, ("CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId"))
        parameters |= integers(desired, ("Ipv4NetmaskLength",))
        if tags := tag_specifications(self.resource_type, desired):
            parameters["TagSpecifications"] = tags
        return Identifier(scope.call("ec2", "create_vpc", **parameters)["Vpc"]["VpcId"])

    def later(self, desired: Properties) -> dict[str, Any]:
        """DNS attributes that differ from those of a new VPC."""
        return {
            name: boolean(desired[name])
            for name, default in _DNS_DEFAULTS.items()
            if desired.get(name) is not None and boolean(desired[name]) != default
        }

    def modify(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> None:
        """DNS attributes, one per call as the API wants it; and dedicated tenancy back to default."""
        # Host names need DNS support: switch support on before them and off after them.
        order = sorted(changed & _DNS_DEFAULTS.keys(), key=lambda name: _dns_order(name, after))
        for name in order:
            value = boolean(after.get(name, _DNS_DEFAULTS[name]))
            scope.call("ec2", "modify_vpc_attribute", VpcId=identifier, **{name: {"Value": value}})
        rest = changed - _DNS_DEFAULTS.keys()
        if rest == {"InstanceTenancy"} and after.get("InstanceTenancy", "default") == "default":
            scope.call("ec2", "modify_vpc_tenancy", VpcId=identifier, InstanceTenancy="default")
        else:
            super().modify(scope, identifier, before, after, rest)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """DeleteVpc."""
        scope.call("ec2", "delete_vpc", VpcId=identifier)


def _dns(scope: Scope, vpc: Identifier, name: str) -> bool:
    answer = scope.call("ec2", "describe_vpc_attribute", VpcId=vpc, Attribute=_DNS_ATTRIBUTES[name])
    return bool(answer[name]["Value"])


def _dns_order(name: str, after: Properties) -> int:
    if name == "EnableDnsSupport":
        return 0 if boolean(after.get(name, True)) else 2
    return 1


_SUBNET_GIVEN = (
    "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "Ipv6CidrBlock", "OutpostArn", "Ipv4IpamPoolId",
    "Ipv6IpamPoolId",
)  # fmt: skip
_SUBNET_LENGTHS = ("Ipv4NetmaskLength", "Ipv6NetmaskLength")
_SUBNET_SWITCHES = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")
_LAUNCH = "PrivateDnsNameOptionsOnLaunch"
_LAUNCH_PARAMETERS = {
    "HostnameType": "PrivateDnsHostnameTypeOnLaunch",
    "EnableResourceNameDnsARecord": "EnableResourceNameDnsARecordOnLaunch",
    "EnableResourceNameDnsAAAARecord": "EnableResourceNameDnsAAAARecordOnLaunch",
}
_LAUNCH_DEFAULTS = {
    "HostnameType": "ip-name",
    "EnableResourceNameDnsARecord": False,
    "EnableResourceNameDnsAAAARecord": False,
}
_LNI = "EnableLniAtDeviceIndex"


class Subnet(Ec2Provider):
    """A subnet. Everything but its network ACL association comes with the description."""

    type_name = TypeName("AWS::EC2::Subnet")
    describe = "describe_subnets"
    key = "Subnets"
    id_filter = "subnet-id"
    id_field = "SubnetId"
    resource_type = "subnet"
    supported = frozenset({*_SUBNET_GIVEN, *_SUBNET_LENGTHS, *_SUBNET_SWITCHES, _LAUNCH, _LNI, "Ipv6Native", "Tags"})

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """As described; the first IPv6 block in force is the one that the schema knows."""
        names = ("SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "OutpostArn")
        properties = chosen(item, (*names, *_SUBNET_SWITCHES, "Ipv6Native", _LAUNCH, _LNI))
        if item.get("BlockPublicAccessStates"):
            properties["BlockPublicAccessStates"] = dict(item["BlockPublicAccessStates"])
        six = _associated(item, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlockState", "Ipv6CidrBlock")
        properties["Ipv6CidrBlocks"] = six
        if six:
            properties["Ipv6CidrBlock"] = six[0]
        return properties

    def enrich(self, scope: Scope, found: dict[Identifier, dict[str, Any]], wanted: frozenset[str]) -> None:
        """The network ACL association, in one call for all."""
        if "NetworkAclAssociationId" not in wanted:
            return
        by = [{"Name": "association.subnet-id", "Values": list(found)}]
        for acl in scope.pages("ec2", "describe_network_acls", "NetworkAcls", Filters=by):
            for association in acl.get("Associations", ()):
                if association["SubnetId"] in found:
                    found[association["SubnetId"]]["NetworkAclAssociationId"] = association["NetworkAclAssociationId"]

    def place(self, desired: Properties) -> list[dict[str, Any]]:
        """A VPC has room for one subnet with a CIDR."""
        if not desired.get("VpcId") or not isinstance(desired.get("CidrBlock"), str):
            return []
        return filters(vpc_id=[desired["VpcId"]], cidr_block=[network(desired["CidrBlock"])])

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """CreateSubnet. A second one with the same CIDR is refused by AWS, which makes repeating it safe."""
        parameters = chosen(desired, _SUBNET_GIVEN) | integers(desired, _SUBNET_LENGTHS)
        if boolean(desired.get("Ipv6Native", False)):
            parameters["Ipv6Native"] = True
        if tags := tag_specifications(self.resource_type, desired):
            parameters["TagSpecifications"] = tags
        return Identifier(scope.call("ec2", "create_subnet", **parameters)["Subnet"]["SubnetId"])

    def later(self, desired: Properties) -> dict[str, Any]:
        """Switches that are on, launch options, the local network interface position."""
        rest: dict[str, Any] = {name: True for name in _SUBNET_SWITCHES if boolean(desired.get(name, False))}
        if desired.get(_LAUNCH):
            rest[_LAUNCH] = dict(desired[_LAUNCH])
        if desired.get(_LNI) is not None:
            rest[_LNI] = int(desired[_LNI])
        return rest

    def modify(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> None:
        """ModifySubnetAttribute takes one attribute at a time."""
        # An IPv6 block has to be there before addresses can be assigned from it.
        if "Ipv6CidrBlock" in changed:
            self._replace_ipv6(scope, identifier, after.get("Ipv6CidrBlock"))
        for name in _SUBNET_SWITCHES:
            if name in changed:
                self._set(scope, identifier, **{name: {"Value": boolean(after.get(name, False))}})
        if _LAUNCH in changed:
            self._launch_options(scope, identifier, before.get(_LAUNCH) or {}, after.get(_LAUNCH) or {})
        if _LNI in changed:
            if after.get(_LNI) is None:
                self._set(scope, identifier, DisableLniAtDeviceIndex={"Value": True})
            else:
                self._set(scope, identifier, EnableLniAtDeviceIndex=int(after[_LNI]))
        super().modify(scope, identifier, before, after, changed - {*_SUBNET_SWITCHES, _LAUNCH, _LNI, "Ipv6CidrBlock"})

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """DeleteSubnet."""
        scope.call("ec2", "delete_subnet", SubnetId=identifier)

    def _set(self, scope: Scope, subnet: Identifier, **attribute: Any) -> None:
        scope.call("ec2", "modify_subnet_attribute", SubnetId=subnet, **attribute)

    def _launch_options(self, scope: Scope, subnet: Identifier, before: Properties, after: Properties) -> None:
        for name, parameter in _LAUNCH_PARAMETERS.items():
            value = after.get(name, _LAUNCH_DEFAULTS[name])
            if before.get(name, _LAUNCH_DEFAULTS[name]) == value:
                continue
            self._set(scope, subnet, **{parameter: value if name == "HostnameType" else {"Value": boolean(value)}})

    def _replace_ipv6(self, scope: Scope, subnet: Identifier, cidr: str | None) -> None:
        item = self.find_one(scope, subnet) or {}
        for entry in item.get("Ipv6CidrBlockAssociationSet", ()):
            in_force = entry.get("Ipv6CidrBlockState", {}).get("State", "associated") == "associated"
            if in_force and (cidr is None or entry["Ipv6CidrBlock"] != network(cidr)):
                scope.call("ec2", "disassociate_subnet_cidr_block", AssociationId=entry["AssociationId"])
        if cidr is not None and cidr not in _associated(
            item, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlockState", "Ipv6CidrBlock"
        ):
            scope.call("ec2", "associate_subnet_cidr_block", SubnetId=subnet, Ipv6CidrBlock=cidr)


PROVIDERS: tuple[ResourceProvider, ...] = (Vpc(), Subnet())
