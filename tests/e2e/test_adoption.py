"""What is in AWS already becomes a plan: ``reconciler import``, then a pass that changes nothing but ownership tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.source.document import Limits
from reconciler.source.yamltext import read_yaml
from tests.e2e.conftest import ESTATE, PRODUCTION, SANDBOX, Lab
from tests.e2e.running import REGION, Answer, Shell, plan_text, queue, vpc

WHO = ("--author", "alice@example.com")
TAGGING = {
    *("ec2:CreateTags", "s3:PutBucketTagging", "sns:TagResource", "dynamodb:TagResource", "sqs:TagQueue"),
    *("iam:TagRole", "logs:TagResource", "ssm:AddTagsToResource", "kms:TagResource"),
}


def importing(lab: Lab, *words: Any, environment: str = "sandbox", account: str = SANDBOX, **more: str) -> Answer:
    where = ("--environment", environment, "--account", account, "--region", REGION)
    return Shell(lab, **more)("import", *words, *where, *WHO)


def resources(text: str) -> dict[str, Any]:
    """The resources of a plan, functions in their long form."""
    found: dict[str, Any] = read_yaml(text, "plan", Limits())[0].data["spec"]["resources"]
    return found


def changes(lab: Lab) -> dict[str, int]:
    return {name: count for name, count in lab.aws.mutations().items() if name != "sts:AssumeRole"}


def adopts_and_is_silent(lab: Lab, plan: str) -> None:
    """One pass adds ownership tags, the next one nothing; nor does one that has lost everything it knew."""
    lab.aws.reset_calls()
    report = lab.run(plan)
    assert report.state is PlanState.IN_SYNC, report.message
    assert set(changes(lab)) <= TAGGING
    records = lab.app.store.records(PlanName(plan))
    silent(lab, plan)
    lab.app.close()
    for file in (lab.directory / "state").glob("reconciler.db*"):
        file.unlink()
    lab.open()
    assert lab.app.store.records(PlanName(plan)) == {}
    silent(lab, plan)
    found = lab.app.store.records(PlanName(plan))
    assert {name: one.identifier for name, one in found.items()} == {
        name: one.identifier for name, one in records.items()
    }


def silent(lab: Lab, plan: str) -> None:
    lab.aws.reset_calls()
    report = lab.run(plan)
    assert report.state is PlanState.IN_SYNC, report.message
    assert changes(lab) == {}


def client(lab: Lab, service: str) -> Any:
    return lab.aws.client(service, account=SANDBOX, region=REGION)


# by type and identifier


def test_a_resource_is_imported_by_its_identifier(lab: Lab) -> None:
    ec2 = client(lab, "ec2")
    made = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": "dev web"}])
    lab.aws.reset_calls()
    answer = importing(lab, "AWS::EC2::VPC", made, "--name", "net")
    assert answer.code == 0, answer.err
    assert changes(lab) == {}
    assert resources(answer.out) == {
        "DevWeb": {
            "Type": "AWS::EC2::VPC",
            "Metadata": {"Reconciler": {"adopt": made}},
            "Properties": {
                "CidrBlock": "10.9.0.0/16",
                "EnableDnsHostnames": False,
                "EnableDnsSupport": True,
                "InstanceTenancy": "default",
                "Tags": [{"Key": "Name", "Value": "dev web"}],
            },
        }
    }
    lab.write(answer.out, "net.yaml")
    adopts_and_is_silent(lab, "net")
    tags = {tag["Key"]: tag["Value"] for tag in ec2.describe_vpcs(VpcIds=[made])["Vpcs"][0]["Tags"]}
    assert tags == {"Name": "dev web", "reconciler:plan": "net", "reconciler:id": "DevWeb"}


@pytest.mark.parametrize("form", ["url", "name", "arn"])
def test_a_queue_may_be_called_by_its_url_its_name_or_its_arn(lab: Lab, form: str) -> None:
    sqs = client(lab, "sqs")
    url = sqs.create_queue(QueueName="jobs", tags={"team": "web"})["QueueUrl"]
    named = {"url": url, "name": "jobs", "arn": f"arn:aws:sqs:{REGION}:{SANDBOX}:jobs"}
    answer = importing(lab, "AWS::SQS::Queue", named[form])
    assert answer.code == 0, answer.err
    (found,) = resources(answer.out).values()
    assert found["Metadata"] == {"Reconciler": {"adopt": url}}
    assert found["Properties"]["Tags"] == [{"Key": "team", "Value": "web"}]


def test_the_file_is_written_and_never_overwritten_unless_asked(lab: Lab) -> None:
    client(lab, "sns").create_topic(Name="news")
    arn = f"arn:aws:sns:{REGION}:{SANDBOX}:news"
    file = lab.desired / "news.yaml"
    file.write_text("mine")
    refused = importing(lab, "AWS::SNS::Topic", arn, "--name", "news", "--out", file)
    assert refused.code == 1
    assert "exists: choose another --out, or --force" in refused.text
    assert file.read_text() == "mine"
    assert importing(lab, "AWS::SNS::Topic", arn, "--name", "news", "--out", file, "--force").code == 0
    assert Shell(lab)("validate", file).code == 0
    adopts_and_is_silent(lab, "news")


def test_a_plan_is_the_same_every_time(lab: Lab) -> None:
    ec2 = client(lab, "ec2")
    made = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in range(3)]
    first, again = (importing(lab, "AWS::EC2::VPC", *made) for _ in range(2))
    assert first.out == again.out
    assert list(resources(first.out)) == ["VPC", "VPC2", "VPC3"]


# by tag


def tagged(lab: Lab) -> dict[str, str]:
    """A network, and what works in it: all of one team."""
    ec2, tag = client(lab, "ec2"), [{"Key": "team", "Value": "web"}]
    net = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=net, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=net)["GroupId"]
    peer = ec2.create_security_group(GroupName="data", Description="data", VpcId=net)["GroupId"]
    for one, other in ((group, peer), (peer, group)):  # each lets the other in: a circle
        pairs = [{"GroupId": other}]
        rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": pairs}
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])
    ec2.create_tags(Resources=[net, subnet, group, peer], Tags=tag)
    sqs, sns = client(lab, "sqs"), client(lab, "sns")
    dead = sqs.create_queue(QueueName="dead", tags={"team": "web"})["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{SANDBOX}:dead", "maxReceiveCount": 3}
    attributes = {"RedrivePolicy": json.dumps(redrive)}
    sqs.create_queue(QueueName="jobs", tags={"team": "web"}, Attributes=attributes)
    sns.create_topic(Name="news", Tags=tag)
    client(lab, "s3").create_bucket(Bucket="web-logs")
    client(lab, "s3").put_bucket_tagging(Bucket="web-logs", Tagging={"TagSet": tag})
    key = client(lab, "kms").create_key(Tags=[{"TagKey": "team", "TagValue": "web"}])["KeyMetadata"]["KeyId"]
    return {"vpc": net, "subnet": subnet, "group": group, "peer": peer, "dead": dead, "key": key}


def test_everything_with_a_tag_is_imported_and_refers_to_each_other(lab: Lab) -> None:
    made = tagged(lab)
    lab.aws.reset_calls()
    answer = importing(lab, "--tag", "team=web", "--name", "web", "--out", lab.desired / "web.yaml")
    assert answer.code == 0, answer.err
    assert changes(lab) == {}
    found = resources((lab.desired / "web.yaml").read_text())
    by_type = {name: one["Type"] for name, one in found.items()}
    assert by_type == {
        "VPC": "AWS::EC2::VPC",
        "Subnet": "AWS::EC2::Subnet",
        "Web": "AWS::EC2::SecurityGroup",
        "Data": "AWS::EC2::SecurityGroup",
        "Dead": "AWS::SQS::Queue",
        "Jobs": "AWS::SQS::Queue",
        "News": "AWS::SNS::Topic",
        "WebLogs": "AWS::S3::Bucket",
        "Key": "AWS::KMS::Key",
    }
    assert found["Subnet"]["Properties"]["VpcId"] == {"Ref": "VPC"}
    assert found["Web"]["Properties"]["VpcId"] == {"Ref": "VPC"}
    redrive = found["Jobs"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}
    peers = [found[name]["Properties"]["SecurityGroupIngress"][0]["SourceSecurityGroupId"] for name in ("Web", "Data")]
    assert sorted(map(str, peers)) == sorted([str({"Ref": "Web"}), made["peer"]])  # the circle isn't closed
    adopts_and_is_silent(lab, "web")


def test_what_a_tag_finds_and_can_not_be_imported_is_listed(lab: Lab) -> None:
    client(lab, "sqs").create_queue(QueueName="mine", tags={"team": "web"})
    lab.write(plan_text("other", {"Jobs": queue("theirs", Tags=[{"Key": "team", "Value": "web"}])}), "other.yaml")
    assert lab.run("other").state is PlanState.IN_SYNC
    client(lab, "glue").create_workflow(Name="flow", Tags={"team": "web"})
    file = lab.directory / "web.yaml"
    answer = importing(lab, "--tag", "team=web", "--name", "web", "--out", file)
    assert answer.code == 0, answer.err
    assert list(resources(file.read_text())) == ["Mine"]
    assert "it belongs to plan other (Jobs)" in answer.text
    assert "Not taken over" in answer.err
    assert "theirs" in file.read_text().split("apiVersion")[0]  # the file says so, too
    assert "workflow/flow" in answer.text


def test_nothing_with_a_tag_is_no_plan(lab: Lab) -> None:
    answer = importing(lab, "--tag", "team=nobody")
    assert (answer.code, answer.out) == (1, "")
    assert "is tagged team=nobody" in answer.text


# a stack


def stack_template() -> dict[str, Any]:
    """The estate, as far as the emulator's CloudFormation really makes it."""
    found = resources(ESTATE.read_text())
    for name in ("Association", "BucketPolicy", "Key", "Alias"):
        found.pop(name)
    found["Role"]["Properties"].pop("Policies")
    found["Managed"]["DeletionPolicy"] = "Retain"
    return {
        "Parameters": {"Delay": {"Type": "Number", "Default": 7}},
        "Resources": {
            **found,
            "Delayed": queue("estate-delayed", DelaySeconds={"Ref": "Delay"}),
            "Odd": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        },
    }


