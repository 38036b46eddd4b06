"""AWS::EC2::DHCPOptions."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, ec2_tagging
from reconciler.providers.declared.reading import Item
from reconciler.schema.scalars import text

#: property → the option's key
_KEYS = {
    "DomainName": "domain-name",
    "DomainNameServers": "domain-name-servers",
    "Ipv6AddressPreferredLeaseTime": "ipv6-address-preferred-lease-time",
    "NetbiosNameServers": "netbios-name-servers",
    "NetbiosNodeType": "netbios-node-type",
    "NtpServers": "ntp-servers",
}
_LISTS = frozenset({"DomainNameServers", "NetbiosNameServers", "NtpServers"})
_NUMBERS = frozenset({"Ipv6AddressPreferredLeaseTime", "NetbiosNodeType"})

_OPTIONS = Declaration(
    type=TypeName("AWS::EC2::DHCPOptions"),
    service="ec2",
    read=Read("describe_dhcp_options", "DhcpOptions", many=Many("Filters", "DhcpOptionsId", 200, "dhcp-options-id")),
    create=Call("create_dhcp_options", tuple(_KEYS)),
    made="DhcpOptions",
    delete=Call("delete_dhcp_options"),
    listing=Listing("describe_dhcp_options", "DhcpOptions", filtered=True),
    looks_first=True,
    tagging=ec2_tagging("dhcp-options", "DhcpOptionsId", checked=True),
)


class DhcpOptions(Declared):
    """A set of DHCP options: to the API a list of keys with values."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        given = [(_KEYS[name], value if isinstance(value, list) else [value]) for name, value in values.items()]
        options = [{"Key": key, "Values": [str(text(item)) for item in items]} for key, items in given]
        return {"DhcpConfigurations": options} if options else {}

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        options = {
            option["Key"]: [str(value["Value"]) for value in option.get("Values", ()) if "Value" in value]
            for option in item.answer.get("DhcpConfigurations") or ()
        }
        for name, key in _KEYS.items():
            values = options.get(key)
            if values:
                properties[name] = values if name in _LISTS else int(values[0]) if name in _NUMBERS else values[0]
        return properties


PROVIDERS: tuple[ResourceProvider, ...] = (DhcpOptions(_OPTIONS),)
