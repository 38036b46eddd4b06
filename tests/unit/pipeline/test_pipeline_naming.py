"""awscc names, from the provider's own list (1.106): each rule and each of its exceptions."""

from __future__ import annotations

import pytest

from reconciler.pipeline import naming


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CidrBlock", "cidr_block"),
        ("VpcId", "vpc_id"),
        ("EnableDnsHostnames", "enable_dns_hostnames"),
        ("MapPublicIpOnLaunch", "map_public_ip_on_launch"),
        ("SSEAlgorithm", "sse_algorithm"),
        ("KMSMasterKeyID", "kms_master_key_id"),
        ("S3BucketName", "s3_bucket_name"),
        ("TextS3Location", "text_s3_location"),
        ("DesiredEC2Instances", "desired_ec2_instances"),
        ("Ipv4IpamPoolId", "ipv_4_ipam_pool_id"),
        ("Ipv6CidrBlock", "ipv_6_cidr_block"),
        ("IpV4Addresses", "ip_v4_addresses"),
        ("EventBusV2Parameters", "event_bus_v2_parameters"),
        ("A2aAgentCard", "a2_a_agent_card"),
        ("R53Resource", "r53_resource"),
        ("TargetGroupARNs", "target_group_ar_ns"),
        ("CloudWatchLogsLogGroupArn", "cloudwatch_logs_log_group_arn"),
        ("CloudFrontOriginAccessIdentity", "cloudfront_origin_access_identity"),
        ("CloudFormationStackArn", "cloudformation_stack_arn"),
        ("DBInstanceClass", "db_instance_class"),
        ("Arn", "arn"),
        ("URL", "url"),
    ],
)
def test_attribute_names(name: str, expected: str) -> None:
    assert naming.attribute_name(name) == expected


@pytest.mark.parametrize(
    ("type_name", "expected"),
    [
        ("AWS::EC2::VPC", "awscc_ec2_vpc"),
        ("AWS::EC2::VPCGatewayAttachment", "awscc_ec2_vpc_gateway_attachment"),
        ("AWS::EC2::EIP", "awscc_ec2_eip"),
        ("AWS::EC2::SubnetRouteTableAssociation", "awscc_ec2_subnet_route_table_association"),
        ("AWS::S3::Bucket", "awscc_s3_bucket"),
        ("AWS::IAM::ManagedPolicy", "awscc_iam_managed_policy"),
        ("AWS::DynamoDB::Table", "awscc_dynamodb_table"),
        ("AWS::Logs::LogGroup", "awscc_logs_log_group"),
        ("AWS::SSM::Parameter", "awscc_ssm_parameter"),
        ("AWS::RDS::DBInstance", "awscc_rds_db_instance"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "awscc_elasticloadbalancingv2_target_group"),
    ],
)
def test_resource_types(type_name: str, expected: str) -> None:
    assert naming.resource_type(type_name) == expected


def test_types_that_are_not_awss_have_no_name() -> None:
    for name in ("Custom::Thing", "Org::Service::Thing::MODULE", "AWS::Broken"):
        with pytest.raises(ValueError, match="not a type of AWS"):
            naming.resource_type(name)


def test_terraforms_own_words_at_the_top_level() -> None:
    assert naming.top_level_name("AWS::EC2::SecurityGroup", "Id") == "security_group_id"
    assert naming.top_level_name("AWS::X::Y", "Provider") == "provider_name"
    assert naming.attribute_name("Id") == "id"


def test_labels_are_distinct_and_allowed() -> None:
    names = ["VpcA", "VPCa", "VpCa", "Count", "9Lives", "Ünï", "Version"]
    labels = naming.labels(names)
    assert len(set(labels.values())) == len(names)
    assert labels["VPCa"] != labels["VpCa"]
    assert labels["Count"] == "count_"
    assert all(label[0].isalpha() or label[0] == "_" for label in labels.values())
    assert naming.labels(reversed(names)) == labels
