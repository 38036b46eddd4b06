"""What the emulator can't do, by the call that shows it: no fault of ours, and named one by one in these tables.

moto's CloudFormation leaves out properties that a template sets, and sets others of its own. What stands in the
template and not in its stack is told by itself (``left_out``); everything else has a line here, and what has none is
taken for ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.corpus.deploying.leftout import STACKS

#: what differs between any two accounts, or between two looks at one
IGNORED = re.compile(
    r"^(iam:GetUser \{\}|iam:GetAccountSummary|kms:GetPublicKey|ssm:GetParameterHistory|iam:.*arn:aws:iam::aws:"
    r"|iot:DescribeEndpoint)"
)

#: (place, as a pattern; why it is still there when nothing is)
LEFT: tuple[tuple[str, str], ...] = (
    (
        r"^ec2:DescribeNetworkAcls ",
        "a VPC's default network ACL outlives it (ec2:DescribeNetworkAcls after ec2:DeleteVpc)",
    ),
    (
        r"^ec2:DescribeTransitGatewayRouteTables ",
        "a transit gateway's default route table outlives it (ec2:DescribeTransitGatewayRouteTables)",
    ),
    (r"^ec2:DescribeTags ", "tags outlive what they are on (ec2:DescribeTags after its deletion)"),
    (
        r"^emr:(ListInstanceGroups|ListInstances|ListBootstrapActions|ListSteps) ",
        "what a terminated cluster was made of is still listed (emr:ListInstanceGroups after emr:TerminateJobFlows)",
    ),
    (r"^ecs:ListClusters ", "inactive clusters are still listed (ecs:ListClusters after ecs:DeleteCluster)"),
    (
        r"^ec2:(DescribeInstanceAttribute|GetLaunchTemplateData) |^ec2:DescribeSubnets .*/AvailableIpAddressCount$",
        "a terminated instance keeps its address and attributes (ec2:DescribeSubnets, ec2:DescribeInstanceAttribute)",
    ),
    (
        r"^route53:ListReusableDelegationSets ",
        "a zone's delegation set is listed and outlives it (route53:ListReusableDelegationSets)",
    ),
    (
        r"^rds:DescribeDBParameterGroups .*|^rds:DescribeEvents ",
        "a family's default group and what has happened outlive the instance (rds:DescribeDBParameterGroups)",
    ),
    (
        r"^redshift:(DescribeTags|DescribeClusterSnapshots) ",
        "an automated snapshot and its tags outlive the cluster (redshift:DescribeTags after redshift:DeleteCluster)",
    ),
    (
        r"^ecs:ListTaskDefinitionFamilies ",
        "families of inactive task definitions are listed, as in AWS (ecs:DescribeTaskDefinition says INACTIVE)",
    ),
    (
        r"^kms:(ListKeys|GetKeyRotationStatus|ListKeyPolicies|GetKeyPolicy|ListResourceTags) ",
        "a key waits for its deletion, as in AWS (kms:DescribeKey says PendingDeletion)",
    ),
    (
        r"^ec2:DescribeSecurityGroupRules .*/SecurityGroupRules\[\]/",
        "a group that AWS makes has rules, and is looked at itself (ec2:DescribeSecurityGroups)",
    ),
    (
        r"^ec2:DescribeNetworkInterfaces .*‹",
        "a NAT gateway's interface outlives it (ec2:DescribeNetworkInterfaces after ec2:DeleteNatGateway)",
    ),
)

#: (message of moto's API, as a pattern; what its CloudFormation takes all the same, which AWS never does)
REFUSED: tuple[tuple[str, str], ...] = (
    (r"Some AttributeDefinitions are not used", "attributes that no key uses (dynamodb:CreateTable refuses them)"),
    (r"Number of attributes in KeySchema", "attributes that no key uses (dynamodb:CreateTable refuses them)"),
    (
        r"Policy arn:aws:iam::aws:policy/\S+ does not exist",
        "a managed policy that there isn't (iam:AttachRolePolicy refuses it)",
    ),
    (
        r"Invalid type for parameter Code, value: ",
        "code by a path, for the AWS CLI to replace before deployment (lambda:CreateFunction refuses it)",
    ),
    (
        r'Missing required parameter in input: "DBInstanceClass"',
        "a database without a class (rds:CreateDBInstance refuses it)",
    ),
    (
        r"ecs:CreateService: .*The subnet ID '\S+' does not exist|ec2:\w+: Invalid\w+\.NotFound.*-0123456789abcdef",
        "what a made-up id names and there isn't (ecs:CreateService, ec2:RunInstances and others refuse it)",
    ),
    (
        r"InvalidTargetBucketForLogging",
        "logs to a bucket that lets nobody write yet (s3:PutBucketLogging refuses it, AWS takes it)",
    ),
    (
        r"/ReplicationConfiguration/Rules is .*'DeleteMarkerReplication': \{'Status': 'Disabled'\}",
        "delete markers to be replicated (s3:GetBucketReplication says that they aren't, whatever was put)",
    ),
    (r"must be in ARN format", "a policy for what is no ARN (iam:PutRolePolicy refuses it)"),
    (
        r"which no plan in this account and region exports",
        "an import of what nobody exports (cloudformation:ListExports shows none)",
    ),
    (r"A protocol must be specified", "a target group without a protocol (elbv2:CreateTargetGroup refuses it)"),
    (r"kinesis:CreateStream: 500", "a provisioned stream without shards (kinesis:CreateStream crashes)"),
    (
        r"Invalid type for parameter EbsRootVolumeSize, value: (example|\(sensitive\)), type: <class .str.>",
        "a text for a size, made up for a parameter (emr:RunJobFlow refuses it)",
    ),
    (
        r"(ssm:GetParameter: ParameterNotFound|secretsmanager:GetSecretValue: ResourceNotFoundException)",
        "a reference to a secret that there isn't (ssm:GetParameter, secretsmanager:GetSecretValue)",
    ),
    (r"IAM::Policy create: .* needs a name", "a policy without a name (iam:PutRolePolicy refuses it)"),
    (
        r"SQS::Queue create: .* belongs to plan",
        "two queues of one name, of which AWS refuses the second (sqs:CreateQueue takes it)",
    ),
)

#: what messages say where the emulator can't do something
LACKS = ("the endpoint doesn't implement this call",)

#: items of answers that come and go without a meaning: a stream that changes went to once (as in AWS, by
#: dynamodb:DescribeKinesisStreamingDestination), a default that is shown, again and again, once anything has been
#: changed (elb:ModifyLoadBalancerAttributes), and earlier versions of a policy, which are kept as in AWS
#: (iot:ListPolicyVersions)
_WITHOUT_MEANING: tuple[Mapping[str, Any], ...] = (
    {"DestinationStatus": "DISABLED"},
    {"Key": "elb.http.desyncmitigationmode", "Value": "defensive"},
    {"isDefaultVersion": False},
)

#: things that AWS goes on showing for a while after they are gone
GONE = frozenset(
    {"deleted", "deleting", "terminated", "terminated_with_errors", "terminating", "pendingdeletion", "inactive",
     "shutting-down"}
)  # fmt: skip

#: names of what AWS makes for everybody who comes later and keeps: the group of load balancers that name none
KEPT = re.compile(r"^default_elb_")


def says_nothing(item: Any) -> bool:
    """Whether an item of an answer may be there or not."""
    return isinstance(item, Mapping) and any(word.items() <= item.items() for word in _WITHOUT_MEANING)


def known(place: str, ours: Sequence[str], theirs: Sequence[str], template: str) -> str:
    """How moto's stack differs from its template there, if it does; else empty."""
    found = next((why for pattern, word, why in STACKS if word in template and re.search(pattern, place)), "")
    return found or left_out(place, ours, theirs, template)


