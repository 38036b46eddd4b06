"""AWS::SQS::QueuePolicy, AWS::SNS::TopicPolicy and AWS::SNS::Subscription."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, TARGETS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT, REGION


def _policy(action: str, arn: str) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn}],
    }


def _queues(clients: Clients) -> None:
    for name in ("one", "two"):
        TARGETS[f"@policed-queue-{name}"] = clients("sqs").create_queue(QueueName=f"policed-{name}")["QueueUrl"]


def _topics(clients: Clients) -> None:
    for name in ("one", "two"):
        clients("sns").create_topic(Name=f"policed-{name}")


def _subscribed(clients: Clients) -> None:
    clients("sns").create_topic(Name="subscribed")
    for name in ("subscriber", "subscriber-dead"):
        clients("sqs").create_queue(QueueName=name)


_QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:policed-one"
_TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:policed"

QUEUE_POLICY = Case(
    "AWS::SQS::QueuePolicy",
    {
        "Queues": ["@policed-queue-one", "@policed-queue-two"],
        "PolicyDocument": _policy("sqs:SendMessage", _QUEUE_ARN),
    },
    changes={"PolicyDocument": _policy("sqs:ReceiveMessage", _QUEUE_ARN)},
    attributes=("Id",),
    setup=_queues,
    deny=("sqs", "GetQueueAttributes"),
)

TOPIC_POLICY = Case(
    "AWS::SNS::TopicPolicy",
    {
        "Topics": [f"{_TOPIC_ARN}-one", f"{_TOPIC_ARN}-two"],
        "PolicyDocument": _policy("sns:Publish", f"{_TOPIC_ARN}-one"),
    },
    changes={"PolicyDocument": _policy("sns:Subscribe", f"{_TOPIC_ARN}-one")},
    attributes=("Id",),
    setup=_topics,
    deny=("sns", "GetTopicAttributes"),
)


def _redrive(name: str) -> dict[str, Any]:
    return {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}


# moto knows neither ReplayPolicy nor that Region is the topic's.
SUBSCRIPTION = Case(
    "AWS::SNS::Subscription",
    {
        "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:subscribed",
        "Protocol": "sqs",
        "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:subscriber",
        "RawMessageDelivery": True,
        "FilterPolicyScope": "MessageBody",
        "FilterPolicy": {"store": ["one"]},
        "DeliveryPolicy": {"healthyRetryPolicy": {"numRetries": 5}},
        "RedrivePolicy": _redrive("subscriber-dead"),
        "SubscriptionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/firehose",
    },
    changes={
        "RawMessageDelivery": False,
        "FilterPolicyScope": "MessageAttributes",
        "FilterPolicy": {"store": ["two"]},
        "DeliveryPolicy": {"healthyRetryPolicy": {"numRetries": 7}},
        "RedrivePolicy": _redrive("subscriber"),
        "SubscriptionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/other",
    },
    resets={
        "RawMessageDelivery": False,
        "FilterPolicy": ABSENT,
        "DeliveryPolicy": ABSENT,
        "RedrivePolicy": ABSENT,
        "SubscriptionRoleArn": ABSENT,
    },
    attributes=("Arn",),
    setup=_subscribed,
    deny=("sns", "GetSubscriptionAttributes"),
)

CASES = (QUEUE_POLICY, TOPIC_POLICY, SUBSCRIPTION)
