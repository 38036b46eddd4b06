"""File systems, their access points and mount targets."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.cases_elb import network

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "elasticfilesystem:ClientMount", "Resource": "*"}
    ],
}

# Left out, because moto doesn't have them: changes of the throughput, FileSystemProtection.
FILE_SYSTEM = Case(
    "AWS::EFS::FileSystem",
    {
        "Encrypted": True,
        "PerformanceMode": "generalPurpose",
        "ThroughputMode": "provisioned",
        "ProvisionedThroughputInMibps": 10,
        "LifecyclePolicies": [{"TransitionToIA": "AFTER_30_DAYS"}],
        "FileSystemPolicy": POLICY,
        "BypassPolicyLockoutSafetyCheck": True,
        "BackupPolicy": {"Status": "ENABLED"},
        "FileSystemTags": TAGS,
    },
    changes={
        "LifecyclePolicies": [{"TransitionToIA": "AFTER_7_DAYS"}],
        "FileSystemPolicy": {**POLICY, "Statement": [{**POLICY["Statement"][0], "Sid": "other"}]},
        "BypassPolicyLockoutSafetyCheck": False,
        "BackupPolicy": {"Status": "DISABLED"},
        "FileSystemTags": OTHER_TAGS,
    },
    resets={"FileSystemTags": ABSENT},
    attributes=("Arn", "FileSystemId"),
    deny=("elasticfilesystem", "DescribeFileSystems"),
)


def _for_points(clients: Clients) -> None:
    TARGETS["@efs-point"] = clients("efs").create_file_system(CreationToken="point")["FileSystemId"]


def _for_targets(clients: Clients) -> None:
    network(clients, "efs")
    TARGETS["@efs-target"] = clients("efs").create_file_system(CreationToken="target")["FileSystemId"]


ACCESS_POINT = Case(
    "AWS::EFS::AccessPoint",
    {
        "FileSystemId": "@efs-point",
        "PosixUser": {"Uid": "1000", "Gid": "1001", "SecondaryGids": ["1002"]},
        "RootDirectory": {
            "Path": "/data",
            "CreationInfo": {"OwnerUid": "1000", "OwnerGid": "1001", "Permissions": "0750"},
        },
        "AccessPointTags": TAGS,
    },
    changes={"AccessPointTags": OTHER_TAGS},
    resets={"AccessPointTags": ABSENT},
    attributes=("Arn", "AccessPointId"),
    setup=_for_points,
    deny=("elasticfilesystem", "DescribeAccessPoints"),
    twice=False,
)

MOUNT_TARGET = Case(
    "AWS::EFS::MountTarget",
    {"FileSystemId": "@efs-target", "SubnetId": "@efs-subnet-a", "SecurityGroups": ["@efs-group-one"]},
    changes={"SecurityGroups": ["@efs-group-two"]},
    attributes=("Id", "IpAddress"),
    setup=_for_targets,
    deny=("elasticfilesystem", "DescribeMountTargets"),
)

CASES = (FILE_SYSTEM, ACCESS_POINT, MOUNT_TARGET)
