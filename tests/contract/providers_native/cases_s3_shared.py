"""AWS::S3::Bucket: what it tells others of, copies to others and locks.

Of a rule of replication moto holds the destination's name, the id, the priority and the status; of notifications it
doesn't show EventBridge.
"""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, TAGS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT, REGION

_QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:contract-told"
_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:contract-told"


def _around(clients: Clients) -> None:
    clients("sqs").create_queue(QueueName="contract-told")
    clients("sns").create_topic(Name="contract-told")


def _told(receiver: str, event: str, *rules: tuple[str, str]) -> dict[str, Any]:
    kind = "Topic" if ":sns:" in receiver else "Queue"
    found = {"Filter": {"S3Key": {"Rules": [{"Name": name, "Value": value} for name, value in rules]}}}
    return {kind: receiver, "Event": event, **(found if rules else {})}


def _copied(*rules: tuple[str, int, str]) -> dict[str, Any]:
    found = [
        {
            "Id": name,
            "Priority": priority,
            "Status": status,
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::contract-copies-{name}"},
        }
        for name, priority, status in rules
    ]
    return {"Role": f"arn:aws:iam::{ACCOUNT}:role/copying", "Rules": found}


def _kept(**retention: Any) -> dict[str, Any]:
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


SHARED = Case(
    "AWS::S3::Bucket",
    {
        "BucketName": "contract-shared",
        "VersioningConfiguration": {"Status": "Enabled"},
        "NotificationConfiguration": {
            "QueueConfigurations": [
                _told(_QUEUE, "s3:ObjectCreated:*", ("Prefix", "in/"), ("suffix", ".csv")),
                _told(_QUEUE, "s3:ObjectRemoved:*"),
            ],
        },
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": _kept(Mode="GOVERNANCE", Days=1),
        "ReplicationConfiguration": _copied(("one", 1, "Enabled"), ("two", 2, "Enabled")),
        "Tags": TAGS,
    },
    changes={
        "NotificationConfiguration": {
            "TopicConfigurations": [_told(_TOPIC, "s3:ObjectCreated:Put")],
            "EventBridgeConfiguration": {"EventBridgeEnabled": False},
        },
        "ObjectLockConfiguration": _kept(Mode="COMPLIANCE", Years=1),
        "ReplicationConfiguration": _copied(("two", 1, "Disabled")),
    },
    resets={
        "NotificationConfiguration": ABSENT,
        "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"},
        "ReplicationConfiguration": ABSENT,
    },
    setup=_around,
    deny=("s3", "GetBucketReplication"),
    name="BucketName",
    label="BucketShared",
)

CASES = (SHARED,)
