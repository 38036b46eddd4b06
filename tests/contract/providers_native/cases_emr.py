"""AWS::EMR.

moto has no policies that scale or end a cluster and no switch for its nodes: ``testing/taught`` adds them. It holds
neither fleets nor placement groups nor how a cluster scales down, and takes no policies or switches with RunJobFlow.
"""

from __future__ import annotations

import json
from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients

SECURITY_CONFIGURATION = Case(
    "AWS::EMR::SecurityConfiguration",
    {
        "Name": "contract-security",
        "SecurityConfiguration": json.dumps(
            {"EncryptionConfiguration": {"EnableInTransitEncryption": False, "EnableAtRestEncryption": False}}
        ),
    },
    deny=("elasticmapreduce", "DescribeSecurityConfiguration"),
)


def _policy(most: int, cluster: str = "${emr.clusterId}") -> dict[str, Any]:
    alarm = {
        "ComparisonOperator": "LESS_THAN",
        "EvaluationPeriods": 1,
        "MetricName": "YARNMemoryAvailablePercentage",
        "Namespace": "AWS/ElasticMapReduce",
        "Period": 300,
        "Statistic": "AVERAGE",
        "Threshold": 15.0,
        "Unit": "PERCENT",
        "Dimensions": [{"Key": "JobFlowId", "Value": cluster}],
    }
    action = {"AdjustmentType": "CHANGE_IN_CAPACITY", "ScalingAdjustment": 1, "CoolDown": 300}
    rule = {
        "Name": "out",
        "Description": "more memory",
        "Action": {"SimpleScalingPolicyConfiguration": action},
        "Trigger": {"CloudWatchAlarmDefinition": alarm},
    }
    return {"Constraints": {"MinCapacity": 1, "MaxCapacity": most}, "Rules": [rule]}


def _group(name: str, count: int, **more: Any) -> dict[str, Any]:
    return {"Name": name, "InstanceType": "m5.xlarge", "Market": "ON_DEMAND", "InstanceCount": count, **more}


def _instances(count: int, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "MasterInstanceGroup": _group("first", 1),
        "CoreInstanceGroup": _group("core", count),
        "TaskInstanceGroups": list(tasks),
        "Ec2KeyName": "contract",
        "KeepJobFlowAliveWhenNoSteps": True,
        "TerminationProtected": False,
        **more,
    }


_VOLUMES = {
    "EbsBlockDeviceConfigs": [
        {"VolumeSpecification": {"VolumeType": "gp3", "SizeInGB": 64, "Throughput": 125}, "VolumesPerInstance": 2}
    ]
}
CLUSTER = Case(
    "AWS::EMR::Cluster",
    {
        "Name": "contract-cluster",
        "Applications": [{"Name": "Spark"}, {"Name": "Hadoop"}],
        "AutoScalingRole": "EMR_AutoScaling_DefaultRole",
        "BootstrapActions": [
            {"Name": "first", "ScriptBootstrapAction": {"Path": "s3://scripts/first.sh", "Args": ["one", "two"]}}
        ],
        "CustomAmiId": "ami-12345678",
        "EbsRootVolumeSize": 20,
        "Instances": _instances(2, _group("some", 1), _group("more", 1, EbsConfiguration=_VOLUMES)),
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "LogUri": "s3n://contract-logs/emr/",
        "ReleaseLabel": "emr-7.1.0",
        "ServiceRole": "EMR_DefaultRole",
        "StepConcurrencyLevel": 2,
        "VisibleToAllUsers": False,
        "Tags": TAGS,
    },
    changes={
        "AutoTerminationPolicy": {"IdleTimeout": 3600},
        "Instances": _instances(
            3,
            _group("some", 2, AutoScalingPolicy=_policy(4)),
            _group("new", 1),
            TerminationProtected=False,
            UnhealthyNodeReplacement=True,
        ),
        "ManagedScalingPolicy": {
            "ComputeLimits": {"UnitType": "Instances", "MinimumCapacityUnits": 2, "MaximumCapacityUnits": 4}
        },
        "StepConcurrencyLevel": 3,
        "VisibleToAllUsers": True,
        "Tags": OTHER_TAGS,
    },
    resets={
        "AutoTerminationPolicy": ABSENT,
        "ManagedScalingPolicy": ABSENT,
        "StepConcurrencyLevel": 1,
        "VisibleToAllUsers": True,
        "Tags": ABSENT,
    },
    attributes=("MasterPublicDNS",),
    deny=("elasticmapreduce", "DescribeCluster"),
    searchable=False,
)


def _cluster(clients: Clients) -> None:
    made = clients("emr").run_job_flow(
        Name="groups",
        Instances={"MasterInstanceType": "m5.xlarge", "InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True},
    )
    TARGETS["@emr-cluster"] = made["JobFlowId"]


INSTANCE_GROUP = Case(
    "AWS::EMR::InstanceGroupConfig",
    {
        "JobFlowId": "@emr-cluster",
        "InstanceRole": "TASK",
        "Market": "SPOT",
        "BidPrice": "0.1",
        "EbsConfiguration": _VOLUMES,
        **{name: value for name, value in _group("contract", 2).items() if name != "Market"},
        "AutoScalingPolicy": _policy(3),
    },
    changes={"InstanceCount": 3, "AutoScalingPolicy": _policy(5, "@emr-cluster")},
    resets={"AutoScalingPolicy": ABSENT},
    attributes=("InstanceGroupId",),
    setup=_cluster,
    deny=("elasticmapreduce", "ListInstanceGroups"),
)

CASES = (SECURITY_CONFIGURATION, CLUSTER, INSTANCE_GROUP)
