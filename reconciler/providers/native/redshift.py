"""AWS::Redshift::Cluster, ClusterParameterGroup and ClusterSubnetGroup.

A delete takes no final snapshot: a cluster with the DeletionPolicy Snapshot is never deleted by a plan.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, Waiting, arn_tagging
from reconciler.providers.declared.progress import UPDATE
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import at
from reconciler.providers.native.lowered import Lowered
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import without_empty
from reconciler.providers.native.shapes import chunks

_ARN = "arn:{partition}:redshift:{region}:{account}:"
_LOGGING, _ROLES = ("LoggingProperties",), "IamRoles"
_SIZE = ("ClusterType", "NodeType", "NumberOfNodes")
_PARAMETERS_A_CALL = 20
#: AWS shows a moment later that it has begun to change something.
_MOMENT = 15.0  # seconds


def _tagging(kind: str) -> Tagging:
    return arn_tagging(
        "ResourceName", write="create_tags", remove="delete_tags", read="", inline="Tags", kind=f"redshift:{kind}"
    )


_CLUSTER = Declaration(
    type=TypeName("AWS::Redshift::Cluster"),
    service="redshift",
    naming=NameRule("ClusterIdentifier", 63, lower=True),
    arn=f"{_ARN}cluster:{{ClusterIdentifier}}",
    read=Read("describe_clusters", "Clusters"),
    extras=(Read("describe_logging_status", shows=_LOGGING, into=_LOGGING[0]),),
    create=Call("create_cluster"),
    made="Cluster",
    updates=(
        Update(
            Call(
                "modify_cluster",
                (
                    "AllowVersionUpgrade",
                    "AutomatedSnapshotRetentionPeriod",
                    "AvailabilityZone",
                    "AvailabilityZoneRelocation",
                    "ClusterParameterGroupName",
                    "ClusterSecurityGroups",
                    "ClusterVersion",
                    "ElasticIp",
                    "Encrypted",
                    "EnhancedVpcRouting",
                    "HsmClientCertificateIdentifier",
                    "HsmConfigurationIdentifier",
                    "KmsKeyId",
                    "MaintenanceTrackName",
                    "ManageMasterPassword",
                    "ManualSnapshotRetentionPeriod",
                    "MasterPasswordSecretKmsKeyId",
                    "MasterUserPassword",
                    "MultiAZ",
                    "Port",
                    "PreferredMaintenanceWindow",
                    "PubliclyAccessible",
                    "VpcSecurityGroupIds",
                ),
            )
        ),
        Update(Call("modify_cluster_iam_roles"), of=(_ROLES,)),
        Update(
            Call("enable_logging", _LOGGING, spread=_LOGGING),
            clear=Call("disable_logging"),
            later=True,
        ),
        # A new size keeps the cluster from being changed otherwise, so that it comes last.
        Update(Call("modify_cluster", _SIZE), along=_SIZE),
    ),
    delete=Call("delete_cluster", constants={"SkipFinalClusterSnapshot": True}),
    tagging=_tagging("cluster"),
    waiting=Waiting(
        "ClusterStatus",
        pending=frozenset(
            {
                "available, prep-for-resize",
                "available, resize-cleanup",
                "creating",
                "modifying",
                "rebooting",
                "recovering",
                "renaming",
                "resizing",
                "rotating-keys",
                "updating-hsm",
            }
        ),
        failed=frozenset(
            {
                "hardware-failure",
                "incompatible-hsm",
                "incompatible-network",
                "incompatible-parameters",
                "incompatible-restore",
            }
        ),
        seconds=30.0,
    ),
    resets={
        "AllowVersionUpgrade": True,
        "AutomatedSnapshotRetentionPeriod": 1,
        "EnhancedVpcRouting": False,
        "ManualSnapshotRetentionPeriod": -1,
        _ROLES: [],
    },
    also=("iam:PassRole",),
)
_PARAMETER_GROUP = Declaration(
    type=TypeName("AWS::Redshift::ClusterParameterGroup"),
    service="redshift",
    naming=NameRule("ParameterGroupName", 255, lower=True),
    arn=f"{_ARN}parametergroup:{{ParameterGroupName}}",
    read=Read("describe_cluster_parameter_groups", "ParameterGroups"),
    create=Call("create_cluster_parameter_group"),
    updates=(Update(Call("modify_cluster_parameter_group"), of=("Parameters",), later=True),),
    delete=Call("delete_cluster_parameter_group"),
    looks_first=True,  # an emulator overwrites what is there
    tagging=_tagging("parametergroup"),
    resets={"Parameters": []},
    also=("redshift:ResetClusterParameterGroup",),
    also_reads=("redshift:DescribeClusterParameters",),
)
_SUBNET_GROUP = Declaration(
    type=TypeName("AWS::Redshift::ClusterSubnetGroup"),
    service="redshift",
    naming=NameRule("ClusterSubnetGroupName", 255, lower=True),  # CloudFormation chooses the name, too
    arn=f"{_ARN}subnetgroup:{{ClusterSubnetGroupName}}",
    read=Read("describe_cluster_subnet_groups", "ClusterSubnetGroups"),
    create=Call("create_cluster_subnet_group", ("ClusterSubnetGroupName", "Description", "SubnetIds")),
    updates=(Update(Call("modify_cluster_subnet_group", ("Description", "SubnetIds")), along=("SubnetIds",)),),
    delete=Call("delete_cluster_subnet_group"),
    looks_first=True,  # as above
    tagging=_tagging("subnetgroup"),
)


class Cluster(Lowered):
    """A cluster."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        answer = item.answer
        relocation = answer.get("AvailabilityZoneRelocationStatus")
        shown: dict[str, Any] = {
            "AvailabilityZoneRelocation": relocation == "enabled" if relocation else None,
            "ClusterParameterGroupName": at(answer, "ClusterParameterGroups.0.ParameterGroupName"),
            "ClusterSecurityGroups": [
                one["ClusterSecurityGroupName"] for one in answer.get("ClusterSecurityGroups", ())
            ],
            "ClusterType": "multi-node" if int(answer.get("NumberOfNodes") or 1) > 1 else "single-node",
            "ElasticIp": at(answer, "ElasticIpStatus.ElasticIp"),
            "HsmClientCertificateIdentifier": at(answer, "HsmStatus.HsmClientCertificateIdentifier"),
            "HsmConfigurationIdentifier": at(answer, "HsmStatus.HsmConfigurationIdentifier"),
            _LOGGING[0]: without_empty(properties.get(_LOGGING[0]) or {}),
            _ROLES: [one["IamRoleArn"] for one in answer.get(_ROLES, ())],
            "Port": at(answer, "Endpoint.Port"),
            "VpcSecurityGroupIds": [one["VpcSecurityGroupId"] for one in answer.get("VpcSecurityGroups", ())],
        }
        if "MultiAZ" in answer and isinstance(answer["MultiAZ"], str):
            shown["MultiAZ"] = answer["MultiAZ"].lower() == "enabled"
        if "Endpoint" in properties and shown["Port"] is not None:
            shown["Endpoint"] = {**properties["Endpoint"], "Port": str(shown["Port"])}
        properties = {name: value for name, value in properties.items() if name not in shown}
        return properties | {name: value for name, value in shown.items() if value not in (None, [], {})}

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: a single node isn't counted."""
        if values.get("ClusterType") == "single-node":
            values.pop("NumberOfNodes", None)
        return values

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: roles are added and taken away."""
        if _ROLES not in update.names:
            super().change(scope, identifier, update, before, after)
            return
        old, new = set(before.get(_ROLES) or ()), set(after.get(_ROLES) or ())
        given = {"AddIamRoles": sorted(new - old), "RemoveIamRoles": sorted(old - new)}
        given = {name: roles for name, roles in given.items() if roles}
        if given:
            scope.call("redshift", "modify_cluster_iam_roles", ClusterIdentifier=identifier, **given)

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        progress = super().update(scope, identifier, before, after, changed)
        if isinstance(progress, Done) and changed - {self._tags_name}:
            return Pending(Handle(identifier, UPDATE), _MOMENT, f"{identifier} is to be changed")
        return progress


class ParameterGroup(Lowered):
    """A parameter group. What was set in it is read."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        name = properties["ParameterGroupName"]
        shown = scope.pages(
            "redshift", "describe_cluster_parameters", "Parameters", ParameterGroupName=name, Source="user"
        )
        found = [{key: one[key] for key in ("ParameterName", "ParameterValue")} for one in shown if _is_set(one)]
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
        old, new = (
            {one["ParameterName"]: str(one["ParameterValue"]) for one in side.get("Parameters") or ()}
            for side in (before, after)
        )
        fresh = [
            {"ParameterName": name, "ParameterValue": value}
            for name, value in sorted(new.items())
            if old.get(name) != value
        ]
        stale = [{"ParameterName": name} for name in sorted(old.keys() - new.keys())]
        for piece in chunks(fresh, _PARAMETERS_A_CALL):
            scope.call("redshift", "modify_cluster_parameter_group", ParameterGroupName=identifier, Parameters=piece)
        for piece in chunks(stale, _PARAMETERS_A_CALL):
            scope.call("redshift", "reset_cluster_parameter_group", ParameterGroupName=identifier, Parameters=piece)


def _is_set(parameter: Any) -> bool:
    """Whether somebody has set a parameter: not every endpoint heeds the source that it is asked for."""
    return parameter.get("Source", "user") == "user" and parameter.get("ParameterValue") is not None


class SubnetGroup(Declared):
    """A subnet group."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        return {**properties, "SubnetIds": [subnet["SubnetIdentifier"] for subnet in item.answer.get("Subnets", ())]}


PROVIDERS: tuple[ResourceProvider, ...] = (
    Cluster(_CLUSTER),
    ParameterGroup(_PARAMETER_GROUP),
    SubnetGroup(_SUBNET_GROUP),
)