def test_a_stack_is_taken_over_under_its_own_names(lab: Lab) -> None:
    template = stack_template()
    cloudformation = client(lab, "cloudformation")
    cloudformation.create_stack(StackName="estate", TemplateBody=json.dumps(template))
    lab.aws.reset_calls()
    answer = importing(lab, "--stack", "estate", "--out", lab.desired / "estate.yaml")
    assert answer.code == 0, answer.err
    assert changes(lab) == {}
    found = resources((lab.desired / "estate.yaml").read_text())
    assert list(found) == [name for name in template["Resources"] if name != "Odd"]
    assert "Odd: in the template, but not among the stack's resources" in answer.text
    assert "DeletionPolicy: Retain" in answer.text
    assert "delete-stack --stack-name estate" in answer.text
    assert found["Subnet"]["Properties"]["VpcId"] == {"Ref": "Vpc"}
    assert found["Nat"]["Properties"]["AllocationId"] == {"Fn::GetAtt": ["Address", "AllocationId"]}
    assert found["Default"]["DependsOn"] == "Attachment"
    assert found["Managed"]["DeletionPolicy"] == "Retain"
    assert found["Delayed"]["Properties"] == {"QueueName": "estate-delayed", "DelaySeconds": 7}
    assert found["Profile"]["Properties"]["Roles"] == [{"Ref": "Role"}]
    adopts_and_is_silent(lab, "estate")


