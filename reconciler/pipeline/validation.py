"""The commands that show, after a deployment, whether AWS is as the plan says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from reconciler.model.change import Action, ChangeSet
from reconciler.model.ids import OWNER_ID_TAG, OWNER_PLAN_TAG, LogicalId
from reconciler.model.plan import Plan, PlannedResource

#: EC2 resources are found by their id or, before they have one, by the ownership tags.
_EC2: Mapping[str, tuple[str, str]] = {
    "AWS::EC2::EIP": ("describe-addresses", "--allocation-ids"),
    "AWS::EC2::Instance": ("describe-instances", "--instance-ids"),
    "AWS::EC2::InternetGateway": ("describe-internet-gateways", "--internet-gateway-ids"),
    "AWS::EC2::NatGateway": ("describe-nat-gateways", "--nat-gateway-ids"),
    "AWS::EC2::RouteTable": ("describe-route-tables", "--route-table-ids"),
    "AWS::EC2::SecurityGroup": ("describe-security-groups", "--group-ids"),
    "AWS::EC2::Subnet": ("describe-subnets", "--subnet-ids"),
    "AWS::EC2::VPC": ("describe-vpcs", "--vpc-ids"),
}
#: Others by a name: (service, command, option, the property that holds the name).
_NAMED: Mapping[str, tuple[str, str, str, str]] = {
    "AWS::DynamoDB::Table": ("dynamodb", "describe-table", "--table-name", "TableName"),
    "AWS::IAM::InstanceProfile": ("iam", "get-instance-profile", "--instance-profile-name", "InstanceProfileName"),
    "AWS::IAM::ManagedPolicy": ("iam", "get-policy", "--policy-arn", ""),
    "AWS::IAM::Role": ("iam", "get-role", "--role-name", "RoleName"),
    "AWS::KMS::Alias": ("kms", "describe-key", "--key-id", "AliasName"),
    "AWS::KMS::Key": ("kms", "describe-key", "--key-id", ""),
    "AWS::Logs::LogGroup": ("logs", "describe-log-groups", "--log-group-name-prefix", "LogGroupName"),
    "AWS::RDS::DBInstance": ("rds", "describe-db-instances", "--db-instance-identifier", "DBInstanceIdentifier"),
    "AWS::S3::Bucket": ("s3api", "head-bucket", "--bucket", "BucketName"),
    "AWS::SNS::Topic": ("sns", "get-topic-attributes", "--topic-arn", ""),
    "AWS::SQS::Queue": ("sqs", "get-queue-attributes", "--queue-url", ""),
    "AWS::SSM::Parameter": ("ssm", "describe-parameters", "--parameter-filters", "Name"),
}


def validation_commands(changes: ChangeSet) -> list[str]:
    """One command for each changed resource, then those that check the whole; each safe to paste into a shell."""
    plan = changes.plan
    commands: list[list[str]] = []
    for change in changes.changes:
        resource = plan.resources.get(change.logical_id)
        if resource is not None and change.action is not Action.DELETE and not plan.absent:
            identifier = None if change.action is Action.REPLACE else change.identifier
            identifier = identifier or changes.identifiers.get(change.logical_id)
            commands.append(_command(plan, resource, identifier))
    tag = f"Key={OWNER_PLAN_TAG},Values={plan.name}"
    commands.append(["resourcegroupstaggingapi", "get-resources", "--tag-filters", tag])
    region = ["--region", plan.target.region]
    lines = [shlex.join(["aws", *command, *region]) for command in commands]
    return [*dict.fromkeys(_flat(line) for line in lines), _flat(shlex.join(["reconciler", "diff", plan.name]))]


def _command(plan: Plan, resource: PlannedResource, identifier: str | None) -> list[str]:
    if resource.type in _EC2:
        command, option = _EC2[resource.type]
        # an address is identified by its IP and its allocation; AWS wants the latter
        return [
            "ec2",
            command,
            *([option, identifier.rsplit("|", 1)[-1]] if identifier else _filters(plan, resource.logical_id)),
        ]
    name = identifier
    if resource.type in _NAMED:
        service, command, option, key = _NAMED[resource.type]
        given = resource.properties.get(key)
        name = identifier or (given if isinstance(given, str) else None)
        if name:
            return [service, command, *_named_options(service, option, name)]
    if identifier:
        return ["cloudcontrol", "get-resource", "--type-name", resource.type, "--identifier", identifier]
    return ["cloudcontrol", "list-resources", "--type-name", resource.type]


def _named_options(service: str, option: str, name: str) -> list[str]:
    if service == "sqs":
        return [option, name, "--attribute-names", "All"]
    if service == "ssm":
        return [option, f"Key=Name,Values={name}"]
    return [option, name]


def _filters(plan: Plan, logical_id: LogicalId) -> list[str]:
    return [
        "--filters",
        f"Name=tag:{OWNER_PLAN_TAG},Values={plan.name}",
        f"Name=tag:{OWNER_ID_TAG},Values={logical_id}",
    ]


def _flat(line: str) -> str:
    """A command on one line; an odd name with a line break in it makes a comment instead of a second command."""
    return line if line.isprintable() else f"# not shown, a name in it isn't printable: {line!a}"
