"""Bucket settings, each with calls of its own: one table of how to read, write and take back each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.ports import Scope
from reconciler.providers.native import s3_shapes as shapes
from reconciler.providers.native import s3_shared as shared
from reconciler.providers.native.reading import absent_as, without_empty
from reconciler.providers.native.s3_listed import LISTED, ListedSetting
from reconciler.providers.native.shapes import boolean


@dataclass(frozen=True, slots=True)
class Setting:
    """One property of a bucket.

    ``read``: the call and, where the value is within, the key in its answer; empty for what can only be written.
    ``absent``: codes that say "not set".
    ``write``: parameters of the ``put`` call for a value and the bucket's name. ``reset``: the call that removes the
    setting, or the value to put where it can't be removed (None: ``write`` knows). ``unset``: what a bucket has that
    shows nothing.
    """

    name: str
    read: str
    key: str
    put: str
    write: Callable[[Any, str], Mapping[str, Any]]
    reset: str | Mapping[str, Any] | None
    absent: tuple[str, ...] = ()
    shape: Callable[[Mapping[str, Any]], Any] = dict
    unset: Any = None

    def observe(self, scope: Scope, bucket: str) -> Any:
        """The value in CloudFormation's shape; None if it isn't set. Raises AwsFault."""
        if not self.read:
            return None

        def get() -> Mapping[str, Any]:
            return scope.call("s3", self.read, Bucket=bucket)

        answer: Mapping[str, Any] = absent_as(self.absent, {}, get)
        found = answer.get(self.key) if self.key else {k: v for k, v in answer.items() if k != "ResponseMetadata"}
        return (self.shape(found) or self.unset) if found else self.unset

    def apply(self, scope: Scope, bucket: str, value: Any) -> None:
        """Set the value, or take the setting back if it is None."""
        if value is None and isinstance(self.reset, str):
            scope.call("s3", self.reset, Bucket=bucket)
            return
        scope.call("s3", self.put, Bucket=bucket, **self.write(self.reset if value is None else value, bucket))


def _status(value: Mapping[str, Any]) -> dict[str, Any]:
    return without_empty({"Status": value.get("Status")})


def _accelerated(value: Mapping[str, Any]) -> dict[str, Any]:
    return without_empty({"AccelerationStatus": value.get("Status")})


def _lifecycle(value: Mapping[str, Any], _bucket: str) -> dict[str, Any]:
    size = value.get("TransitionDefaultMinimumObjectSize")
    extra = {"TransitionDefaultMinimumObjectSize": size} if size else {}
    return {"LifecycleConfiguration": shapes.lifecycle_to_api(value), **extra}


def _logging(value: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    return {"BucketLoggingStatus": {} if value is NOT_LOGGED else shapes.logging_to_api(value, bucket)}


def _locked(value: Any, bucket: str) -> dict[str, Any]:
    """For ``ObjectLockEnabled``. Raises INVALID_REQUEST where it is to be switched off."""
    if not boolean(value):
        message = f"ObjectLockEnabled of bucket {bucket} can't be taken back: AWS keeps a bucket's object lock for ever"
        raise AwsFault(FaultKind.INVALID_REQUEST, message, service="s3")
    return {"ObjectLockConfiguration": _LOCKED}


def _retention(value: Mapping[str, Any], _bucket: str) -> dict[str, Any]:
    retention = dict((value.get("Rule") or {}).get("DefaultRetention") or {})
    retention |= {name: int(retention[name]) for name in ("Days", "Years") if name in retention}
    rule = {"Rule": {"DefaultRetention": retention}} if retention else {}
    return {"ObjectLockConfiguration": {**_LOCKED, **rule}}


_LOCKED = {"ObjectLockEnabled": "Enabled"}
_NOT_LOCKED = ("ObjectLockConfigurationNotFoundError",)

#: what logging is reset to; a bucket whose plan says ``LoggingConfiguration: {}`` logs into itself
NOT_LOGGED: Mapping[str, Any] = {"LoggingEnabled": None}
#: the ACL that a bucket has by itself
PRIVATE = "Private"

_SINGLE = (
    Setting(
        "VersioningConfiguration",
        read="get_bucket_versioning",
        key="",
        put="put_bucket_versioning",
        write=lambda value, _: {"VersioningConfiguration": {"Status": value["Status"]}},
        reset={"Status": "Suspended"},
        shape=_status,
    ),
    Setting(
        "BucketEncryption",
        read="get_bucket_encryption",
        key="ServerSideEncryptionConfiguration",
        put="put_bucket_encryption",
        write=lambda value, _: {"ServerSideEncryptionConfiguration": shapes.encryption_to_api(value)},
        reset="delete_bucket_encryption",
        absent=("ServerSideEncryptionConfigurationNotFoundError",),
        shape=shapes.encryption_of_api,
    ),
    Setting(
        "PublicAccessBlockConfiguration",
        read="get_public_access_block",
        key="PublicAccessBlockConfiguration",
        put="put_public_access_block",
        write=lambda value, _: {"PublicAccessBlockConfiguration": value},
        reset="delete_public_access_block",
        absent=("NoSuchPublicAccessBlockConfiguration",),
    ),
    Setting(
        "OwnershipControls",
        read="get_bucket_ownership_controls",
        key="OwnershipControls",
        put="put_bucket_ownership_controls",
        write=lambda value, _: {"OwnershipControls": value},
        reset="delete_bucket_ownership_controls",
        absent=("OwnershipControlsNotFoundError",),
    ),
    Setting(
        "LifecycleConfiguration",
        read="get_bucket_lifecycle_configuration",
        key="",
        put="put_bucket_lifecycle_configuration",
        write=_lifecycle,
        reset="delete_bucket_lifecycle",
        absent=("NoSuchLifecycleConfiguration",),
        shape=shapes.lifecycle_of_api,
    ),
    Setting(
        "LoggingConfiguration",
        read="get_bucket_logging",
        key="LoggingEnabled",
        put="put_bucket_logging",
        write=_logging,
        reset=NOT_LOGGED,
        shape=shapes.logging_of_api,
    ),
    Setting(
        "CorsConfiguration",
        read="get_bucket_cors",
        key="",
        put="put_bucket_cors",
        write=lambda value, _: {"CORSConfiguration": shapes.cors_to_api(value)},
        reset="delete_bucket_cors",
        absent=("NoSuchCORSConfiguration",),
        shape=shapes.cors_of_api,
    ),
    Setting(
        "WebsiteConfiguration",
        read="get_bucket_website",
        key="",
        put="put_bucket_website",
        write=lambda value, _: {"WebsiteConfiguration": shapes.website_to_api(value)},
        reset="delete_bucket_website",
        absent=("NoSuchWebsiteConfiguration",),
        shape=shapes.website_of_api,
    ),
    Setting(
        "AccelerateConfiguration",
        read="get_bucket_accelerate_configuration",
        key="",
        put="put_bucket_accelerate_configuration",
        write=lambda value, _: {"AccelerateConfiguration": {"Status": value["AccelerationStatus"]}},
        reset={"AccelerationStatus": "Suspended"},
        shape=_accelerated,
    ),
    Setting(
        "NotificationConfiguration",
        read="get_bucket_notification_configuration",
        key="",
        put="put_bucket_notification_configuration",
        write=lambda value, _: {"NotificationConfiguration": shared.notification_to_api(value)},
        reset={},
        shape=shared.notification_of_api,
    ),
    Setting(
        "ReplicationConfiguration",
        read="get_bucket_replication",
        key="ReplicationConfiguration",
        put="put_bucket_replication",
        write=lambda value, _: {"ReplicationConfiguration": shared.replication_to_api(value)},
        reset="delete_bucket_replication",
        absent=("ReplicationConfigurationNotFoundError",),
        shape=shared.replication_of_api,
    ),
    Setting(
        "ObjectLockEnabled",
        read="get_object_lock_configuration",
        key="ObjectLockConfiguration",
        put="put_object_lock_configuration",
        write=_locked,
        reset=None,
        absent=_NOT_LOCKED,
        shape=lambda value: value.get("ObjectLockEnabled") == "Enabled",
        unset=False,
    ),
    Setting(
        "ObjectLockConfiguration",
        read="get_object_lock_configuration",
        key="ObjectLockConfiguration",
        put="put_object_lock_configuration",
        write=_retention,
        reset={},
        absent=_NOT_LOCKED,
    ),
    Setting(
        "AccessControl",
        read="",  # a canned ACL is a list of grants once it is set
        key="",
        put="put_bucket_acl",
        write=lambda value, _: {"ACL": shapes.canned_acl(PRIVATE if value is None else value)},
        reset=None,
    ),
)
SETTINGS: Mapping[str, Setting | ListedSetting] = {
    **{setting.name: setting for setting in _SINGLE},
    **{setting.name: setting for setting in LISTED},
}
#: those that can be read
READABLE = frozenset(name for name, setting in SETTINGS.items() if setting.read)


def in_order(settings: Mapping[str, Any]) -> list[str]:
    """Settings in the order to write them, by their values (None for what is taken back).

    AWS replicates and locks only what has versions, and takes an ACL only where the ownership controls allow for one.
    """

    def place(name: str) -> tuple[int, str]:
        if name == "VersioningConfiguration":
            return 1, name
        if name == "ReplicationConfiguration" and settings[name] is None:
            return 0, name
        return 3 if name == "AccessControl" else 2, name

    return sorted(settings, key=place)