def test_a_stack_lets_go_and_its_resources_stay(lab: Lab) -> None:
    logs = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "web"}}
    template: dict[str, Any] = {"Resources": {"Jobs": queue("jobs"), "Logs": logs}}
    cloudformation = client(lab, "cloudformation")
    cloudformation.create_stack(StackName="web", TemplateBody=json.dumps(template))
    assert importing(lab, "--stack", "web", "--out", lab.desired / "web.yaml").code == 0
    adopts_and_is_silent(lab, "web")
    retained = {name: {**one, "DeletionPolicy": "Retain"} for name, one in template["Resources"].items()}
    cloudformation.update_stack(StackName="web", TemplateBody=json.dumps({"Description": "k", "Resources": retained}))
    cloudformation.delete_stack(StackName="web")
    silent(lab, "web")
    assert client(lab, "sqs").get_queue_url(QueueName="jobs")
    assert client(lab, "logs").describe_log_groups()["logGroups"]


def test_a_stack_that_is_not_there_is_no_plan(lab: Lab) -> None:
    answer = importing(lab, "--stack", "nothing")
    assert (answer.code, answer.out) == (1, "")
    assert f"there is no stack nothing in account {SANDBOX}, {REGION}" in answer.text


def test_what_a_stack_still_manages_is_told(lab: Lab) -> None:
    template = json.dumps({"Resources": {"Net": vpc()}})
    tags = [{"Key": "team", "Value": "web"}]
    client(lab, "cloudformation").create_stack(StackName="net", TemplateBody=template, Tags=tags)
    answer = importing(lab, "--tag", "team=web")
    assert answer.code == 0, answer.err
    assert "VPC belongs to the CloudFormation stack net, which goes on managing it" in answer.text
    assert "a CloudFormation stack: reconciler import --stack net" in answer.text
    assert "aws:cloudformation" not in answer.out.split("apiVersion")[1]


def test_a_drifted_stack_gives_what_is_and_says_so(lab: Lab) -> None:
    template = {"Resources": {"Jobs": queue("jobs", VisibilityTimeout=60)}}
    client(lab, "cloudformation").create_stack(StackName="jobs", TemplateBody=json.dumps(template))
    sqs = client(lab, "sqs")
    sqs.set_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName="jobs")["QueueUrl"], Attributes={"VisibilityTimeout": "90"}
    )
    answer = importing(lab, "--stack", "jobs")
    assert resources(answer.out)["Jobs"]["Properties"]["VisibilityTimeout"] == 90
    assert "Jobs/VisibilityTimeout: not as in the stack's template" in answer.text


# what can't be done


