"""Cases for the second emulator alone: what holds data and hands it on."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.cases_ec2_networks import vpc_of
from tests.contract.providers_native.cases_lambda import function
from tests.contract.providers_native.hands import ACCOUNT, REGION

TABLE = Case(
    "AWS::DynamoDB::Table",
    {
        "TableName": "beyond",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "DeletionProtectionEnabled": True,
        "TableClass": "STANDARD",
        "Tags": TAGS,
    },
    changes={
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
        "DeletionProtectionEnabled": False,
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "OnDemandThroughput": {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20},
    },
    resets={
        "DeletionProtectionEnabled": False,
        "StreamSpecification": ABSENT,
        "SSESpecification": {"SSEEnabled": False},
    },
    name="TableName",
    label="DynamoDB-Table-on-demand",
)

TOPIC = Case(
    "AWS::SNS::Topic",
    {
        "TopicName": "beyond.fifo",
        "FifoTopic": True,
        "ContentBasedDeduplication": True,
        "SignatureVersion": "2",
        "TracingConfig": "Active",
        "Tags": TAGS,
    },
    changes={"ContentBasedDeduplication": False, "SignatureVersion": "1", "TracingConfig": "PassThrough"},
    label="SNS-Topic-in-order",
)

FILES = Case(
    "AWS::EFS::FileSystem",
    {
        "Encrypted": True,
        "BackupPolicy": {"Status": "ENABLED"},
        "FileSystemProtection": {"ReplicationOverwriteProtection": "ENABLED"},
        "ThroughputMode": "bursting",
        "FileSystemTags": TAGS,
    },
    changes={
        "BackupPolicy": {"Status": "DISABLED"},
        "FileSystemProtection": {"ReplicationOverwriteProtection": "DISABLED"},
        "ThroughputMode": "elastic",
    },
    label="EFS-FileSystem-backed-up",
)


def _stream(clients: Clients) -> None:
    function(clients, "beyond-fed")
    clients("kinesis").create_stream(StreamName="beyond-feed", ShardCount=1)
    clients("sqs").create_queue(QueueName="beyond-failed")


def _failed(name: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}}


MAPPING = Case(
    "AWS::Lambda::EventSourceMapping",
    {
        "FunctionName": "beyond-fed",
        "EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/beyond-feed",
        "StartingPosition": "LATEST",
        "BatchSize": 100,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": _failed("beyond-failed"),
        "MaximumRecordAgeInSeconds": 600,
        "MaximumRetryAttempts": 3,
        "ParallelizationFactor": 2,
        "TumblingWindowInSeconds": 30,
        "Tags": TAGS,
    },
    changes={
        "BisectBatchOnFunctionError": False,
        "MaximumRecordAgeInSeconds": 300,
        "MaximumRetryAttempts": 5,
        "ParallelizationFactor": 3,
        "TumblingWindowInSeconds": 60,
    },
    resets={
        "BisectBatchOnFunctionError": False,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
    },
    setup=_stream,
    searchable=False,
    label="Lambda-EventSourceMapping-of-a-stream",
)


def _scaled(clients: Clients) -> None:
    vpc_of("beyond-scaled", "10.121")(clients)
    data = {"ImageId": "ami-12345678", "InstanceType": "t3.small"}
    made = clients("ec2").create_launch_template(LaunchTemplateName="beyond-scaled", LaunchTemplateData=data)
    TARGETS["@beyond-template"] = made["LaunchTemplate"]["LaunchTemplateId"]


SCALED = Case(
    "AWS::AutoScaling::AutoScalingGroup",
    {
        "AutoScalingGroupName": "beyond-scaled",
        "MinSize": "0",
        "MaxSize": "2",
        "Cooldown": "60",
        "DefaultInstanceWarmup": 30,
        "MaxInstanceLifetime": 86400,
        "LaunchTemplate": {"LaunchTemplateId": "@beyond-template", "Version": "1"},
        "VPCZoneIdentifier": ["@beyond-scaled-a"],
        "TerminationPolicies": ["OldestInstance"],
    },
    changes={
        "Cooldown": "90",
        "DefaultInstanceWarmup": 60,
        "MaxInstanceLifetime": 172800,
        "TerminationPolicies": ["NewestInstance"],
    },
    setup=_scaled,
    says_whose=False,
    label="AutoScaling-AutoScalingGroup-cooling-down",
)

_BUILDER = f"arn:aws:iam::{ACCOUNT}:role/beyond-builder"
PROJECT = Case(
    "AWS::CodeBuild::Project",
    {
        "Name": "beyond",
        "ServiceRole": _BUILDER,
        "Source": {"Type": "CODEPIPELINE", "BuildSpec": "one.yml"},
        "Artifacts": {"Type": "CODEPIPELINE"},
        "Environment": {"Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "one"},
        "Description": "as wanted",
        "TimeoutInMinutes": 15,
        "Tags": TAGS,
    },
    changes={
        "ServiceRole": f"{_BUILDER}-two",
        "Source": {"Type": "CODEPIPELINE", "BuildSpec": "two.yml"},
        "Environment": {"Type": "ARM_CONTAINER", "ComputeType": "BUILD_GENERAL1_LARGE", "Image": "two"},
        "Description": "otherwise",
        "TimeoutInMinutes": 20,
        "SourceVersion": "next",
        "Tags": OTHER_TAGS,
    },
    resets={"Description": "", "TimeoutInMinutes": 60, "SourceVersion": "", "Tags": ABSENT},
    attributes=("Arn",),
    searchable=False,
    label="CodeBuild-Project-of-a-pipeline",
)

CASES = (TABLE, TOPIC, FILES, MAPPING, SCALED, PROJECT)
