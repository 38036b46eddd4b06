"""AWS::EC2::NetworkInterface."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from collections.abc import Iterable
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

_MODIFY = "modify_network_interface_attribute"
_ADDRESSES = ("PrivateIpAddresses", "SecondaryPrivateIpAddressCount")
_ADDRESSES_6 = ("Ipv6Addresses", "Ipv6AddressCount")
_PREFIXES = ("Ipv4Prefixes", "Ipv6Prefixes")

_INTERFACE = Declaration(
    type=TypeName("AWS::EC2::NetworkInterface"),
    service="ec2",
    renames={
        "ConnectionTrackingSpecification": "ConnectionTrackingConfiguration",
        "GroupSet": "Groups",
        "Id": "NetworkInterfaceId",
        "PrimaryIpv6Address": "Ipv6Address",
    },
    read=Read(
        "describe_network_interfaces", "NetworkInterfaces", many=Many("Filters", "Id", 200, "network-interface-id")
    ),
    create=Call(
        "create_network_interface", renames={"ConnectionTrackingSpecification": "ConnectionTrackingSpecification"}
    ),
    made="NetworkInterface",
    # AWS takes one attribute a call
    updates=(
        Update(Call(_MODIFY, ("GroupSet",))),
        Update(Call(_MODIFY, ("Description",))),
        Update(Call(_MODIFY, ("SourceDestCheck",)), later=True),
        Update(Call(_MODIFY, ("EnablePrimaryIpv6",))),
        Update(
            Call(
                _MODIFY,
                ("ConnectionTrackingSpecification",),
                {"ConnectionTrackingSpecification": "ConnectionTrackingSpecification"},
            )
        ),
        Update(Call("assign_private_ip_addresses", _ADDRESSES)),
        Update(Call("assign_ipv6_addresses", _ADDRESSES_6)),
        Update(
            Call(
                "modify_public_ip_dns_name_options",
                ("PublicIpDnsHostnameTypeSpecification",),
                {"PublicIpDnsHostnameTypeSpecification": "HostnameType"},
            ),
            later=True,
        ),
    ),
    delete=Call("delete_network_interface"),
    listing=Listing("describe_network_interfaces", "NetworkInterfaces", filtered=True),
    tagging=ec2_tagging("network-interface", "Id", inline="TagSet"),
    repeatable="ClientToken",
    waiting=Waiting("Status", pending=frozenset({"pending"}), deletes=False),
    resets={
        "Description": "",
        "Ipv6AddressCount": 0,
        "Ipv6Addresses": [],
        "PrivateIpAddresses": [],
        "SecondaryPrivateIpAddressCount": 0,
        "SourceDestCheck": True,
    },
    also=("ec2:UnassignIpv6Addresses", "ec2:UnassignPrivateIpAddresses"),
)


class NetworkInterface(Declared):
    """A network interface. Its addresses are given and taken away one by one."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. Two attributes are structures with a value in them to the call that changes them."""
        if call.operation != _MODIFY:
            return values
        wrapped: dict[str, Any] = {
            name: {"Value": values[name]} for name in ("Description", "SourceDestCheck") if name in values
        }
        return {**values, **wrapped}

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        answer = item.answer
        properties["GroupSet"] = [group["GroupId"] for group in answer.get("Groups") or ()]
        private = answer.get("PrivateIpAddresses") or ()
        secondary = [one["PrivateIpAddress"] for one in private if not one.get("Primary")]
        properties["SecondaryPrivateIpAddresses"] = secondary
        properties["SecondaryPrivateIpAddressCount"] = len(secondary)
        if answer.get("PrivateIpAddress"):
            properties["PrimaryPrivateIpAddress"] = answer["PrivateIpAddress"]
        properties["Ipv6AddressCount"] = len(answer.get("Ipv6Addresses") or ())
        for name in _PREFIXES:
            properties[f"{name.removesuffix('es')}Count"] = len(answer.get(name) or ())
        return properties

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.call.takes not in (_ADDRESSES, _ADDRESSES_6):
            super().change(scope, identifier, update, before, after)
            return
        shown = self._live(scope, identifier, frozenset({*_ADDRESSES, *_ADDRESSES_6}))
        if update.call.takes == _ADDRESSES:
            old = _addresses(shown, "PrivateIpAddresses", "PrivateIpAddress")
            new = _addresses(after, "PrivateIpAddresses", "PrivateIpAddress")
            wanted = new if "PrivateIpAddresses" in after else None
            self._bring(scope, identifier, "private_ip", old, wanted, after.get("SecondaryPrivateIpAddressCount"))
        else:
            old = _addresses(shown, "Ipv6Addresses", "Ipv6Address")
            wanted = _addresses(after, "Ipv6Addresses", "Ipv6Address") if "Ipv6Addresses" in after else None
            self._bring(scope, identifier, "ipv6", old, wanted, after.get("Ipv6AddressCount"))

    def _bring(
        self, scope: Scope, identifier: Identifier, kind: str, old: list[str], wanted: list[str] | None, count: Any
    ) -> None:
        """Give and take addresses of a kind: those that are wanted, or as many as are. The newest go first."""
        added = [one for one in wanted or () if one not in old]
        removed = [one for one in old if wanted is not None and one not in wanted]
        more = 0
        if wanted is None and count is not None:
            more = max(int(count) - len(old), 0)
            removed = old[int(count) :]
        plural, counted = _PARAMETERS[kind]
        if removed:
            scope.call("ec2", _UNASSIGN[kind], NetworkInterfaceId=identifier, **{plural: removed})
        if added:
            scope.call("ec2", _ASSIGN[kind], NetworkInterfaceId=identifier, **{plural: added})
        if more:
            scope.call("ec2", _ASSIGN[kind], NetworkInterfaceId=identifier, **{counted: more})


_ASSIGN = {"private_ip": "assign_private_ip_addresses", "ipv6": "assign_ipv6_addresses"}
_UNASSIGN = {"private_ip": "unassign_private_ip_addresses", "ipv6": "unassign_ipv6_addresses"}
_PARAMETERS = {
    "private_ip": ("PrivateIpAddresses", "SecondaryPrivateIpAddressCount"),
    "ipv6": ("Ipv6Addresses", "Ipv6AddressCount"),
}


def _addresses(properties: Properties, name: str, key: str) -> list[str]:
    """The addresses in a property that AWS lets one give and take: all but the primary one."""
    entries: Iterable[Any] = properties.get(name) or ()
    return [str(entry[key]) for entry in entries if str(entry.get("Primary", False)).lower() != "true"]


PROVIDERS: tuple[ResourceProvider, ...] = (NetworkInterface(_INTERFACE),)
