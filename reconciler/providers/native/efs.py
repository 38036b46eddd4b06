"""AWS::EFS::FileSystem, AWS::EFS::AccessPoint and AWS::EFS::MountTarget."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Tagging, Update, Waiting
from reconciler.providers.declared.reading import Item

_WAITING = Waiting(
    "LifeCycleState",
    pending=frozenset({"creating", "updating", "deleting"}),
    failed=frozenset({"error"}),
    gone=frozenset({"deleted"}),
)
_NO_POLICY = ("PolicyNotFound",)
_BYPASS = "BypassPolicyLockoutSafetyCheck"

_FILE_SYSTEM = Declaration(
    type=TypeName("AWS::EFS::FileSystem"),
    service="efs",
    renames={"Arn": "FileSystemArn"},
    arn="arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{FileSystemId}",
    read=Read("describe_file_systems", "FileSystems"),
    extras=(
        Read(
            "describe_lifecycle_configuration",
            "LifecyclePolicies",
            shows=("LifecyclePolicies",),
            into="LifecyclePolicies",
        ),
        Read(
            "describe_backup_policy", "BackupPolicy", shows=("BackupPolicy",), into="BackupPolicy", missing=_NO_POLICY
        ),
        Read(
            "describe_file_system_policy",
            "Policy",
            shows=("FileSystemPolicy",),
            into="FileSystemPolicy",
            missing=_NO_POLICY,
        ),
    ),
    create=Call("create_file_system"),
    repeatable="CreationToken",
    updates=(
        Update(Call("update_file_system", ("ProvisionedThroughputInMibps", "ThroughputMode"))),
        Update(Call("put_lifecycle_configuration", ("LifecyclePolicies",)), later=True),
        Update(Call("put_backup_policy", ("BackupPolicy",)), later=True),
        Update(
            Call("update_file_system_protection", ("FileSystemProtection",), spread=("FileSystemProtection",)),
            later=True,
        ),
        Update(
            Call(
                "put_file_system_policy",
                ("FileSystemPolicy", _BYPASS),
                {"FileSystemPolicy": "Policy"},
            ),
            clear=Call("delete_file_system_policy"),
            whole=True,
            later=True,
        ),
    ),
    delete=Call("delete_file_system"),
    listing=Listing("describe_file_systems", "FileSystems"),
    tagging=Tagging("tag_resource", "untag_resource", {"ResourceId": "{FileSystemId}"}, inline="Tags", create="Tags"),
    waiting=_WAITING,
    resets={
        "BackupPolicy": {"Status": "DISABLED"},
        "FileSystemProtection": {"ReplicationOverwriteProtection": "ENABLED"},
        "LifecyclePolicies": [],
        "ThroughputMode": "bursting",
    },
    unsupported=frozenset({"ReplicationConfiguration"}),
)


class FileSystem(Declared):
    """A file system. How much throughput is provisioned means nothing in another mode, and goes with it."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``. What a policy is checked for is said with one alone."""
        if after.get("FileSystemPolicy") is None:
            after = {name: value for name, value in after.items() if name != _BYPASS}
        super().change(scope, identifier, update, before, after)

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``."""
        if name == "ProvisionedThroughputInMibps" and after.get("ThroughputMode") != "provisioned":
            return None
        return super().adapt_reset(name, before, after)


_ACCESS_POINT = Declaration(
    type=TypeName("AWS::EFS::AccessPoint"),
    service="efs",
    renames={"Arn": "AccessPointArn"},
    arn="arn:{partition}:elasticfilesystem:{region}:{account}:access-point/{AccessPointId}",
    read=Read("describe_access_points", "AccessPoints"),
    create=Call("create_access_point"),
    repeatable="ClientToken",
    delete=Call("delete_access_point"),
    listing=Listing("describe_access_points", "AccessPoints", {"FileSystemId": "{FileSystemId}"}),
    tagging=Tagging("tag_resource", "untag_resource", {"ResourceId": "{AccessPointId}"}, inline="Tags", create="Tags"),
    waiting=_WAITING,
    unsupported=frozenset({"ClientToken"}),
)

#: What EFS does with the caller's permissions in the network of a mount target.
_INTERFACES = ("CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets")

_MOUNT_TARGET = Declaration(
    type=TypeName("AWS::EFS::MountTarget"),
    service="efs",
    renames={"Id": "MountTargetId"},
    read=Read("describe_mount_targets", "MountTargets"),
    extras=(
        Read(
            "describe_mount_target_security_groups",
            "SecurityGroups",
            shows=("SecurityGroups",),
            into="SecurityGroups",
        ),
    ),
    create=Call("create_mount_target"),
    looks_first=True,
    updates=(Update(Call("modify_mount_target_security_groups", ("SecurityGroups",))),),
    delete=Call("delete_mount_target"),
    # A file system has one mount target in a zone, so that no two of its mount targets share a subnet.
    listing=Listing("describe_mount_targets", "MountTargets", {"FileSystemId": "{FileSystemId}"}, match=("SubnetId",)),
    waiting=_WAITING,
    also=tuple(f"ec2:{name}" for name in _INTERFACES),
)


class MountTarget(Declared):
    """A mount target."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: which addresses it has says of which kind they are."""
        four, six = bool(item.answer.get("IpAddress")), bool(item.answer.get("Ipv6Address"))
        properties["IpAddressType"] = "DUAL_STACK" if four and six else "IPV6_ONLY" if six else "IPV4_ONLY"
        return properties


PROVIDERS: tuple[ResourceProvider, ...] = (
    FileSystem(_FILE_SYSTEM),
    Declared(_ACCESS_POINT),
    MountTarget(_MOUNT_TARGET),
)
