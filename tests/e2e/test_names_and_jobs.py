"""A plan of names, services and jobs: applied, left alone by the next pass, withdrawn with nothing left."""

from __future__ import annotations

from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "batch.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_LISTENER = {"Protocol": "TCP", "LoadBalancerPort": "80", "InstancePort": "80"}


def _record(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": f"{name}.names.example.com", "Type": "CNAME", "TTL": "60", **more}


def _of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


RESOURCES = {
    "Zone": _of("Route53::HostedZone", Name="names.example.com", HostedZoneConfig={"Comment": "names"}),
    "Check": _of(
        "Route53::HealthCheck",
        HealthCheckConfig={"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 80, "Inverted": False},
    ),
    "Web": _of(
        "Route53::RecordSet",
        HostedZoneId={"Ref": "Zone"},
        ResourceRecords=[{"Fn::GetAtt": ["Balancer", "DNSName"]}],
        HealthCheckId={"Ref": "Check"},
        **_record("web"),
    ),
    "Others": _of(
        "Route53::RecordSetGroup",
        HostedZoneId={"Ref": "Zone"},
        RecordSets=[_record(name, ResourceRecords=[{"Ref": "Web"}]) for name in ("api", "www")],
    ),
    "Vpc": _of("EC2::VPC", CidrBlock="10.0.0.0/16"),
    "Subnet": _of("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/24"),
    "Group": _of("EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="for a test"),
    "Balancer": _of(
        "ElasticLoadBalancing::LoadBalancer",
        Listeners=[_LISTENER],
        Subnets=[{"Ref": "Subnet"}],
        SecurityGroups=[{"Ref": "Group"}],
        CrossZone=True,
    ),
    "Cluster": _of("ECS::Cluster"),
    "Task": _of("ECS::TaskDefinition", ContainerDefinitions=[{"Name": "web", "Image": "nginx", "Memory": 128}]),
    "Service": _of("ECS::Service", Cluster={"Ref": "Cluster"}, TaskDefinition={"Ref": "Task"}, DesiredCount=0),
    "Role": _of("IAM::Role", RoleName="jobs", AssumeRolePolicyDocument=_TRUST),
    "Environment": _of(
        "Batch::ComputeEnvironment",
        Type="MANAGED",
        ServiceRole={"Fn::GetAtt": ["Role", "Arn"]},
        ComputeResources={
            "Type": "FARGATE",
            "MaxvCpus": 1,
            "Subnets": [{"Ref": "Subnet"}],
            "SecurityGroupIds": [{"Ref": "Group"}],
        },
        State="ENABLED",
    ),
    "Queue": _of(
        "Batch::JobQueue",
        Priority=1,
        State="ENABLED",
        ComputeEnvironmentOrder=[{"Order": 1, "ComputeEnvironment": {"Ref": "Environment"}}],
    ),
    "Job": _of(
        "Batch::JobDefinition",
        Type="container",
        ContainerProperties={
            "Image": "busybox",
            "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "512"}],
        },
    ),
}


def _left(lab: Lab) -> dict[str, int]:
    def client(service: str) -> Any:
        return lab.aws.client(service, account=SANDBOX)

    ecs = client("ecs")
    return {
        "zones": len(client("route53").list_hosted_zones()["HostedZones"]),
        "checks": len(client("route53").list_health_checks()["HealthChecks"]),
        "balancers": len(client("elb").describe_load_balancers()["LoadBalancerDescriptions"]),
        "tasks": len(ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]),
        "environments": len(client("batch").describe_compute_environments()["computeEnvironments"]),
        "queues": len(client("batch").describe_job_queues()["jobQueues"]),
        "jobs": len(client("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]),
    }


def test_applied_left_alone_and_withdrawn(lab: Lab) -> None:
    lab.write(plan_text("names", RESOURCES))
    report = lab.run("names")
    assert report.state is PlanState.IN_SYNC, report.message
    assert len(report.steps) == len(RESOURCES)
    assert _left(lab) == dict.fromkeys(_left(lab), 1)
    lab.aws.reset_calls()
    report = lab.run("names")
    assert (report.state, report.changes) == (PlanState.IN_SYNC, ())
    assert lab.aws.mutations().keys() <= {"sts:AssumeRole"}
    lab.write(plan_text("names", RESOURCES, state="absent"))
    report = lab.run("names")
    assert report.state is PlanState.IN_SYNC, report.message
    assert _left(lab) == dict.fromkeys(_left(lab), 0)
