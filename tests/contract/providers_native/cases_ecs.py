"""Clusters and task definitions."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case, Clients
from tests.contract.providers_native.cases_elb import network
from tests.contract.providers_native.hands import ACCOUNT, REGION

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
                "LogConfiguration": {
                    "LogDriver": "awslogs",
                    "Options": {"awslogs-group": "web", "awslogs-region": "eu-central-1"},
                },
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


def _surroundings(clients: Clients) -> None:
    network(clients, "service")
    ecs = clients("ecs")
    ecs.create_cluster(clusterName="contract-services")
    for image in ("nginx:1.26", "nginx:1.27"):
        container = {"name": "web", "image": image, "memory": 128}
        ecs.register_task_definition(family="contract-served", containerDefinitions=[container])


# Left out of what is created, because moto only keeps it when it is changed: DeploymentConfiguration,
# EnableExecuteCommand, HealthCheckGracePeriodSeconds. Left out, because it doesn't keep them at all:
# AvailabilityZoneRebalancing, CapacityProviderStrategy, EnableECSManagedTags, PlacementConstraints,
# PlacementStrategies, VpcLatticeConfigurations. Left out, because AWS doesn't show them: ForceNewDeployment,
# GatewayConnectors, Monitoring, ServiceConnectConfiguration, VolumeConfigurations.
SERVICE = Case(
    "AWS::ECS::Service",
    {
        "ServiceName": "contract-service",
        "Cluster": "contract-services",
        "TaskDefinition": "contract-served:1",
        "DesiredCount": 2,
        "LaunchType": "FARGATE",
        "PlatformVersion": "1.4.0",
        "SchedulingStrategy": "REPLICA",
        "DeploymentController": {"Type": "ECS"},
        "PropagateTags": "SERVICE",
        "LoadBalancers": [
            {
                "TargetGroupArn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0123456789abcdef",
                "ContainerName": "web",
                "ContainerPort": 80,
            }
        ],
        "ServiceRegistries": [{"RegistryArn": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-1"}],
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {
                "Subnets": ["@service-subnet-a"],
                "SecurityGroups": ["@service-group-one"],
                "AssignPublicIp": "DISABLED",
            }
        },
        "Tags": TAGS,
    },
    changes={
        "TaskDefinition": "contract-served:2",
        "DesiredCount": 0,
        "PlatformVersion": "LATEST",
        "PropagateTags": "TASK_DEFINITION",
        "LoadBalancers": [],
        "DeploymentConfiguration": {
            "MaximumPercent": 150,
            "MinimumHealthyPercent": 50,
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        },
        "EnableExecuteCommand": True,
        "HealthCheckGracePeriodSeconds": 30,
        "Tags": OTHER_TAGS,
    },
    resets={
        "DeploymentConfiguration": {"MaximumPercent": 200, "MinimumHealthyPercent": 100},
        "EnableExecuteCommand": False,
        "HealthCheckGracePeriodSeconds": 0,
        "PlatformVersion": "LATEST",
        "PropagateTags": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("ServiceArn", "Name"),
    setup=_surroundings,
    foreign=lambda clients: clients("ecs").create_service(cluster="contract-services", serviceName="contract-foreign"),
    deny=("ecs", "DescribeServices"),
    name="ServiceName",
)

CASES = (CLUSTER, TASK_DEFINITION, SERVICE)
