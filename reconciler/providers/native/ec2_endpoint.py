"""AWS::EC2::VPCEndpoint."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import (
    Call,
    Declaration,
    Declared,
    Listing,
    Many,
    Read,
    Update,
    Waiting,
    ec2_tagging,
)
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.ec2_flow_log import refuse_failed
from reconciler.providers.native.ec2_lists import added_and_removed

_LISTS = ("RouteTableIds", "SecurityGroupIds", "SubnetIds")
_MODIFY = "modify_vpc_endpoint"


def _states(*names: str) -> frozenset[str]:
    """The API's documentation has states in one case, its answers in another."""
    return frozenset(spelling for name in names for spelling in (name, name[0].lower() + name[1:], name.lower()))


_ENDPOINT = Declaration(
    type=TypeName("AWS::EC2::VPCEndpoint"),
    service="ec2",
    renames={"Id": "VpcEndpointId"},
    read=Read("describe_vpc_endpoints", "VpcEndpoints", many=Many("VpcEndpointIds", "Id", 200)),
    create=Call("create_vpc_endpoint"),
    made="VpcEndpoint",
    updates=(
        Update(Call(_MODIFY, ("PolicyDocument",)), clear=Call(_MODIFY, constants={"ResetPolicy": True})),
        Update(Call(_MODIFY, (*_LISTS, "DnsOptions", "IpAddressType", "PrivateDnsEnabled"))),
    ),
    delete=Call("delete_vpc_endpoints", renames={"Id": "VpcEndpointIds"}),
    listing=Listing("describe_vpc_endpoints", "VpcEndpoints", filtered=True),
    tagging=ec2_tagging("vpc-endpoint", "Id"),
    repeatable="ClientToken",
    waiting=Waiting(
        "State",
        # one that its service has to accept isn't waited for
        pending=_states("Pending"),
        failed=_states("Expired", "Failed", "Rejected"),
        gone=_states("Deleted", "Expired", "Failed", "Rejected"),
        leaving=_states("Deleting"),
        why="LastError.Message",
        seconds=5.0,
    ),
    resets={"RouteTableIds": [], "SubnetIds": [], "PrivateDnsEnabled": False},
    also=("route53:AssociateVPCWithHostedZone",),
)


class Endpoint(Declared):
    """An endpoint in a VPC."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. Private names are CloudFormation's choice to be off, and the API's to be on."""
        if call is self.declaration.create and values.get("VpcEndpointType") == "Interface":
            values.setdefault("PrivateDnsEnabled", False)
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. An entry of the DNS is ``zone:name`` to CloudFormation."""
        answer = item.answer
        properties["SecurityGroupIds"] = [group["GroupId"] for group in answer.get("Groups") or ()]
        entries = [entry for entry in answer.get("DnsEntries") or () if entry.get("DnsName")]
        properties["DnsEntries"] = [f"{entry.get('HostedZoneId', '')}:{entry['DnsName']}" for entry in entries]
        return properties

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: what is in the lists is added and removed."""
        super().change(scope, identifier, update, before, added_and_removed(_LISTS, before, after))

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``. The call takes several at once, and answers which of them failed."""
        refuse_failed(scope.call("ec2", "delete_vpc_endpoints", VpcEndpointIds=[identifier]), "DeleteVpcEndpoints")


PROVIDERS: tuple[ResourceProvider, ...] = (Endpoint(_ENDPOINT),)