def left_out(place: str, ours: Sequence[str], theirs: Sequence[str], template: str) -> str:
    """What the template spells out, the plan's account has, and the stack's hasn't."""
    word = re.split(r"[/\[\]]", place)[-1] or re.split(r"[/\[\]]", place.rstrip("[]"))[-1]
    if theirs or not all(_spelled(value, word, template) for value in ours):
        return ""
    return f"left out of the stack: {word}, shown by {place.split(' ')[0]}"


def _spelled(value: str, word: str, template: str) -> bool:
    text = value.strip('"')
    if len(text) < 4 or text in ("true", "false"):
        return text.lower() in template.lower() and word.lower() in template.lower()
    if text.startswith("arn:aws:iam::aws:policy/"):  # templates put the partition in
        text = text.rpartition("/")[2]
    return text in template or re.fullmatch(r"‹[^#›]+›", text) is not None


def outlives(place: str) -> str:
    """Why something is still there, if that is the emulator's; else empty."""
    return next((why for pattern, why in LEFT if re.search(pattern, place)), "")


def lacking(message: str) -> bool:
    """Whether the emulator has no such call, crashed on it, or can't do what AWS can."""
    return any(text in message for text in LACKS)


def taken(message: str, *, valid: bool) -> str:
    """What moto's CloudFormation took of what its own API refuses with this message; empty if that isn't known.

    ``valid``: whether the provider schemas find no fault with the template.
    """
    if not valid and "ParamValidationError" in message:
        return "values of a kind that neither the provider schema nor the API allows (botocore refuses them)"
    if not valid and "is not supported by this version" in message:
        return "a property that the provider schema hasn't got (it leaves it out)"
    return next((why for pattern, why in REFUSED if re.search(pattern, message)), "")
