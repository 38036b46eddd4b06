"""AWS::S3::Bucket: what it tells others of, copies to others and locks, and what it has several of.

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

_REPORTS = {"BucketArn": "arn:aws:s3:::contract-reports", "Format": "CSV"}
_ARCHIVING = [{"AccessTier": "DEEP_ARCHIVE_ACCESS", "Days": 180}, {"AccessTier": "ARCHIVE_ACCESS", "Days": 90}]


def _inventory(name: str, **more: Any) -> dict[str, Any]:
    place = {**_REPORTS, "BucketAccountId": ACCOUNT, "Prefix": name}
    how = {"Enabled": True, "IncludedObjectVersions": "All", "ScheduleFrequency": "Daily", "Destination": place}
    return {"Id": name, **how, **more}


LISTED = Case(
    "AWS::S3::Bucket",
    {
        "BucketName": "contract-listed",
        "AnalyticsConfigurations": [
            {"Id": "plain", "StorageClassAnalysis": {}},
            {
                "Id": "exported",
                "Prefix": "logs/",
                "TagFilters": TAGS,
                "StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": _REPORTS}},
            },
        ],
        "IntelligentTieringConfigurations": [{"Id": "old", "Status": "Enabled", "Tierings": _ARCHIVING}],
        "InventoryConfigurations": [_inventory("b", OptionalFields=["Size", "ETag"]), _inventory("a", Prefix="in/")],
        "MetricsConfigurations": [{"Id": "all"}, {"Id": "web", "TagFilters": TAGS[:1]}],
        "Tags": TAGS,
    },
    changes={
        "AnalyticsConfigurations": [{"Id": "plain", "Prefix": "other/", "StorageClassAnalysis": {}}],
        "IntelligentTieringConfigurations": [
            {"Id": "old", "Prefix": "x/", "TagFilters": TAGS[:1], "Status": "Disabled", "Tierings": _ARCHIVING[:1]}
        ],
        "InventoryConfigurations": [_inventory("b", IncludedObjectVersions="Current", Enabled=False)],
        "MetricsConfigurations": [{"Id": "web", "Prefix": "p/", "TagFilters": TAGS}, {"Id": "new"}],
    },
    resets={
        "AnalyticsConfigurations": ABSENT,
        "IntelligentTieringConfigurations": ABSENT,
        "InventoryConfigurations": ABSENT,
        "MetricsConfigurations": ABSENT,
    },
    deny=("s3", "ListBucketMetricsConfigurations"),
    name="BucketName",
    label="BucketListed",
)

CASES = (SHARED, LISTED)
