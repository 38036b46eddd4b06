"""AWS::EC2::SubnetNetworkAclAssociation and AWS::EC2::VPCDHCPOptionsAssociation.

A subnet always has an ACL and a VPC its DHCP options: taking an association away gives them the default ones back.
"""

# ruff: noqa: ARG002 - methods have the signature that the base gives them, needed or not

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.ec2_base import filters
from reconciler.providers.native.frame import Change, UntaggedProvider, already_exists, refuse_unsupported

_DEFAULT = "default"


class SubnetNetworkAclAssociation(UntaggedProvider):
    """The ACL of a subnet. AWS gives the association another id whenever it gets another ACL."""

    type_name = TypeName("AWS::EC2::SubnetNetworkAclAssociation")
    supported = frozenset({"NetworkAclId", "SubnetId"})
    fixed = supported

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        acl, subnet = desired.get("NetworkAclId"), desired.get("SubnetId")
        if not acl or not subnet or has_unknown([acl, subnet]):
            return None
        found = _association(scope, "association.subnet-id", "SubnetId", str(subnet))
        if found is None or found["NetworkAclId"] != acl:
            return None
        return Identifier(found["NetworkAclAssociationId"])

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        found = _association(scope, "association.association-id", "NetworkAclAssociationId", item.identifier)
        if found is None:
            raise AwsFault(FaultKind.NOT_FOUND, f"{self.type_name} {item.identifier} does not exist", service="ec2")
        return {
            "AssociationId": item.identifier,
            "NetworkAclId": found["NetworkAclId"],
            "SubnetId": found["SubnetId"],
        }

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``. A subnet that somebody has given an ACL of its own keeps it."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        subnet, acl = str(desired.get("SubnetId")), str(desired.get("NetworkAclId"))
        found = _association(scope, "association.subnet-id", "SubnetId", subnet)
        if found is None:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"subnet {subnet} does not exist", service="ec2")
        if found["NetworkAclId"] == acl:
            return Done(Identifier(found["NetworkAclAssociationId"]))
        if not found["IsDefault"]:
            raise already_exists(self.type_name, subnet, f"with {found['NetworkAclId']}")
        given = {"AssociationId": found["NetworkAclAssociationId"], "NetworkAclId": acl}
        answer = scope.call("ec2", "replace_network_acl_association", **given)
        return Done(Identifier(answer["NewAssociationId"]))

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        return Done(identifier)  # never comes to it: ``create`` does it all

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        return Done(identifier)  # never comes to it: all properties are fixed

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        found = _association(scope, "association.association-id", "NetworkAclAssociationId", identifier)
        if found is None or found["IsDefault"]:
            return Done(identifier)
        by = {"vpc_id": [found["VpcId"]], _DEFAULT: ["true"]}
        acls = scope.pages("ec2", "describe_network_acls", "NetworkAcls", Filters=filters(**by))
        default = next(acl["NetworkAclId"] for acl in acls if acl.get("IsDefault"))
        scope.call("ec2", "replace_network_acl_association", AssociationId=identifier, NetworkAclId=default)
        return Done(identifier)


def _association(scope: Scope, name: str, member: str, value: str) -> Mapping[str, Any] | None:
    """An association as its ACL shows it, with what the ACL says of itself."""
    for acl in scope.pages("ec2", "describe_network_acls", "NetworkAcls", Filters=filters(**{name: [value]})):
        for one in acl.get("Associations") or ():
            if one.get(member) == value:
                return {**one, "VpcId": acl["VpcId"], "IsDefault": bool(acl.get("IsDefault"))}
    return None


class VpcDhcpOptionsAssociation(UntaggedProvider):
    """The DHCP options of a VPC, identified by ``dopt-…|vpc-…``."""

    type_name = TypeName("AWS::EC2::VPCDHCPOptionsAssociation")
    supported = frozenset({"DhcpOptionsId", "VpcId"})
    fixed = supported

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        options, vpc = desired.get("DhcpOptionsId"), desired.get("VpcId")
        if not options or not vpc or has_unknown([options, vpc]):
            return None
        return Identifier(f"{options}|{vpc}")

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        options, _, vpc = item.identifier.partition("|")
        for one in scope.pages("ec2", "describe_vpcs", "Vpcs", Filters=filters(vpc_id=[vpc])):
            if one["VpcId"] == vpc and one.get("DhcpOptionsId") == options:
                return {"DhcpOptionsId": options, "VpcId": vpc}
        raise AwsFault(FaultKind.NOT_FOUND, f"{self.type_name} {item.identifier} does not exist", service="ec2")

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        given = {"DhcpOptionsId": str(desired["DhcpOptionsId"]), "VpcId": str(desired["VpcId"])}
        scope.call("ec2", "associate_dhcp_options", **given)
        return Done(identifier)

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        return Done(identifier)  # never comes to it: all properties are fixed

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        self._observe(scope, Wanted(identifier, frozenset()))  # another set of options isn't this one's to take away
        _, _, vpc = identifier.partition("|")
        scope.call("ec2", "associate_dhcp_options", DhcpOptionsId=_DEFAULT, VpcId=vpc)
        return Done(identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (SubnetNetworkAclAssociation(), VpcDhcpOptionsAssociation())
