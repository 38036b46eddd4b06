"""AWS::EC2::SecurityGroup, with its rules."""

from __future__ import annotations

import hashlib
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import OWNER_ID_TAG, OWNER_PLAN_TAG, ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native import ec2_rules as rules
from reconciler.providers.native.ec2_base import Ec2Provider, Item, filters, tag_specifications
from reconciler.providers.native.shapes import chosen
from reconciler.providers.native.tagging import as_map

_INGRESS, _EGRESS = "SecurityGroupIngress", "SecurityGroupEgress"
#: property → the word in its rules' peers, key in the description, and the last word of the API's operations
_SIDES = {
    _INGRESS: ("Source", "IpPermissions", "ingress"),
    _EGRESS: ("Destination", "IpPermissionsEgress", "egress"),
}


class SecurityGroup(Ec2Provider):
    """A security group. Rules that the plan doesn't speak of at all (no such property) are left as they are."""

    type_name = TypeName("AWS::EC2::SecurityGroup")
    describe = "describe_security_groups"
    key = "SecurityGroups"
    id_filter = "group-id"
    id_field = "GroupId"
    resource_type = "security-group"
    supported = frozenset({"VpcId", "GroupName", "GroupDescription", _INGRESS, _EGRESS, "Tags"})

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """Everything comes with the description."""
        properties: dict[str, Any] = {
            "Id": item["GroupId"],
            "GroupId": item["GroupId"],
            "GroupName": item["GroupName"],
            "GroupDescription": item["Description"],
        } | chosen(item, ("VpcId",))
        for name, (side, key, _) in _SIDES.items():
            live = rules.from_permissions(item.get(key, ()), scope.account)
            properties[name] = rules.to_properties(live, side, scope.account)
        return properties

    def place(self, desired: Properties) -> list[dict[str, Any]]:
        """Names are unique in a VPC."""
        if not desired.get("GroupName") or not desired.get("VpcId"):
            return []
        return filters(group_name=[desired["GroupName"]], vpc_id=[desired["VpcId"]])

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """CreateSecurityGroup. The name makes repeating it safe: AWS refuses it a second time."""
        parameters = chosen(desired, ("VpcId", "GroupName"))
        parameters.setdefault("GroupName", _generated_name(desired, token))
        parameters["Description"] = desired.get("GroupDescription") or parameters["GroupName"]
        if tags := tag_specifications(self.resource_type, desired):
            parameters["TagSpecifications"] = tags
        return Identifier(scope.call("ec2", "create_security_group", **parameters)["GroupId"])

    def later(self, desired: Properties) -> dict[str, Any]:
        """Rules. Egress rules replace the one that AWS gives a new group; without any, that one stays."""
        rest: dict[str, Any] = {}
        if desired.get(_INGRESS):
            rest[_INGRESS] = list(desired[_INGRESS])
        if desired.get(_EGRESS) is not None:
            rest[_EGRESS] = list(desired[_EGRESS])
        return rest

    def modify(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> None:
        """Add what is missing, then take away what is too much, judged by the live rules: repeating it is safe."""
        sides = [name for name in _SIDES if name in changed]
        if sides == [_INGRESS] and not before and self._first_rules(scope, identifier, after[_INGRESS]):
            sides = []
        if sides:
            item = self.find_one(scope, identifier)
            if item is None:
                message = f"security group {identifier} does not exist"
                raise AwsFault(FaultKind.NOT_FOUND, message, service="ec2", operation="DescribeSecurityGroups")
            for name in sides:
                default = [rules.ALLOW_ALL] if name == _EGRESS else []
                entries = after.get(name)
                self._set_rules(scope, item, name, default if entries is None else entries)
        super().modify(scope, identifier, before, after, changed - _SIDES.keys())

    def _first_rules(self, scope: Scope, group: Identifier, entries: Any) -> bool:
        """Give a new group its rules, which take no look at it; False if it has some of them already."""
        goal = rules.from_properties(entries, "Source", scope.account)
        try:
            permissions = rules.to_permissions(goal)
            scope.call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=permissions)
        except AwsFault as fault:
            if fault.code == "InvalidPermission.Duplicate":
                return False
            raise
        return True

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """DeleteSecurityGroup."""
        scope.call("ec2", "delete_security_group", GroupId=identifier)

    def _set_rules(self, scope: Scope, item: Item, name: str, entries: Any) -> None:
        side, key, verb = _SIDES[name]
        group = item["GroupId"]
        live = rules.from_permissions(item.get(key, ()), scope.account)
        goal = rules.from_properties(entries, side, scope.account)
        added = {rule: note for rule, note in goal.items() if rule not in live}
        removed = {rule: "" for rule in live if rule not in goal}
        renamed = {rule: note for rule, note in goal.items() if rule in live and live[rule] != note}
        for operation, part in (
            (f"authorize_security_group_{verb}", added),
            (f"revoke_security_group_{verb}", removed),
            (f"update_security_group_rule_descriptions_{verb}", renamed),
        ):
            if part:
                scope.call("ec2", operation, GroupId=group, IpPermissions=rules.to_permissions(part))


def _generated_name(desired: Properties, token: ClientToken) -> str:
    """A name for a group that the plan gives none: readable, and the same when the create is repeated."""
    tags = as_map(desired.get("Tags"))
    stem = "-".join(part for part in (tags.get(OWNER_PLAN_TAG), tags.get(OWNER_ID_TAG)) if part) or "group"
    suffix = hashlib.sha256(token.encode()).hexdigest()[:12]
    return f"{stem[:200]}-{suffix}"


PROVIDERS: tuple[ResourceProvider, ...] = (SecurityGroup(),)
