"""The types of Auto Scaling."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tests.contract.providers_native.cases import ABSENT, TARGETS, Case, Clients
from tests.contract.providers_native.cases_ec2_networks import vpc_of
from tests.contract.providers_native.hands import ACCOUNT, REGION

LAUNCH_CONFIGURATION = Case(
    "AWS::AutoScaling::LaunchConfiguration",
    # moto shows no PlacementTenancy
    {
        "LaunchConfigurationName": "contract",
        "ImageId": "ami-12345678",
        "InstanceType": "t3.micro",
        "KeyName": "somebody",
        "SecurityGroups": ["sg-12345678"],
        "SpotPrice": "0.05",
        "EbsOptimized": True,
        "IamInstanceProfile": "contract",
        "InstanceMonitoring": False,
        "AssociatePublicIpAddress": True,
        "UserData": base64.b64encode(b"#!/bin/sh\necho hello\n").decode(),
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "DeleteOnTermination": True}},
        ],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
    },
    deny=("autoscaling", "DescribeLaunchConfigurations"),
    twice=False,  # moto takes a name a second time
)


def _grouped(clients: Clients) -> None:
    vpc_of("scaled", "10.93")(clients)
    data = {"ImageId": "ami-12345678", "InstanceType": "t3.small"}
    for name in ("contract-scaled", "contract-scaled-two"):
        made = clients("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        TARGETS[f"@{name}"] = made["LaunchTemplate"]["LaunchTemplateId"]
    for number in (1, 2):
        made = clients("elbv2").create_target_group(
            Name=f"scaled-{number}", Protocol="HTTP", Port=80, VpcId=TARGETS["@scaled"]
        )
        TARGETS[f"@scaled-{number}"] = made["TargetGroups"][0]["TargetGroupArn"]


_HOOK = {
    "LifecycleHookName": "drain",
    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    "HeartbeatTimeout": 300,
    "DefaultResult": "CONTINUE",
}


def _told(topic: str, *events: str) -> dict[str, object]:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    return {"TopicARN": arn, "NotificationTypes": [f"autoscaling:{event}" for event in events]}


GROUP = Case(
    "AWS::AutoScaling::AutoScalingGroup",
    {
        "AutoScalingGroupName": "contract-scaled",
        "MinSize": "0",
        "MaxSize": "2",
        "DesiredCapacity": "1",
        "Cooldown": "60",
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": 120,
        "LaunchTemplate": {"LaunchTemplateId": "@contract-scaled", "Version": "1"},
        "VPCZoneIdentifier": ["@scaled-a", "@scaled-b"],
        "TargetGroupARNs": ["@scaled-1"],
        "TerminationPolicies": ["OldestInstance", "NewestInstance"],
        "NewInstancesProtectedFromScaleIn": False,
        "CapacityRebalance": True,
        "MetricsCollection": [{"Granularity": "1Minute", "Metrics": ["GroupMinSize", "GroupMaxSize"]}],
        "NotificationConfigurations": [
            _told("two", "EC2_INSTANCE_TERMINATE", "EC2_INSTANCE_LAUNCH"),
            _told("one", "EC2_INSTANCE_LAUNCH_ERROR"),
        ],
        "Tags": [
            {"Key": "team", "Value": "web", "PropagateAtLaunch": True},
            {"Key": "env", "Value": "test", "PropagateAtLaunch": False},
        ],
    },
    # moto has no notifications (``testing/taught`` adds them). It doesn't change Cooldown, CapacityRebalance and
    # TerminationPolicies, nor disable metrics; it has no hooks at creation, and no AvailabilityZoneDistribution,
    # DefaultInstanceWarmup, DeletionProtection, MaxInstanceLifetime, …
    changes={
        "MinSize": "1",
        "MaxSize": "3",
        "DesiredCapacity": "2",
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 60,
        "LaunchTemplate": {"LaunchTemplateName": "contract-scaled-two", "Version": "$Latest"},
        "VPCZoneIdentifier": ["@scaled-b"],
        "TargetGroupARNs": ["@scaled-2"],
        "LifecycleHookSpecificationList": [_HOOK],
        "NotificationConfigurations": [_told("two", "EC2_INSTANCE_LAUNCH"), _told("three", "TEST_NOTIFICATION")],
        "Tags": [
            {"Key": "team", "Value": "data", "PropagateAtLaunch": True},
            {"Key": "cost", "Value": "1", "PropagateAtLaunch": True},
        ],
    },
    resets={
        "NotificationConfigurations": ABSENT,
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 0,
        "TargetGroupARNs": [],
        "LifecycleHookSpecificationList": ABSENT,
        "Tags": [],
    },
    attributes=("AutoScalingGroupARN",),
    setup=_grouped,
    deny=("autoscaling", "DescribeAutoScalingGroups"),
    says_whose=False,
    twice=False,  # moto takes a name a second time
)


def _group_of(name: str) -> Callable[[Clients], None]:
    """A group without instances."""

    def setup(clients: Clients) -> None:
        scaling = clients("autoscaling")
        scaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId="ami-12345678", InstanceType="t3.micro"
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName=name,
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=[f"{REGION}a"],
        )

    return setup


SCHEDULED_ACTION = Case(
    "AWS::AutoScaling::ScheduledAction",
    {
        "AutoScalingGroupName": "scheduled",
        "MinSize": 1,
        "MaxSize": 4,
        "DesiredCapacity": 2,
        "Recurrence": "0 8 * * MON-FRI",
        "StartTime": "2031-01-01T00:00:00Z",
        "EndTime": "2032-01-01T00:00:00Z",
        "TimeZone": "Europe/Berlin",
    },
    changes={
        "MinSize": 2,
        "MaxSize": 6,
        "DesiredCapacity": 3,
        "Recurrence": "0 9 * * MON-FRI",
        "StartTime": "2031-02-01T00:00:00Z",
        "EndTime": "2032-02-01T00:00:00Z",
        "TimeZone": "Europe/London",
    },
    resets={"MinSize": ABSENT, "EndTime": ABSENT},
    attributes=("ScheduledActionName",),
    setup=_group_of("scheduled"),
    deny=("autoscaling", "DescribeScheduledActions"),
    findable=False,  # AWS gives it no name of the plan's and no tags
)

_STEPS = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2},
]

STEPS = Case(
    "AWS::AutoScaling::ScalingPolicy",
    {
        "AutoScalingGroupName": "stepped",
        "PolicyType": "StepScaling",
        "AdjustmentType": "PercentChangeInCapacity",
        "EstimatedInstanceWarmup": 60,
        "MetricAggregationType": "Maximum",
        "MinAdjustmentMagnitude": 2,
        "StepAdjustments": _STEPS,
    },
    changes={
        "AdjustmentType": "ChangeInCapacity",
        "EstimatedInstanceWarmup": 90,
        "MetricAggregationType": "Minimum",
        "StepAdjustments": _STEPS[:1],
    },
    resets={"MetricAggregationType": "Average"},
    attributes=("Arn", "PolicyName"),
    setup=_group_of("stepped"),
    deny=("autoscaling", "DescribePolicies"),
    findable=False,
    label="AutoScaling-ScalingPolicy-of-steps",
)


def _tracking(value: int) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
    return {"PredefinedMetricSpecification": metric, "TargetValue": value, "DisableScaleIn": True}


TRACKING = Case(
    "AWS::AutoScaling::ScalingPolicy",
    {
        "AutoScalingGroupName": "tracked",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingConfiguration": _tracking(50),
    },
    changes={"TargetTrackingConfiguration": _tracking(70)},
    attributes=("Arn", "PolicyName"),
    setup=_group_of("tracked"),
    deny=("autoscaling", "DescribePolicies"),
    findable=False,
    label="AutoScaling-ScalingPolicy-tracking",
)

SIMPLE = Case(
    "AWS::AutoScaling::ScalingPolicy",
    {
        "AutoScalingGroupName": "simple",
        "PolicyType": "SimpleScaling",
        "AdjustmentType": "ExactCapacity",
        "ScalingAdjustment": 3,
        "Cooldown": "120",
    },
    changes={"ScalingAdjustment": 4, "Cooldown": "60"},
    attributes=("Arn", "PolicyName"),
    setup=_group_of("simple"),
    deny=("autoscaling", "DescribePolicies"),
    findable=False,
    label="AutoScaling-ScalingPolicy-simple",
)

CASES = (LAUNCH_CONFIGURATION, GROUP, SCHEDULED_ACTION, STEPS, TRACKING, SIMPLE)
