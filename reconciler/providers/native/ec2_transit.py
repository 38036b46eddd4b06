"""AWS::EC2::TransitGateway, AWS::EC2::TransitGatewayAttachment and AWS::EC2::VPNGateway."""

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
from reconciler.providers.declared.shaping import properties as shaped
from reconciler.providers.native.ec2_lists import added_and_removed

_SWITCHES = (
    "AutoAcceptSharedAttachments", "DefaultRouteTableAssociation", "DefaultRouteTablePropagation", "DnsSupport",
    "SecurityGroupReferencingSupport", "VpnEcmpSupport",
)  # fmt: skip
_CIDRS = "TransitGatewayCidrBlocks"
#: what only a gateway that exists can be given
_LATER = ("AssociationDefaultRouteTableId", "PropagationDefaultRouteTableId", "EncryptionSupport")

_GATEWAY = Declaration(
    type=TypeName("AWS::EC2::TransitGateway"),
    service="ec2",
    renames={"Id": "TransitGatewayId"},
    read=Read(
        "describe_transit_gateways",
        "TransitGateways",
        many=Many("Filters", "Id", 200, "transit-gateway-id"),
    ),
    create=Call("create_transit_gateway", ("Description", "AmazonSideAsn", "MulticastSupport", _CIDRS, *_SWITCHES)),
    made="TransitGateway",
    updates=(Update(Call("modify_transit_gateway", ("Description", _CIDRS, *_SWITCHES, *_LATER))),),
    delete=Call("delete_transit_gateway"),
    # an account has only a few, so that all are listed
    listing=Listing("describe_transit_gateways", "TransitGateways"),
    looks_first=True,
    tagging=ec2_tagging("transit-gateway", "Id"),
    waiting=Waiting(
        "State",
        pending=frozenset({"pending", "modifying"}),
        gone=frozenset({"deleted"}),
        leaving=frozenset({"deleting"}),
        seconds=5.0,
    ),
    resets={
        _CIDRS: [],
        "AutoAcceptSharedAttachments": "disable",
        "DefaultRouteTableAssociation": "enable",
        "DefaultRouteTablePropagation": "enable",
        "Description": "",
        "DnsSupport": "enable",
        "SecurityGroupReferencingSupport": "disable",
        "VpnEcmpSupport": "enable",
    },
)


class TransitGateway(Declared):
    """A transit gateway. All but its description are options to the API."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        own = {name: value for name, value in values.items() if name == "Description"}
        options = {name: value for name, value in values.items() if name not in own}
        return own | ({"Options": options} if options else {})

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. Encryption is asked for by one word, and shown as a state."""
        options = dict(item.answer.get("Options") or {})
        state = (options.pop("EncryptionSupport", None) or {}).get("EncryptionState")
        shown = shaped(self.schema_in(scope), options, {})
        return {**properties, **shown, **({"EncryptionSupportState": state} if state else {})}

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: blocks are added and removed."""
        super().change(scope, identifier, update, before, added_and_removed((_CIDRS,), before, after))


_ATTACHMENT = Declaration(
    type=TypeName("AWS::EC2::TransitGatewayAttachment"),
    service="ec2",
    renames={"Id": "TransitGatewayAttachmentId"},
    read=Read(
        "describe_transit_gateway_vpc_attachments",
        "TransitGatewayVpcAttachments",
        many=Many("Filters", "Id", 200, "transit-gateway-attachment-id"),
    ),
    create=Call("create_transit_gateway_vpc_attachment"),
    made="TransitGatewayVpcAttachment",
    updates=(Update(Call("modify_transit_gateway_vpc_attachment", ("Options", "SubnetIds"))),),
    delete=Call("delete_transit_gateway_vpc_attachment"),
    listing=Listing(
        "describe_transit_gateway_vpc_attachments",
        "TransitGatewayVpcAttachments",
        filtered=True,
    ),
    tagging=ec2_tagging("transit-gateway-attachment", "Id", checked=True),
    waiting=Waiting(
        "State",
        # one that another account's gateway has to accept isn't waited for
        pending=frozenset({"initiating", "initiatingRequest", "modifying", "pending", "rollingBack"}),
        failed=frozenset({"failed", "failing", "rejected", "rejecting"}),
        gone=frozenset({"deleted", "failed", "rejected"}),
        leaving=frozenset({"deleting", "failing", "rejecting"}),
        seconds=5.0,
    ),
    resets={
        "Options": {
            "ApplianceModeSupport": "disable",
            "DnsSupport": "enable",
            "Ipv6Support": "disable",
            "SecurityGroupReferencingSupport": "enable",
        }
    },
)


class TransitGatewayAttachment(Declared):
    """A VPC's attachment to a transit gateway."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: subnets are added and removed."""
        super().change(scope, identifier, update, before, added_and_removed(("SubnetIds",), before, after))


_VPN_GATEWAY = Declaration(
    type=TypeName("AWS::EC2::VPNGateway"),
    service="ec2",
    read=Read(
        "describe_vpn_gateways",
        "VpnGateways",
        many=Many("Filters", "VPNGatewayId", 200, "vpn-gateway-id"),
    ),
    create=Call("create_vpn_gateway"),
    made="VpnGateway",
    delete=Call("delete_vpn_gateway"),
    listing=Listing("describe_vpn_gateways", "VpnGateways", filtered=True),
    looks_first=True,
    tagging=ec2_tagging("vpn-gateway", "VPNGatewayId"),
    waiting=Waiting(
        "State", pending=frozenset({"pending"}), gone=frozenset({"deleted"}), leaving=frozenset({"deleting"})
    ),
)

PROVIDERS: tuple[ResourceProvider, ...] = (
    TransitGateway(_GATEWAY),
    TransitGatewayAttachment(_ATTACHMENT),
    Declared(_VPN_GATEWAY),
)