def test_every_mistake_is_told_and_nothing_is_written(lab: Lab, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "never.yaml")
    cases: list[tuple[tuple[Any, ...], str]] = [
        ((), "TYPE ID..., or --tag KEY=VALUE, or --stack NAME"),
        (("AWS::EC2::VPC", "vpc-1", "--stack", "x"), "one of the three"),
        (("AWS::EC2::VPC",), "which AWS::EC2::VPC?"),
        (("AWS::EC2::Vpc", "vpc-1"), "did you mean AWS::EC2::VPC?"),
        (("AWS::AppMesh::Mesh", "m"), "has no handlers"),
        (("AWS::CloudFormation::Stack", "web"), "reconciler import --stack"),
        (("AWS::EC2::VPC", "vpc-0123456789abcdef0"), "no AWS::EC2::VPC is identified by it"),
        (("AWS::SQS::Queue", "arn:aws:sqs:eu-west-1:111111111111:jobs"), "it is in eu-west-1, a plan has one region"),
        (("AWS::SQS::Queue", f"arn:aws:sqs:{REGION}:222222222222:jobs"), "it is in account 222222222222"),
        (("AWS::AppSync::ApiKey", "k"), "gives out a secret"),
        (("--tag", "=x"), "write it like team=web"),
        (("AWS::EC2::VPC", "vpc-1", "--region", "eu-west-1"), "a plan has one region"),
        (("AWS::EC2::VPC", "vpc-1", "--name", "Not A Name"), "name can't be used in a plan"),
    ]
    for words, message in cases:
        answer = importing(lab, *words, *out)
        assert (answer.code, answer.out) == (1, ""), words
        assert message in answer.text, (words, answer.text)
        assert not out[1].exists()


def test_one_that_is_missing_among_several_is_no_plan(lab: Lab) -> None:
    made = client(lab, "ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    answer = importing(lab, "AWS::EC2::VPC", made, "vpc-0123456789abcdef0")
    assert (answer.code, answer.out) == (1, "")
    assert "vpc-0123456789abcdef0" in answer.text
    assert made not in answer.text


def test_another_plans_resource_is_not_imported(lab: Lab) -> None:
    lab.write(plan_text("owner", {"Vpc": vpc()}))
    assert lab.run("owner").state is PlanState.IN_SYNC
    identifier = lab.app.store.records(PlanName("owner"))["Vpc"].identifier  # type: ignore[index]
    answer = importing(lab, "AWS::EC2::VPC", identifier)
    assert (answer.code, answer.out) == (1, "")
    assert "it belongs to plan owner (Vpc)" in answer.text


def test_without_credentials_it_says_what_was_tried(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(lab.directory)}
    answer = importing(lab, "AWS::EC2::VPC", "vpc-1", **nothing)
    assert (answer.code, answer.out) == (1, "")
    assert "credentials" in answer.text


def test_the_account_is_the_one_of_the_credentials(lab: Lab) -> None:
    """Where no role is configured, as with the AWS CLI."""
    made = lab.aws.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    shell = Shell(lab)
    shell.environment.pop("RECONCILER_AWS__ROLE_PATTERN")
    answer = shell("import", "AWS::EC2::VPC", made, "-e", "sandbox", *WHO, AWS_REGION=REGION)
    assert answer.code == 0, answer.err
    target = yaml.safe_load(answer.out.split("  resources:")[0])["spec"]["target"]
    assert target == {"environment": "sandbox", "account": lab.aws.account, "region": REGION}


def test_a_read_only_environment_is_imported_by_reads_alone(lab: Lab) -> None:
    s3 = lab.aws.client("s3", account=PRODUCTION, region=REGION)
    s3.create_bucket(Bucket="production-logs")
    lab.aws.reset_calls()
    answer = importing(lab, "AWS::S3::Bucket", "production-logs", environment="production", account=PRODUCTION)
    assert answer.code == 0, answer.err
    assert changes(lab) == {}
    assert list(resources(answer.out)) == ["ProductionLogs"]


def test_what_stands_in_the_place_of_a_deleted_resource_is_not_the_stacks(lab: Lab) -> None:
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Net"}, "CidrBlock": "10.0.1.0/24"}}
    template = json.dumps({"Resources": {"Net": vpc(), "Zone": subnet}})
    client(lab, "cloudformation").create_stack(StackName="net", TemplateBody=template)
    ec2 = client(lab, "ec2")
    (gone,) = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.0.1.0/24"]}])["Subnets"]
    ec2.delete_subnet(SubnetId=gone["SubnetId"])
    ec2.create_subnet(VpcId=gone["VpcId"], CidrBlock="10.0.1.0/24")
    answer = importing(lab, "--stack", "net")
    assert answer.code == 0, answer.err
    assert list(resources(answer.out)) == ["Net"]
    assert f"Zone (AWS::EC2::Subnet {gone['SubnetId']}): not found" in answer.text
