"""What things are called: logical ids, plan names, and what an ARN stands for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adoption import arns
from reconciler.adoption.exceptions import fits
from reconciler.adoption.found import Guess, Subject, Taken
from reconciler.adoption.naming import camel, logical_ids, plan_name
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.resource import Observation

REGION = "eu-central-1"


def taken(type_name: str, identifier: str, given_name: str = "", **properties: Any) -> Taken:
    guess = Guess(TypeName(type_name), Identifier(identifier))
    subject = Subject(identifier, (guess,), LogicalId(given_name) if given_name else None)
    return Taken(subject, guess.type, Observation(guess.identifier, properties))


def name(key: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": key}]


def test_logical_ids_come_from_the_name_tag_the_name_the_identifier_or_the_type() -> None:
    found = logical_ids(
        [
            taken("AWS::EC2::VPC", "vpc-0123456789abcdef0", Tags=name("dev web")),
            taken("AWS::S3::Bucket", "logs.example.com", BucketName="logs.example.com"),
            taken("AWS::SSM::Parameter", "/app/db/url", Type="String"),
            taken("AWS::SNS::Topic", "arn:aws:sns:eu-central-1:1:big-news"),
            taken("AWS::EC2::Subnet", "subnet-0123456789abcdef0"),
            taken("AWS::KMS::Key", "537eaadc-add0-42bd-8cac-b2a351362d53"),
            taken("AWS::EC2::Route", "rtb-1|0.0.0.0/0", Tags=name("日本")),
        ],
        REGION,
    )
    assert found[:6] == ["DevWeb", "LogsExampleCom", "AppDbUrl", "BigNews", "Subnet", "Key"]
    assert re.fullmatch(r"[A-Za-z0-9]+", found[6])


def test_several_alike_are_told_apart_by_type_then_by_number() -> None:
    found = logical_ids(
        [
            taken("AWS::EC2::VPC", "vpc-1", Tags=name("web")),
            taken("AWS::EC2::Subnet", "subnet-1", Tags=name("web")),
            taken("AWS::EC2::Subnet", "subnet-2", Tags=name("WEB")),
        ],
        REGION,
    )
    assert found == ["WebVPC", "WebSubnet", "WEBSubnet2"]


def test_what_a_stack_calls_it_stays_and_nothing_else_takes_that_name() -> None:
    found = logical_ids(
        [taken("AWS::EC2::VPC", "vpc-1", Tags=name("Main")), taken("AWS::EC2::VPC", "vpc-2", "Main")], REGION
    )
    assert found[1] == "Main"
    assert found[0].lower() != "main"


@settings(deadline=None)
@given(st.lists(st.text(max_size=90), min_size=1, max_size=8))
def test_whatever_they_are_called_logical_ids_are_valid_and_unique(texts: list[str]) -> None:
    entries = [taken("AWS::EC2::VPC", f"vpc-{index}", Tags=name(text)) for index, text in enumerate(texts)]
    found = logical_ids(entries, REGION)
    assert all(re.fullmatch(r"[A-Za-z0-9]{1,255}", one) for one in found)
    assert len({one.lower() for one in found}) == len(found)
    assert logical_ids(entries, REGION) == found


@settings(deadline=None)
@given(st.lists(st.text(max_size=50), max_size=4))
def test_plan_names_are_dns_names(parts: list[str]) -> None:
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", plan_name(*parts))
    assert len(plan_name(*parts)) <= 63


def test_words_are_joined() -> None:
    assert camel("dev-web_sg 2") == "DevWebSg2"
    assert camel("déjà vu") == "DejaVu"


@pytest.mark.parametrize(
    ("arn", "type_name", "identifier"),
    [
        ("ec2:eu-central-1:1:vpc/vpc-1", "AWS::EC2::VPC", "vpc-1"),
        ("ec2:eu-central-1:1:security-group/sg-1", "AWS::EC2::SecurityGroup", "sg-1"),
        ("ec2:eu-central-1:1:natgateway/nat-1", "AWS::EC2::NatGateway", "nat-1"),
        ("ec2:eu-central-1:1:elastic-ip/eipalloc-1", "AWS::EC2::EIP", "eipalloc-1"),
        ("s3:::logs", "AWS::S3::Bucket", "logs"),
        ("sqs:eu-central-1:1:jobs", "AWS::SQS::Queue", "jobs"),
        ("sns:eu-central-1:1:news", "AWS::SNS::Topic", "="),
        ("iam::1:role/team/web", "AWS::IAM::Role", "web"),
        ("iam::1:policy/team/web", "AWS::IAM::ManagedPolicy", "="),
        ("lambda:eu-central-1:1:function:f", "AWS::Lambda::Function", "f"),
        ("dynamodb:eu-central-1:1:table/t", "AWS::DynamoDB::Table", "t"),
        ("logs:eu-central-1:1:log-group:/a/b:*", "AWS::Logs::LogGroup", "/a/b"),
        ("ssm:eu-central-1:1:parameter/app/url", "AWS::SSM::Parameter", "/app/url"),
        ("kms:eu-central-1:1:key/k-1", "AWS::KMS::Key", "k-1"),
        ("rds:eu-central-1:1:db:main", "AWS::RDS::DBInstance", "main"),
        ("rds:eu-central-1:1:subgrp:g", "AWS::RDS::DBSubnetGroup", "g"),
        (
            "elasticloadbalancing:eu-central-1:1:loadbalancer/app/web/1",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "=",
        ),
        ("elasticloadbalancing:eu-central-1:1:loadbalancer/web", "AWS::ElasticLoadBalancing::LoadBalancer", "web"),
        ("elasticloadbalancing:eu-central-1:1:targetgroup/web/1", "AWS::ElasticLoadBalancingV2::TargetGroup", "="),
        ("ecs:eu-central-1:1:cluster/main", "AWS::ECS::Cluster", "main"),
        ("ecs:eu-central-1:1:service/main/web", "AWS::ECS::Service", "=|main"),
        ("states:eu-central-1:1:stateMachine:flow", "AWS::StepFunctions::StateMachine", "="),
        ("secretsmanager:eu-central-1:1:secret:s-AbCdEf", "AWS::SecretsManager::Secret", "="),
        ("apigateway:eu-central-1::/restapis/a1", "AWS::ApiGateway::RestApi", "a1"),
        ("apigateway:eu-central-1::/restapis/a1/stages/live", "AWS::ApiGateway::Stage", "a1|live"),
        ("apigateway:eu-central-1::/apis/a1", "AWS::ApiGatewayV2::Api", "a1"),
        (
            "autoscaling:eu-central-1:1:autoScalingGroup:u:autoScalingGroupName/web",
            "AWS::AutoScaling::AutoScalingGroup",
            "web",
        ),
        ("cognito-idp:eu-central-1:1:userpool/p_1", "AWS::Cognito::UserPool", "p_1"),
        ("wafv2:eu-central-1:1:regional/webacl/n/i", "AWS::WAFv2::WebACL", "n|i|REGIONAL"),
        ("events:eu-central-1:1:rule/nightly", "AWS::Events::Rule", "="),
        ("cloudfront::1:distribution/E1", "AWS::CloudFront::Distribution", "E1"),
        ("route53:::hostedzone/Z1", "AWS::Route53::HostedZone", "Z1"),
        ("kinesis:eu-central-1:1:stream/s", "AWS::Kinesis::Stream", "s"),
        ("elasticfilesystem:eu-central-1:1:file-system/fs-1", "AWS::EFS::FileSystem", "fs-1"),
    ],
)
def test_an_arn_tells_type_and_identifier(arn: str, type_name: str, identifier: str) -> None:
    text = f"arn:aws:{arn}"
    parsed = arns.parse(text)
    assert parsed is not None
    wanted = Guess(TypeName(type_name), Identifier(identifier.replace("=", text)))
    assert wanted in arns.guesses(parsed, REGION)


def test_what_no_type_is_known_for_is_not_guessed() -> None:
    parsed = arns.parse("arn:aws:glue:eu-central-1:1:nothing/x")
    assert parsed is not None
    assert arns.guesses(parsed, REGION) == ()
    assert arns.parse("vpc-1") is None


def test_databases_that_share_an_api_are_told_apart_by_their_engine() -> None:
    for type_name, engine, wanted in (
        ("AWS::RDS::DBCluster", "aurora-mysql", True),
        ("AWS::RDS::DBCluster", "docdb", False),
        ("AWS::DocDB::DBCluster", "docdb", True),
        ("AWS::Neptune::DBCluster", "docdb", False),
        ("AWS::ElastiCache::CacheCluster", "redis", True),
    ):
        assert fits(TypeName(type_name), {"Engine": engine}) is wanted
