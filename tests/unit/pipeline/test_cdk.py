"""CDK apps as text: what a plan becomes in both languages, and what is refused. The corpus's tests synthesize them."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pipeline_builders import CANARY, att, creating, join, plan_of, ref, resource, web_plan

from reconciler.model.errors import PipelineError
from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import Output, Plan, PlannedResource
from reconciler.model.values import Deferred, Sensitive
from reconciler.pipeline import render
from reconciler.pipeline.cdk.names import class_name, l1_class, snake_case, versions
from reconciler.pipeline.cdk.project import packages
from reconciler.pipeline.cdk.python import literal as python_literal
from reconciler.pipeline.cdk.typescript import literal as typescript_literal
from reconciler.schema import known_types, schema_for
from reconciler.source.parse import parse

VPC = resource("Vpc", "AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"})
QUEUE = resource("Queue", "AWS::SQS::Queue")


def files(plan: Plan, language: str = "typescript", **settings: Any) -> dict[str, str]:
    return {file.path: file.content for file in render(creating(plan, **settings), "cdk", language)}


def stack(*resources: PlannedResource, **settings: Any) -> str:
    return files(plan_of(*resources, **settings))["lib/stack.ts"]


def python_stack(*resources: PlannedResource, **settings: Any) -> str:
    content = files(plan_of(*resources, **settings), "python")["stack.py"]
    ast.parse(content)
    return content


def test_a_project_is_complete_and_pins_what_it_was_written_for() -> None:
    project = files(web_plan())
    assert set(project) == {
        ".gitignore", "bin/app.ts", "cdk.json", "imports.json", "lib/stack.ts", "package-lock.json", "package.json",
        "tsconfig.json",
    }  # fmt: skip
    package, lock = json.loads(project["package.json"]), json.loads(project["package-lock.json"])
    assert package["name"] == lock["name"] == lock["packages"][""]["name"] == "prod-web"
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert lock["packages"][""]["devDependencies"] == package["devDependencies"]
    assert "http" not in json.dumps([entry.get("resolved", "") for entry in lock["packages"].values()])
    for name, version in versions().items():
        assert package["dependencies"][name] == packages()[name] == version
        assert f"{name}=={version}\n" in files(web_plan(), "python")["requirements.txt"]


def test_account_and_region_are_pinned_and_nothing_is_added_to_the_template() -> None:
    project = files(web_plan())
    assert "env: { account: '444455556666', region: 'eu-central-1' }" in project["bin/app.ts"]
    assert "generateBootstrapVersionRule: false" in project["bin/app.ts"]
    assert "analyticsReporting: false" in project["bin/app.ts"]
    assert json.loads(project["cdk.json"])["pathMetadata"] is False
    python = files(web_plan(), "python")
    assert 'env=cdk.Environment(account="444455556666", region="eu-central-1")' in python["app.py"]
    assert json.loads(python["cdk.json"])["versionReporting"] is False


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
    for language in ("typescript", "python"):
        assert files(turned, language) == files(plan, language)


def test_typed_classes_references_and_order() -> None:
    content = files(web_plan())["lib/stack.ts"]
    for part in (
        "import * as ec2 from 'aws-cdk-lib/aws-ec2';",
        "const vpc = new ec2.CfnVPC(this, 'Vpc', {",
        "vpcId: vpc.ref,",
        "attachment.addDependency(publicSubnetA);",
        "database.cfnOptions.deletionPolicy = cdk.CfnDeletionPolicy.RETAIN;",
        "masterUserPassword: dbPassword.valueAsString,",
        "description: `for \\$${vpc.ref} in ${vpc.attrCidrBlock} \\${literal}`,",
        "new cdk.CfnOutput(this, 'RoleArn', { value: role.attrArn, exportName: 'web-role' });",
    ):
        assert part in content
    assert content.index("'Vpc'") < content.index("'PublicSubnetA'") < content.index("'Attachment'")


def test_the_same_in_python() -> None:
    content = files(web_plan(), "python")["stack.py"]
    for part in (
        "from aws_cdk import aws_ec2 as ec2",
        "vpc = ec2.CfnVPC(",
        "vpc_id=vpc.ref,",
        "attachment.add_dependency(public_subnet_a)",
        "database.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.RETAIN",
        'description=f"for ${vpc.ref} in {vpc.attr_cidr_block} ${{literal}}",',
        'cdk.CfnTag(key="reconciler:plan", value="prod-web"),',
        'iam.CfnRole.PolicyProperty(policy_document={"Statement": [], "Version": "2012-10-17"}, policy_name="p"),',
    ):
        assert part in content


FUNCTIONS: list[tuple[Any, str, str]] = [
    (ref("Vpc"), "vpc.ref", "vpc.ref"),
    (att("Queue", "Arn"), "queue.attrArn", "queue.attr_arn"),
    (join("", "a-", ref("Vpc")), "`a-${vpc.ref}`", 'f"a-{vpc.ref}"'),
    (join("-", "a", Deferred("Fn::ImportValue", "x")), "cdk.Fn.join('-', ['a', cdk.Fn.importValue('x')])",
     'cdk.Fn.join("-", ["a", cdk.Fn.import_value("x")])'),
    (join("", "a", Deferred("Fn::ImportValue", "x")), "`a${cdk.Fn.importValue('x')}`",
     'cdk.Fn.join("", ["a", cdk.Fn.import_value("x")])'),
    (Deferred("Fn::Select", [0, Deferred("Fn::GetAZs", "")]), "cdk.Fn.select(0, cdk.Fn.getAzs())",
     "cdk.Fn.select(0, cdk.Fn.get_azs())"),
    (Deferred("Fn::Select", ["1", Deferred("Fn::Split", [":", att("Queue", "Arn")])]),
     "cdk.Fn.select(1, cdk.Fn.split(':', queue.attrArn))", 'cdk.Fn.select(1, cdk.Fn.split(":", queue.attr_arn))'),
    (Deferred("Fn::Base64", join("", "#!", ref("Vpc"))), "cdk.Fn.base64(`#!${vpc.ref}`)",
     'cdk.Fn.base64(f"#!{vpc.ref}")'),
    (Deferred("Fn::Sub", ["${V}!${Queue.Arn}${!x}", {"V": ref("Vpc")}]), "`${vpc.ref}!${queue.attrArn}\\${x}`",
     'f"{vpc.ref}!{queue.attr_arn}${{x}}"'),
    (Deferred("Resolve", ["ssm", "/a"]), "'{{resolve:ssm:/a}}'", '"{{resolve:ssm:/a}}"'),
    (att("Vpc", "NoSuch"), "cdk.Token.asString(vpc.getAtt('NoSuch'))",
     'cdk.Token.as_string(vpc.get_att("NoSuch"))'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "typescript", "python"), FUNCTIONS)
def test_functions(value: Any, typescript: str, python: str) -> None:
    topic = resource("Topic", "AWS::SNS::Topic", {"DisplayName": value})
    assert f"displayName: {typescript}," in stack(VPC, QUEUE, topic)
    assert f"display_name={python}," in python_stack(VPC, QUEUE, topic)


@pytest.mark.parametrize(
    ("properties", "part"),
    [
        ({"DelaySeconds": "5"}, "delaySeconds: 5,"),
        ({"FifoQueue": "true"}, "fifoQueue: true,"),
        ({"DelaySeconds": ref("Vpc")}, "delaySeconds: cdk.Token.asNumber(vpc.ref),"),
        ({"FifoQueue": ref("Vpc")}, "fifoQueue: cdk.Token.asAny(vpc.ref),"),
        ({"DelaySeconds": Deferred("Resolve", ["ssm", "/n"])}, "cdk.Token.asNumber('{{resolve:ssm:/n}}'),"),
        ({"QueueName": 5}, "queueName: '5',"),
        ({"RedrivePolicy": {"maxReceiveCount": 3}}, "redrivePolicy: { maxReceiveCount: 3 },"),
        # what the class doesn't take stands as it does in the template
        ({"DelaySeconds": "soon"}, "queue.addPropertyOverride('DelaySeconds', 'soon');"),
        ({"RedrivePolicy": '{"a": 1}'}, "queue.addPropertyOverride('RedrivePolicy', '{\"a\": 1}');"),
        ({"Brand.New": [1]}, "queue.addPropertyOverride('Brand\\\\.New', [1]);"),
    ],
)
def test_values_by_the_type_of_their_property(properties: dict[str, Any], part: str) -> None:
    assert part in stack(VPC, resource("Queue", "AWS::SQS::Queue", properties))


def test_a_type_that_the_library_lacks_is_written_generically() -> None:
    assert l1_class("AWS::ECS::Gateway") is None
    content = stack(VPC, resource("Gateway", "AWS::ECS::Gateway", {"Name": "x", "Vpc": ref("Vpc")}))
    assert "new cdk.CfnResource(this, 'Gateway', {\n      type: 'AWS::ECS::Gateway',\n" in content
    assert "Vpc: vpc.ref" in content


def test_a_class_without_what_it_insists_on_is_written_generically() -> None:
    content = stack(resource("Role", "AWS::IAM::Role", {"RoleName": "x"}), outputs=(Output("Arn", att("Role", "Arn")),))
    assert "new cdk.CfnResource(this, 'Role', {" in content
    assert "cdk.Token.asString(role.getAtt('Arn'))" in content


def test_names_that_would_clash() -> None:
    content = stack(
        resource("ec2", "AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
        resource("Default", "AWS::SNS::Topic", {"DisplayName": ref("ec2")}),
        resource("VPCs", "AWS::SNS::Topic", {"DisplayName": ref("Default")}),
        outputs=(Output("ec2", ref("ec2")),),
    )
    assert "const ec2Resource = new ec2.CfnVPC(this, 'ec2', {" in content
    assert "new sns.CfnTopic(this, 'DefaultConstruct', {" in content
    assert ".overrideLogicalId('Default');" in content
    assert "new cdk.CfnOutput(this, 'ec2Output', { value: ec2Resource.ref });" in content
    assert "ec2Output.overrideLogicalId('ec2');" in content


def test_words_of_python_are_avoided() -> None:
    content = python_stack(
        resource("Lambda", "AWS::Lambda::Function", {"Code": {"ZipFile": "x"}, "Role": "arn:aws:iam::1:role/r"}),
        outputs=(Output("Arn", att("Lambda", "Arn")),),
    )
    assert "from aws_cdk import aws_lambda as lambda_\n" in content
    assert "lambda__resource = lambda_.CfnFunction(" in content
    assert (snake_case("from"), snake_case("sizeInGiB"), snake_case("attrDBProxyArn")) == (
        "from_", "size_in_gib", "attr_db_proxy_arn",
    )  # fmt: skip


def test_existing_resources_are_mapped_for_cdk_import() -> None:
    known = {LogicalId("Vpc"): Identifier("vpc-1"), LogicalId("Attachment"): Identifier("IGW|vpc-1")}
    assert json.loads(files(web_plan(), identifiers=known)["imports.json"]) == {
        "Attachment": {"AttachmentType": "IGW", "VpcId": "vpc-1"},
        "Vpc": {"VpcId": "vpc-1"},
    }


def test_metadata_is_kept() -> None:
    metadata = {"AWS::CloudFormation::Init": {"config": {"files": {"/etc/x": {"content": ref("Queue")}}}}}
    content = stack(QUEUE, replace(VPC, metadata=metadata))
    assert "vpc.cfnOptions.metadata = {\n" in content
    assert "'/etc/x': { content: queue.ref }" in content


def test_what_a_stack_alone_does_is_told_to_stacks_and_refused_for_terraform() -> None:
    followed = replace(VPC, by_stack={"UpdatePolicy": {"AutoScalingRollingUpdate": {"PauseTime": ref("Queue")}}})
    assert "vpc.addOverride('UpdatePolicy', {" in stack(QUEUE, followed)
    rendered = {file.path: file.content for file in render(creating(plan_of(QUEUE, followed)), "cloudformation")}
    template = parse(rendered["template.yaml"].encode(), "template.yaml")[0].data
    assert template["Resources"]["Vpc"]["UpdatePolicy"] == {"AutoScalingRollingUpdate": {"PauseTime": {"Ref": "Queue"}}}
    with pytest.raises(PipelineError, match="Vpc/UpdatePolicy: CloudFormation alone follows it"):
        render(creating(plan_of(QUEUE, followed)), "terraform")


def test_a_plan_that_is_to_be_absent_leaves_a_placeholder() -> None:
    content = files(replace(web_plan(), absent=True))["lib/stack.ts"]
    assert "new cloudformation.CfnWaitConditionHandle(this, 'Nothing');" in content
    assert "CfnVPC" not in content


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"DisplayName": Deferred("Fn::Transform", {"Name": "x"})}, "Fn::Transform can't be written with the CDK"),
        ({"DisplayName": ref("Nowhere")}, "Topic/DisplayName: it refers to 'Nowhere', which is no resource"),
        ({"DisplayName": "a ${Token[TOKEN.1]} b"}, "Topic/DisplayName: .*reads as one of the CDK's own"),
    ],
)
def test_what_the_cdk_cannot_express_is_named(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message) as caught:
        stack(resource("Topic", "AWS::SNS::Topic", properties))
    assert not caught.value.retryable


def test_another_language_is_answered_plainly() -> None:
    with pytest.raises(PipelineError, match="the CDK isn't rendered in cobol: there are typescript, python"):
        files(web_plan(), "cobol")


def test_secrets_become_parameters() -> None:
    for language in ("typescript", "python"):
        everything = "\n".join(files(web_plan(), language).values())
        assert "canary" not in everything
        topic = resource("Topic", "AWS::SNS::Topic", {"DisplayName": f"x {CANARY}"})
        database = resource("Database", "AWS::RDS::DBInstance", {"MasterUserPassword": Sensitive(CANARY)})
        with pytest.raises(PipelineError, match="would hold a secret"):
            files(plan_of(topic, database), language)


@settings(max_examples=200, deadline=None)
@example("\x85\u2028 \\${x} `'\"\n\n")
@example("a\nb\nc\n")
@example('a\n"""\nb')
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_text_survives(text: str) -> None:
    assert ast.literal_eval(python_literal(text)) == text
    written = typescript_literal(text)
    if written[0] == "`":
        assert re.sub(r"\\([`$\\])", r"\1", written[1:-1]) == text
        assert not re.search(r"(?<!\\)(\\\\)*(`|\$\{)", written[1:-1])
    else:
        assert ast.literal_eval(written) == text, "the escapes that are used are those of both languages"


def test_the_table_has_the_properties_of_the_schemas() -> None:
    """The library is made from the same schemas; it lags behind them by a few types and properties."""
    known = sorted(known_types())
    classes = {name: l1_class(name) for name in known}
    assert sum(found is not None for found in classes.values()) > len(known) * 0.98
    lacking = 0
    for name, found in classes.items():
        schema = schema_for(name)
        if found is not None and schema is not None:
            lacking += not {*schema.properties} - {path[0] for path in schema.read_only} <= found.props.keys()
    assert lacking < len(known) * 0.02


def test_class_names() -> None:
    assert [class_name(name) for name in ("prod-web", "1-net", "a.b")] == ["ProdWebStack", "Plan1NetStack", "ABStack"]
