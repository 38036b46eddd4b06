"""AWS::RDS::DBParameterGroup, DBSecurityGroup and DBSubnetGroup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, arn_tagging
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.lowered import Lowered
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.shapes import chunks

#: "A maximum of 20 parameters can be modified in a single request."
_PARAMETERS_A_CALL = 20
_GROUP = ("EC2SecurityGroupId", "EC2SecurityGroupName", "EC2SecurityGroupOwnerId")


def tagging(kind: str, *, inline: str = "") -> Tagging:
    """The tags of a type whose ARNs have ``kind`` in them."""
    return arn_tagging(
        "ResourceName",
        write="add_tags_to_resource",
        remove="remove_tags_from_resource",
        answer="TagList",
        inline=inline,
        kind=f"rds:{kind}",
    )


_ARN = "arn:{partition}:rds:{region}:{account}:"
_PARAMETER_GROUP = Declaration(
    type=TypeName("AWS::RDS::DBParameterGroup"),
    service="rds",
    renames={"Family": "DBParameterGroupFamily"},
    naming=NameRule("DBParameterGroupName", 255, lower=True),
    arn=f"{_ARN}pg:{{DBParameterGroupName}}",
    read=Read("describe_db_parameter_groups", "DBParameterGroups"),
    create=Call("create_db_parameter_group"),
    updates=(Update(Call("modify_db_parameter_group"), of=("Parameters",), later=True),),
    delete=Call("delete_db_parameter_group"),
    tagging=tagging("pg"),
    resets={"Parameters": {}},
    also=("rds:ResetDBParameterGroup",),
    also_reads=("rds:DescribeDBParameters",),
)
_SUBNET_GROUP = Declaration(
    type=TypeName("AWS::RDS::DBSubnetGroup"),
    service="rds",
    naming=NameRule("DBSubnetGroupName", 255, lower=True),
    arn=f"{_ARN}subgrp:{{DBSubnetGroupName}}",
    read=Read("describe_db_subnet_groups", "DBSubnetGroups"),
    create=Call("create_db_subnet_group"),
    updates=(Update(Call("modify_db_subnet_group", ("DBSubnetGroupDescription", "SubnetIds")), along=("SubnetIds",)),),
    delete=Call("delete_db_subnet_group"),
    looks_first=True,  # an emulator overwrites what is there
    tagging=tagging("subgrp"),
)
_SECURITY_GROUP = Declaration(
    type=TypeName("AWS::RDS::DBSecurityGroup"),
    service="rds",
    renames={"Id": "DBSecurityGroupName", "GroupDescription": "DBSecurityGroupDescription"},
    # CloudFormation chooses the name, too
    naming=NameRule("Id", 255, lower=True, distinct=("GroupDescription",)),
    arn=f"{_ARN}secgrp:{{Id}}",
    read=Read("describe_db_security_groups", "DBSecurityGroups"),
    create=Call("create_db_security_group", ("Id", "GroupDescription")),
    updates=(Update(Call("authorize_db_security_group_ingress"), of=("DBSecurityGroupIngress",), later=True),),
    delete=Call("delete_db_security_group"),
    looks_first=True,  # as above
    tagging=tagging("secgrp"),
    resets={"DBSecurityGroupIngress": []},
    also=("rds:RevokeDBSecurityGroupIngress",),
)


class ParameterGroup(Lowered):
    """A parameter group. What was set in it is read; the parameters that only others set are left alone."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        name = properties["DBParameterGroupName"]
        shown = scope.pages("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name, Source="user")
        found = {one["ParameterName"]: one["ParameterValue"] for one in shown if one.get("ParameterValue") is not None}
        return {**properties, "Parameters": found} if found else properties

    def change(
        self,
        scope: Scope,
        identifier: Identifier,
        update: Update,  # noqa: ARG002 - there is one only
        before: Properties,
        after: Properties,
    ) -> None:
        """See ``Declared``: parameters are set and reset one by one."""
        old, new = dict(before.get("Parameters") or {}), dict(after.get("Parameters") or {})
        fresh = {name: value for name, value in new.items() if str(old.get(name)) != str(value)}
        stale = sorted(old.keys() - new.keys())
        shown = scope.pages("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=identifier)
        dynamic = {one["ParameterName"] for one in shown if one.get("ApplyType") == "dynamic"}
        entries = [_parameter(name, dynamic, value) for name, value in sorted(fresh.items())]
        for piece in chunks(entries, _PARAMETERS_A_CALL):
            scope.call("rds", "modify_db_parameter_group", DBParameterGroupName=identifier, Parameters=piece)
        for piece in chunks([_parameter(name, dynamic) for name in stale], _PARAMETERS_A_CALL):
            scope.call("rds", "reset_db_parameter_group", DBParameterGroupName=identifier, Parameters=piece)


def _parameter(name: str, dynamic: set[str], value: Any = None) -> dict[str, str]:
    """A parameter for a call; one that isn't dynamic waits for its databases to be rebooted."""
    method = {"ParameterName": name, "ApplyMethod": "immediate" if name in dynamic else "pending-reboot"}
    return method if value is None else {**method, "ParameterValue": _text(value)}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class SubnetGroup(Lowered):
    """A subnet group."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        return {**properties, "SubnetIds": [subnet["SubnetIdentifier"] for subnet in item.answer.get("Subnets", ())]}


class SecurityGroup(Declared):
    """A security group of EC2-Classic. Its rules are let in and shut out one by one."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        ranges = [{"CIDRIP": one["CIDRIP"]} for one in item.answer.get("IPRanges", ()) if _in_force(one)]
        groups = [
            {name: one[name] for name in _GROUP if one.get(name)}
            for one in item.answer.get("EC2SecurityGroups", ())
            if _in_force(one)
        ]
        return {**properties, "DBSecurityGroupIngress": [*ranges, *groups]} if ranges or groups else properties

    def change(
        self,
        scope: Scope,
        identifier: Identifier,
        update: Update,  # noqa: ARG002 - there is one only
        before: Properties,
        after: Properties,
    ) -> None:
        """See ``Declared``."""
        old, new = (list(side.get("DBSecurityGroupIngress") or ()) for side in (before, after))
        for rule in new:
            if not any(_same(rule, other) for other in old):
                scope.call("rds", "authorize_db_security_group_ingress", DBSecurityGroupName=identifier, **rule)
        for rule in old:
            if not any(_same(other, rule) for other in new):
                scope.call("rds", "revoke_db_security_group_ingress", DBSecurityGroupName=identifier, **rule)


def _in_force(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("Status", "")).lower() not in ("revoking", "revoked")


def _same(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether a rule says no more than the other, which AWS shows with the group's id, name and owner."""
    return all(live.get(name) == value for name, value in wanted.items())


PROVIDERS: tuple[ResourceProvider, ...] = (
    ParameterGroup(_PARAMETER_GROUP),
    SecurityGroup(_SECURITY_GROUP),
    SubnetGroup(_SUBNET_GROUP),
)
