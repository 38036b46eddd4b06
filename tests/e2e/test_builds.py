"""What AWS manages through CloudFormation alone, as templates have it: build projects, listeners' certificates."""

from __future__ import annotations

from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PROJECT: dict[str, Any] = {
    "ServiceRole": {"Ref": "Builder"},
    "Artifacts": {"Type": "NO_ARTIFACTS"},
    "BadgeEnabled": "true",
    "Environment": {
        "Type": "LINUX_CONTAINER",
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "Image": "aws/codebuild/standard:7.0",
        "PrivilegedMode": "true",
        "EnvironmentVariables": [{"Name": "RETRIES", "Value": 3}],
    },
    "Source": {"Type": "GITHUB", "Location": "https://github.com/example/shop.git"},
    "Triggers": {"Webhook": "true", "FilterGroups": [[{"Type": "EVENT", "Pattern": "PUSH"}]]},
}


def building(lab: Lab, **properties: Any) -> PlanState:
    resources = {
        "Builder": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Build": {"Type": "AWS::CodeBuild::Project", "Properties": {**PROJECT, **properties}},
        "Told": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${Build}-done"}}},
    }
    lab.write(plan_text("builds", resources), "builds.yaml")
    return lab.run("builds").state


def projects(lab: Lab) -> list[dict[str, Any]]:
    client = lab.aws.client("codebuild", account=SANDBOX)
    names = client.list_projects()["projects"]
    found: list[dict[str, Any]] = client.batch_get_projects(names=names)["projects"] if names else []
    return found


def test_a_project_as_templates_have_it_is_made_kept_and_changed(lab: Lab) -> None:
    assert building(lab) is PlanState.IN_SYNC
    (project,) = projects(lab)
    assert project["badge"]["badgeEnabled"] is True
    assert project["webhook"]["filterGroups"] == [
        [{"type": "EVENT", "pattern": "PUSH", "excludeMatchedPattern": False}]
    ]
    topics = lab.aws.client("sns", account=SANDBOX).list_topics()["Topics"]
    assert [one["TopicArn"].rpartition(":")[2] for one in topics] == [f"{project['name']}-done"], "Ref is the name"
    lab.aws.reset_calls()
    assert building(lab) is PlanState.IN_SYNC
    assert not lab.aws.mutations()
    assert building(lab, Description="of the shop", Triggers={"Webhook": False}) is PlanState.IN_SYNC
    (project,) = projects(lab)
    assert project["description"] == "of the shop"
    assert "webhook" not in project
    assert "reconciler:plan" in {tag["key"] for tag in project["tags"]}


def test_what_is_changed_behind_its_back_is_repaired(lab: Lab) -> None:
    assert building(lab) is PlanState.IN_SYNC
    client = lab.aws.client("codebuild", account=SANDBOX)
    (project,) = projects(lab)
    environment = {**project["environment"], "privilegedMode": False}
    client.update_project(name=project["name"], environment=environment, tags=project["tags"])
    client.delete_webhook(projectName=project["name"])
    assert building(lab) is PlanState.IN_SYNC
    (project,) = projects(lab)
    assert project["environment"]["privilegedMode"] is True
    assert "webhook" in project


def test_a_secret_among_the_variables_reaches_the_project_alone(lab: Lab) -> None:
    secret, other = "hush-build-9318", "hush-other-2746"
    lab.aws.client("secretsmanager", account=SANDBOX).create_secret(Name="shop/token", SecretString=secret)
    variables = [{"Name": "TOKEN", "Value": "{{resolve:secretsmanager:shop/token}}"}]
    environment = {**PROJECT["Environment"], "EnvironmentVariables": variables}
    assert building(lab, Environment=environment) is PlanState.IN_SYNC
    (project,) = projects(lab)
    assert [one["value"] for one in project["environment"]["environmentVariables"]] == [secret]
    project["environment"]["environmentVariables"][0]["value"] = other
    client = lab.aws.client("codebuild", account=SANDBOX)
    client.update_project(name=project["name"], environment=project["environment"], tags=project["tags"])
    assert building(lab, Environment=environment) is PlanState.IN_SYNC
    (project,) = projects(lab)
    assert [one["value"] for one in project["environment"]["environmentVariables"]] == [secret]
    files = [one for one in lab.directory.rglob("*") if one.is_file()]
    assert files
    assert [one for one in files if any(text.encode() in one.read_bytes() for text in (secret, other))] == []


def listener(lab: Lab) -> tuple[str, list[str]]:
    """A listener of somebody else's, and two certificates."""
    ec2, elb, acm = (lab.aws.client(service, account=SANDBOX) for service in ("ec2", "elbv2", "acm"))
    vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]][:2]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.3.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    own, *more = [acm.request_certificate(DomainName=f"{name}.com")["CertificateArn"] for name in ("own", "a", "b")]
    answer = elb.create_listener(
        LoadBalancerArn=balancer,
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": own}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    return answer["Listeners"][0]["ListenerArn"], more


def test_another_certificate_is_followed_through_passes(lab: Lab) -> None:
    arn, certificates = listener(lab)
    elb = lab.aws.client("elbv2", account=SANDBOX)
    for certificate in (certificates[0], certificates[1], certificates[1]):
        properties = {"ListenerArn": arn, "Certificates": [{"CertificateArn": certificate}]}
        shown = {"Type": "AWS::ElasticLoadBalancingV2::ListenerCertificate", "Properties": properties}
        lab.write(plan_text("names", {"Second": shown, "Topic": {"Type": "AWS::SNS::Topic"}}), "names.yaml")
        assert lab.run("names").state is PlanState.IN_SYNC
        found = elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
        assert [one["CertificateArn"] for one in found if not one["IsDefault"]] == [certificate]
    lab.write(plan_text("names", {"Topic": {"Type": "AWS::SNS::Topic"}}), "names.yaml")
    assert lab.run("names").state is PlanState.IN_SYNC
    assert len(elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]) == 1
