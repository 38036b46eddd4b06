"""Types that the awscc provider lacks: written with aws, in CloudFormation's meaning, or refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pipeline_builders import creating, plan_of, ref, resource
from pipeline_lacking import files, main_of, refused

from reconciler.model.change import ResourceState
from reconciler.model.errors import PipelineError
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.plan import Output, PlannedResource
from reconciler.model.resource import SyncState
from reconciler.pipeline import render

BEHAVIOR = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"}


def site(**config: Any) -> PlannedResource:
    given = {"Enabled": True, "Origins": [{"Id": "o", "DomainName": "example.com"}], "DefaultCacheBehavior": BEHAVIOR}
    return resource("Site", "AWS::CloudFront::Distribution", {"DistributionConfig": {**given, **config}})


def test_a_distribution_says_what_cloudformation_takes_for_granted() -> None:
    main = main_of(site())
    assert 'http_version = "http1.1"' in main
    assert '    geo_restriction {\n      restriction_type = "none"\n' in main
    assert "  viewer_certificate {\n    cloudfront_default_certificate = true\n" in main
    assert '    allowed_methods        = ["GET", "HEAD"]\n    cached_methods         = ["GET", "HEAD"]\n' in main
    assert "default_ttl            = 86400\n    max_ttl                = 31536000\n" in main


def test_a_cache_policy_has_the_times_to_live() -> None:
    main = main_of(site(DefaultCacheBehavior={**BEHAVIOR, "CachePolicyId": "p"}))
    assert 'cache_policy_id        = "p"' in main
    assert "ttl" not in main


@pytest.mark.parametrize(
    ("config", "block"),
    [
        ({"S3OriginConfig": {}}, None),
        ({"S3OriginConfig": {"OriginAccessIdentity": ""}}, None),
        ({"S3OriginConfig": {"OriginAccessIdentity": "i"}}, 's3_origin_config {\n      origin_access_identity = "i"\n'),
        (
            {"CustomOriginConfig": {"OriginProtocolPolicy": "https-only", "HTTPPort": 8080}},
            "custom_origin_config {\n      http_port              = 8080\n      https_port             = 443\n",
        ),
    ],
)
def test_origins(config: dict[str, Any], block: str | None) -> None:
    main = main_of(site(Origins=[{"Id": "o", "DomainName": "example.com", **config}]))
    assert block in main if block else "origin_config" not in main


def test_lists_with_their_quantity_are_blocks_in_a_row() -> None:
    codes = {"StatusCodes": {"Quantity": 1, "Items": [500]}}
    members = {"Quantity": 2, "Items": [{"OriginId": "o"}, {"OriginId": "p"}]}
    group = {"Id": "g", "FailoverCriteria": codes, "Members": members, "SelectionCriteria": "default"}
    main = main_of(site(OriginGroups={"Quantity": 1, "Items": [group]}))
    assert "    failover_criteria {\n      status_codes = [500]\n" in main
    assert main.count("    member {\n") == 2
    other = {**group, "SelectionCriteria": "media-quality-based"}
    assert "Items/0/SelectionCriteria" in refused(site(OriginGroups={"Quantity": 1, "Items": [other]}))


POOL: dict[str, Any] = {"UserPoolName": "people", "MfaConfiguration": "ON", "EnabledMfas": ["SOFTWARE_TOKEN_MFA"]}


def test_a_pools_attributes_have_the_limits_that_cognito_gives_them() -> None:
    schema = [
        {"Name": "email", "AttributeDataType": "String", "Required": True},
        {"Name": "birthdate", "AttributeDataType": "String"},
        {"Name": "team", "AttributeDataType": "String", "Mutable": False},
        {"Name": "age", "AttributeDataType": "Number", "NumberAttributeConstraints": {"MaxValue": "150"}},
    ]
    main = main_of(resource("Pool", "AWS::Cognito::UserPool", {**POOL, "Schema": schema}))
    assert '      max_length = "2048"\n      min_length = "0"\n' in main
    assert '      max_length = "10"\n      min_length = "10"\n' in main
    assert '"team"\n\n    string_attribute_constraints {}\n' in main
    assert 'mutable             = false\n    name                = "team"\n' in main
    assert '    number_attribute_constraints {\n      max_value = "150"\n' in main
    assert main.count("mutable             = true") == 3


def test_factors_of_sign_in_are_blocks_or_follow_from_others() -> None:
    sms = {"ExternalId": "e", "SnsCallerArn": "a"}
    factors = {"EnabledMfas": ["SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP"], "EmailAuthenticationSubject": "Code"}
    main = main_of(resource("Pool", "AWS::Cognito::UserPool", {**POOL, **factors, "SmsConfiguration": sms}))
    assert "  software_token_mfa_configuration {\n    enabled = true\n" in main
    assert '  email_mfa_configuration {\n    subject = "Code"\n' in main
    assert "Pool/EnabledMfas: this property of AWS::Cognito::UserPool without SMS_MFA" in refused(
        resource("Pool", "AWS::Cognito::UserPool", {**POOL, "SmsConfiguration": sms})
    )
    assert "Pool/EmailAuthenticationMessage" in refused(
        resource("Pool", "AWS::Cognito::UserPool", {**POOL, "EmailAuthenticationMessage": "x"})
    )
    assert "EnabledMfas/0: this property of AWS::Cognito::UserPool (SMOKE)" in refused(
        resource("Pool", "AWS::Cognito::UserPool", {**POOL, "EnabledMfas": ["SMOKE"]})
    )


PROJECT: dict[str, Any] = {
    "Name": "build",
    "ServiceRole": "r",
    "Artifacts": {"Type": "NO_ARTIFACTS"},
    "Source": {"Type": "GITHUB", "Location": "https://example.com/x.git"},
    "Environment": {"Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "i"},
}


def test_a_projects_webhook_is_a_resource_with_groups_of_filters() -> None:
    pushed, on_main = {"Type": "EVENT", "Pattern": "PUSH"}, {"Type": "HEAD_REF", "Pattern": "main"}
    groups = [[pushed, on_main], [pushed]]
    hooked = {**PROJECT, "Triggers": {"Webhook": True, "FilterGroups": groups}}
    main = main_of(resource("Build", "AWS::CodeBuild::Project", hooked))
    assert 'resource "aws_codebuild_webhook" "build" {\n  project_name = aws_codebuild_project.build.name\n' in main
    assert main.count("  filter_group {\n") == 2
    assert main.count("    filter {\n") == 3
    plain = {**PROJECT, "Triggers": {"Webhook": False}}
    assert "webhook" not in main_of(resource("Build", "AWS::CodeBuild::Project", plain))
    assert "Build/Triggers/Webhook" in refused(
        resource("Build", "AWS::CodeBuild::Project", {**PROJECT, "Triggers": {"BuildType": "BUILD"}})
    )


def test_an_existing_project_is_imported_by_its_name_with_its_webhook() -> None:
    hooked = resource("Build", "AWS::CodeBuild::Project", {**PROJECT, "Triggers": {"Webhook": True}})
    name = LogicalId("Build")
    known = {"identifiers": {name: Identifier("build")}, "live": {name: {"Triggers": {"Webhook": True}}}}
    imports = files(hooked, **known)["imports.tf"]
    assert 'to = aws_codebuild_project.build\n  id = "build"' in imports
    assert 'to = aws_codebuild_webhook.build\n  id = "build"' in imports


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            resource("Build", "AWS::CodeBuild::Project", {name: PROJECT[name] for name in PROJECT if name != "Name"}),
            "Build: aws_codebuild_project needs Name, .*or use format cloudformation",
        ),
        (
            resource("Build", "AWS::CodeBuild::Project", {**PROJECT, "VpcConfig": {"VpcId": "vpc-1"}}),
            "Build/VpcConfig: aws_codebuild_project needs SecurityGroupIds",
        ),
        (site(Origins=[{"Id": "o", "DomainName": "d", "VpcOriginConfig": {"OwnerAccountId": "1"}}]), "OwnerAccountId"),
    ],
)
def test_what_aws_lacks_too_is_named(item: PlannedResource, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        main_of(item)


ZONE = resource("Zone", "AWS::Route53::HostedZone", {"Name": "example.com"})
RECORDS: list[dict[str, Any]] = [
    {"Name": "a.example.com.", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]},
    {"Name": "a.example.com.", "Type": "AAAA", "AliasTarget": {"DNSName": "x.example.com", "HostedZoneId": "Z2"}},
    {"Name": "b.example.com.", "Type": "A", "TTL": "60", "Weight": 1, "SetIdentifier": "One", "ResourceRecords": ["x"]},
]
GROUP = resource("Dns", "AWS::Route53::RecordSetGroup", {"HostedZoneId": ref("Zone"), "RecordSets": RECORDS})


def test_a_group_of_records_is_a_resource_for_each() -> None:
    main = main_of(ZONE, replace(GROUP, deletion_policy="Retain"))
    for label in ("dns_a_example_com_a", "dns_a_example_com_aaaa", "dns_b_example_com_a_one"):
        assert f'resource "aws_route53_record" "{label}" {{' in main
    assert main.count("zone_id = awscc_route53_hosted_zone.zone.hosted_zone_id") == 2
    assert main.count("prevent_destroy = true") == 3
    assert "  weighted_routing_policy {\n    weight = 1\n" in main


def test_what_needs_a_group_needs_each_of_its_records() -> None:
    late = resource("Late", "AWS::SQS::Queue", {}, needs=frozenset({LogicalId("Dns")}))
    early = resource("Apex", "AWS::SQS::Queue", {}, needs=frozenset({LogicalId("Dns")}))
    main = main_of(ZONE, GROUP, late, early)
    label = "    aws_route53_record.dns_a_example_com_a"
    assert main.count(f"  depends_on = [\n{label},\n{label}aaa,\n") == 2


def test_records_do_not_take_the_address_of_another_resource() -> None:
    own = resource("DnsAExampleComA", "AWS::Route53::RecordSet", {**RECORDS[0], "HostedZoneId": "Z1"})
    late = resource("Late", "AWS::SQS::Queue", {}, needs=frozenset({LogicalId("Dns")}))
    changes = creating(plan_of(ZONE, GROUP, own, late))
    main = {file.path: file.content for file in render(changes, "terraform", provider="aws")}["main.tf"]
    assert main.count('resource "aws_route53_record" "dns_a_example_com_a" {') == 1
    assert main.count('resource "aws_route53_record" "dns_a_example_com_a_" {') == 1
    assert "    aws_route53_record.dns_a_example_com_a_,\n" in main


def test_records_that_exist_are_imported_and_others_made() -> None:
    live = [{"Name": "a.example.com", "Type": "A"}, {"Name": "b.example.com.", "Type": "A", "SetIdentifier": "One"}]
    name = LogicalId("Dns")
    known = {"identifiers": {name: Identifier("Z1|a.example.com/A/")}, "live": {name: {"RecordSets": live}}}
    imports = files(ZONE, GROUP, **known)["imports.tf"]
    assert 'to = aws_route53_record.dns_a_example_com_a\n  id = "Z1_a.example.com_A"' in imports
    assert 'to = aws_route53_record.dns_b_example_com_a_one\n  id = "Z1_b.example.com_A_One"' in imports
    assert imports.count("import {") == 2


def test_nothing_refers_to_a_group_and_none_is_left_behind_unsaid() -> None:
    with pytest.raises(PipelineError, match="Dns is several of aws_route53_record"):
        render(creating(plan_of(ZONE, GROUP, outputs=(Output("Group", ref("Dns")),))), "terraform")
    gone = ResourceState(
        LogicalId("Dns"), TypeName("AWS::Route53::RecordSetGroup"), SyncState.ORPHANED, identifier=Identifier("Z1|x/A/")
    )
    with pytest.raises(PipelineError, match="Dns: it has left the plan and is to stay") as caught:
        render(creating(plan_of(ZONE), resources=(gone,)), "terraform")
    assert not caught.value.retryable


def test_users_are_added_to_a_group_without_taking_others_out_of_it() -> None:
    group, user = resource("Team", "AWS::IAM::Group"), resource("Ann", "AWS::IAM::User")
    added = {"GroupName": ref("Team"), "Users": [ref("Ann"), "bob"]}
    main = main_of(group, user, resource("Members", "AWS::IAM::UserToGroupAddition", added))
    assert (
        'resource "aws_iam_user_group_membership" "members_ann" {\n'
        "  groups = [awscc_iam_group.team.group_name]\n  user   = awscc_iam_user.ann.user_name\n"
    ) in main
    assert 'resource "aws_iam_user_group_membership" "members_bob" {' in main
    assert "aws_iam_group_membership" not in main


def test_a_group_that_is_called_otherwise_moves_record_by_record() -> None:
    moved = replace(GROUP, moved_from=Owner(PlanName("prod-web"), LogicalId("Names")))
    told = files(ZONE, moved)["moved.tf"]
    label = "a_example_com_aaaa"
    assert f"from = aws_route53_record.names_{label}\n  to   = aws_route53_record.dns_{label}\n" in told
    assert told.count("moved {") == 3
