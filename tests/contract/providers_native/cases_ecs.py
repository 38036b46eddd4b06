"""Clusters and task definitions."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case
from tests.contract.providers_native.hands import ACCOUNT

CLUSTER = Case(
    "AWS::ECS::Cluster",
    {
        "ClusterName": "contract-cluster",
        "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "DefaultCapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Base": 1, "Weight": 2}],
        "ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}],
        "Configuration": {"ExecuteCommandConfiguration": {"Logging": "DEFAULT"}},
        "Tags": TAGS,
    },
    changes={
        "CapacityProviders": ["FARGATE"],
        "DefaultCapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}],
        "ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}],
        "Configuration": {"ExecuteCommandConfiguration": {"Logging": "NONE"}},
        "Tags": OTHER_TAGS,
    },
    resets={"ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}], "Tags": ABSENT},
    attributes=("Arn",),
    foreign=lambda clients: clients("ecs").create_cluster(clusterName="contract-foreign"),
    deny=("ecs", "DescribeClusters"),
    name="ClusterName",
)

# Left out, because moto doesn't keep them: EnableFaultInjection, EphemeralStorage, InferenceAccelerators.
TASK_DEFINITION = Case(
    "AWS::ECS::TaskDefinition",
    {
        "Family": "contract-family",
        "Cpu": "256",
        "Memory": "512",
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
        "TaskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task",
        "ContainerDefinitions": [
            {
                "Name": "web",
                "Image": "nginx:1.27",
                "Cpu": 128,
                "Essential": True,
                "Command": ["nginx", "-g", "daemon off;"],
                "Environment": [{"Name": "MODE", "Value": "test"}],
                "PortMappings": [{"ContainerPort": 80, "Protocol": "tcp"}],
                "DockerLabels": {"Team": "web"},
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "web"}},
                "MountPoints": [{"SourceVolume": "data", "ContainerPath": "/data", "ReadOnly": True}],
            }
        ],
        "Volumes": [{"Name": "data", "EFSVolumeConfiguration": {"FilesystemId": "fs-1", "RootDirectory": "/"}}],
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("TaskDefinitionArn",),
    deny=("ecs", "DescribeTaskDefinition"),
    searchable=False,  # the family tells which ones there are
)

CASES = (CLUSTER, TASK_DEFINITION)
