"""Plans that prefer the aws provider: what becomes a block, a resource of its own, or is left to awscc."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pipeline_builders import CANARY, att, creating, plan_of, ref, resource, web_plan
from pipeline_terraform import Terraform

from reconciler.model.errors import PipelineError
from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.values import Deferred, Sensitive
from reconciler.pipeline import render
from tests.terraformcheck import problems

POLICY = {"Version": "2012-10-17", "Statement": []}
BUCKET = resource(
    "Logs",
    "AWS::S3::Bucket",
    {
        "BucketName": "logs",
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
    },
)


def files(plan: Plan, provider: str = "aws", **settings: Any) -> dict[str, str]:
    found = {file.path: file.content for file in render(creating(plan, **settings), "terraform", provider=provider)}
    assert list(problems(found)) == []
    return found


def main_of(*resources: PlannedResource) -> str:
    return files(plan_of(*resources))["main.tf"]


@pytest.mark.terraform
def test_a_whole_plan_is_formatted_and_every_name_exists(terraform: Terraform) -> None:
    rendered = files(web_plan(), identifiers={LogicalId("Vpc"): Identifier("vpc-1")})
    for name, content in rendered.items():
        assert terraform("fmt", "-", stdin=content).stdout == content, name
    assert "awscc_" not in rendered["main.tf"]
    assert 'resource "aws_db_instance" "database"' in rendered["main.tf"]


def test_tags_references_and_documents() -> None:
    main = files(web_plan())["main.tf"]
    for part in (
        "vpc_id                  = aws_vpc.vpc.id",
        'description = "for \\u0024${aws_vpc.vpc.id} in ${aws_vpc.vpc.cidr_block} $${literal}"',
        '    "reconciler:plan" = "prod-web"\n',
        "assume_role_policy = jsonencode({",
        '"aws:SourceVpc" = aws_vpc.vpc.id',
        "password       = var.db_password",
        "ignore_changes = [enable_dns_support]",
        "prevent_destroy = true",
        "depends_on          = [aws_subnet.public_subnet_a]",
    ):
        assert part in main


def test_what_is_a_resource_of_its_own_points_back() -> None:
    main = main_of(BUCKET)
    assert (
        'resource "aws_s3_bucket_versioning" "logs" {\n  bucket = aws_s3_bucket.logs.id\n\n'
        '  versioning_configuration {\n    status = "Enabled"\n  }\n}\n'
    ) in main
    assert 'resource "aws_s3_bucket_public_access_block" "logs" {\n  block_public_acls   = true\n' in main
    assert 'sse_algorithm = "aws:kms"' in main


def test_policies_of_a_role_are_named_for_what_they_are() -> None:
    role = resource(
        "Role",
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": POLICY,
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess", ref("Own")],
            "Policies": [{"PolicyName": "inline", "PolicyDocument": POLICY}],
        },
    )
    own = resource("Own", "AWS::IAM::ManagedPolicy", {"PolicyDocument": POLICY})
    main = main_of(role, own)
    assert 'resource "aws_iam_role_policy_attachment" "role_read_only_access" {' in main
    assert 'resource "aws_iam_role_policy_attachment" "role_own" {\n  policy_arn = aws_iam_policy.own.arn\n' in main
    assert 'resource "aws_iam_role_policy" "role_inline" {\n  name = "inline"\n' in main
    assert main.count("role       = aws_iam_role.role.name") == 2


def test_security_groups_let_out_what_cloudformation_lets_out() -> None:
    rule = {"IpProtocol": "tcp", "FromPort": "443", "ToPort": 443, "CidrIp": "10.0.0.0/8"}
    group = {"GroupDescription": "x", "SecurityGroupIngress": [rule, rule]}
    main = main_of(resource("Open", "AWS::EC2::SecurityGroup", group))
    assert main.count("  ingress {\n") == 2
    assert 'cidr_blocks = ["10.0.0.0/8"]\n    from_port   = 443\n' in main
    assert 'egress {\n    cidr_blocks = ["0.0.0.0/0"]\n    from_port   = 0\n    protocol    = "-1"\n' in main
    closed = {**group, "SecurityGroupEgress": [rule]}
    assert '"-1"' not in main_of(resource("Closed", "AWS::EC2::SecurityGroup", closed))


def test_user_data_is_readable() -> None:
    script = "#!/bin/sh\n\necho hello\n"
    encoded = Deferred("Fn::Base64", Deferred("Fn::Join", ["", [script, "x ", ref("Ip"), "\n"]]))
    main = main_of(
        resource("Ip", "AWS::EC2::EIP", {}),
        resource("Host", "AWS::EC2::Instance", {"ImageId": "ami-1", "UserData": encoded}),
        resource("Other", "AWS::EC2::Instance", {"ImageId": "ami-1", "UserData": "eA=="}),
    )
    assert "user_data = <<-EOT\n    #!/bin/sh\n\n    echo hello\n    x ${aws_eip.ip.public_ip}\n  EOT\n" in main
    assert 'user_data_base64 = "eA=="' in main


def test_what_a_mapping_leaves_out_is_left_to_awscc_and_references_follow() -> None:
    odd = resource("Odd", "AWS::S3::Bucket", {"BucketName": "odd", "IntelligentTieringConfigurations": []})
    topic = resource("Topic", "AWS::SNS::Topic", {"DisplayName": att("Odd", "WebsiteURL")})
    queue = resource("Queue", "AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": att("Topic", "TopicArn")}})
    main = main_of(odd, topic, queue, BUCKET)
    assert 'resource "awscc_s3_bucket" "odd"' in main
    assert 'resource "aws_s3_bucket" "logs"' in main
    assert "display_name = awscc_s3_bucket.odd.website_url" in main
    assert "deadLetterTargetArn = aws_sns_topic.topic.arn" in main


def test_an_attribute_that_a_mapping_does_not_know_moves_the_resource_that_has_it() -> None:
    topic = resource("Topic", "AWS::SNS::Topic", {"DisplayName": att("Logs", "WebsiteURL")})
    main = main_of(BUCKET, topic)
    assert 'resource "awscc_s3_bucket" "logs"' in main
    assert "aws_s3_bucket_versioning" not in main


def test_types_that_awscc_leaves_out_are_written_with_aws_whatever_is_preferred() -> None:
    queue = resource("Queue", "AWS::SQS::Queue", {})
    policy = resource("Allow", "AWS::SQS::QueuePolicy", {"Queues": [ref("Queue")], "PolicyDocument": POLICY})
    main = files(plan_of(queue, policy), "awscc")["main.tf"]
    assert 'resource "aws_sqs_queue_policy" "allow" {' in main
    assert "queue_url = awscc_sqs_queue.queue.queue_url" in main


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"PolicyName": "p", "PolicyDocument": POLICY}, "Policy: aws_iam_role_policy needs Roles"),
        (
            {"PolicyName": "p", "PolicyDocument": POLICY, "Roles": ["a"], "Users": ["b"]},
            "Policy/Users: this property of AWS::IAM::Policy isn't covered by our mapping to aws_iam_role_policy",
        ),
        ({"PolicyName": "p", "PolicyDocument": POLICY, "Roles": ["a", "b"]}, "Policy/Roles: .* other than one item"),
    ],
)
def test_what_neither_provider_can_express_is_named(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message) as caught:
        main_of(resource("Policy", "AWS::IAM::Policy", properties))
    assert not caught.value.retryable


@pytest.mark.parametrize("password", [CANARY, Sensitive(CANARY)])
def test_secrets_become_variables(password: Any) -> None:
    secret = resource("Secret", "AWS::SecretsManager::Secret", {"SecretString": password})
    database = resource(
        "Db", "AWS::RDS::DBInstance", {"DBInstanceClass": "db.t3.micro", "MasterUserPassword": password}
    )
    rendered = files(plan_of(secret, database))
    assert "canary" not in "".join(rendered.values())
    assert re.search(r"secret_string = var\.\w+\n", rendered["main.tf"])
    assert re.search(r"password       = var\.\w+\n", rendered["main.tf"])
    assert rendered["variables.tf"].count("sensitive   = true") == 2


@pytest.mark.parametrize("provider", ["awscc", "aws"])
def test_a_secret_that_is_a_resource_is_looked_up_when_it_is_there(provider: str, terraform: Terraform) -> None:
    password = Deferred("Fn::Join", ["", ["{{resolve:secretsmanager:", ref("Secret"), ":SecretString:password::}}"]])
    secret = resource("Secret", "AWS::SecretsManager::Secret", {"SecretString": Sensitive(CANARY)})
    settings = {"DBInstanceClass": "db.t3.micro", "MasterUserPassword": password}
    rendered = files(plan_of(secret, resource("Db", "AWS::RDS::DBInstance", settings)), provider)
    main = rendered["main.tf"]
    looked_up = 'jsondecode(data.aws_secretsmanager_secret_version.secret.secret_string)["password"]'
    assert f"password       = {looked_up}\n" in main or f"master_user_password = {looked_up}\n" in main
    assert 'data "aws_secretsmanager_secret_version" "secret" {\n' in main
    assert ("depends_on = [aws_secretsmanager_secret_version.secret]" in main) == (provider == "aws")
    assert "{{resolve" not in main
    assert terraform("fmt", "-", stdin=main).stdout == main
