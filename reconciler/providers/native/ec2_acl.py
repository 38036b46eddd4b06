"""AWS::EC2::NetworkAcl and AWS::EC2::NetworkAclEntry."""

# ruff: noqa: ARG002 - methods have the signature that the base gives them, needed or not

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, ec2_tagging
from reconciler.providers.native.frame import Change, UntaggedProvider
from reconciler.schema.scalars import boolean, integer

_ACL = Declaration(
    type=TypeName("AWS::EC2::NetworkAcl"),
    service="ec2",
    renames={"Id": "NetworkAclId"},
    read=Read("describe_network_acls", "NetworkAcls", many=Many("NetworkAclIds", "Id", 200)),
    create=Call("create_network_acl"),
    made="NetworkAcl",
    delete=Call("delete_network_acl"),
    listing=Listing("describe_network_acls", "NetworkAcls", filtered=True),
    tagging=ec2_tagging("network-acl", "Id"),
    repeatable="ClientToken",
)

_WHERE = ("NetworkAclId", "Egress", "RuleNumber")
_RULE = ("CidrBlock", "Icmp", "Ipv6CidrBlock", "PortRange", "Protocol", "RuleAction")


class NetworkAclEntry(UntaggedProvider):
    """A rule of a network ACL. Its place, ``acl-…|egress|100``, is its identifier, since AWS has none for it."""

    type_name = TypeName("AWS::EC2::NetworkAclEntry")
    supported = frozenset({*_WHERE, *_RULE})
    fixed = frozenset(_WHERE)

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        acl, number = desired.get("NetworkAclId"), desired.get("RuleNumber")
        egress = desired.get("Egress", False)
        if acl is None or number is None or has_unknown([acl, number, egress]):
            return None
        return Identifier(f"{acl}|{'egress' if boolean(egress) is True else 'ingress'}|{integer(number)}")

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        acl, side, number = _parts(item.identifier)
        found = scope.pages("ec2", "describe_network_acls", "NetworkAcls", NetworkAclIds=[acl])
        for entry in (entry for one in found if one["NetworkAclId"] == acl for entry in one.get("Entries", ())):
            if bool(entry["Egress"]) == (side == "egress") and int(entry["RuleNumber"]) == number:
                return _shown(acl, item.identifier, entry)
        raise AwsFault(FaultKind.NOT_FOUND, f"{self.type_name} {item.identifier} does not exist", service="ec2")

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        scope.call("ec2", "create_network_acl_entry", **_place_of(identifier), **_rule(desired))
        return Done(identifier)

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        scope.call("ec2", "replace_network_acl_entry", **_place_of(identifier), **_rule(change.after))
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        # looked at first: what an endpoint says of a rule that isn't there differs
        self._observe(scope, Wanted(identifier, frozenset()))
        scope.call("ec2", "delete_network_acl_entry", **_place_of(identifier))
        return Done(identifier)


def _parts(identifier: Identifier) -> tuple[str, str, int]:
    acl, _, rest = identifier.partition("|")
    side, _, number = rest.partition("|")
    if side not in ("egress", "ingress") or not number.isdigit():
        raise AwsFault(FaultKind.NOT_FOUND, f"{identifier} is no network ACL entry: acl-…|egress|100", service="ec2")
    return acl, side, int(number)


def _place_of(identifier: Identifier) -> dict[str, Any]:
    acl, side, number = _parts(identifier)
    return {"NetworkAclId": acl, "Egress": side == "egress", "RuleNumber": number}


def _rule(properties: Properties) -> dict[str, Any]:
    """The parameters of a rule, all of them: replacing one takes it as a whole."""
    given: dict[str, Any] = {"Protocol": str(properties["Protocol"]), "RuleAction": properties["RuleAction"]}
    for name in ("CidrBlock", "Ipv6CidrBlock"):
        if properties.get(name):
            given[name] = properties[name]
    if icmp := properties.get("Icmp"):
        given["IcmpTypeCode"] = _whole_numbers(icmp, ("Code", "Type"))
    if ports := properties.get("PortRange"):
        given["PortRange"] = _whole_numbers(ports, ("From", "To"))
    return given


def _whole_numbers(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: integer(value[name]) for name in names if value.get(name) is not None}


def _shown(acl: str, identifier: Identifier, entry: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Id": identifier,
        "NetworkAclId": acl,
        "Egress": bool(entry["Egress"]),
        "RuleNumber": int(entry["RuleNumber"]),
        "Protocol": integer(entry["Protocol"]),
        "RuleAction": entry["RuleAction"],
    }
    for name, called in (("CidrBlock", "CidrBlock"), ("Ipv6CidrBlock", "Ipv6CidrBlock"), ("Icmp", "IcmpTypeCode")):
        if entry.get(called):
            found[name] = entry[called]
    if entry.get("PortRange"):
        found["PortRange"] = entry["PortRange"]
    return found


PROVIDERS: tuple[ResourceProvider, ...] = (Declared(_ACL), NetworkAclEntry())
