"""Plans of several services each: made, found as they are, withdrawn with nothing left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import moto.settings
import pytest

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import REGION, plan_text

Clients = Callable[[str], Any]


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def _of(type_name: str, **properties: object) -> dict[str, object]:
    return {"Type": f"AWS::{type_name}", "Properties": properties}


CONTAINERS = {
    "Vpc": _of("EC2::VPC", CidrBlock="10.0.0.0/16"),
    "SubnetA": _of("EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.0.0/24", AvailabilityZone=f"{REGION}a"),
    "SubnetB": _of("EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}b"),
    "Group": _of("EC2::SecurityGroup", VpcId=_ref("Vpc"), GroupDescription="containers"),
    "Files": _of("EFS::FileSystem", Encrypted=True, LifecyclePolicies=[{"TransitionToIA": "AFTER_30_DAYS"}]),
    "Point": _of("EFS::AccessPoint", FileSystemId=_ref("Files"), PosixUser={"Uid": "1000", "Gid": "1000"}),
    "Mount": _of(
        "EFS::MountTarget", FileSystemId=_ref("Files"), SubnetId=_ref("SubnetA"), SecurityGroups=[_ref("Group")]
    ),
    "Cluster": _of("ECS::Cluster", ClusterSettings=[{"Name": "containerInsights", "Value": "enabled"}]),
    "Task": _of(
        "ECS::TaskDefinition",
        Family="containers",
        Cpu="256",
        Memory="512",
        NetworkMode="awsvpc",
        RequiresCompatibilities=["FARGATE"],
        ContainerDefinitions=[
            {"Name": "web", "Image": "nginx:1.27", "PortMappings": [{"ContainerPort": 80}], "Essential": True}
        ],
        Volumes=[{"Name": "data", "EFSVolumeConfiguration": {"FilesystemId": _ref("Files")}}],
    ),
    "Balancer": _of(
        "ElasticLoadBalancingV2::LoadBalancer",
        Scheme="internal",
        Subnets=[_ref("SubnetA"), _ref("SubnetB")],
        SecurityGroups=[_ref("Group")],
        LoadBalancerAttributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "30"}],
    ),
    "Targets": _of(
        "ElasticLoadBalancingV2::TargetGroup",
        VpcId=_ref("Vpc"),
        Port=80,
        Protocol="HTTP",
        TargetType="ip",
        HealthCheckPath="/health",
    ),
    "Listener": _of(
        "ElasticLoadBalancingV2::Listener",
        LoadBalancerArn=_ref("Balancer"),
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": _ref("Targets")}],
    ),
    "Rule": _of(
        "ElasticLoadBalancingV2::ListenerRule",
        ListenerArn=_ref("Listener"),
        Priority=10,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/no/*"]}}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    ),
}


def _containers(clients: Clients) -> Mapping[str, list[Any]]:
    balancers = clients("elbv2")
    tasks = clients("ecs")
    arns = tasks.list_clusters()["clusterArns"]  # those that are gone, too
    return {
        "networks": [one for one in clients("ec2").describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "groups": [
            one
            for one in clients("ec2").describe_security_groups()["SecurityGroups"]
            if "default" not in one["GroupName"]
        ],
        "file systems": clients("efs").describe_file_systems()["FileSystems"],
        "clusters": [one for one in tasks.describe_clusters(clusters=arns)["clusters"] if one["status"] == "ACTIVE"],
        "tasks": tasks.list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
        "balancers": balancers.describe_load_balancers()["LoadBalancers"],
        "targets": balancers.describe_target_groups()["TargetGroups"],
    }


def _statement(service: str, action: str, resource: Any) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


WATCHING = {
    "Trails": _of("S3::Bucket", BucketName="watching-trails"),
    "Doors": _of(
        "S3::BucketPolicy",
        Bucket=_ref("Trails"),
        PolicyDocument=_policy(_statement("cloudtrail", "s3:*", "arn:aws:s3:::watching-trails/*")),
    ),
    "Trail": {
        **_of("CloudTrail::Trail", S3BucketName=_ref("Trails"), IsLogging=True, IsMultiRegionTrail=True),
        "DependsOn": ["Doors"],
    },
    "Logs": _of("Logs::LogGroup", RetentionInDays=30),
    "Writers": _of(
        "Logs::ResourcePolicy",
        PolicyName="writers",
        PolicyDocument=json.dumps(_policy(_statement("route53", "logs:PutLogEvents", "*"))),
    ),
    "News": _of("SNS::Topic", DisplayName="news"),
    "Alarm": _of(
        "CloudWatch::Alarm",
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[_ref("News")],
    ),
    "Runbook": _of(
        "SSM::Document",
        DocumentType="Command",
        Content={
            "schemaVersion": "2.2",
            "description": "a runbook",
            "mainSteps": [{"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": ["uptime"]}}],
        },
    ),
    "Certificate": _of(
        "CertificateManager::Certificate",
        DomainName="www.example.com",
        SubjectAlternativeNames=["a.example.com"],
        ValidationMethod="DNS",
        DomainValidationOptions=[{"DomainName": "a.example.com"}],
    ),
}


def _watching(clients: Clients) -> Mapping[str, list[Any]]:
    return {
        "buckets": clients("s3").list_buckets()["Buckets"],
        "trails": clients("cloudtrail").describe_trails()["trailList"],
        "groups": clients("logs").describe_log_groups()["logGroups"],
        "policies": clients("logs").describe_resource_policies()["resourcePolicies"],
        "topics": clients("sns").list_topics()["Topics"],
        "alarms": clients("cloudwatch").describe_alarms()["MetricAlarms"],
        "documents": clients("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])[
            "DocumentIdentifiers"
        ],
        "certificates": clients("acm").list_certificates()["CertificateSummaryList"],
    }


@pytest.mark.parametrize(
    ("resources", "there"), [(CONTAINERS, _containers), (WATCHING, _watching)], ids=["containers", "watching"]
)
def test_made_in_sync_and_withdrawn_whole(
    lab: Lab,
    resources: dict[str, Any],
    there: Callable[[Clients], Mapping[str, list[Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # moto issues a certificate a minute after it was asked for, unless it is told otherwise
    monkeypatch.setattr(moto.settings, "ACM_VALIDATION_WAIT", 0)

    def counted() -> dict[str, int]:
        with lab.aws.uncounted():
            found = there(lambda service: lab.aws.client(service, account=SANDBOX, region=REGION))
        return {kind: len(items) for kind, items in found.items()}

    nothing = dict.fromkeys(counted(), 0)
    lab.write(plan_text("group", resources))
    report = lab.run("group")
    assert report.state is PlanState.IN_SYNC, (report.message, [step.error for step in report.steps if step.error])
    assert counted() == dict.fromkeys(nothing, 1)

    lab.aws.reset_calls()
    report = lab.run("group")
    assert (report.state, report.changes, lab.aws.mutations()) == (PlanState.IN_SYNC, (), {})

    lab.write(plan_text("group", resources, state="absent"))
    report = lab.run("group")
    assert report.state is PlanState.IN_SYNC, (report.message, [step.error for step in report.steps if step.error])
    assert counted() == nothing
