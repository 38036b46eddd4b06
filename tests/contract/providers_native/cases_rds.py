"""AWS::RDS.

moto knows neither ResetDBParameterGroup nor RevokeDBSecurityGroupIngress, so that nothing is dropped from those here.
"""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import REGION

_SURROUNDINGS = "rds-surroundings"


def _subnets(clients: Clients) -> None:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate("abc"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        TARGETS[f"@rds-subnet-{zone}"] = subnet["Subnet"]["SubnetId"]
    for number in (1, 2):
        group = ec2.create_security_group(GroupName=f"rds-{number}", Description="databases", VpcId=vpc)
        TARGETS[f"@rds-group-{number}"] = group["GroupId"]


def _surroundings(clients: Clients) -> None:
    """What instances and clusters are put into; both may be asked for in one AWS."""
    rds = clients("rds")
    if any(group["DBSubnetGroupName"] == _SURROUNDINGS for group in rds.describe_db_subnet_groups()["DBSubnetGroups"]):
        return
    _subnets(clients)
    rds.create_db_subnet_group(
        DBSubnetGroupName=_SURROUNDINGS,
        DBSubnetGroupDescription="databases",
        SubnetIds=[TARGETS["@rds-subnet-a"], TARGETS["@rds-subnet-b"]],
    )
    for name in ("rds-one", "rds-two"):
        rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="mysql8.0", Description=name)
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-mysql8.0", Description=name
        )


def _foreign_instance(clients: Clients) -> Any:
    return clients("rds").create_db_instance(
        DBInstanceIdentifier="contract-foreign", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20
    )


