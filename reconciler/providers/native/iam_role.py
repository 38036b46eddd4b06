"""AWS::IAM::Role."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties
from reconciler.ports import Scope
from reconciler.providers.native.frame import Change, Found
from reconciler.providers.native.iam_entity import ROLE
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import read_each, sweep, without_empty
from reconciler.providers.native.shapes import policy_text
from reconciler.providers.native.tagging import Tags, as_list, as_map

#: From here on one listing of all roles with everything in them is cheaper than asking for each.
_MANY = 10
#: What the listing leaves out.
_NOT_LISTED = frozenset({"Description", "MaxSessionDuration"})
_ROLES_A_PAGE = 1000
_DEFAULT_SESSION = 3600


class Role(ListedProvider):
    """A role; its identifier is its name. Inline and attached policies are properties of it."""

    type_name = TypeName("AWS::IAM::Role")
    supported: ClassVar = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )
    fixed: ClassVar = frozenset({"Path", "RoleName"})
    naming: ClassVar = NameRule("RoleName", 64, distinct=("Path",))
    resource_type: ClassVar = "iam:role"
    tags_inline: ClassVar = True

    def _identifier(self, scope: Scope, name: str) -> Identifier:  # noqa: ARG002 - it is the name
        return Identifier(name)

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        return _listed(scope, names)

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        return str(_role(scope, identifier)["Arn"])

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - the name is in the ARN
        return Identifier(arn.rpartition("/")[2])

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        listed: Mapping[str, Mapping[str, Any]] = {}
        complete = False
        if len(wanted) > _MANY:
            listed, complete = _listed(scope, {item.identifier for item in wanted})

        def read(item: Wanted) -> dict[str, Any]:
            detail = listed.get(item.identifier)
            if detail is None and complete:
                raise AwsFault(FaultKind.NOT_FOUND, f"role {item.identifier} does not exist", service="iam")
            if detail is None:
                return self._observe(scope, item)
            extra = _role(scope, item.identifier) if item.properties & _NOT_LISTED else {}
            return _properties({**detail, **extra}, _inline(detail), _attached(detail))

        def needs_call(item: Wanted) -> bool:
            return bool(item.properties & _NOT_LISTED) or item.identifier not in listed

        found: Found = read_each(scope, [item for item in wanted if needs_call(item)], read)
        return {**found, **{item.identifier: read(item) for item in wanted if not needs_call(item)}}

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        name = item.identifier
        role = _role(scope, name)
        inline = ROLE.inline(scope, name) if "Policies" in item.properties else []
        attached = ROLE.attachments(scope, name) if "ManagedPolicyArns" in item.properties else []
        return _properties(role, inline, attached)

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        return as_map(_role(scope, identifier).get("Tags"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("iam", "tag_role", RoleName=identifier, Tags=as_list(tags))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("iam", "untag_role", RoleName=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        extra = {key: desired.get(key) for key in ("Description", "MaxSessionDuration", "Path", "PermissionsBoundary")}
        if extra["MaxSessionDuration"] is not None:
            extra["MaxSessionDuration"] = int(extra["MaxSessionDuration"])
        document = policy_text(desired["AssumeRolePolicyDocument"])
        scope.call(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=document,
            Tags=as_list(tags),
            **without_empty(extra),
        )
        rest = frozenset({"ManagedPolicyArns", "Policies"} & desired.keys())
        return self._update(scope, Identifier(name), Change({}, desired, rest))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        if "AssumeRolePolicyDocument" in change.names:
            document = policy_text(change.after["AssumeRolePolicyDocument"])
            scope.call("iam", "update_assume_role_policy", RoleName=identifier, PolicyDocument=document)
        if change.names & _NOT_LISTED:
            _describe(scope, identifier, change)
        if "PermissionsBoundary" in change.names and (boundary := change.value("PermissionsBoundary")):
            scope.call("iam", "put_role_permissions_boundary", RoleName=identifier, PermissionsBoundary=boundary)
        elif "PermissionsBoundary" in change.names:
            scope.call("iam", "delete_role_permissions_boundary", RoleName=identifier)
        if "ManagedPolicyArns" in change.names:
            ROLE.change_attached(scope, identifier, change)
        if "Policies" in change.names:
            ROLE.change_inline(scope, identifier, change)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Policies go with the role. An instance profile that holds it is another resource: a conflict."""
        profiles = scope.pages("iam", "list_instance_profiles_for_role", "InstanceProfiles", RoleName=identifier)
        if profiles:
            names = ", ".join(sorted(profile["InstanceProfileName"] for profile in profiles))
            message = f"role {identifier} is in use by instance profile {names}: remove it from there first"
            raise AwsFault(FaultKind.CONFLICT, message, service="iam", operation="DeleteRole", code="DeleteConflict")
        ROLE.strip(scope, identifier)
        scope.call("iam", "delete_role", RoleName=identifier)
        return Done(identifier)


def _role(scope: Scope, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scope.call("iam", "get_role", RoleName=name)["Role"]
    return found


def _listed(scope: Scope, names: Collection[str]) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """Those of ``names`` among all roles, and whether what isn't there doesn't exist.

    Not so where the listing is refused, or so long that asking one by one is cheaper.
    """
    missing: set[str] = set(names)
    found: dict[str, Mapping[str, Any]] = {}
    pages, most = 0, max(1, len(names) // 2)
    try:
        for page in sweep(
            scope,
            "iam",
            "get_account_authorization_details",
            key="RoleDetailList",
            token=("Marker", "Marker"),
            most=most,
            Filter=["Role"],
            MaxItems=_ROLES_A_PAGE,
        ):
            pages += 1
            found |= {role["RoleName"]: role for role in page if role["RoleName"] in missing}
            missing -= found.keys()
            if not missing:
                break
    except AwsFault:
        return found, False
    return found, not missing or pages < most


def _inline(detail: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"PolicyName": policy["PolicyName"], "PolicyDocument": policy["PolicyDocument"]}
        for policy in detail.get("RolePolicyList", ())
    ]


def _attached(detail: Mapping[str, Any]) -> list[str]:
    return [policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", ())]


def _properties(role: Mapping[str, Any], inline: list[dict[str, Any]], attached: list[str]) -> dict[str, Any]:
    return without_empty(
        {
            "RoleName": role["RoleName"],
            "Arn": role["Arn"],
            "RoleId": role["RoleId"],
            "Path": role.get("Path"),
            "AssumeRolePolicyDocument": role.get("AssumeRolePolicyDocument"),
            "Description": role.get("Description"),
            "MaxSessionDuration": role.get("MaxSessionDuration"),
            "PermissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "ManagedPolicyArns": sorted(attached),
            "Policies": sorted(inline, key=lambda policy: str(policy["PolicyName"])),
            "Tags": as_list(as_map(role.get("Tags"))),
        }
    )


def _describe(scope: Scope, name: str, change: Change) -> None:
    """One call sets both and resets what it isn't told, so it is told what isn't to change, too."""
    live = _role(scope, name) if not change.names >= _NOT_LISTED else {}
    values = {
        "Description": change.value("Description", "")
        if "Description" in change.names
        else live.get("Description", ""),
        "MaxSessionDuration": int(
            change.value("MaxSessionDuration", _DEFAULT_SESSION)
            if "MaxSessionDuration" in change.names
            else live.get("MaxSessionDuration", _DEFAULT_SESSION)
        ),
    }
    scope.call("iam", "update_role", RoleName=name, **values)
