"""AWS::IAM::User and AWS::IAM::Group."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, UntaggedProvider
from reconciler.providers.native.iam_entity import GROUP, USER
from reconciler.providers.native.named import NamedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import absent_as, without_empty
from reconciler.providers.native.shapes import boolean
from reconciler.providers.native.tagging import Tags, as_list, as_map

#: What a create sets by calls of their own.
_LATER = frozenset({"Groups", "LoginProfile", "ManagedPolicyArns", "Policies"})
_NONE = ("NoSuchEntity",)


class User(NamedProvider):
    """A user; its identifier is its name. Its access keys aren't part of it: with one left it can't be deleted.

    The password of its login profile is written when the plan changes it and never read.
    """

    type_name = TypeName("AWS::IAM::User")
    supported: ClassVar = frozenset({"Path", "PermissionsBoundary", "Tags", "UserName"}) | _LATER
    fixed: ClassVar = frozenset({"UserName"})
    naming: ClassVar = NameRule("UserName", 64)
    resource_type: ClassVar = "iam:user"
    tags_inline: ClassVar = True

    def _identifier(self, scope: Scope, name: str) -> Identifier:  # noqa: ARG002 - it is the name
        return Identifier(name)

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        return str(_user(scope, identifier)["Arn"])

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the name is in the ARN
        return Identifier(arn.rpartition("/")[2])

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        name = item.identifier
        user = _user(scope, name)
        properties = {
            "UserName": user["UserName"],
            "Arn": user["Arn"],
            "Path": user.get("Path"),
            "PermissionsBoundary": (user.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "Tags": as_list(as_map(user.get("Tags"))),
        }
        if "Groups" in item.properties:
            properties["Groups"] = _groups(scope, name)
        if "LoginProfile" in item.properties:
            properties["LoginProfile"] = _login(scope, name)
        if "ManagedPolicyArns" in item.properties:
            properties["ManagedPolicyArns"] = USER.attachments(scope, name)
        if "Policies" in item.properties:
            properties["Policies"] = USER.inline(scope, name)
        return without_empty(properties)

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        return as_map(_user(scope, identifier).get("Tags"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("iam", "tag_user", UserName=identifier, Tags=as_list(tags))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("iam", "untag_user", UserName=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        extra = without_empty({key: desired.get(key) for key in ("Path", "PermissionsBoundary")})
        scope.call("iam", "create_user", UserName=name, Tags=as_list(tags), **extra)
        return self._update(scope, Identifier(name), Change({}, desired, _LATER & desired.keys()))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        if "Path" in change.names:
            scope.call("iam", "update_user", UserName=identifier, NewPath=change.value("Path", "/"))
        if "PermissionsBoundary" in change.names and (boundary := change.value("PermissionsBoundary")):
            scope.call("iam", "put_user_permissions_boundary", UserName=identifier, PermissionsBoundary=boundary)
        elif "PermissionsBoundary" in change.names:
            scope.call("iam", "delete_user_permissions_boundary", UserName=identifier)
        if "LoginProfile" in change.names:
            _change_login(scope, identifier, change)
        if "Groups" in change.names:
            _change_groups(scope, identifier, change)
        if "ManagedPolicyArns" in change.names:
            USER.change_attached(scope, identifier, change)
        if "Policies" in change.names:
            USER.change_inline(scope, identifier, change)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Its memberships, its password and its policies go with it. Raises CONFLICT, changing nothing, for a key."""
        keys = scope.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=identifier)
        if keys:
            names = ", ".join(sorted(str(key["AccessKeyId"]) for key in keys))
            message = f"user {identifier} has access keys ({names}): somebody may be using them, so delete them first"
            raise AwsFault(FaultKind.CONFLICT, message, service="iam", operation="DeleteUser", code="DeleteConflict")
        if _login(scope, identifier) is not None:
            scope.call("iam", "delete_login_profile", UserName=identifier)
        for group in _groups(scope, identifier):
            scope.call("iam", "remove_user_from_group", UserName=identifier, GroupName=group)
        USER.strip(scope, identifier)
        scope.call("iam", "delete_user", UserName=identifier)
        return Done(identifier)

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        """A password isn't to be seen: one that is wanted is written again."""
        login = frozenset({"LoginProfile"} if desired.get("LoginProfile") else ())
        return super()._differing(scope, desired, live) | login


