"""AWS::Redshift.

moto has no call that changes a parameter group (``testing/taught`` adds it), a subnet group, or a
cluster's roles, and doesn't keep a cluster's
elastic address, retention of manual snapshots, or relocation.
"""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import REGION


def _subnets(clients: Clients) -> None:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.78.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate("ab"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.78.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        TARGETS[f"@redshift-subnet-{zone}"] = subnet["Subnet"]["SubnetId"]


def _surroundings(clients: Clients) -> None:
    ec2, redshift = clients("ec2"), clients("redshift")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/16")["Vpc"]["VpcId"]
    for number in (1, 2):
        group = ec2.create_security_group(GroupName=f"redshift-{number}", Description="clusters", VpcId=vpc)
        TARGETS[f"@redshift-group-{number}"] = group["GroupId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.79.0.0/24")["Subnet"]["SubnetId"]
    redshift.create_cluster_subnet_group(
        ClusterSubnetGroupName="redshift-surroundings", Description="clusters", SubnetIds=[subnet]
    )
    for name in ("redshift-one", "redshift-two"):
        redshift.create_cluster_parameter_group(
            ParameterGroupName=name, ParameterGroupFamily="redshift-1.0", Description=name
        )


CLUSTER = Case(
    "AWS::Redshift::Cluster",
    {
        "ClusterIdentifier": "Contract-Cluster",
        "ClusterType": "multi-node",
        "NodeType": "ra3.xlplus",
        "NumberOfNodes": 2,
        "DBName": "app",
        "MasterUsername": "admin",
        "MasterUserPassword": "Correct-horse1",
        "ClusterSubnetGroupName": "redshift-surroundings",
        "ClusterParameterGroupName": "redshift-one",
        "VpcSecurityGroupIds": ["@redshift-group-1"],
        "IamRoles": ["arn:aws:iam::111122223333:role/loader"],
        "AutomatedSnapshotRetentionPeriod": 3,
        "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        "Port": 5440,
        "AllowVersionUpgrade": False,
        "PubliclyAccessible": False,
        "Encrypted": True,
        "Tags": [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "test"}],
    },
    changes={
        "NumberOfNodes": 4,
        "NodeType": "ra3.4xlarge",
        "AutomatedSnapshotRetentionPeriod": 7,
        "PreferredMaintenanceWindow": "mon:05:00-mon:05:30",
        "AllowVersionUpgrade": True,
        "MasterUserPassword": "Battery-staple1",
        "Tags": OTHER_TAGS,
    },
    resets={"AutomatedSnapshotRetentionPeriod": 1, "AllowVersionUpgrade": True, "Tags": ABSENT},
    attributes=("Endpoint",),
    setup=_surroundings,
    foreign=lambda clients: clients("redshift").create_cluster(
        ClusterIdentifier="contract-foreign", NodeType="ra3.xlplus", MasterUsername="admin", MasterUserPassword="A1" * 5
    ),
    deny=("redshift", "DescribeClusters"),
    name="ClusterIdentifier",
    searchable=False,
)
PARAMETER_GROUP = Case(
    "AWS::Redshift::ClusterParameterGroup",
    {
        "ParameterGroupName": "Contract-Parameters",
        "ParameterGroupFamily": "redshift-1.0",
        "Description": "contract",
        "Parameters": [
            {"ParameterName": "enable_user_activity_logging", "ParameterValue": "true"},
            {"ParameterName": "search_path", "ParameterValue": "app & <public>"},
        ],
        "Tags": TAGS,
    },
    changes={
        "Parameters": [{"ParameterName": "enable_user_activity_logging", "ParameterValue": "false"}],
        "Tags": OTHER_TAGS,
    },
    resets={"Parameters": ABSENT, "Tags": ABSENT},
    foreign=lambda clients: clients("redshift").create_cluster_parameter_group(
        ParameterGroupName="contract-foreign", ParameterGroupFamily="redshift-1.0", Description="foreign"
    ),
    deny=("redshift", "DescribeClusterParameterGroups"),
    name="ParameterGroupName",
    searchable=False,
)
SUBNET_GROUP = Case(
    "AWS::Redshift::ClusterSubnetGroup",
    {"Description": "contract", "SubnetIds": ["@redshift-subnet-a", "@redshift-subnet-b"], "Tags": TAGS},
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("ClusterSubnetGroupName",),
    setup=_subnets,
    deny=("redshift", "DescribeClusterSubnetGroups"),
    searchable=False,
)

CASES = (CLUSTER, PARAMETER_GROUP, SUBNET_GROUP)
