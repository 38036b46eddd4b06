"""A plan of instances, alone and in a group that scales: applied, left alone, and withdrawn."""

from __future__ import annotations

from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text


def _resources() -> dict[str, Any]:
    group = {"Ref": "Group"}
    version = {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
    template = {"LaunchTemplateId": {"Ref": "Template"}, "Version": version}
    return {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"ImageId": "ami-12345678", "InstanceType": "t3.small"}},
        },
        "Alone": {
            "Type": "AWS::EC2::Instance",
            "Properties": {
                "LaunchTemplate": template,
                "InstanceType": "t3.micro",
                "UserData": {"Fn::Base64": "#!/bin/sh\necho hello\n"},
            },
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "MinSize": "0",
                "MaxSize": "2",
                "LaunchTemplate": template,
                "AvailabilityZones": {"Fn::GetAZs": ""},
                "MetricsCollection": [{"Granularity": "1Minute", "Metrics": ["GroupMinSize"]}],
                "Tags": [{"Key": "team", "Value": "web", "PropagateAtLaunch": True}],
            },
        },
        "Morning": {
            "Type": "AWS::AutoScaling::ScheduledAction",
            "Properties": {"AutoScalingGroupName": group, "MinSize": 1, "Recurrence": "0 8 * * *"},
        },
        "Load": {
            "Type": "AWS::AutoScaling::ScalingPolicy",
            "Properties": {
                "AutoScalingGroupName": group,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
                    "TargetValue": 50,
                },
            },
        },
    }


def _everything(lab: Lab) -> dict[str, int]:
    """How many there are of each of the plan's types."""
    with lab.aws.uncounted():
        ec2, scaling = (lab.aws.client(name, account=SANDBOX) for name in ("ec2", "autoscaling"))
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        return {
            "templates": len(ec2.describe_launch_templates()["LaunchTemplates"]),
            "instances": len(ec2.describe_instances(Filters=running)["Reservations"]),
            "groups": len(scaling.describe_auto_scaling_groups()["AutoScalingGroups"]),
            "actions": len(scaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"]),
            "policies": len(scaling.describe_policies()["ScalingPolicies"]),
        }


def test_instances_and_what_scales_them(lab: Lab) -> None:
    lab.write(plan_text("compute", _resources()))
    report = lab.run("compute")
    assert report.state is PlanState.IN_SYNC, report
    assert _everything(lab) == dict.fromkeys(_everything(lab), 1)

    lab.aws.reset_calls()
    again = lab.run("compute")
    assert (again.state, again.changes, lab.aws.mutations()) == (PlanState.IN_SYNC, (), {})

    lab.write(plan_text("compute", _resources(), state="absent"))
    withdrawn = lab.run("compute")
    assert _everything(lab) == dict.fromkeys(_everything(lab), 0), withdrawn