PARAMETER_GROUP = Case(
    "AWS::RDS::DBParameterGroup",
    {
        "DBParameterGroupName": "Contract-Parameters",
        "Family": "mysql8.0",
        "Description": "contract",
        "Parameters": {"max_connections": 100, "sql_mode": "ANSI"},
        "Tags": TAGS,
    },
    changes={"Parameters": {"max_connections": "200", "sql_mode": "ANSI", "autocommit": 1}, "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    foreign=lambda clients: clients("rds").create_db_parameter_group(
        DBParameterGroupName="contract-foreign", DBParameterGroupFamily="mysql8.0", Description="foreign"
    ),
    deny=("rds", "DescribeDBParameterGroups"),
    name="DBParameterGroupName",
    searchable=False,
)
SUBNET_GROUP = Case(
    "AWS::RDS::DBSubnetGroup",
    {
        "DBSubnetGroupName": "Contract-Subnets",
        "DBSubnetGroupDescription": "contract",
        "SubnetIds": ["@rds-subnet-a", "@rds-subnet-b"],
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},  # moto forgets a group that is modified
    resets={"Tags": ABSENT},
    setup=_subnets,
    foreign=lambda clients: clients("rds").create_db_subnet_group(
        DBSubnetGroupName="contract-foreign",
        DBSubnetGroupDescription="foreign",
        SubnetIds=[TARGETS["@rds-subnet-a"], TARGETS["@rds-subnet-b"]],
    ),
    deny=("rds", "DescribeDBSubnetGroups"),
    name="DBSubnetGroupName",
    searchable=False,
)
SECURITY_GROUP = Case(
    "AWS::RDS::DBSecurityGroup",
    {"GroupDescription": "contract", "DBSecurityGroupIngress": [{"CIDRIP": "10.0.0.0/24"}], "Tags": TAGS},
    changes={
        "DBSecurityGroupIngress": [{"CIDRIP": "10.0.0.0/24"}, {"CIDRIP": "10.0.1.0/24"}],
        "Tags": OTHER_TAGS,
    },
    resets={"Tags": ABSENT},
    attributes=("Id",),
    deny=("rds", "DescribeDBSecurityGroups"),
    searchable=False,
)
INSTANCE = Case(
    "AWS::RDS::DBInstance",
    {
        "DBInstanceIdentifier": "Contract-DB",
        "DBInstanceClass": "db.m5.large",
        "Engine": "mysql",
        "EngineVersion": "8.0.28",
        "AllocatedStorage": "20",
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "DBName": "app",
        "MasterUsername": "admin",
        "MasterUserPassword": "correct-horse",
        "DBSubnetGroupName": _SURROUNDINGS,
        "DBParameterGroupName": "rds-one",
        "VPCSecurityGroups": ["@rds-group-1"],
        "BackupRetentionPeriod": 3,
        "PreferredBackupWindow": "04:00-04:30",
        "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        "Port": "3307",
        "MultiAZ": True,
        "CopyTagsToSnapshot": True,
        "AutoMinorVersionUpgrade": False,
        "EnableIAMDatabaseAuthentication": True,
        "EnableCloudwatchLogsExports": ["error", "slowquery"],
        "PubliclyAccessible": False,
        "Tags": TAGS,
    },
    changes={
        "DBInstanceClass": "db.m5.xlarge",
        "AllocatedStorage": "40",
        "DBParameterGroupName": "rds-two",
        "VPCSecurityGroups": ["@rds-group-1", "@rds-group-2"],
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "03:00-03:30",
        "PreferredMaintenanceWindow": "mon:05:00-mon:05:30",
        "MultiAZ": False,
        "CopyTagsToSnapshot": False,
        "AutoMinorVersionUpgrade": True,
        "EnableIAMDatabaseAuthentication": False,
        "EnableCloudwatchLogsExports": ["error", "general"],
        "MasterUserPassword": "battery-staple",
        "Tags": OTHER_TAGS,
    },
    resets={
        "BackupRetentionPeriod": 1,
        "MultiAZ": False,
        "CopyTagsToSnapshot": False,
        "AutoMinorVersionUpgrade": True,
        "EnableIAMDatabaseAuthentication": False,
        "EnableCloudwatchLogsExports": [],
        "Tags": ABSENT,
    },
    attributes=("DBInstanceArn", "Endpoint", "DbiResourceId"),
    setup=_surroundings,
    foreign=_foreign_instance,
    deny=("rds", "DescribeDBInstances"),
    many=lambda number: {
        "DBInstanceIdentifier": f"many-{number}",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "mysql",
        "AllocatedStorage": "20",
        "Tags": TAGS,
    },
    calls={"rds:DescribeDBInstances": 1},
    name="DBInstanceIdentifier",
    searchable=False,
)
CLUSTER = Case(
    "AWS::RDS::DBCluster",
    {
        "DBClusterIdentifier": "Contract-Cluster",
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.08.0",
        "DatabaseName": "app",
        "MasterUsername": "admin",
        "MasterUserPassword": "correct-horse",
        "DBSubnetGroupName": _SURROUNDINGS,
        "DBClusterParameterGroupName": "rds-one",
        "VpcSecurityGroupIds": ["@rds-group-1"],
        "BackupRetentionPeriod": 3,
        "PreferredBackupWindow": "04:00-04:30",
        "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        "Port": 3307,
        "CopyTagsToSnapshot": True,
        "StorageEncrypted": True,
        "EnableCloudwatchLogsExports": ["audit", "error"],
        "EnableIAMDatabaseAuthentication": True,
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4},
        "Tags": TAGS,
    },
    changes={
        "VpcSecurityGroupIds": ["@rds-group-2"],
        "BackupRetentionPeriod": 7,
        "Port": 3308,
        # moto doesn't heed CloudwatchLogsExportConfiguration for clusters
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 1, "MaxCapacity": 8},
        "MasterUserPassword": "battery-staple",
        "Tags": OTHER_TAGS,
    },
    resets={"BackupRetentionPeriod": 1, "CopyTagsToSnapshot": False, "Tags": ABSENT},
    attributes=("DBClusterArn", "Endpoint", "ReadEndpoint", "DBClusterResourceId"),
    setup=_surroundings,
    foreign=lambda clients: clients("rds").create_db_cluster(
        DBClusterIdentifier="contract-foreign",
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="p" * 9,
    ),
    deny=("rds", "DescribeDBClusters"),
    name="DBClusterIdentifier",
    searchable=False,
)

CASES = (PARAMETER_GROUP, SUBNET_GROUP, SECURITY_GROUP, INSTANCE, CLUSTER)
