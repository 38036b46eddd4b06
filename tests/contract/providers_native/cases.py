"""What the contract is tried on: one case per type. The tests know nothing of types, the cases nothing of tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.providers_native.hands import ACCOUNT, REGION

Clients = Callable[[str], Any]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
OTHER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def document(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def key_policy(sid: str) -> dict[str, Any]:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def bucket_policy(bucket: str, action: str) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    arn = f"arn:aws:s3:::{bucket}/*"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [statement]}


@dataclass(frozen=True)
class Case:
    """``desired``: everything that can be said of a resource. ``changes``: other values, property by property.

    ``resets``: properties that can be dropped, which ``kept`` then may still show (defaults that AWS always shows).
    ``many``: a hundred small resources, and ``calls`` what reading them all may cost. ``foreign`` makes a resource
    of the same name behind everybody's back. ``deny``: a read to refuse. ``attributes``: what GetAtt may ask for.
    """

    type: str
    desired: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)
    resets: Mapping[str, Any] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    setup: Callable[[Clients], None] = lambda clients: None
    foreign: Callable[[Clients], Any] | None = None
    deny: tuple[str, str] = ("", "")
    denials: int = 1
    many: Callable[[int], dict[str, Any]] | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    name: str = ""
    #: whether a create that is repeated is told to be one here: moto ignores client tokens
    twice: bool = True
    #: whether it can be found without its identifier
    findable: bool = True
    #: whether moto's tagging API knows the type
    searchable: bool = True
    #: whether its tags are the kind that says whose it is
    says_whose: bool = True
    #: for a second case of a type
    label: str = ""

    @property
    def tagged(self) -> bool:
        return self.says_whose and any(name.endswith("Tags") for name in self.desired)

    @property
    def id(self) -> str:
        if self.label:
            return self.label
        return self.type.removeprefix("AWS::").replace("::", "-")


ABSENT = object()
TAGS = [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": ""}]
OTHER_TAGS = [{"Key": "team", "Value": "data"}, {"Key": "cost", "Value": "1"}]


def _bucket_settings() -> dict[str, Any]:
    return {
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
        "LifecycleConfiguration": {
            "Rules": [
                {"Id": "old", "Status": "Enabled", "Prefix": "logs/", "ExpirationInDays": 30},
                {
                    "Id": "cold",
                    "Status": "Enabled",
                    "TagFilters": [{"Key": "tier", "Value": "cold"}, {"Key": "keep", "Value": "no"}],
                    "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 60}],
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                },
                {"Id": "parts", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}},
            ]
        },
        "CorsConfiguration": {
            "CorsRules": [
                {
                    "Id": "web",
                    "AllowedMethods": ["GET"],
                    "AllowedOrigins": ["https://example.com"],
                    "AllowedHeaders": ["*"],
                    "ExposedHeaders": ["ETag"],
                    "MaxAge": 60,
                }
            ]
        },
        "WebsiteConfiguration": {
            "IndexDocument": "index.html",
            "ErrorDocument": "error.html",
            "RoutingRules": [
                {"RoutingRuleCondition": {"KeyPrefixEquals": "a/"}, "RedirectRule": {"ReplaceKeyPrefixWith": "b/"}}
            ],
        },
        "AccelerateConfiguration": {"AccelerationStatus": "Enabled"},
    }


BUCKET = Case(
    "AWS::S3::Bucket",
    {"BucketName": "contract-bucket", "Tags": TAGS, **_bucket_settings()},
    changes={
        "VersioningConfiguration": {"Status": "Suspended"},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/aws/s3"},
                }
            ]
        },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": False,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Disabled", "ExpirationInDays": 31}]},
        "CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"]}]},
        "WebsiteConfiguration": {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}},
        "AccelerateConfiguration": {"AccelerationStatus": "Suspended"},
        "Tags": OTHER_TAGS,
    },
    resets={
        "VersioningConfiguration": {"Status": "Suspended"},
        "BucketEncryption": ABSENT,
        "PublicAccessBlockConfiguration": ABSENT,
        "OwnershipControls": ABSENT,
        "LifecycleConfiguration": ABSENT,
        "CorsConfiguration": ABSENT,
        "WebsiteConfiguration": ABSENT,
        "AccelerateConfiguration": {"AccelerationStatus": "Suspended"},
        "Tags": ABSENT,
    },
    attributes=("Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL"),
    foreign=lambda clients: clients("s3").create_bucket(
        Bucket="contract-foreign", CreateBucketConfiguration={"LocationConstraint": REGION}
    ),
    deny=("s3", "GetBucketVersioning"),
    many=lambda number: {
        "BucketName": f"many-bucket-{number}",
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": _bucket_settings()["BucketEncryption"],
        "Tags": TAGS,
    },
    calls={"s3:GetBucketVersioning": 100, "s3:GetBucketEncryption": 100, "tagging:GetResources": 5},
    name="BucketName",
)

BUCKET_POLICY = Case(
    "AWS::S3::BucketPolicy",
    {"Bucket": "contract-policed", "PolicyDocument": bucket_policy("contract-policed", "s3:GetObject")},
    changes={"PolicyDocument": bucket_policy("contract-policed", "s3:PutObject")},
    setup=lambda clients: clients("s3").create_bucket(
        Bucket="contract-policed", CreateBucketConfiguration={"LocationConstraint": REGION}
    ),
    deny=("s3", "GetBucketPolicy"),
)


def _attachables(clients: Clients) -> None:
    iam = clients("iam")
    for name in ("contract-one", "contract-two", "contract-boundary"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document("s3:GetObject")))


def _policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


ROLE = Case(
    "AWS::IAM::Role",
    {
        "RoleName": "contract-role",
        "Path": "/team/",
        "AssumeRolePolicyDocument": TRUST,
        "Description": "as wanted",
        "MaxSessionDuration": 7200,
        "ManagedPolicyArns": [_policy_arn("contract-one")],
        "Policies": [{"PolicyName": "inline", "PolicyDocument": document("s3:GetObject")}],
        "Tags": TAGS,
    },
    changes={
        "AssumeRolePolicyDocument": OTHER_TRUST,
        "Description": "otherwise",
        "MaxSessionDuration": 3600,
        "ManagedPolicyArns": [_policy_arn("contract-two")],
        "PermissionsBoundary": _policy_arn("contract-boundary"),
        "Policies": [{"PolicyName": "second", "PolicyDocument": document("sqs:SendMessage")}],
        "Tags": OTHER_TAGS,
    },
    resets={
        "Description": ABSENT,
        "MaxSessionDuration": 3600,
        "ManagedPolicyArns": ABSENT,
        "PermissionsBoundary": ABSENT,
        "Policies": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn", "RoleId"),
    setup=_attachables,
    foreign=lambda clients: clients("iam").create_role(
        RoleName="contract-foreign", AssumeRolePolicyDocument=json.dumps(TRUST)
    ),
    deny=("iam", "GetRole"),
    many=lambda number: {
        "RoleName": f"many-role-{number}",
        "AssumeRolePolicyDocument": TRUST,
        "Policies": [{"PolicyName": "p", "PolicyDocument": document("s3:GetObject")}],
        "Tags": TAGS,
    },
    calls={"iam:GetAccountAuthorizationDetails": 1},
    name="RoleName",
    searchable=False,
)

MANAGED_POLICY = Case(
    "AWS::IAM::ManagedPolicy",
    {
        "ManagedPolicyName": "contract-managed",
        "Path": "/team/",
        "Description": "for the contract",
        "PolicyDocument": document("s3:GetObject"),
        "Roles": ["contract-holder"],
    },
    changes={"PolicyDocument": document("s3:PutObject"), "Roles": ["contract-other-holder"]},
    resets={"Roles": ABSENT},
    attributes=("PolicyArn", "PolicyId", "DefaultVersionId", "IsAttachable"),
    setup=lambda clients: (
        [
            clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            for name in ("contract-holder", "contract-other-holder")
        ]
        and None
    ),
    deny=("iam", "GetPolicy"),
)

INSTANCE_PROFILE = Case(
    "AWS::IAM::InstanceProfile",
    {"InstanceProfileName": "contract-profile", "Path": "/team/", "Roles": ["contract-worker"]},
    changes={"Roles": ["contract-other-worker"]},
    attributes=("Arn",),
    setup=lambda clients: (
        [
            clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            for name in ("contract-worker", "contract-other-worker")
        ]
        and None
    ),
    deny=("iam", "GetInstanceProfile"),
)

QUEUE = Case(
    "AWS::SQS::Queue",
    {
        "QueueName": "contract-queue",
        "DelaySeconds": 5,
        "MaximumMessageSize": 2048,
        "MessageRetentionPeriod": 86400,
        "ReceiveMessageWaitTimeSeconds": 20,
        "VisibilityTimeout": 60,
        "RedrivePolicy": {
            "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:contract-dead",
            "maxReceiveCount": 3,
        },
        "Tags": TAGS,
    },
    changes={
        "DelaySeconds": 0,
        "MaximumMessageSize": 4096,
        "MessageRetentionPeriod": 3600,
        "ReceiveMessageWaitTimeSeconds": 1,
        "VisibilityTimeout": 0,
        "KmsMasterKeyId": "alias/aws/sqs",
        "KmsDataKeyReusePeriodSeconds": 600,
        "RedrivePolicy": {
            "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:contract-dead",
            "maxReceiveCount": 5,
        },
        "Tags": OTHER_TAGS,
    },
    resets={
        "DelaySeconds": 0,
        "MessageRetentionPeriod": 345600,
        "ReceiveMessageWaitTimeSeconds": 0,
        "VisibilityTimeout": 30,
        "Tags": ABSENT,
    },
    attributes=("Arn", "QueueUrl"),
    setup=lambda clients: clients("sqs").create_queue(QueueName="contract-dead"),
    foreign=lambda clients: clients("sqs").create_queue(QueueName="contract-foreign"),
    deny=("sqs", "GetQueueAttributes"),
    many=lambda number: {"QueueName": f"many-queue-{number}", "DelaySeconds": 1, "Tags": TAGS},
    calls={"sqs:GetQueueAttributes": 100, "tagging:GetResources": 5},
    name="QueueName",
)


def _logged(protocol: str, rate: str, failures: str) -> dict[str, str]:
    role = f"arn:aws:iam::{ACCOUNT}:role/feedback"
    return {
        "Protocol": protocol,
        "SuccessFeedbackRoleArn": role,
        "SuccessFeedbackSampleRate": rate,
        "FailureFeedbackRoleArn": f"{role}-{failures}",
    }


def _subscribed(*names: str) -> list[dict[str, str]]:
    return [{"Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"} for name in names]


# moto has no logging of deliveries: ``testing/taught`` adds it.
def _masking(kind: str) -> dict[str, Any]:
    data = [f"arn:aws:dataprotection::aws:data-identifier/{kind}"]
    operations: tuple[dict[str, Any], ...] = (
        {"Audit": {"FindingsDestination": {}}},
        {"Deidentify": {"MaskConfig": {}}},
    )
    statements = [{"Sid": next(iter(one)).lower(), "DataIdentifier": data, "Operation": one} for one in operations]
    return {"Name": "masking", "Version": "2021-06-01", "Statement": statements}


LOG_GROUP = Case(
    "AWS::Logs::LogGroup",
    {"LogGroupName": "/contract/group", "RetentionInDays": 7, "Tags": TAGS},
    changes={
        "RetentionInDays": 30,
        "Tags": OTHER_TAGS,
    },
    resets={"RetentionInDays": ABSENT, "Tags": ABSENT},
    attributes=("Arn",),
    foreign=lambda clients: clients("logs").create_log_group(logGroupName="contract-foreign"),
    deny=("logs", "DescribeLogGroups"),
    many=lambda number: {"LogGroupName": f"/many/group-{number}", "RetentionInDays": 7, "Tags": TAGS},
    calls={"logs:DescribeLogGroups": 2, "tagging:GetResources": 5},
    name="LogGroupName",
)

TOPIC = Case(
    "AWS::SNS::Topic",
    {
        "TopicName": "contract-topic",
        "DisplayName": "Contract",
        "KmsMasterKeyId": "alias/aws/sns",
        "DeliveryStatusLogging": [_logged("sqs", "10", "one"), _logged("http/s", "0", "two")],
        "Subscription": _subscribed("heard-two", "heard-one"),
        "Tags": TAGS,
    },
    changes={
        "DisplayName": "Other",
        "KmsMasterKeyId": "alias/other",
        "DeliveryStatusLogging": [_logged("sqs", "20", "one"), _logged("lambda", "5", "three")],
        "Subscription": _subscribed("heard-three", "heard-two"),
        "Tags": OTHER_TAGS,
    },
    resets={
        "DeliveryStatusLogging": ABSENT,
        "DisplayName": ABSENT,
        "KmsMasterKeyId": ABSENT,
        "Subscription": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("TopicArn",),
    foreign=lambda clients: clients("sns").create_topic(Name="contract-foreign"),
    deny=("sns", "GetTopicAttributes"),
    many=lambda number: {"TopicName": f"many-topic-{number}", "DisplayName": "d", "Tags": TAGS},
    calls={"sns:GetTopicAttributes": 100, "tagging:GetResources": 5},
    name="TopicName",
)


def _denied(kind: str) -> dict[str, Any]:
    data = [f"arn:aws:dataprotection::aws:data-identifier/{kind}"]
    inbound = {"DataDirection": "Inbound", "Principal": ["*"], "DataIdentifier": data, "Operation": {"Deny": {}}}
    return {"Name": "denied", "Version": "2021-06-01", "Statement": [inbound]}


# moto knows neither of the two: ``testing/taught`` adds them.
MASKED_TOPIC = Case(
    "AWS::SNS::Topic",
    {
        "TopicName": "contract-masked",
        "DataProtectionPolicy": _denied("EmailAddress"),
        "MaximumMessageSize": 2048,
        "Tags": TAGS,
    },
    changes={"DataProtectionPolicy": _denied("IpAddress"), "MaximumMessageSize": 1048576},
    resets={"DataProtectionPolicy": ABSENT, "MaximumMessageSize": 262144},
    attributes=("TopicArn",),
    deny=("sns", "GetTopicAttributes"),
    name="TopicName",
    label="SNS-Topic-masked",
)


def _warm(reading: int, writing: int) -> dict[str, int]:
    return {"ReadUnitsPerSecond": reading, "WriteUnitsPerSecond": writing}


def _index(name: str, attribute: str, capacity: int = 1) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": capacity, "WriteCapacityUnits": capacity},
        "WarmThroughput": _warm(100 * capacity, 100 * capacity),
    }


def _table_policy(action: str) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/contract-table"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn}
    return {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def _stream(name: str, precision: str) -> dict[str, Any]:
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"
    return {"StreamArn": arn, "ApproximateCreationDateTimePrecision": precision}


# moto has neither streams of Kinesis nor contributor insights: ``testing/taught`` adds them.
TABLE = Case(
    "AWS::DynamoDB::Table",
    {
        "TableName": "contract-table",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "who", "AttributeType": "S"},
        ],
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
        "GlobalSecondaryIndexes": [_index("by-who", "who")],
        "LocalSecondaryIndexes": [
            {
                "IndexName": "by-at",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "who", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "ContributorInsightsSpecification": {"Enabled": True, "Mode": "THROTTLED_KEYS"},
        "KinesisStreamSpecification": _stream("one", "MICROSECOND"),
        "ResourcePolicy": _table_policy("dynamodb:GetItem"),
        "DeletionProtectionEnabled": False,
        "TableClass": "STANDARD",
        "WarmThroughput": _warm(3000, 1000),
        "Tags": TAGS,
    },
    changes={
        "WarmThroughput": _warm(4000, 2000),
        "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 3},
        "GlobalSecondaryIndexes": [_index("by-who", "who", 4), _index("by-when", "at")],
        "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
        "ContributorInsightsSpecification": {"Enabled": True, "Mode": "ACCESSED_AND_THROTTLED_KEYS"},
        "KinesisStreamSpecification": _stream("two", "MILLISECOND"),
        "ResourcePolicy": _table_policy("dynamodb:Query"),
        "Tags": OTHER_TAGS,
    },
    resets={
        "GlobalSecondaryIndexes": ABSENT,
        "StreamSpecification": ABSENT,
        "TimeToLiveSpecification": {"Enabled": False},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
        "ContributorInsightsSpecification": {"Enabled": False},
        "KinesisStreamSpecification": ABSENT,
        "ResourcePolicy": ABSENT,
        "WarmThroughput": _warm(3000, 1000),
        "Tags": ABSENT,
    },
    attributes=("Arn", "StreamArn"),
    foreign=lambda clients: clients("dynamodb").create_table(
        TableName="contract-foreign",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    ),
    deny=("dynamodb", "DescribeTable"),
    many=lambda number: {
        "TableName": f"many-table-{number}",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "Tags": TAGS,
    },
    calls={"dynamodb:DescribeTable": 100, "tagging:GetResources": 5},
    name="TableName",
)


# moto has neither protection nor policies of groups: ``testing/taught`` adds them.
FULL_LOG_GROUP = Case(
    "AWS::Logs::LogGroup",
    {
        "LogGroupName": "/contract/full-group",
        "RetentionInDays": 7,
        "BearerTokenAuthenticationEnabled": True,
        "DataProtectionPolicy": _masking("EmailAddress"),
        "DeletionProtectionEnabled": False,
        "FieldIndexPolicies": [{"Fields": ["RequestId", "SessionId"]}],
        "Tags": TAGS,
    },
    changes={
        "RetentionInDays": 30,
        "BearerTokenAuthenticationEnabled": False,
        "DataProtectionPolicy": _masking("IpAddress"),
        "FieldIndexPolicies": [{"Fields": ["UserId"]}],
        "Tags": OTHER_TAGS,
    },
    resets={
        "RetentionInDays": ABSENT,
        "BearerTokenAuthenticationEnabled": False,
        "DataProtectionPolicy": ABSENT,
        "FieldIndexPolicies": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    deny=("logs", "DescribeLogGroups"),
    name="LogGroupName",
    label="Logs-LogGroup-in-full",
)

PARAMETER = Case(
    "AWS::SSM::Parameter",
    {
        "Name": "/contract/parameter",
        "Type": "String",
        "Value": "one",
        "Description": "d",
        "Tier": "Standard",
        "AllowedPattern": ".*",
        "DataType": "text",
        "Tags": {"team": "web"},
    },
    changes={"Value": "two", "Description": "other", "Type": "StringList", "Tags": {"team": "data", "cost": "1"}},
    resets={"Tags": ABSENT},
    attributes=(),
    foreign=lambda clients: clients("ssm").put_parameter(Name="contract-foreign", Type="String", Value="x"),
    deny=("ssm", "GetParameters"),
    denials=2,  # a batch that is refused is asked for one by one
    many=lambda number: {"Name": f"/many/p{number}", "Type": "String", "Value": "v", "Tags": {"team": "web"}},
    calls={"ssm:GetParameters": 10, "tagging:GetResources": 4},
    name="Name",
)

KEY = Case(
    "AWS::KMS::Key",
    {
        "Description": "as wanted",
        "KeyPolicy": key_policy("one"),
        "Enabled": True,
        "EnableKeyRotation": True,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "PendingWindowInDays": 7,
        "Tags": TAGS,
    },
    changes={
        "Description": "otherwise",
        "KeyPolicy": key_policy("two"),
        "EnableKeyRotation": False,
        "Enabled": False,
        "Tags": OTHER_TAGS,
    },
    resets={"Description": ABSENT, "EnableKeyRotation": False, "Enabled": True, "Tags": ABSENT},
    attributes=("Arn", "KeyId"),
    deny=("kms", "DescribeKey"),
    many=lambda number: {"Description": f"many {number}", "Tags": TAGS},
    calls={"kms:DescribeKey": 100, "tagging:GetResources": 5},
)


def _keys(clients: Clients) -> None:
    """The ids that aliases point to are known only once the keys are there; see ``resolved``."""
    kms = clients("kms")
    for name in ("one", "two"):
        key = kms.create_key(Description=f"alias target {name}")["KeyMetadata"]["KeyId"]
        TARGETS[f"@key-{name}"] = key


#: What setups have made, by names that begin with ``@``.
TARGETS: dict[str, Any] = {}

ALIAS = Case(
    "AWS::KMS::Alias",
    {"AliasName": "alias/contract", "TargetKeyId": "@key-one"},
    changes={"TargetKeyId": "@key-two"},
    setup=_keys,
    deny=("kms", "DescribeKey"),
)


def resolved(value: Any) -> Any:
    """``value`` with every text that is the name of a target replaced by the target, which a setup has made."""
    if isinstance(value, Mapping):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    return TARGETS.get(value, value) if isinstance(value, str) else value


OWN = (
    BUCKET,
    BUCKET_POLICY,
    ROLE,
    MANAGED_POLICY,
    INSTANCE_PROFILE,
    QUEUE,
    TOPIC,
    MASKED_TOPIC,
    TABLE,
    LOG_GROUP,
    FULL_LOG_GROUP,
    PARAMETER,
    KEY,
    ALIAS,
)
