"""Compute environments, job queues and job definitions."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.providers_native.cases import ABSENT, TRUST, Case, Clients
from tests.contract.providers_native.cases_elb import network
from tests.contract.providers_native.hands import ACCOUNT, REGION

_TAGS = {"team": "web", "env": ""}
_OTHER_TAGS = {"team": "data", "cost": "1"}


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _roles(clients: Clients, *names: str) -> None:
    for name in names:
        clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))


def _for_environment(clients: Clients) -> None:
    network(clients, "batch")
    _roles(clients, "contract-batch", "contract-other-batch")


# Left out, because moto doesn't keep them: changes of ComputeResources; Context, EcsSettings, EksConfiguration,
# UnmanagedvCpus. Left out, because AWS doesn't show them: ReplaceComputeEnvironment, UpdatePolicy. Tags can't be
# changed, as the schema has it.
ENVIRONMENT = Case(
    "AWS::Batch::ComputeEnvironment",
    {
        "ComputeEnvironmentName": "contract-environment",
        "Type": "MANAGED",
        "State": "ENABLED",
        "ServiceRole": _role("contract-batch"),
        "ComputeResources": {
            "Type": "FARGATE",
            "MaxvCpus": 4,
            "Subnets": ["@batch-subnet-a"],
            "SecurityGroupIds": ["@batch-group-one"],
        },
        "Tags": _TAGS,
    },
    changes={"State": "DISABLED", "ServiceRole": _role("contract-other-batch")},
    resets={"State": "ENABLED"},
    attributes=("ComputeEnvironmentArn",),
    setup=_for_environment,
    foreign=lambda clients: clients("batch").create_compute_environment(
        computeEnvironmentName="contract-foreign", type="UNMANAGED", serviceRole=_role("contract-batch")
    ),
    deny=("batch", "DescribeComputeEnvironments"),
    name="ComputeEnvironmentName",
    searchable=False,
)


def _environment_arn(name: str) -> str:
    return f"arn:aws:batch:{REGION}:{ACCOUNT}:compute-environment/{name}"


def _for_queue(clients: Clients) -> None:
    _roles(clients, "contract-queue-batch")
    for name in ("contract-first", "contract-second"):
        clients("batch").create_compute_environment(
            computeEnvironmentName=name, type="UNMANAGED", serviceRole=_role("contract-queue-batch")
        )


def _order(*names: str) -> list[dict[str, Any]]:
    return [{"Order": number, "ComputeEnvironment": _environment_arn(name)} for number, name in enumerate(names)]


# Left out, because moto doesn't keep them: JobQueueType, JobStateTimeLimitActions, ServiceEnvironmentOrder.
QUEUE = Case(
    "AWS::Batch::JobQueue",
    {
        "JobQueueName": "contract-queue",
        "Priority": 10,
        "State": "ENABLED",
        "SchedulingPolicyArn": f"arn:aws:batch:{REGION}:{ACCOUNT}:scheduling-policy/fair",
        "ComputeEnvironmentOrder": _order("contract-first", "contract-second"),
        "Tags": _TAGS,
    },
    changes={
        "Priority": 0,
        "State": "DISABLED",
        "SchedulingPolicyArn": f"arn:aws:batch:{REGION}:{ACCOUNT}:scheduling-policy/other",
        "ComputeEnvironmentOrder": _order("contract-second"),
        "Tags": _OTHER_TAGS,
    },
    resets={"State": "ENABLED", "Tags": ABSENT},
    attributes=("JobQueueArn",),
    setup=_for_queue,
    foreign=lambda clients: clients("batch").create_job_queue(
        jobQueueName="contract-foreign",
        priority=1,
        state="ENABLED",
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": _environment_arn("contract-first")}],
    ),
    deny=("batch", "DescribeJobQueues"),
    name="JobQueueName",
    searchable=False,
)


def _container(image: str, memory: str) -> dict[str, Any]:
    return {
        "Image": image,
        "Command": ["echo", "Ref::what"],
        "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": memory}],
        "Environment": [{"Name": "MODE", "Value": "test"}],
        "ExecutionRoleArn": _role("execution"),
        "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "jobs"}},
    }


# Left out, because moto doesn't keep them: ConsumableResourceProperties, EcsProperties, NodeProperties,
# SchedulingPriority; it doesn't change PlatformCapabilities and PropagateTags. EksProperties exclude the others.
DEFINITION = Case(
    "AWS::Batch::JobDefinition",
    {
        "JobDefinitionName": "contract-definition",
        "Type": "container",
        "ContainerProperties": _container("busybox:1", "2048"),
        "Parameters": {"what": "one"},
        "PlatformCapabilities": ["FARGATE"],
        "PropagateTags": True,
        "RetryStrategy": {"Attempts": 2},
        "Timeout": {"AttemptDurationSeconds": 60},
        "Tags": _TAGS,
    },
    changes={
        "ContainerProperties": _container("busybox:2", "4096"),
        "Parameters": {"what": "two"},
        "RetryStrategy": {"Attempts": 3},
        "Timeout": {"AttemptDurationSeconds": 90},
        "Tags": _OTHER_TAGS,
    },
    resets={"Timeout": ABSENT, "Tags": ABSENT},
    attributes=("JobDefinitionArn",),
    foreign=lambda clients: clients("batch").register_job_definition(
        jobDefinitionName="contract-foreign",
        type="container",
        containerProperties={"image": "busybox", "vcpus": 1, "memory": 128},
    ),
    deny=("batch", "DescribeJobDefinitions"),
    name="JobDefinitionName",
    searchable=False,
)

CASES = (ENVIRONMENT, QUEUE, DEFINITION)
