"""AWS::IAM::ManagedPolicy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import Scope
from reconciler.providers.native.frame import Change, UntaggedProvider, same
from reconciler.providers.native.reading import without_empty
from reconciler.providers.native.shapes import policy_text
from reconciler.providers.native.tagging import as_map

_VERSIONS = 5
_PREFIX = "reconciler:attached-"
#: property, key in the listing, name in it, attach call, detach call, parameter
_KINDS = (
    ("Roles", "PolicyRoles", "RoleName", "attach_role_policy", "detach_role_policy"),
    ("Users", "PolicyUsers", "UserName", "attach_user_policy", "detach_user_policy"),
    ("Groups", "PolicyGroups", "GroupName", "attach_group_policy", "detach_group_policy"),
)
_ATTACHED = frozenset(kind[0] for kind in _KINDS)


class ManagedPolicy(UntaggedProvider):
    """A customer-managed policy; its identifier is its ARN.

    What its Roles, Users and Groups properties attached is noted in tags of the policy, so that deleting it
    detaches that and nothing else; a policy that others attached is a conflict.
    """

    type_name = TypeName("AWS::IAM::ManagedPolicy")
    supported: ClassVar = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument"}) | _ATTACHED
    fixed: ClassVar = frozenset({"Description", "ManagedPolicyName", "Path"})
    later: ClassVar = _ATTACHED

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``. Without a name in the plan, the token gives one."""
        if desired.get("ManagedPolicyName") is None:
            name = f"reconciler-{hashlib.sha256(token.encode()).hexdigest()[:20]}"
            desired = {**desired, "ManagedPolicyName": name}
        return super().create(scope, desired, token)

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        name, path = desired.get("ManagedPolicyName"), desired.get("Path") or "/"
        if name is None or has_unknown([name, path]):
            return None
        return Identifier(f"arn:{scope.partition}:iam::{scope.account}:policy{path}{name}")

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        arn = item.identifier
        policy = scope.call("iam", "get_policy", PolicyArn=arn)["Policy"]
        version = policy["DefaultVersionId"]
        properties = {
            "PolicyArn": arn,
            "ManagedPolicyName": policy["PolicyName"],
            "PolicyId": policy.get("PolicyId"),
            "Path": policy.get("Path"),
            "Description": policy.get("Description"),
            "DefaultVersionId": version,
            "AttachmentCount": policy.get("AttachmentCount"),
            "IsAttachable": policy.get("IsAttachable"),
        }
        if "PolicyDocument" in item.properties:
            properties["PolicyDocument"] = _document(scope, arn, version)
        if item.properties & _ATTACHED:
            properties |= _attachments(scope, arn)
        return without_empty(properties)

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        extra = without_empty({"Path": desired.get("Path"), "Description": desired.get("Description")})
        name, document = desired["ManagedPolicyName"], policy_text(desired["PolicyDocument"])
        scope.call("iam", "create_policy", PolicyName=name, PolicyDocument=document, **extra)
        return self._update(scope, identifier, Change({}, desired, _ATTACHED & desired.keys()))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        if "PolicyDocument" in change.names:
            self._put_document(scope, identifier, change.after["PolicyDocument"])
        for name, _, parameter, attach, detach in _KINDS:
            if name not in change.names:
                continue
            before, after = set(change.before.get(name) or ()), set(change.value(name, ()))
            for entity in sorted(after - before):
                tag = {"Key": f"{_PREFIX}{parameter}:{entity}", "Value": ""}
                scope.call("iam", "tag_policy", PolicyArn=identifier, Tags=[tag])
                scope.call("iam", attach, PolicyArn=identifier, **{parameter: entity})
            for entity in sorted(before - after):
                scope.call("iam", detach, PolicyArn=identifier, **{parameter: entity})
                scope.call("iam", "untag_policy", PolicyArn=identifier, TagKeys=[f"{_PREFIX}{parameter}:{entity}"])
        return Done(identifier)

    def _put_document(self, scope: Scope, arn: str, document: Any) -> None:
        """A new default version, unless it is that already; the oldest one goes to make room."""
        versions = scope.pages("iam", "list_policy_versions", "Versions", PolicyArn=arn)
        current = next(version["VersionId"] for version in versions if version["IsDefaultVersion"])
        if same(self.type_name, scope.region, "PolicyDocument", document, _document(scope, arn, current)):
            return
        if len(versions) >= _VERSIONS:
            oldest = min((version for version in versions if not version["IsDefaultVersion"]), key=_age)
            scope.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=oldest["VersionId"])
        scope.call(
            "iam", "create_policy_version", PolicyArn=arn, PolicyDocument=policy_text(document), SetAsDefault=True
        )

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        self._let_go(scope, identifier)
        for version in scope.pages("iam", "list_policy_versions", "Versions", PolicyArn=identifier):
            if not version["IsDefaultVersion"]:
                scope.call("iam", "delete_policy_version", PolicyArn=identifier, VersionId=version["VersionId"])
        scope.call("iam", "delete_policy", PolicyArn=identifier)
        return Done(identifier)

    def _let_go(self, scope: Scope, arn: Identifier) -> None:
        """Detach what the policy's own properties attached. Raises CONFLICT, detaching nothing, if there is more."""
        attached = _attachments(scope, arn)
        if not attached:
            return
        ours = as_map(scope.call("iam", "list_policy_tags", PolicyArn=arn).get("Tags"))
        todo = [
            (parameter, entity, detach) for name, _, parameter, _, detach in _KINDS for entity in attached.get(name, ())
        ]
        others = [entity for parameter, entity, _ in todo if f"{_PREFIX}{parameter}:{entity}" not in ours]
        if others:
            message = f"policy {arn} is attached to {', '.join(sorted(others))}: detach it there first"
            raise AwsFault(FaultKind.CONFLICT, message, service="iam", operation="DeletePolicy", code="DeleteConflict")
        for parameter, entity, detach in todo:
            scope.call("iam", detach, PolicyArn=arn, **{parameter: entity})


def _age(version: Mapping[str, Any]) -> int:
    return int(str(version["VersionId"]).removeprefix("v"))


def _document(scope: Scope, arn: str, version: str) -> Any:
    answer = scope.call("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
    return answer["PolicyVersion"]["Document"]


def _attachments(scope: Scope, arn: str) -> dict[str, list[str]]:
    """Names by property; what the policy is attached to as a permissions boundary isn't among them."""
    found: dict[str, list[str]] = {name: [] for name, *_ in _KINDS}
    marker: dict[str, str] = {}
    while True:
        answer = scope.call(
            "iam", "list_entities_for_policy", PolicyArn=arn, PolicyUsageFilter="PermissionsPolicy", **marker
        )
        for name, key, parameter, *_ in _KINDS:
            found[name] += [entity[parameter] for entity in answer.get(key, ())]
        if not answer.get("Marker"):
            return {name: sorted(entities) for name, entities in found.items() if entities}
        marker = {"Marker": answer["Marker"]}
