"""Ways out of an error as commands that work, ready to be copied. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable

from reconciler.model.ids import Identifier, LogicalId, Owner, TypeName
from reconciler.model.plan import Plan
from reconciler.schema import schema_for

#: Columns that a command may take: options are indented by three.
_WIDTH = 74
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
#: Global services answer for no region in their ARNs.
_ARNS = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{id}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "{id}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{id}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{id}",
    "AWS::SSM::Parameter": "arn:{partition}:ssm:{region}:{account}:parameter/{path}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{id}",
}
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


def shell(*words: str) -> str:
    """A command line, quoted, continued on further lines where it would be wider than a terminal."""
    lines, current = [], ""
    for piece in _pieces(words):
        longer = f"{current} {piece}" if current else piece
        if current and len(longer) > _WIDTH - 2:
            lines.append(f"{current} \\")
            current = f"  {piece}"
        else:
            current = longer
    return "\n".join([*lines, current])


def _pieces(words: Iterable[str]) -> list[str]:
    """What stays together on a line: an option with its values, unless that alone is too wide."""
    pieces: list[list[str]] = []
    for word in map(shlex.quote, words):
        if word.startswith("--") or not pieces or len(" ".join([*pieces[-1], word])) > _WIDTH - 4:
            pieces.append([])
        pieces[-1].append(word)
    return [" ".join(piece) for piece in pieces]


def option(text: str, *commands: str) -> str:
    """One way out: what it means, and the commands that do it, each from a line of its own."""
    return "\n".join([text, *commands])


def apply(plan: Plan) -> str:
    """The command that makes a pass now."""
    return shell("reconciler", "apply", plan.name)


def place(plan: Plan, logical_id: LogicalId | None = None) -> str:
    """File and line of a plan, or of a resource in it where that is known."""
    resource = plan.resources.get(logical_id) if logical_id is not None else None
    return f"{plan.origin.file}:{(resource.line if resource else 0) or plan.origin.line}"


def whoami(plan: Plan) -> str:
    """The command that shows whose credentials are used."""
    return shell("aws", "sts", "get-caller-identity", *profile(plan))


def profile(plan: Plan) -> tuple[str, ...]:
    """The AWS command line's option for the profile of a plan, if it has one."""
    return ("--profile", plan.target.profile) if plan.target.profile else ()


def region(plan: Plan) -> tuple[str, ...]:
    """The AWS command line's options for the place of a plan."""
    return ("--region", plan.target.region, *profile(plan))


def adopt(identifier: Identifier) -> str:
    """The line to add to a resource in a plan."""
    name = identifier if _PLAIN.fullmatch(identifier) else json.dumps(identifier)
    return f"Metadata: {{Reconciler: {{adopt: {name}}}}}"


def hand_over(plan: Plan, logical_id: LogicalId, type_name: TypeName, identifier: Identifier) -> str | None:
    """The command that makes a resource the plan's by its ownership tags; None for types found otherwise."""
    schema = schema_for(type_name, plan.target.region)
    if schema is None or schema.tag_property is None:
        return None
    tags = Owner(plan.name, logical_id).tags()
    if type_name.startswith("AWS::EC2::"):
        resource = identifier.rpartition("|")[2]
        return shell("aws", "ec2", "create-tags", "--resources", resource, "--tags", *_pairs(tags), *region(plan))
    if type_name == "AWS::IAM::Role":
        return shell("aws", "iam", "tag-role", "--role-name", identifier, "--tags", *_pairs(tags), *profile(plan))
    arn = _arn(plan, type_name, identifier)
    if arn is None:
        return None
    both = ",".join(f"{key}={value}" for key, value in tags.items())
    words = ("resourcegroupstaggingapi", "tag-resources", "--resource-arn-list", arn, "--tags", both)
    return shell("aws", *words, *region(plan))


def hand_over_stack(plan: Plan, logical_id: LogicalId, identifier: Identifier) -> str:
    """The command that makes a stack the plan's, its template and parameters as they are."""
    name = identifier.split("/")[1] if identifier.count("/") > 1 else identifier
    words = ("cloudformation", "update-stack", "--stack-name", name, "--use-previous-template")
    tags = (f"Key={key},Value={value}" for key, value in Owner(plan.name, logical_id).tags().items())
    return shell("aws", *words, "--capabilities", "CAPABILITY_NAMED_IAM", "--tags", *tags, *region(plan))


def delete(plan: Plan, type_name: TypeName, identifier: Identifier) -> str:
    """The command that deletes any resource."""
    words = ("cloudcontrol", "delete-resource", "--type-name", type_name, "--identifier", identifier)
    return shell("aws", *words, *region(plan))


def _pairs(tags: dict[str, str]) -> Iterable[str]:
    return (f"Key={key},Value={value}" for key, value in tags.items())


def _arn(plan: Plan, type_name: TypeName, identifier: Identifier) -> str | None:
    pattern = _ARNS.get(type_name)
    if pattern is None:
        return None
    target = plan.target
    partition = next((name for start, name in _PARTITIONS if target.region.startswith(start)), "aws")
    return pattern.format(
        partition=partition,
        region=target.region,
        account=target.account,
        id=identifier,
        name=identifier.rpartition("/")[2],
        path=identifier.removeprefix("/"),
    )
