"""AWS::IAM::InstanceProfile, and the other types of the service from modules of their own."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, UntaggedProvider
from reconciler.providers.native.iam_policy import ManagedPolicy
from reconciler.providers.native.iam_role import Role
from reconciler.providers.native.reading import without_empty

_LONGEST = 128


class InstanceProfile(UntaggedProvider):
    """An instance profile; its identifier is its name, which follows from its role if the plan gives none."""

    type_name = TypeName("AWS::IAM::InstanceProfile")
    supported: ClassVar = frozenset({"InstanceProfileName", "Path", "Roles"})
    fixed: ClassVar = frozenset({"InstanceProfileName", "Path"})
    later: ClassVar = frozenset({"Roles"})

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        name = desired.get("InstanceProfileName")
        if name is None:
            made_of = [scope.account, desired.get("Path") or "/", *(desired.get("Roles") or ())]
            if has_unknown(made_of) or not desired.get("Roles"):
                return None
            digest = hashlib.sha256("|".join(map(str, made_of)).encode()).hexdigest()[:10]
            name = f"{str(desired['Roles'][0])[: _LONGEST - 11]}-{digest}"
        return None if has_unknown(name) else Identifier(str(name))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        profile = scope.call("iam", "get_instance_profile", InstanceProfileName=item.identifier)["InstanceProfile"]
        return without_empty(
            {
                "InstanceProfileName": profile["InstanceProfileName"],
                "Arn": profile["Arn"],
                "Path": profile.get("Path"),
                "Roles": [role["RoleName"] for role in profile.get("Roles", ())],
            }
        )

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        path = without_empty({"Path": desired.get("Path")})
        scope.call("iam", "create_instance_profile", InstanceProfileName=identifier, **path)
        return self._update(scope, identifier, Change({}, desired, frozenset({"Roles"})))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        before, after = set(change.before.get("Roles") or ()), set(change.value("Roles", ()))
        for role in sorted(before - after):  # first, because a profile holds only one
            scope.call("iam", "remove_role_from_instance_profile", InstanceProfileName=identifier, RoleName=role)
        for role in sorted(after - before):
            scope.call("iam", "add_role_to_instance_profile", InstanceProfileName=identifier, RoleName=role)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        roles = self._observe(scope, Wanted(identifier)).get("Roles", ())
        self._update(scope, identifier, Change({"Roles": roles}, {}, frozenset({"Roles"})))
        scope.call("iam", "delete_instance_profile", InstanceProfileName=identifier)
        return Done(identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (Role(), ManagedPolicy(), InstanceProfile())
