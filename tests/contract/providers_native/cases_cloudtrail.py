"""AWS::CloudTrail::Trail."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT, REGION

#: CloudTrail takes no tags without a value.
TAGS = [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "test"}]


def _bucket(clients: Clients, name: str) -> None:
    clients("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def _surroundings(clients: Clients) -> None:
    for name in ("one", "two"):
        _bucket(clients, f"contract-trail-{name}")
        clients("sns").create_topic(Name=f"contract-trail-{name}")


def _logs(name: str) -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _data(kind: str, arn: str) -> list[dict[str, Any]]:
    resources = [{"Type": kind, "Values": [arn]}]
    return [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": resources}]


# moto adds insights to those that are there instead of replacing them, and can't take them away; and it makes a trail
# of a name that another has in its place, where AWS refuses to.
TRAIL = Case(
    "AWS::CloudTrail::Trail",
    {
        "TrailName": "contract-trail",
        "S3BucketName": "contract-trail-one",
        "S3KeyPrefix": "logs",
        "SnsTopicName": "contract-trail-one",
        "IsLogging": True,
        "EnableLogFileValidation": True,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": False,
        "CloudWatchLogsLogGroupArn": _logs("one"),
        "CloudWatchLogsRoleArn": _role("one"),
        "KMSKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one",
        "EventSelectors": _data("AWS::S3::Object", "arn:aws:s3:::one/"),
        "InsightSelectors": [{"InsightType": "ApiCallRateInsight"}],
        "Tags": TAGS,
    },
    changes={
        "S3BucketName": "contract-trail-two",
        "S3KeyPrefix": "other",
        "SnsTopicName": "contract-trail-two",
        "IsLogging": False,
        "EnableLogFileValidation": False,
        "IncludeGlobalServiceEvents": False,
        "IsMultiRegionTrail": False,
        "CloudWatchLogsLogGroupArn": _logs("two"),
        "CloudWatchLogsRoleArn": _role("two"),
        "KMSKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/two",
        "EventSelectors": _data("AWS::Lambda::Function", "arn:aws:lambda"),
        "Tags": OTHER_TAGS,
    },
    resets={
        "S3KeyPrefix": ABSENT,
        "EnableLogFileValidation": False,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "KMSKeyId": ABSENT,
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}],
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    setup=_surroundings,
    deny=("cloudtrail", "GetTrail"),
    twice=False,
    searchable=False,
)

_FIELDS = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]

ADVANCED = Case(
    "AWS::CloudTrail::Trail",
    {
        "TrailName": "contract-advanced",
        "S3BucketName": "contract-trail-advanced",
        "IsLogging": False,
        "AdvancedEventSelectors": [{"Name": "objects", "FieldSelectors": _FIELDS}],
        "Tags": TAGS,
    },
    changes={"AdvancedEventSelectors": [{"Name": "data", "FieldSelectors": _FIELDS[:1]}]},
    setup=lambda clients: _bucket(clients, "contract-trail-advanced"),
    deny=("cloudtrail", "GetTrail"),
    twice=False,
    searchable=False,
    label="TrailWithAdvancedSelectors",
)

CASES = (TRAIL, ADVANCED)
