"""AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, UntaggedProvider
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import absent_as, document_in
from reconciler.providers.native.s3_settings import READABLE, SETTINGS, in_order
from reconciler.providers.native.shapes import boolean, policy_text
from reconciler.providers.native.tagging import Tags, as_list, as_map

#: Said when a bucket is made.
_LOCK = "ObjectLockEnabled"
#: Regions whose website endpoints are written with a dash; newer ones have a dot.
_DASHED = frozenset(
    {
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-west-1",
        "sa-east-1",
        "us-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    }
)


class Bucket(ListedProvider):
    """A bucket; its identifier is its name. It is never emptied: deleting one that holds objects is a conflict."""

    type_name = TypeName("AWS::S3::Bucket")
    supported: ClassVar = frozenset({*SETTINGS, "BucketName", "Tags"})
    fixed: ClassVar = frozenset({"BucketName"})
    naming: ClassVar = NameRule("BucketName", 63, lower=True)
    resource_type: ClassVar = "s3"
    looks_first: ClassVar = True
    told: ClassVar = frozenset(
        {"Arn", "BucketName", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"}
    )

    def _identifier(self, scope: Scope, name: str) -> Identifier:  # noqa: ARG002 - it is the name
        return Identifier(name)

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:  # noqa: ARG002 - it shows all
        try:
            return {bucket["Name"] for bucket in scope.pages("s3", "list_buckets", "Buckets")}, True
        except AwsFault:
            return (), False

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        return f"arn:{scope.partition}:s3:::{identifier}"

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the name is in the ARN
        return Identifier(arn.rpartition(":")[2])

    def _told(self, scope: Scope, identifier: Identifier) -> dict[str, Any]:
        return _addresses(scope, identifier)

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        properties = _addresses(scope, item.identifier)
        # With nothing to read, one cheap call shows whether the bucket is there.
        for name in sorted(item.properties & READABLE) or ["VersioningConfiguration"]:
            value = SETTINGS[name].observe(scope, item.identifier)
            if value is not None:
                properties[name] = value
        return properties

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        def get() -> Mapping[str, Any]:
            return scope.call("s3", "get_bucket_tagging", Bucket=identifier)

        answer: Mapping[str, Any] = absent_as(("NoSuchTagSet",), {}, get)
        return as_map(answer.get("TagSet"))

    def _retag(self, scope: Scope, identifier: Identifier, before: Tags, after: Tags) -> None:
        """Tags of a bucket are written as a whole, AWS's own excepted."""
        if after:
            scope.call("s3", "put_bucket_tagging", Bucket=identifier, Tagging={"TagSet": as_list(after)})
        elif before:
            scope.call("s3", "delete_bucket_tagging", Bucket=identifier)

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        self._retag(scope, identifier, {}, {**self._tags(scope, identifier), **tags})

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        before = self._tags(scope, identifier)
        self._retag(scope, identifier, before, {key: value for key, value in before.items() if key not in keys})

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        """Tags go with the creation: killed right after it, the bucket can still be told to be the plan's."""
        where: dict[str, Any] = {} if scope.region == "us-east-1" else {"LocationConstraint": scope.region}
        if tags:
            where["Tags"] = as_list(tags)
        extra: dict[str, Any] = {"CreateBucketConfiguration": where} if where else {}
        if boolean(desired.get(_LOCK, False)):
            extra["ObjectLockEnabledForBucket"] = True
        scope.call("s3", "create_bucket", Bucket=name, **extra)
        identifier = Identifier(name)
        if tags and not scope.fact("s3 tags with the creation", lambda: self._tags(scope, identifier) == tags):
            self._retag(scope, identifier, {}, tags)
        wanted = {key: value for key, value in desired.items() if key in SETTINGS and key != _LOCK}
        for setting in in_order(wanted):
            SETTINGS[setting].apply(scope, name, wanted[setting])
        return Done(identifier)

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        wanted = {name: change.value(name) for name in change.names}
        for name in in_order(wanted):
            SETTINGS[name].apply(scope, identifier, wanted[name])
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        try:
            scope.call("s3", "delete_bucket", Bucket=identifier)
        except AwsFault as fault:
            if fault.code != "BucketNotEmpty":
                raise
            message = (
                f"bucket {identifier} still holds objects or versions of them and is not emptied automatically: "
                "empty it, or keep it with DeletionPolicy: Retain"
            )
            raise AwsFault(
                FaultKind.CONFLICT, message, service="s3", operation=fault.operation, code=fault.code
            ) from fault
        return Done(identifier)


def _addresses(scope: Scope, name: str) -> dict[str, Any]:
    """The name and what follows from it, for Fn::GetAtt."""
    region = scope.region
    suffix = "amazonaws.com.cn" if scope.partition == "aws-cn" else "amazonaws.com"
    website = f"s3-website{'-' if region in _DASHED else '.'}{region}"
    return {
        "BucketName": name,
        "Arn": f"arn:{scope.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{suffix}",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.{suffix}",
        "RegionalDomainName": f"{name}.s3.{region}.{suffix}",
        "WebsiteURL": f"http://{name}.{website}.{suffix}",
    }


class BucketPolicy(UntaggedProvider):
    """A bucket's policy; its identifier is the bucket's name. It belongs to whom the bucket belongs."""

    type_name = TypeName("AWS::S3::BucketPolicy")
    supported: ClassVar = frozenset({"Bucket", "PolicyDocument"})
    fixed: ClassVar = frozenset({"Bucket"})

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:  # noqa: ARG002 - the name says it
        bucket = desired.get("Bucket")
        return None if bucket is None or has_unknown(bucket) else Identifier(str(bucket))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        text = scope.call("s3", "get_bucket_policy", Bucket=item.identifier)["Policy"]
        return {"Bucket": item.identifier, "PolicyDocument": document_in(text)}

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        _put_policy(scope, identifier, desired["PolicyDocument"])
        return Done(identifier)

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        _put_policy(scope, identifier, change.after["PolicyDocument"])
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("s3", "delete_bucket_policy", Bucket=identifier)
        return Done(identifier)


def _put_policy(scope: Scope, bucket: str, document: Any) -> None:
    scope.call("s3", "put_bucket_policy", Bucket=bucket, Policy=policy_text(document))


PROVIDERS: tuple[ResourceProvider, ...] = (Bucket(), BucketPolicy())
