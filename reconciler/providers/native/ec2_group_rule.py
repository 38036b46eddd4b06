"""AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress: single rules of security groups."""

# ruff: noqa: ARG002 - methods have the signature that the port gives them, needed or not

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native import ec2_rules as rules
from reconciler.providers.native.ec2_base import FILTER_VALUES, Immediate, Item, filters, unless_gone
from reconciler.providers.native.frame import refuse_fixed, refuse_unsupported
from reconciler.providers.native.reading import merged, unreadable
from reconciler.providers.native.shapes import chunks

_COMMON = ("CidrIp", "CidrIpv6", "Description", "FromPort", "GroupId", "IpProtocol", "ToPort")


class GroupRule(Immediate):
    """A rule of a group, identified by ``sgr-…``. It has no owner: AWS has one of a kind in a group, which is found.

    ``side``: ``Source`` or ``Destination``. ``verb``: the last word of the calls.
    """

    def __init__(self, type_name: str, side: str, verb: str, others: tuple[str, ...]) -> None:
        self.type_name = TypeName(type_name)
        self.supported = frozenset({*_COMMON, f"{side}PrefixListId", f"{side}SecurityGroupId", *others})
        self._side = side
        self._verb = verb

    # ports.ResourceProvider

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """One call for every 200 rules."""
        pieces = chunks([one.identifier for one in wanted], FILTER_VALUES)
        return merged(scope, [partial(self._read, scope, piece) for piece in pieces])

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """The rule that allows the same in the same group, whatever its description."""
        found = self._same(scope, desired)
        return (Located(Identifier(found["SecurityGroupRuleId"])),) if found else ()

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Authorize. AWS refuses a second rule of a kind, which makes repeating it safe."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        group = self._group(desired)
        given = rules.to_permissions(rules.from_properties([desired], self._side, scope.account))
        try:
            answer = scope.call("ec2", f"authorize_security_group_{self._verb}", GroupId=group, IpPermissions=given)
        except AwsFault as fault:
            there = self._same(scope, desired) if fault.kind is FaultKind.ALREADY_EXISTS else None
            if there is None or str(there.get("Description") or "") != str(desired.get("Description") or ""):
                raise
            return Done(Identifier(there["SecurityGroupRuleId"]))
        made = [one for one in answer.get("SecurityGroupRules") or () if one.get("SecurityGroupRuleId")]
        there = made[0] if made else self._same(scope, desired)
        if there is None:
            raise AwsFault(FaultKind.INTERNAL, f"the new rule of {group} isn't to be seen", service="ec2")
        return Done(Identifier(there["SecurityGroupRuleId"]))

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """Give the rule another description: all else is part of what it is."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.supported - {"Description"}, changed)
        if changed:
            item = self._item(scope, identifier)
            rule = next(iter(rules.from_properties([self._shown(scope, item)], self._side, scope.account)))
            given = rules.to_permissions({rule: str(reveal(after).get("Description") or "")})
            operation = f"update_security_group_rule_descriptions_{self._verb}"
            scope.call("ec2", operation, GroupId=item["GroupId"], IpPermissions=given)
        return Done(identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Revoke; a rule or group that is gone is fine."""
        with unless_gone():
            group = self._item(scope, identifier)["GroupId"]
            operation = f"revoke_security_group_{self._verb}"
            scope.call("ec2", operation, GroupId=group, SecurityGroupRuleIds=[identifier])
        return Done(identifier)

    # helpers

    def _group(self, desired: Properties) -> str:
        if not desired.get("GroupId"):
            message = f"{self.type_name} needs GroupId: groups by name (GroupName) are of EC2-Classic, which is no more"
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2")
        return str(desired["GroupId"])

    def _rules(self, scope: Scope, by: list[dict[str, Any]]) -> list[Item]:
        found = scope.pages("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=by)
        return [one for one in found if bool(one.get("IsEgress")) == (self._verb == "egress")]

    def _item(self, scope: Scope, identifier: Identifier) -> Item:
        for one in self._rules(scope, filters(security_group_rule_id=[identifier])):
            if one["SecurityGroupRuleId"] == identifier:
                return one
        raise AwsFault(FaultKind.NOT_FOUND, f"{self.type_name} {identifier} does not exist", service="ec2")

    def _same(self, scope: Scope, desired: Properties) -> Item | None:
        known = {name: value for name, value in desired.items() if name != "Description"}
        if not desired.get("GroupId") or has_unknown(known):
            return None
        wanted = rules.from_properties([known], self._side, scope.account)
        for one in self._rules(scope, filters(group_id=[desired["GroupId"]])):
            shown = self._shown(scope, one)
            if rules.from_properties([shown], self._side, scope.account).keys() == wanted.keys():
                return one
        return None

    def _shown(self, scope: Scope, item: Item) -> dict[str, Any]:
        """A described rule in the schema's shape."""
        found: dict[str, Any] = {
            "Id": item["SecurityGroupRuleId"],
            "GroupId": item["GroupId"],
            "IpProtocol": item["IpProtocol"],
        }
        if item["IpProtocol"] != "-1":
            found |= {name: item[name] for name in ("FromPort", "ToPort") if item.get(name) is not None}
        plain = {"CidrIpv4": "CidrIp", "CidrIpv6": "CidrIpv6", "Description": "Description"}
        found |= {name: item[called] for called, name in plain.items() if item.get(called)}
        if item.get("PrefixListId"):
            found[f"{self._side}PrefixListId"] = item["PrefixListId"]
        other = item.get("ReferencedGroupInfo") or {}
        if other.get("GroupId"):
            found[f"{self._side}SecurityGroupId"] = other["GroupId"]
            if self._side == "Source" and other.get("UserId", scope.account) != scope.account:
                found["SourceSecurityGroupOwnerId"] = other["UserId"]
        return found

    def _read(self, scope: Scope, piece: Sequence[Identifier]) -> dict[Identifier, Observation | Unreadable]:
        try:
            found = self._rules(scope, filters(security_group_rule_id=piece))
        except AwsFault as fault:
            return {identifier: unreadable(identifier, fault) for identifier in piece}
        asked = frozenset(piece)
        shown = {Identifier(one["SecurityGroupRuleId"]): self._shown(scope, one) for one in found}
        return {name: Observation(name, properties) for name, properties in shown.items() if name in asked}


PROVIDERS: tuple[ResourceProvider, ...] = (
    GroupRule(
        "AWS::EC2::SecurityGroupIngress",
        "Source",
        "ingress",
        # names of groups are looked at so that a plan with one gets a message, and not a rule for nobody
        ("SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "GroupName"),
    ),
    GroupRule("AWS::EC2::SecurityGroupEgress", "Destination", "egress", ()),
)
