"""What is in one account of a local AWS, read with plain boto3: to compare the world before and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.testing.localaws import LocalAws

World = dict[str, dict[str, Any]]

#: What changes by itself, or has no meaning for anybody.
_VOLATILE = {
    "ApproximateNumberOfMessages",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "CreationDateTime",
    "ResponseMetadata",
    "LastModifiedDate",
    "Version",
    "lastUpdatedTimestamp",
}
#: Deleted, though AWS goes on showing it for a while.
_GONE = ("deleted", "deleting")


def world_of(aws: LocalAws, account: str, region: str = "us-east-1") -> World:
    """Everything that stands in an account, by type and identifier; volatile facts left out, calls not counted."""
    with aws.uncounted():

        def client(service: str) -> Any:
            return aws.client(service, account=account, region=region)

        found = {name: _keyed(read(client)) for name, read in _READERS.items()}
    return {name: items for name, items in found.items() if items}


def counts(world: World) -> dict[str, int]:
    """How many of each type."""
    return {name: len(items) for name, items in world.items()}


Clients = Callable[[str], Any]
Found = Iterable[tuple[str, Any]]


def _keyed(found: Found) -> dict[str, Any]:
    return {key: _steady(value) for key, value in found}


def _steady(value: Any) -> Any:
    """Without what is volatile, lists in one order."""
    if isinstance(value, dict):
        return {key: _steady(item) for key, item in sorted(value.items()) if key not in _VOLATILE}
    if isinstance(value, list):
        return sorted((_steady(item) for item in value), key=lambda item: json.dumps(item, default=str, sort_keys=True))
    return value if isinstance(value, str | int | bool | float | None) else str(value)


def _vpcs(client: Clients) -> Found:
    ec2 = client("ec2")
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        if not vpc["IsDefault"]:
            names = ("enableDnsSupport", "enableDnsHostnames")
            dns = [ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=name) for name in names]
            yield vpc["VpcId"], {**vpc, "dns": dns}


def _subnets(client: Clients) -> Found:
    found = client("ec2").describe_subnets()["Subnets"]
    return [(subnet["SubnetId"], subnet) for subnet in found if not subnet["DefaultForAz"]]


def _groups(client: Clients) -> Found:
    found = client("ec2").describe_security_groups()["SecurityGroups"]
    return [(group["GroupId"], group) for group in found if group["GroupName"] != "default"]


def _tables(client: Clients) -> Found:
    found = client("ec2").describe_route_tables()["RouteTables"]
    return [
        (table["RouteTableId"], table)
        for table in found
        if not any(association.get("Main") for association in table["Associations"])
    ]


def _nats(client: Clients) -> Found:
    found = client("ec2").describe_nat_gateways()["NatGateways"]
    return [(nat["NatGatewayId"], nat) for nat in found if nat["State"] not in _GONE]


def _buckets(client: Clients) -> Found:
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        calls = ("get_bucket_tagging", "get_bucket_versioning", "get_bucket_policy", "get_bucket_encryption")
        yield name, {call: _tolerant(getattr(s3, call), Bucket=name) for call in calls}


def _queues(client: Clients) -> Found:
    sqs = client("sqs")
    for url in sqs.list_queues().get("QueueUrls", ()):
        tags = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        yield url, {**sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"], "tags": tags}


def _topics(client: Clients) -> Found:
    sns = client("sns")
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        tags = sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
        yield arn, {**sns.get_topic_attributes(TopicArn=arn)["Attributes"], "tags": tags}


def _dynamo(client: Clients) -> Found:
    dynamodb = client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        table = dynamodb.describe_table(TableName=name)["Table"]
        tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        yield name, {**table, "TableId": "", "tags": tags}


def _logs(client: Clients) -> Found:
    logs = client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        yield name, {**group, "creationTime": 0, "tags": logs.list_tags_log_group(logGroupName=name)["tags"]}


def _parameters(client: Clients) -> Found:
    ssm = client("ssm")
    for parameter in ssm.describe_parameters()["Parameters"]:
        name = parameter["Name"]
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        yield name, {**ssm.get_parameter(Name=name)["Parameter"], "tags": tags}


def _roles(client: Clients) -> Found:
    iam = client("iam")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        inline = {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        tags = iam.list_role_tags(RoleName=name)["Tags"]
        yield (
            name,
            {
                **role,
                "RoleId": "",
                "CreateDate": "",
                "RoleLastUsed": "",
                "tags": tags,
                "inline": inline,
                "attached": attached,
            },
        )


def _policies(client: Clients) -> Found:
    iam = client("iam")
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        kept = {key: policy.get(key) for key in ("PolicyName", "Path", "AttachmentCount")}
        yield policy["Arn"], {**kept, "document": version["PolicyVersion"]["Document"]}


def _profiles(client: Clients) -> Found:
    found = client("iam").list_instance_profiles()["InstanceProfiles"]
    return [(one["InstanceProfileName"], [role["RoleName"] for role in one["Roles"]]) for one in found]


def _keys(client: Clients) -> Found:
    kms = client("kms")
    for key in kms.list_keys()["Keys"]:
        about = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if about.get("KeyManager") != "AWS" and "DeletionDate" not in about:
            tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
            yield key["KeyId"], {"Description": about["Description"], "Enabled": about["Enabled"], "tags": tags}


def _aliases(client: Clients) -> Found:
    found = client("kms").list_aliases()["Aliases"]
    return [
        (alias["AliasName"], alias.get("TargetKeyId"))
        for alias in found
        if not alias["AliasName"].startswith("alias/aws/")
    ]


def _tolerant(call: Callable[..., Any], **parameters: Any) -> Any:
    """An answer, or the code of the error that says that there is nothing."""
    from botocore.exceptions import ClientError

    try:
        return call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]


def _listed(service: str, operation: str, key: str, identifier: str) -> Callable[[Clients], Found]:
    def read(client: Clients) -> Found:
        return [(item[identifier], item) for item in getattr(client(service), operation)()[key]]

    return read


_READERS: dict[str, Callable[[Clients], Found]] = {
    "vpc": _vpcs,
    "subnet": _subnets,
    "security group": _groups,
    "route table": _tables,
    "internet gateway": _listed("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "address": _listed("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "nat gateway": _nats,
    "bucket": _buckets,
    "queue": _queues,
    "topic": _topics,
    "table": _dynamo,
    "log group": _logs,
    "parameter": _parameters,
    "role": _roles,
    "policy": _policies,
    "instance profile": _profiles,
    "key": _keys,
    "alias": _aliases,
}