def _user(scope: Scope, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scope.call("iam", "get_user", UserName=name)["User"]
    return found


def _groups(scope: Scope, name: str) -> list[str]:
    found = scope.pages("iam", "list_groups_for_user", "Groups", UserName=name)
    return sorted(group["GroupName"] for group in found)


def _login(scope: Scope, name: str) -> dict[str, Any] | None:
    """What is to be seen of a login profile; None if there is none."""
    found = absent_as(_NONE, None, lambda: scope.call("iam", "get_login_profile", UserName=name))
    if found is None:
        return None
    return {"PasswordResetRequired": bool(found["LoginProfile"].get("PasswordResetRequired", False))}


def _change_login(scope: Scope, name: str, change: Change) -> None:
    profile = change.value("LoginProfile")
    there = _login(scope, name) is not None
    if not profile:
        if there:
            scope.call("iam", "delete_login_profile", UserName=name)
        return
    given: dict[str, Any] = {"PasswordResetRequired": boolean(profile.get("PasswordResetRequired", False))}
    if profile.get("Password") is not None:
        given["Password"] = str(profile["Password"])
    operation = "update_login_profile" if there else "create_login_profile"
    scope.call("iam", operation, UserName=name, **given)


def _change_groups(scope: Scope, name: str, change: Change) -> None:
    before, after = set(change.before.get("Groups") or ()), set(change.value("Groups", ()))
    for group in sorted(after - before):
        scope.call("iam", "add_user_to_group", UserName=name, GroupName=group)
    for group in sorted(before - after):
        scope.call("iam", "remove_user_from_group", UserName=name, GroupName=group)


class Group(UntaggedProvider):
    """A group; its identifier is its name. One with users in it can't be deleted: they are other resources."""

    type_name = TypeName("AWS::IAM::Group")
    supported: ClassVar = frozenset({"GroupName", "ManagedPolicyArns", "Path", "Policies"})
    fixed: ClassVar = frozenset({"GroupName"})
    later: ClassVar = frozenset({"ManagedPolicyArns", "Policies"})

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``. Without a name in the plan, the token gives one."""
        if desired.get("GroupName") is None:
            desired = {**desired, "GroupName": f"reconciler-{hashlib.sha256(token.encode()).hexdigest()[:20]}"}
        return super().create(scope, desired, token)

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:  # noqa: ARG002 - the name says it
        name = desired.get("GroupName")
        return None if name is None or has_unknown(name) else Identifier(str(name))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        name = item.identifier
        group = scope.call("iam", "get_group", GroupName=name, MaxItems=1)["Group"]
        properties = {"GroupName": group["GroupName"], "Arn": group["Arn"], "Path": group.get("Path")}
        if "ManagedPolicyArns" in item.properties:
            properties["ManagedPolicyArns"] = GROUP.attachments(scope, name)
        if "Policies" in item.properties:
            properties["Policies"] = GROUP.inline(scope, name)
        return without_empty(properties)

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        scope.call("iam", "create_group", GroupName=identifier, **without_empty({"Path": desired.get("Path")}))
        return self._update(scope, identifier, Change({}, desired, self.later & desired.keys()))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        if "Path" in change.names:
            scope.call("iam", "update_group", GroupName=identifier, NewPath=change.value("Path", "/"))
        if "ManagedPolicyArns" in change.names:
            GROUP.change_attached(scope, identifier, change)
        if "Policies" in change.names:
            GROUP.change_inline(scope, identifier, change)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Its policies go with it. Raises CONFLICT, changing nothing, while users are in it."""
        members = scope.call("iam", "get_group", GroupName=identifier, MaxItems=1).get("Users")
        if members:
            message = f"group {identifier} has users in it ({members[0]['UserName']} …): take them out first"
            raise AwsFault(FaultKind.CONFLICT, message, service="iam", operation="DeleteGroup", code="DeleteConflict")
        GROUP.strip(scope, identifier)
        scope.call("iam", "delete_group", GroupName=identifier)
        return Done(identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (User(), Group())
