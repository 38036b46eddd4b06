"""AWS::Events: rules, buses, archives."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case
from tests.contract.providers_native.hands import ACCOUNT, REGION

PREFIX = f"arn:aws:events:{REGION}:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/contract-events"
PATTERN = {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}


def _queue(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:contract-events-{name}"


RULE = Case(
    "AWS::Events::Rule",
    {
        "Name": "contract-rule",
        "EventBusName": f"{PREFIX}:event-bus/contract-rules",
        "Description": "as wanted",
        "EventPattern": PATTERN,
        "State": "DISABLED",
        "RoleArn": ROLE,
        "Targets": [
            {
                "Id": "plain",
                "Arn": _queue("one"),
                "InputTransformer": {"InputPathsMap": {"id": "$.id"}, "InputTemplate": '"<id>"'},
                "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1},
                "DeadLetterConfig": {"Arn": _queue("dead")},
            },
            {"Id": "fifo", "Arn": _queue("two.fifo"), "SqsParameters": {"MessageGroupId": "g"}},
        ],
        "Tags": TAGS,
    },
    changes={
        "Description": "otherwise",
        "EventPattern": {**PATTERN, "source": ["aws.s3"]},
        "State": "ENABLED",
        "RoleArn": f"{ROLE}-other",
        "Targets": [{"Id": "plain", "Arn": _queue("three"), "Input": '{"a": 1}'}],
        "Tags": OTHER_TAGS,
    },
    resets={"Description": ABSENT, "State": "ENABLED", "RoleArn": ABSENT, "Targets": ABSENT, "Tags": ABSENT},
    attributes=("Arn",),
    setup=lambda clients: clients("events").create_event_bus(Name="contract-rules"),
    foreign=lambda clients: clients("events").put_rule(
        Name="contract-foreign", EventBusName="contract-rules", EventPattern=json.dumps(PATTERN)
    ),
    deny=("events", "DescribeRule"),
    name="Name",
    searchable=False,
)


def _policy(action: str) -> dict[str, object]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Sid": "own", "Effect": "Allow", "Principal": principal, "Action": action}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"{PREFIX}:event-bus/contract-bus"}]}


# moto has no UpdateEventBus and forgets LogConfig
BUS = Case(
    "AWS::Events::EventBus",
    {
        "Name": "contract-bus",
        "Description": "as wanted",
        "DeadLetterConfig": {"Arn": _queue("dead")},
        "Policy": _policy("events:PutEvents"),
        "Tags": TAGS,
    },
    changes={"Policy": _policy("events:PutRule"), "Tags": OTHER_TAGS},
    resets={"Policy": ABSENT, "Tags": ABSENT},
    attributes=("Arn",),
    foreign=lambda clients: clients("events").create_event_bus(Name="contract-foreign"),
    deny=("events", "DescribeEventBus"),
    name="Name",
)

# moto takes neither an empty description nor zero days, which is how they go
ARCHIVE = Case(
    "AWS::Events::Archive",
    {
        "ArchiveName": "contract-archive",
        "SourceArn": f"{PREFIX}:event-bus/contract-archived",
        "Description": "as wanted",
        "EventPattern": PATTERN,
        "RetentionDays": 7,
    },
    changes={"Description": "otherwise", "EventPattern": {"source": ["aws.s3"]}, "RetentionDays": 8},
    attributes=("Arn",),
    setup=lambda clients: clients("events").create_event_bus(Name="contract-archived"),
    deny=("events", "DescribeArchive"),
)

CASES = (RULE, BUS, ARCHIVE)
