"""Which IAM action an SDK operation asks for. Most have the operation's name; here are those that haven't."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from botocore.model import ServiceModel

from reconciler.providers.levels import iam_name, known_action, prefixes
from reconciler.providers.strays import sealed_loader

#: Writes whose IAM action has another name, by SDK service; ``levels`` has the reads.
_WRITES: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "CopyObject": "PutObject",
        "CreateMultipartUpload": "PutObject",
        **{
            f"{verb}Bucket{kind}Configuration": f"Put{kind}Configuration"
            for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
            for verb in ("Delete", "Put")
        },
        "DeleteBucketCors": "PutBucketCORS",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeleteObjects": "DeleteObject",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
        "PutBucketCors": "PutBucketCORS",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "PutBucketReplication": "PutReplicationConfiguration",
        "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "UploadPart": "PutObject",
    },
}
#: Reads that ``levels`` has no need to know by IAM's name.
_READS: Mapping[str, Mapping[str, str]] = {"s3": {"GetBucketCors": "GetBucketCORS"}}

#: Services whose IAM actions are the HTTP methods of their operations.
_BY_METHOD = frozenset({"apigateway"})

#: Operations that are free of permissions.
_FREE = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})


@lru_cache(maxsize=4096)
def action_of(service: str, operation: str) -> str:
    """The IAM action (``s3:PutEncryptionConfiguration``) of an SDK operation; empty if it can't be told.

    ``service`` is the SDK's name of it, ``operation`` the API's. An operation that asks for several is known by the
    one of its own name.
    """
    if (service, operation) in _FREE:
        return ""
    if service in _BY_METHOD:
        method = _http_method(service, operation)
        return f"apigateway:{method}" if known_action("apigateway", method) else ""
    other = _WRITES.get(service, {}).get(operation) or _READS.get(service, {}).get(operation)
    name = other or iam_name(service, operation)
    return next((f"{prefix}:{name}" for prefix in prefixes(service) if known_action(prefix, name)), "")


def _http_method(service: str, operation: str) -> str:
    model = _model(service)
    return str(model.operation_model(operation).http["method"]) if operation in model.operation_names else ""


@lru_cache(maxsize=8)
def _model(service: str) -> ServiceModel:
    return ServiceModel(sealed_loader().load_service_model(service, "service-2"), service)
