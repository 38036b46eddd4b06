"""AWS::KMS::Key and AWS::KMS::Alias."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, Owner, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Located, Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, Found, UntaggedProvider
from reconciler.providers.native.named import NamedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import FEW, document_in, read_each, without_empty
from reconciler.providers.native.shapes import policy_text
from reconciler.providers.native.tagging import Tags, as_list, as_map, owner_in

_GOING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
_KEY, _VALUE = "TagKey", "TagValue"


class Key(NamedProvider):
    """A key; its identifier is its id. One that is pending deletion counts as absent.

    Keys have no names: they are found by their tags. Deleting schedules the deletion with AWS's longest window
    (30 days), during which it can be taken back.
    """

    type_name = TypeName("AWS::KMS::Key")
    supported: ClassVar = frozenset(
        {
            "BypassPolicyLockoutSafetyCheck",
            "Description",
            "EnableKeyRotation",
            "Enabled",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "MultiRegion",
            "Origin",
            "PendingWindowInDays",
            "RotationPeriodInDays",
            "Tags",
        }
    )
    fixed: ClassVar = frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"})
    naming: ClassVar = NameRule("KeyId", 64)
    resource_type: ClassVar = "kms:key"

    def _identifier(self, scope: Scope, name: str) -> Identifier:  # noqa: ARG002 - it is the id
        return Identifier(name)

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        return f"arn:{scope.partition}:kms:{scope.region}:{scope.account}:key/{identifier}"

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the id is in the ARN
        return Identifier(arn.rpartition("/")[2])

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``ports.ResourceProvider``. Asks every key unless the tagging API knows one just as wanted."""
        tagged = self._located_by_tag(scope, owner)
        if any(self._as_wanted(scope, located.identifier, desired) for located in tagged):
            return tagged
        return self._searched(scope, owner)

    def revive(self, scope: Scope, identifier: Identifier, before: Properties) -> Progress:
        """See ``ports.Revivable``. AWS leaves the key disabled."""
        if not _alive(scope, identifier):
            scope.call("kms", "cancel_key_deletion", KeyId=identifier)
        if before.get("Enabled", True) and not _described(scope, identifier).get("Enabled"):
            scope.call("kms", "enable_key", KeyId=identifier)
        return Done(identifier)

    def _existing(self, scope: Scope, name: str) -> Located | None:  # noqa: ARG002 - keys have no names
        return None

    def _as_wanted(self, scope: Scope, identifier: Identifier, desired: Properties) -> bool:
        """Whether a key is of the kind that is wanted: if not, it is one that is being replaced."""
        kind = {name: value for name, value in desired.items() if name in self.fixed and not has_unknown(value)}
        return not self._differing(scope, kind, self._observe(scope, Wanted(identifier)))

    def _belongs_to(self, scope: Scope, identifier: Identifier, owner: Owner) -> bool:
        return super()._belongs_to(scope, identifier, owner) and _alive(scope, identifier)

    def _searched(self, scope: Scope, owner: Owner) -> tuple[Located, ...]:
        keys = [Wanted(Identifier(key["KeyId"])) for key in scope.pages("kms", "list_keys", "Keys")]
        answers = read_each(scope, keys, lambda item: self._tags(scope, item.identifier))
        own = [key for key, tags in answers.items() if not isinstance(tags, Unreadable) and owner_in(tags) == owner]
        return tuple(Located(key, owner) for key in own if _alive(scope, key))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        found = _described(scope, item.identifier)
        if found["KeyState"] in _GOING:
            raise AwsFault(FaultKind.NOT_FOUND, f"key {item.identifier} is pending deletion", service="kms")
        properties = {
            "KeyId": found["KeyId"],
            "Arn": found["Arn"],
            "Description": found.get("Description"),
            "Enabled": found.get("Enabled"),
            "KeySpec": found.get("KeySpec"),
            "KeyUsage": found.get("KeyUsage"),
            "MultiRegion": found.get("MultiRegion"),
            "Origin": found.get("Origin"),
        }
        if "KeyPolicy" in item.properties:
            text = scope.call("kms", "get_key_policy", KeyId=item.identifier, PolicyName="default")["Policy"]
            properties["KeyPolicy"] = document_in(text)
        if "EnableKeyRotation" in item.properties:
            rotation = scope.call("kms", "get_key_rotation_status", KeyId=item.identifier)
            properties["EnableKeyRotation"] = rotation["KeyRotationEnabled"]
        return without_empty(properties)

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        return as_map(scope.pages("kms", "list_resource_tags", "Tags", KeyId=identifier), _KEY, _VALUE)

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("kms", "tag_resource", KeyId=identifier, Tags=as_list(tags, _KEY, _VALUE))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("kms", "untag_resource", KeyId=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:  # noqa: ARG002 - keys have no names
        """CreateKey takes no token: callers locate first; a repetition is met by the tags, as far as they are known."""
        owner = owner_in(tags)
        tagged = self._located_by_tag(scope, owner) if owner is not None else ()
        there = next((one for one in tagged if self._as_wanted(scope, one.identifier, desired)), None)
        if there is not None:
            return self._resumed(scope, there, desired)
        simple = ("BypassPolicyLockoutSafetyCheck", "Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
        parameters = without_empty({key: desired.get(key) for key in simple})
        if "KeyPolicy" in desired:
            parameters["Policy"] = policy_text(desired["KeyPolicy"])
        made = scope.call("kms", "create_key", Tags=as_list(tags, _KEY, _VALUE), **parameters)["KeyMetadata"]
        identifier = Identifier(made["KeyId"])
        rest = {"EnableKeyRotation"} if desired.get("EnableKeyRotation") else set()
        rest |= {"Enabled"} if desired.get("Enabled") is False else set()
        return self._update(scope, identifier, Change({}, desired, frozenset(rest)))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        call = partial(scope.call, "kms", KeyId=identifier)
        if "Description" in change.names:
            call("update_key_description", Description=change.value("Description", ""))
        if "KeyPolicy" in change.names:
            policy = change.value("KeyPolicy") or _default_policy(scope)
            bypass = without_empty({"BypassPolicyLockoutSafetyCheck": change.value("BypassPolicyLockoutSafetyCheck")})
            call("put_key_policy", PolicyName="default", Policy=policy_text(policy), **bypass)
        enabled = change.value("Enabled", True)
        if "Enabled" in change.names and enabled:  # rotation can be changed on an enabled key only
            call("enable_key")
        if change.names & {"EnableKeyRotation", "RotationPeriodInDays"}:
            _rotate(scope, identifier, change)
        if "Enabled" in change.names and not enabled:
            call("disable_key")
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        if _alive(scope, identifier):
            scope.call("kms", "schedule_key_deletion", KeyId=identifier)
        return Done(identifier)


def _described(scope: Scope, key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scope.call("kms", "describe_key", KeyId=key)["KeyMetadata"]
    return found


def _alive(scope: Scope, key: str) -> bool:
    return _described(scope, key)["KeyState"] not in _GOING


def _rotate(scope: Scope, key: str, change: Change) -> None:
    if change.value("EnableKeyRotation", False):
        period = change.value("RotationPeriodInDays")
        extra = {"RotationPeriodInDays": int(period)} if period else {}
        scope.call("kms", "enable_key_rotation", KeyId=key, **extra)
    elif "EnableKeyRotation" in change.names:
        scope.call("kms", "disable_key_rotation", KeyId=key)


def _default_policy(scope: Scope) -> dict[str, Any]:
    """What AWS gives a key that is created without a policy."""
    root = {"AWS": f"arn:{scope.partition}:iam::{scope.account}:root"}
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": root,
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}


class Alias(UntaggedProvider):
    """An alias; its identifier is its name. ``TargetKeyId`` is observed as the key's id."""

    type_name = TypeName("AWS::KMS::Alias")
    supported: ClassVar = frozenset({"AliasName", "TargetKeyId"})
    fixed: ClassVar = frozenset({"AliasName"})

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:  # noqa: ARG002 - the name says it
        name = desired.get("AliasName")
        return None if name is None or has_unknown(name) else Identifier(str(name))

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        """A few are asked for by name; AWS lists a hundred at a time."""
        if len(wanted) <= FEW:
            return super()._read(scope, wanted)
        try:
            listed = scope.pages("kms", "list_aliases", "Aliases", Limit=100)
        except AwsFault:
            return super()._read(scope, wanted)  # each by itself will say what is wrong with it
        targets = {alias["AliasName"]: alias.get("TargetKeyId") for alias in listed}
        return {
            item.identifier: without_empty({"AliasName": item.identifier, "TargetKeyId": targets[item.identifier]})
            for item in wanted
            if item.identifier in targets
        }

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        return {"AliasName": item.identifier, "TargetKeyId": _described(scope, item.identifier)["KeyId"]}

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        """A target may be given as an ARN."""
        target = str(desired.get("TargetKeyId", "")).rpartition("/")[2]
        return super()._differing(scope, {**desired, "TargetKeyId": target}, live)

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        scope.call("kms", "create_alias", AliasName=identifier, TargetKeyId=desired["TargetKeyId"])
        return Done(identifier)

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        scope.call("kms", "update_alias", AliasName=identifier, TargetKeyId=change.after["TargetKeyId"])
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("kms", "delete_alias", AliasName=identifier)
        return Done(identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (Key(), Alias())
