"""What instances and clusters of RDS are declared as: their calls, which properties a change takes, how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import TypeName
from reconciler.providers.declared import Call, Declaration, Many, Read, Update, Waiting
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.rds_groups import tagging

_ARN = "arn:{partition}:rds:{region}:{account}:"
LOGS, ROLES, SECRET_KEY = "EnableCloudwatchLogsExports", "AssociatedRoles", "MasterUserSecret"

_PENDING = frozenset(
    {
        "backing-up",
        "configuring-activity-stream",
        "configuring-associated-roles",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "converting-to-vpc",
        "creating",
        "maintenance",
        "migrating",
        "modifying",
        "moving-to-vpc",
        "preparing-data-migration",
        "promoting",
        "rebooting",
        "renaming",
        "resetting-master-credentials",
        "starting",
        "update-iam-db-auth",
        "upgrading",
    }
)
_FAILED = frozenset(
    {
        "cloning-failed",
        "failed",
        "inaccessible-encryption-credentials",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "migration-failed",
        "restore-error",
    }
)

_INSTANCE_CHANGES = (
    "AdditionalStorageVolumes",
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBParameterGroupName",
    "DBSecurityGroups",
    "DatabaseInsightsMode",
    "DedicatedLogVolume",
    "DeletionProtection",
    "Domain",
    "DomainAuthSecretArn",
    "DomainDnsIps",
    "DomainFqdn",
    "DomainIAMRoleName",
    "DomainOu",
    LOGS,
    "EnableIAMDatabaseAuthentication",
    "EnablePerformanceInsights",
    "Engine",
    "EngineLifecycleSupport",
    "EngineVersion",
    "Iops",
    "LicenseModel",
    "ManageMasterUserPassword",
    "MasterUserAuthenticationType",
    "MasterUserPassword",
    SECRET_KEY,
    "MaxAllocatedStorage",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "MultiAZ",
    "NetworkType",
    "OptionGroupName",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "Port",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "ProcessorFeatures",
    "PromotionTier",
    "PubliclyAccessible",
    "ReplicaMode",
    "StorageThroughput",
    "StorageType",
    "TdeCredentialArn",
    "TdeCredentialPassword",
    "UseDefaultProcessorFeatures",
    "VPCSecurityGroups",
)
#: How a change is to be made, by the plan's word.
MANNER = ("AllowMajorVersionUpgrade", "ApplyImmediately", "CertificateRotationRestart")
_CLUSTER_CHANGES = (
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "BacktrackWindow",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBClusterInstanceClass",
    "DBClusterParameterGroupName",
    "DBInstanceParameterGroupName",
    "DatabaseInsightsMode",
    "DeletionProtection",
    "Domain",
    "DomainIAMRoleName",
    LOGS,
    "EnableGlobalWriteForwarding",
    "EnableHttpEndpoint",
    "EnableIAMDatabaseAuthentication",
    "EnableLocalWriteForwarding",
    "EngineLifecycleSupport",
    "EngineVersion",
    "Iops",
    "ManageMasterUserPassword",
    "MasterUserAuthenticationType",
    "MasterUserPassword",
    SECRET_KEY,
    "MonitoringInterval",
    "MonitoringRoleArn",
    "NetworkType",
    "PerformanceInsightsEnabled",
    "PerformanceInsightsKmsKeyId",
    "PerformanceInsightsRetentionPeriod",
    "Port",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "ScalingConfiguration",
    "ServerlessV2ScalingConfiguration",
    "StorageType",
    "VpcSecurityGroupIds",
)
_RESETS: Mapping[str, Any] = {
    "AllowMajorVersionUpgrade": False,
    "ApplyImmediately": True,
    ROLES: [],
    "AutoMinorVersionUpgrade": True,
    "BackupRetentionPeriod": 1,
    "CopyTagsToSnapshot": False,
    "DeletionProtection": False,
    LOGS: [],
    "EnableHttpEndpoint": False,
    "EnableIAMDatabaseAuthentication": False,
    "EnablePerformanceInsights": False,
    "PerformanceInsightsEnabled": False,
    "MonitoringInterval": 0,
    "MultiAZ": False,
}
_ALSO = ("iam:PassRole",)

INSTANCE = Declaration(
    type=TypeName("AWS::RDS::DBInstance"),
    service="rds",
    naming=NameRule("DBInstanceIdentifier", 63, lower=True),
    arn=f"{_ARN}db:{{DBInstanceIdentifier}}",
    read=Read(
        "describe_db_instances",
        "DBInstances",
        {
            LOGS: "EnabledCloudwatchLogsExports",
            "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
            "EnablePerformanceInsights": "PerformanceInsightsEnabled",
            "SourceDBClusterIdentifier": "ReadReplicaSourceDBClusterIdentifier",
        },
        many=Many("Filters", "DBInstanceIdentifier", 100, "db-instance-id"),
    ),
    create=Call("create_db_instance", renames={"VPCSecurityGroups": "VpcSecurityGroupIds"}),
    made="DBInstance",
    updates=(
        Update(
            Call(
                "modify_db_instance",
                (*_INSTANCE_CHANGES, *MANNER),
                {"Port": "DBPortNumber", "VPCSecurityGroups": "VpcSecurityGroupIds"},
            ),
            along=MANNER,
        ),
        Update(Call("add_role_to_db_instance"), of=(ROLES,), later=True),
    ),
    delete=Call("delete_db_instance", constants={"SkipFinalSnapshot": True}),
    tagging=tagging("db", inline="TagList"),
    waiting=Waiting("DBInstanceStatus", _PENDING, _FAILED, seconds=30.0),
    resets=_RESETS,
    also=(
        *_ALSO,
        "rds:CreateDBInstanceReadReplica",
        "rds:RemoveRoleFromDBInstance",
        "rds:RestoreDBInstanceFromDBSnapshot",
    ),
)
CLUSTER = Declaration(
    type=TypeName("AWS::RDS::DBCluster"),
    service="rds",
    naming=NameRule("DBClusterIdentifier", 63, lower=True),
    arn=f"{_ARN}cluster:{{DBClusterIdentifier}}",
    read=Read(
        "describe_db_clusters",
        "DBClusters",
        {
            LOGS: "EnabledCloudwatchLogsExports",
            "EnableGlobalWriteForwarding": "GlobalWriteForwardingRequested",
            "EnableHttpEndpoint": "HttpEndpointEnabled",
            "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
            "ScalingConfiguration": "ScalingConfigurationInfo",
            "DBClusterParameterGroupName": "DBClusterParameterGroup",
            "DBSubnetGroupName": "DBSubnetGroup",
        },
        many=Many("Filters", "DBClusterIdentifier", 100, "db-cluster-id"),
    ),
    create=Call("create_db_cluster", renames={"PerformanceInsightsEnabled": "EnablePerformanceInsights"}),
    made="DBCluster",
    updates=(
        Update(
            Call(
                "modify_db_cluster",
                _CLUSTER_CHANGES,
                {"PerformanceInsightsEnabled": "EnablePerformanceInsights"},
                {"ApplyImmediately": True},
            )
        ),
        Update(Call("add_role_to_db_cluster"), of=(ROLES,), later=True),
    ),
    delete=Call("delete_db_cluster", constants={"SkipFinalSnapshot": True}),
    looks_first=True,  # an emulator overwrites what is there
    tagging=tagging("cluster", inline="TagList"),
    waiting=Waiting("Status", _PENDING, _FAILED, seconds=30.0),
    resets=_RESETS,
    also=(
        *_ALSO,
        "rds:RemoveRoleFromDBCluster",
        "rds:RestoreDBClusterFromSnapshot",
        "rds:RestoreDBClusterToPointInTime",
    ),
)
