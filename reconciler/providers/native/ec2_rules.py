"""Security group rules: the schema's flat list, AWS's nested permissions, and how to get from one set to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.providers.native.shapes import network

_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})

#: What AWS gives every new group.
ALLOW_ALL = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a rule. ``kind`` is the schema's property, without the word Source or Destination."""

    kind: str
    value: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes two rules the same to AWS; a description does not."""

    protocol: str
    first: int | None
    last: int | None
    peer: Peer


Rules = dict[Rule, str]


def from_properties(entries: Iterable[Mapping[str, Any]], side: str, account: str) -> Rules:
    """Rules with their descriptions from the schema's list. ``side`` is ``Source`` or ``Destination``."""
    return {_from_property(entry, side, account): str(entry.get("Description") or "") for entry in entries}


def from_permissions(permissions: Iterable[Mapping[str, Any]], account: str) -> Rules:
    """Rules with their descriptions from a described group's permissions."""
    return {
        _rule(permission, peer): description
        for permission in permissions
        for peer, description in _peers(permission, account)
    }


def to_properties(rules: Rules, side: str, account: str) -> list[dict[str, Any]]:
    """The schema's list, in a stable order."""
    entries = [_to_property(rule, description, side, account) for rule, description in rules.items()]
    return sorted(entries, key=lambda entry: sorted((key, str(value)) for key, value in entry.items()))


def to_permissions(rules: Rules) -> list[dict[str, Any]]:
    """The IpPermissions parameter, one entry a rule."""
    return [_to_permission(rule, description) for rule, description in rules.items()]


def _from_property(entry: Mapping[str, Any], side: str, account: str) -> Rule:
    if entry.get("CidrIp"):
        peer = Peer("CidrIp", network(str(entry["CidrIp"])))
    elif entry.get("CidrIpv6"):
        peer = Peer("CidrIpv6", network(str(entry["CidrIpv6"])))
    elif entry.get(f"{side}PrefixListId"):
        peer = Peer("PrefixListId", str(entry[f"{side}PrefixListId"]))
    else:
        owner = str(entry.get(f"{side}SecurityGroupOwnerId") or account)
        by_name = entry.get(f"{side}SecurityGroupName")
        kind = "SecurityGroupName" if by_name else "SecurityGroupId"
        peer = Peer(kind, str(by_name or entry.get(f"{side}SecurityGroupId") or ""), owner)
    return _rule(entry, peer)


def _rule(entry: Mapping[str, Any], peer: Peer) -> Rule:
    raw = str(entry.get("IpProtocol", "-1")).lower()
    protocol = _PROTOCOLS.get(raw, raw)
    if protocol not in _WITH_PORTS:
        return Rule(protocol, None, None, peer)
    return Rule(protocol, _port(entry.get("FromPort")), _port(entry.get("ToPort")), peer)


def _port(value: Any) -> int | None:
    return None if value is None else int(value)


def _peers(permission: Mapping[str, Any], account: str) -> Iterable[tuple[Peer, str]]:
    for entry in permission.get("IpRanges", ()):
        yield Peer("CidrIp", entry["CidrIp"]), str(entry.get("Description") or "")
    for entry in permission.get("Ipv6Ranges", ()):
        yield Peer("CidrIpv6", network(entry["CidrIpv6"])), str(entry.get("Description") or "")
    for entry in permission.get("PrefixListIds", ()):
        yield Peer("PrefixListId", entry["PrefixListId"]), str(entry.get("Description") or "")
    for entry in permission.get("UserIdGroupPairs", ()):
        kind = "SecurityGroupId" if entry.get("GroupId") else "SecurityGroupName"
        peer = Peer(kind, entry.get("GroupId") or entry.get("GroupName", ""), entry.get("UserId") or account)
        yield peer, str(entry.get("Description") or "")


def _to_property(rule: Rule, description: str, side: str, account: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"IpProtocol": rule.protocol}
    if rule.first is not None:
        entry["FromPort"] = rule.first
    if rule.last is not None:
        entry["ToPort"] = rule.last
    plain = rule.peer.kind in ("CidrIp", "CidrIpv6")
    entry[rule.peer.kind if plain else f"{side}{rule.peer.kind}"] = rule.peer.value
    if rule.peer.owner and rule.peer.owner != account and side == "Source":
        entry["SourceSecurityGroupOwnerId"] = rule.peer.owner
    if description:
        entry["Description"] = description
    return entry


def _to_permission(rule: Rule, description: str) -> dict[str, Any]:
    permission: dict[str, Any] = {"IpProtocol": rule.protocol}
    if rule.first is not None:
        permission["FromPort"] = rule.first
    if rule.last is not None:
        permission["ToPort"] = rule.last
    note = {"Description": description} if description else {}
    peer = rule.peer
    if peer.kind == "CidrIp":
        permission["IpRanges"] = [{"CidrIp": peer.value} | note]
    elif peer.kind == "CidrIpv6":
        permission["Ipv6Ranges"] = [{"CidrIpv6": peer.value} | note]
    elif peer.kind == "PrefixListId":
        permission["PrefixListIds"] = [{"PrefixListId": peer.value} | note]
    else:
        name = "GroupId" if peer.kind == "SecurityGroupId" else "GroupName"
        owner = {"UserId": peer.owner} if peer.owner else {}
        permission["UserIdGroupPairs"] = [{name: peer.value} | owner | note]
    return permission
