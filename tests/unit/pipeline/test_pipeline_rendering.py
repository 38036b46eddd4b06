"""Whole plans as files: what terraform, cfn-lint and independent parsers say of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pipeline_builders import CANARY, att, creating, join, plan_of, ref, resource, web_plan
from pipeline_terraform import Terraform

from reconciler.model.change import ChangeSet
from reconciler.model.errors import PipelineError
from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import Output, Parameter, Plan, PlannedResource
from reconciler.model.values import Deferred, Sensitive, Unknown
from reconciler.pipeline import render


def files(plan: Plan, format_name: str = "terraform", **settings: Any) -> dict[str, str]:
    return {file.path: file.content for file in render(creating(plan, **settings), format_name)}


def main_of(*resources: PlannedResource, **settings: Any) -> str:
    return files(plan_of(*resources, **settings))["main.tf"]


def parsed(content: str) -> dict[str, Any]:
    return dict(hcl2.loads(content))


def template_of(*resources: PlannedResource, **settings: Any) -> dict[str, Any]:
    return dict(yaml.safe_load(files(plan_of(*resources, **settings), "cloudformation")["template.yaml"]))


VPC = resource("Vpc", "AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"})


# Terraform


@pytest.mark.terraform
def test_every_file_is_formatted_and_parses(terraform: Terraform, tmp_path: Path) -> None:
    rendered = files(web_plan(), identifiers={LogicalId("Vpc"): Identifier("vpc-1")})
    assert set(rendered) == {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "imports.tf"}
    for name, content in rendered.items():
        (tmp_path / name).write_text(content)
        parsed(content)
    checked = terraform("fmt", "-check", "-diff")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_same_plan_in_another_order_is_the_same_files() -> None:
    plan = web_plan()
    turned = replace(
        plan,
        resources={
            name: replace(item, properties=dict(reversed(item.properties.items())))
            for name, item in reversed(plan.resources.items())
        },
        parameters=tuple(reversed(plan.parameters)),
        outputs=tuple(reversed(plan.outputs)),
    )
    for format_name in ("terraform", "cloudformation"):
        assert files(turned, format_name) == files(plan, format_name)


def test_references_documents_tags_and_order() -> None:
    main = files(web_plan())["main.tf"]
    for part in (
        'resource "awscc_ec2_subnet" "public_subnet_a" {',
        "vpc_id = awscc_ec2_vpc.vpc.vpc_id",
        "internet_gateway_id = awscc_ec2_internet_gateway.gateway.internet_gateway_id",
        "depends_on          = [awscc_ec2_subnet.public_subnet_a]",
        "assume_role_policy_document = jsonencode({",
        '"aws:SourceVpc" = awscc_ec2_vpc.vpc.vpc_id',
        'description = "for \\u0024${awscc_ec2_vpc.vpc.vpc_id} in ${awscc_ec2_vpc.vpc.cidr_block} $${literal}"',
        'value = "web $${x} %%{y} \\"q\\"\\n"',
        "master_user_password = var.db_password",
        "prevent_destroy = true",
        "ignore_changes = [enable_dns_support]",
        'key   = "reconciler:plan"',
    ):
        assert part in main


def test_variables_carry_types_and_defaults_and_secrets_neither_value() -> None:
    variables = {next(iter(item)): item for item in parsed(files(web_plan())["variables.tf"])["variable"]}
    secret = variables['"db_password"']['"db_password"']
    assert secret["sensitive"] in (True, "${true}", "true")
    assert "default" not in secret
    assert variables['"zones"']['"zones"']["default"] == ['"a"', '"b"']
    assert "list(string)" in str(variables['"zones"']['"zones"']["type"])
    assert variables['"count_"']['"count_"']["default"] == 2
    outputs = files(web_plan())["outputs.tf"]
    assert "value     = var.db_password\n  sensitive = true" in outputs


def test_the_account_and_region_are_pinned() -> None:
    versions = files(web_plan())["versions.tf"]
    assert 'required_version = ">= 1.5.0"' in versions
    assert 'allowed_account_ids = ["444455556666"]' in versions
    assert versions.count('"eu-central-1"') == 2
    assert 'source  = "hashicorp/awscc"\n      version = "~> 1.' in versions
    assert 'source  = "hashicorp/aws"\n      version = "~> 6.' in versions
    assert 'data "aws_caller_identity" "current"' in files(web_plan())["main.tf"]


def test_imports_cover_what_exists_and_what_is_adopted() -> None:
    adopted = replace(VPC, adopt=Identifier("vpc-adopted"))
    topic = resource("Topic", "AWS::SNS::Topic")
    known = {LogicalId("Topic"): Identifier("arn:aws:sns:eu-central-1:1:t"), LogicalId("Gone"): Identifier("x")}
    content = files(plan_of(adopted, topic, resource("New", "AWS::SQS::Queue")), identifiers=known)["imports.tf"]
    blocks = parsed(content)["import"]
    assert [(str(item["to"]).strip("${}"), item["id"].strip('"')) for item in blocks] == [
        ("awscc_sns_topic.topic", "arn:aws:sns:eu-central-1:1:t"),
        ("awscc_ec2_vpc.vpc", "vpc-adopted"),
    ]


FUNCTIONS: list[tuple[Any, str]] = [
    (ref("Vpc"), "awscc_ec2_vpc.vpc.vpc_id"),
    (ref("Ip"), "awscc_ec2_eip.ip.public_ip"),
    (ref("Group"), "awscc_ec2_security_group.group.group_id"),
    (ref("Attach"), "awscc_ec2_vpc_gateway_attachment.attach.id"),
    (ref("Queue"), "awscc_sqs_queue.queue.queue_url"),
    (att("Queue", "Arn"), "awscc_sqs_queue.queue.arn"),
    (att("Db", "Endpoint.Address"), "awscc_rds_db_instance.db.endpoint.address"),
    (join("", "a-", ref("Vpc")), '"a-${awscc_ec2_vpc.vpc.vpc_id}"'),
    (join("", ref("Vpc")), "awscc_ec2_vpc.vpc.vpc_id"),
    (join("-", ref("Vpc"), 1, True), '"${awscc_ec2_vpc.vpc.vpc_id}-1-true"'),
    (join("", "x", join("/", ref("Vpc"), "y")), '"x${awscc_ec2_vpc.vpc.vpc_id}/y"'),
    (Deferred("Fn::Join", [",", att("Vpc", "CidrBlockAssociations")]),
 'join(",", awscc_ec2_vpc.vpc.cidr_block_associations)'),
    (Deferred("Fn::Sub", "${Vpc}:${Queue.Arn} ${!x}"),
 '"${awscc_ec2_vpc.vpc.vpc_id}:${awscc_sqs_queue.queue.arn} $${x}"'),
    (Deferred("Fn::Sub", ["${V}!", {"V": ref("Vpc")}]), '"${awscc_ec2_vpc.vpc.vpc_id}!"'),
    (Deferred("Fn::Select", [0, att("Vpc", "Ipv6CidrBlocks")]), "awscc_ec2_vpc.vpc.ipv_6_cidr_blocks[0]"),
    (Deferred("Fn::Select", ["1", Deferred("Fn::GetAZs", "")]), "data.aws_availability_zones.available.names[1]"),
    (Deferred("Fn::Select", [2, Deferred("Fn::Split", [":", att("Queue", "Arn")])]),
 'split(":", awscc_sqs_queue.queue.arn)[2]'),
    (Deferred("Fn::Select", [1, Deferred("Fn::Cidr", [att("Vpc", "CidrBlock"), 4, 8])]),
 "cidrsubnet(awscc_ec2_vpc.vpc.cidr_block, 32 - 8 - "
 'tonumber(split("/", awscc_ec2_vpc.vpc.cidr_block)[1]), 1)'),
    (Deferred("Fn::Join", [",", Deferred("Fn::Cidr", [att("Vpc", "CidrBlock"), 4, 8])]),
 'join(",", [for i in range(4) : cidrsubnet(awscc_ec2_vpc.vpc.cidr_block, 32 - 8 - '
 'tonumber(split("/", awscc_ec2_vpc.vpc.cidr_block)[1]), i)])'),
    (Deferred("Fn::Base64", join("", "#!/bin/sh ", ref("Vpc"))),
     'base64encode("#!/bin/sh ${awscc_ec2_vpc.vpc.vpc_id}")'),
    (Deferred("Fn::ToJsonString", {"b": ref("Vpc"), "a": [1]}),
 "jsonencode({\n    a = [1]\n    b = awscc_ec2_vpc.vpc.vpc_id\n  })"),
    (Deferred("Fn::Length", Deferred("Fn::Split", [",", ref("Vpc")])),
     'length(split(",", awscc_ec2_vpc.vpc.vpc_id))'),
    (join("", "x-{{resolve:ssm:/a/b}}-", ref("Vpc")), '"x-${var.ssm_ab}-${awscc_ec2_vpc.vpc.vpc_id}"'),
    (Deferred("Fn::ImportValue", "net-VpcId"), "var.imported_net_vpc_id"),
    (Deferred("Resolve", ["secretsmanager", "db:SecretString:password"]),
 "var.secretsmanager_db_secret_string_password"),
]  # fmt: skip
OTHERS = (
    VPC,
    resource("Ip", "AWS::EC2::EIP"),
    resource("Group", "AWS::EC2::SecurityGroup", {"GroupDescription": "x"}),
    resource("Attach", "AWS::EC2::VPCGatewayAttachment", {"VpcId": ref("Vpc")}),
    resource("Queue", "AWS::SQS::Queue"),
    resource("Db", "AWS::RDS::DBInstance"),
)


@pytest.mark.parametrize(("value", "expected"), FUNCTIONS)
def test_functions(value: Any, expected: str) -> None:
    rendered = files(plan_of(*OTHERS, resource("Topic", "AWS::SNS::Topic", {"DisplayName": value})))
    assert f"display_name = {expected}\n" in rendered["main.tf"]
    for name in re.findall(r"\bvar\.(\w+)", expected):
        assert f'variable "{name}" {{' in rendered["variables.tf"]


@pytest.mark.terraform
def test_functions_are_formatted_as_fmt_does(terraform: Terraform, tmp_path: Path) -> None:
    topics = [
        resource(f"Topic{index}", "AWS::SNS::Topic", {"DisplayName": value})
        for index, (value, _) in enumerate(FUNCTIONS)
    ]
    for name, content in files(plan_of(*OTHERS, *topics)).items():
        (tmp_path / name).write_text(content)
    checked = terraform("fmt", "-check", "-diff")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"DisplayName": Deferred("Fn::Transform", {"Name": "x"})},
            "Topic/DisplayName: Fn::Transform can't be written",
        ),
        ({"DisplayName": ref("Nowhere")}, "Topic/DisplayName: it refers to 'Nowhere', which is no resource"),
        ({"DisplayName": att("Vpc", "Nothing")}, "Topic/DisplayName: AWS::EC2::VPC has no attribute Nothing"),
        ({"DisplayName": Unknown("Vpc.VpcId")}, "Topic/DisplayName: the value isn't known yet"),
        ({"DisplayNamez": "x"}, "Topic/DisplayNamez: AWS::SNS::Topic has no such property"),
        ({"DisplayName": Deferred("Fn::GetAZs", "us-east-1")}, "Topic/DisplayName: zones of us-east-1"),
        (
            {"Subscription": [{"Endpoint": Deferred("Fn::If", []), "Protocol": "sqs"}]},
            "Topic/Subscription/0/Endpoint: ",
        ),
        ({"DisplayName": join("", "{{resolve:ssm:", ref("Vpc"), "}}")}, "Topic/DisplayName: the name of a dynamic"),
        (
            {"DisplayName": join("", "{{resolve:nope:x}}", ref("Vpc"))},
            "Topic/DisplayName: dynamic reference to unknown",
        ),
        ({"DisplayName": "\ud800"}, "lone surrogate"),
    ],
)
def test_what_terraform_cannot_express_is_named(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError) as caught:
        main_of(VPC, resource("Topic", "AWS::SNS::Topic", properties))
    assert message in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize("type_name", ["AWS::WAFv2::WebACL", "Custom::Thing", "AWS::Not::There", "AWS::IAM::Policy"])
def test_types_without_an_awscc_resource_are_refused(type_name: str) -> None:
    with pytest.raises(PipelineError, match="Thing: "):
        main_of(resource("Thing", type_name))


def test_another_format_is_answered_plainly() -> None:
    with pytest.raises(
        PipelineError, match=r"format pulumi is not supported by this version \(terraform, cloudformation, cdk\)"
    ):
        files(web_plan(), "pulumi")


def test_documents_and_maps_are_told_apart_by_the_schema() -> None:
    main = main_of(
        resource("Table", "AWS::DynamoDB::Table", {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}),
        resource("Param", "AWS::SSM::Parameter", {"Type": "String", "Value": "x", "Tags": {"CostCentre": "1"}}),
        resource("Queue", "AWS::SQS::Queue", {"RedrivePolicy": {"maxReceiveCount": 3}}),
    )
    assert 'key_schema = jsonencode([\n    {\n      AttributeName = "id"' in main
    assert re.search(r'CostCentre += "1"\n', main)
    assert '"reconciler:plan" = "prod-web"' in main
    assert "redrive_policy = jsonencode({\n    maxReceiveCount = 3" in main


# secrets


@pytest.mark.parametrize("format_name", ["terraform", "cloudformation"])
@pytest.mark.parametrize(
    "properties",
    [
        {"MasterUserPassword": Sensitive(CANARY)},
        {"MasterUserPassword": CANARY},  # write-only by its schema, though nobody marked it
        {"MasterUserPassword": Sensitive(f"prefix {CANARY}")},
        {"DBName": join("-", Sensitive(CANARY), ref("Vpc"))},
        {"ProcessorFeatures": Sensitive([{"Name": CANARY, "Value": CANARY}])},
    ],
)
def test_secrets_become_variables(properties: dict[str, Any], format_name: str) -> None:
    password = Parameter("Password", "String", Sensitive(CANARY), no_echo=True)
    for parameters in ((password,), ()):
        rendered = files(
            plan_of(VPC, resource("Db", "AWS::RDS::DBInstance", properties), parameters=parameters), format_name
        )
        everything = "\n".join(rendered.values())
        assert "canary" not in everything
        assert re.search(r"sensitive += true|NoEcho: true", everything)


def test_write_only_switches_numbers_and_words_of_the_schema_are_no_secrets() -> None:
    main = main_of(
        resource("Key", "AWS::KMS::Key", {"KeyPolicy": {}, "PendingWindowInDays": 7}),
        resource("Bucket", "AWS::S3::Bucket", {"AccessControl": "Private"}),
    )
    assert "pending_window_in_days = 7" in main
    assert 'access_control = "Private"' in main


def test_a_secret_that_slipped_through_stops_everything() -> None:
    topic = resource("Topic", "AWS::SNS::Topic", {"DisplayName": f"x {CANARY} y"})
    password = Parameter("Password", "String", Sensitive(CANARY), no_echo=True)
    for format_name in ("terraform", "cloudformation"):
        with pytest.raises(PipelineError, match="would hold a secret") as caught:
            files(plan_of(topic, parameters=(password,)), format_name)
        assert "canary" not in str(caught.value)


def test_secrets_with_nearly_the_same_name_stay_apart() -> None:
    rendered = files(
        plan_of(
            resource("A", "AWS::SNS::Topic", {"DisplayName": Deferred("Resolve", ["ssm", "/a/b"])}),
            resource("B", "AWS::SNS::Topic", {"DisplayName": Deferred("Resolve", ["ssm", "/ab"])}),
            resource("C", "AWS::SNS::Topic", {"DisplayName": Deferred("Resolve", ["ssm", "/a/b"])}),
        )
    )
    names = re.findall(r"display_name = var\.(\w+)", rendered["main.tf"])
    assert names[0] == names[2] != names[1]
    assert sorted(re.findall(r'variable "(\w+)"', rendered["variables.tf"])) == sorted(set(names))


# CloudFormation


def lint(content: str) -> list[str]:
    from cfnlint.api import ManualArgs  # type: ignore[attr-defined]  # exported at run time only
    from cfnlint.api import lint as run

    return [str(match) for match in run(content, config=ManualArgs(regions=["eu-central-1"]))]


def test_the_template_is_free_of_findings() -> None:
    plan = web_plan()
    outputs = tuple(output for output in plan.outputs if output.name != "Secret")
    quiet = {name: item for name, item in plan.resources.items() if name != "Database"}
    password = Deferred("Resolve", ["secretsmanager", "db:SecretString:password"])
    database = replace(
        plan.resources[LogicalId("Database")],
        properties={**plan.resources[LogicalId("Database")].properties, "MasterUserPassword": password,
                    "AllocatedStorage": "20", "Engine": "mysql"},
    )  # fmt: skip
    plan = replace(plan, outputs=outputs, resources={**quiet, LogicalId("Database"): database})
    content = files(plan, "cloudformation")["template.yaml"]
    assert lint(content) == []
    assert "{{resolve:secretsmanager:db:SecretString:password}}" in content


def test_functions_are_restored() -> None:
    template = template_of(
        VPC,
        resource("Queue", "AWS::SQS::Queue"),
        resource(
            "Topic",
            "AWS::SNS::Topic",
            {
                "DisplayName": join("", "x ${y} ", ref("Vpc"), "/", att("Queue", "Arn")),
                "TopicName": Deferred("Fn::Select", [0, Deferred("Fn::GetAZs", "")]),
                "KmsMasterKeyId": join("-", Deferred("Fn::ImportValue", "key"), "a"),
                "ArchivePolicy": {"a": Deferred("Resolve", ["ssm", "/a"])},
            },
            needs=frozenset({LogicalId("Vpc"), LogicalId("Queue")}),
        ),
        outputs=(Output("Id", ref("Vpc"), export=join("", "net-", ref("Vpc"))),),
    )
    topic = template["Resources"]["Topic"]
    assert "DependsOn" not in topic
    assert topic["Properties"]["DisplayName"] == {"Fn::Sub": "x ${!y} ${Vpc}/${Queue.Arn}"}
    assert topic["Properties"]["TopicName"] == {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    assert topic["Properties"]["KmsMasterKeyId"] == {"Fn::Join": ["-", [{"Fn::ImportValue": "key"}, "a"]]}
    assert topic["Properties"]["ArchivePolicy"] == {"a": "{{resolve:ssm:/a}}"}
    assert template["Outputs"]["Id"] == {"Value": {"Ref": "Vpc"}, "Export": {"Name": {"Fn::Sub": "net-${Vpc}"}}}


def test_parameters_policies_and_imports() -> None:
    plan = web_plan()
    known = {LogicalId("Attachment"): Identifier("IGW|vpc-1"), LogicalId("Vpc"): Identifier("vpc-1")}
    rendered = files(plan, "cloudformation", identifiers=known)
    template = yaml.safe_load(rendered["template.yaml"])
    assert template["Parameters"] == {"DbPassword": {"Type": "String", "NoEcho": True, "Description": "Of the owner"}}
    assert json.loads(rendered["parameters.json"]) == [{"ParameterKey": "DbPassword", "UsePreviousValue": True}]
    assert template["Resources"]["Database"]["DeletionPolicy"] == "Retain"
    assert template["Resources"]["Attachment"]["DependsOn"] == ["PublicSubnetA"]
    assert template["Metadata"]["Reconciler"]["Parameters"]["Cidr"] == "10.20.0.0/16"
    identifiers = {
        item["LogicalResourceId"]: item["ResourceIdentifier"] for item in json.loads(rendered["imports.json"])
    }
    assert identifiers == {"Attachment": {"AttachmentType": "IGW", "VpcId": "vpc-1"}, "Vpc": {"VpcId": "vpc-1"}}


@settings(max_examples=60, deadline=None)
@example("\x85")
@example("a\u2028b")
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_text_survives_the_template(text: str) -> None:
    plan = plan_of(resource("Topic", "AWS::SNS::Topic", {"DisplayName": text}), description=text)
    template = yaml.safe_load(files(plan, "cloudformation")["template.yaml"])
    assert template["Resources"]["Topic"]["Properties"]["DisplayName"] == text


def test_a_plan_that_is_to_be_absent_leaves_nothing() -> None:
    plan = replace(web_plan(), absent=True)
    terraform_files = {file.path: file.content for file in render(ChangeSet(plan), "terraform")}
    assert "resource" not in terraform_files["main.tf"]
    assert 'provider "awscc"' in terraform_files["versions.tf"]
    template = files(plan, "cloudformation")["template.yaml"]
    assert list(yaml.safe_load(template)["Resources"]) == ["Nothing"]
    assert lint(template) == []
