"""Live state to what a plan says of it: nothing that goes without saying, nothing secret, nothing that is lost."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adoption.found import Declared, Gap
from reconciler.adoption.properties import DRIFTED, ELSEWHERE, FUNCTION, HIDDEN, SECRET, UNSUPPORTED, plan_properties
from reconciler.live.compare import compare
from reconciler.model.secrecy import MASK
from reconciler.model.values import Sensitive, Unknown
from reconciler.schema import TypeSchema, schema_for

REGION = "eu-central-1"


def schema(type_name: str) -> TypeSchema:
    found = schema_for(type_name, REGION)
    assert found is not None
    return found


def taken(
    type_name: str, live: dict[str, Any], declared: Declared | None = None
) -> tuple[dict[str, Any], dict[str, Gap]]:
    about = schema(type_name)
    properties, gaps = plan_properties(about, about.settable, live, declared)
    return properties, {gap.pointer: gap for gap in gaps}


def test_what_aws_alone_writes_is_left_out_at_any_depth() -> None:
    live = {
        "QueueName": "jobs",
        "QueueUrl": "https://sqs/1/jobs",
        "Arn": "arn:aws:sqs:eu-central-1:111122223333:jobs",
        "VisibilityTimeout": 60,
    }
    assert taken("AWS::SQS::Queue", live)[0] == {"QueueName": "jobs", "VisibilityTimeout": 60}
    table = {"TableName": "t", "Arn": "a", "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}, "StreamArn": "b"}
    assert taken("AWS::DynamoDB::Table", table)[0] == {
        "TableName": "t",
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
    }


def test_what_aws_has_raised_by_itself_is_left_out_unless_a_template_says_it() -> None:
    warm = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}
    index = {"IndexName": "by", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}]}
    live = {
        "TableName": "t",
        "WarmThroughput": warm,
        "GlobalSecondaryIndexes": [{**index, "Projection": {"ProjectionType": "ALL"}, "WarmThroughput": warm}],
    }
    found, gaps = taken("AWS::DynamoDB::Table", live)
    assert "WarmThroughput" not in found
    assert "WarmThroughput" not in found["GlobalSecondaryIndexes"][0]
    assert not any("WarmThroughput" in pointer for pointer in gaps)


def test_ownership_and_aws_tags_are_left_out_and_with_them_an_empty_list() -> None:
    tags = [
        {"Key": "reconciler:plan", "Value": "old"},
        {"Key": "reconciler:id", "Value": "Old"},
        {"Key": "aws:cloudformation:stack-name", "Value": "s"},
    ]
    assert taken("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "Tags": tags})[0] == {"CidrBlock": "10.0.0.0/16"}
    own = {"Key": "team", "Value": "web"}
    assert taken("AWS::EC2::VPC", {"Tags": [*tags, own]})[0] == {"Tags": [own]}
    as_map = {"reconciler:plan": "old", "team": "web"}
    assert taken("AWS::SSM::Parameter", {"Name": "n", "Type": "String", "Value": "v", "Tags": as_map})[0]["Tags"] == {
        "team": "web"
    }


def test_what_is_at_the_schemas_default_is_left_out_but_not_what_the_type_needs() -> None:
    function = schema("AWS::ECS::Service")
    assert function.node(("PlatformVersion",)), "the example needs a property with a default"
    assert taken("AWS::ECS::Service", {"PlatformVersion": "LATEST", "ServiceName": "s"})[0] == {"ServiceName": "s"}
    assert taken("AWS::ECS::Service", {"PlatformVersion": "1.4.0"})[0] == {"PlatformVersion": "1.4.0"}


def test_a_group_without_rules_says_so_because_aws_would_give_it_one() -> None:
    live = {"GroupDescription": "g", "VpcId": "vpc-1", "SecurityGroupIngress": [], "SecurityGroupEgress": []}
    assert taken("AWS::EC2::SecurityGroup", live)[0] == live
    assert "BlockDeviceMappings" not in taken("AWS::EC2::Instance", {"BlockDeviceMappings": []})[0]


def test_secrets_and_what_is_never_shown_are_named_and_not_written() -> None:
    live = {"DBInstanceIdentifier": "db", "Engine": "postgres", "MasterUserPassword": Sensitive("hunter2-hunter2")}
    properties, gaps = taken("AWS::RDS::DBInstance", live)
    assert properties == {"DBInstanceIdentifier": "db", "Engine": "postgres"}
    assert gaps["/MasterUserPassword"].why == SECRET
    properties, gaps = taken("AWS::Lambda::Function", {"FunctionName": "f", "Role": "arn:aws:iam::1:role/r"})
    assert "Code" not in properties
    assert gaps["/Code"] == Gap("/Code", HIDDEN, needed=True)
    assert MASK not in str(properties)


def test_a_secret_that_is_known_from_elsewhere_is_none_to_write_down() -> None:
    Sensitive("correct horse battery staple")
    live = {"FunctionName": "f", "Environment": {"Variables": {"PHRASE": "correct horse battery staple", "A": "b"}}}
    properties, gaps = taken("AWS::Lambda::Function", live)
    assert "Environment" not in properties  # variables change as one: without one of them the plan would take it away
    assert gaps["/Environment/Variables"].why == SECRET
    assert compare(schema("AWS::Lambda::Function"), properties, live) == ()


@pytest.mark.parametrize("text", ["{{resolve:ssm:name}}", {"Ref": "Vpc"}, {"Fn::Sub": "x"}])
def test_what_a_plan_would_read_as_a_function_is_left_out(text: Any) -> None:
    live = {"FunctionName": "f", "Environment": {"Variables": {"ODD": text, "A": "b"}}}
    properties, gaps = taken("AWS::Lambda::Function", live)
    assert properties == {"FunctionName": "f"}
    assert gaps["/Environment/Variables"].why == FUNCTION


def test_a_policy_in_text_is_written_as_a_document_and_means_the_same() -> None:
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}'
    properties, _ = taken("AWS::SNS::TopicPolicy", {"PolicyDocument": text, "Topics": ["t"]})
    assert properties["PolicyDocument"]["Version"] == "2012-10-17"
    assert compare(schema("AWS::SNS::TopicPolicy"), properties, {"PolicyDocument": text, "Topics": ["t"]}) == ()


# with a stack's template


def test_only_what_the_template_sets_is_taken_at_its_live_value() -> None:
    live = {"QueueName": "jobs", "VisibilityTimeout": 90, "DelaySeconds": 5, "MessageRetentionPeriod": 345600}
    declared = Declared(("VisibilityTimeout", "QueueName"), {"VisibilityTimeout": 60, "QueueName": Unknown("x")})
    properties, gaps = taken("AWS::SQS::Queue", live, declared)
    assert list(properties.items()) == [("VisibilityTimeout", 90), ("QueueName", "jobs")]
    assert {pointer: gap.why for pointer, gap in gaps.items()} == {"/VisibilityTimeout": DRIFTED}


def test_what_aws_never_shows_comes_from_the_template_unless_it_is_secret() -> None:
    code = {"S3Bucket": "code", "S3Key": "f.zip"}
    declared = Declared(("Code", "Role"), {"Code": code, "Role": "arn:aws:iam::111122223333:role/r"})
    properties, gaps = taken("AWS::Lambda::Function", {"Role": "arn:aws:iam::111122223333:role/r"}, declared)
    assert properties["Code"] == code
    assert gaps == {}
    unknown = Declared(("Code",), {"Code": {"ZipFile": Unknown("x")}})
    assert taken("AWS::Lambda::Function", {}, unknown)[1]["/Code"] == Gap("/Code", HIDDEN, needed=True)
    password = Declared(("MasterUserPassword",), {"MasterUserPassword": "in the open"})
    properties, gaps = taken("AWS::RDS::DBInstance", {}, password)
    assert properties == {}
    assert gaps["/MasterUserPassword"].why == HIDDEN
    hidden = Declared(("MasterUserPassword",), {"MasterUserPassword": Sensitive("of a parameter")})
    assert taken("AWS::RDS::DBInstance", {}, hidden)[1]["/MasterUserPassword"].why == SECRET


def test_what_the_template_sets_and_aws_has_not_got_is_told() -> None:
    declared = Declared(("DelaySeconds", "Odd", "KmsMasterKeyId"), {"DelaySeconds": 3, "KmsMasterKeyId": ""})
    properties, gaps = taken("AWS::SQS::Queue", {"QueueName": "jobs"}, declared)
    assert properties == {}
    assert {pointer: gap.why for pointer, gap in gaps.items()} == {"/DelaySeconds": ELSEWHERE, "/Odd": UNSUPPORTED}


def test_of_several_ways_to_say_the_same_one_is_taken() -> None:
    template = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "3"}
    by_id = {"LaunchTemplateId": "lt-1", "Version": "3"}
    group = {"MinSize": "1", "MaxSize": "2", "LaunchTemplate": template}
    assert taken("AWS::AutoScaling::AutoScalingGroup", group)[0]["LaunchTemplate"] == by_id
    assert taken("AWS::EC2::Instance", {"LaunchTemplate": template})[0]["LaunchTemplate"] == by_id
    device = {"DeviceName": "/dev/xvda", "NoDevice": False, "Ebs": {"VolumeSize": 8}}
    about = {"ImageId": "ami-1", "InstanceType": "t3.micro", "BlockDeviceMappings": [device]}
    kept = taken("AWS::AutoScaling::LaunchConfiguration", about)[0]["BlockDeviceMappings"]
    assert kept == [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}]


def test_what_is_said_twice_is_taken_where_it_says_all() -> None:
    interface = {"NetworkInterfaceId": "eni-1", "DeviceIndex": "0", "SubnetId": "subnet-1"}
    one = {"SubnetId": "subnet-1", "NetworkInterfaces": [interface]}
    assert taken("AWS::EC2::Instance", one)[0] == {"SubnetId": "subnet-1"}
    several = {**one, "NetworkInterfaces": [interface, {**interface, "DeviceIndex": "1"}]}
    assert "NetworkInterfaces" in taken("AWS::EC2::Instance", several)[0]
    first, second = ({"Primary": first, "PrivateIpAddress": address} for first, address in ((True, "a"), (False, "b")))
    addressed = {"SubnetId": "s", "PrivateIpAddress": "a"}
    shown = taken("AWS::EC2::NetworkInterface", {**addressed, "PrivateIpAddresses": [first]})[0]
    assert shown == addressed
    shown = taken("AWS::EC2::NetworkInterface", {**addressed, "PrivateIpAddresses": [first, second]})[0]
    assert shown == {"SubnetId": "s", "PrivateIpAddresses": [first, second]}
    zones = {"HostedZoneId": "Z1", "HostedZoneName": "a-long-name.example.com."}
    assert taken("AWS::Route53::RecordSetGroup", zones)[0] == {"HostedZoneId": "Z1"}
    mappings = [{"SubnetId": "s", "AllocationId": "eipalloc-1"}]
    balancer = {"Subnets": ["s"], "SubnetMappings": mappings}
    assert taken("AWS::ElasticLoadBalancingV2::LoadBalancer", balancer)[0] == {"SubnetMappings": mappings}
