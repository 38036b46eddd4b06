"""What roles, users and groups have in common: inline policies of their own and managed policies attached to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.ports import Scope
from reconciler.providers.native.frame import Change
from reconciler.providers.native.shapes import policy_text


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of entity: how its calls and their parameter are called."""

    parameter: str
    put: str
    get: str
    delete: str
    listed: str
    attach: str
    detach: str
    attached: str

    def inline(self, scope: Scope, name: str) -> list[dict[str, Any]]:
        """The inline policies of an entity, by name."""
        names = scope.pages("iam", self.listed, "PolicyNames", **{self.parameter: name})
        found = scope.gather([partial(self.document, scope, name, policy) for policy in sorted(names)])
        return [
            {"PolicyName": policy, "PolicyDocument": text} for policy, text in zip(sorted(names), found, strict=True)
        ]

    def document(self, scope: Scope, name: str, policy: str) -> Any:
        """The document of one inline policy. Raises NOT_FOUND."""
        return scope.call("iam", self.get, **{self.parameter: name}, PolicyName=policy)["PolicyDocument"]

    def attachments(self, scope: Scope, name: str) -> list[str]:
        """ARNs of the managed policies of an entity."""
        found = scope.pages("iam", self.attached, "AttachedPolicies", **{self.parameter: name})
        return sorted(policy["PolicyArn"] for policy in found)

    def put_document(self, scope: Scope, name: str, policy: str, document: Any) -> None:
        """Write an inline policy."""
        given = {self.parameter: name, "PolicyName": policy, "PolicyDocument": policy_text(document)}
        scope.call("iam", self.put, **given)

    def drop_document(self, scope: Scope, name: str, policy: str) -> None:
        """Take an inline policy away. Raises NOT_FOUND."""
        scope.call("iam", self.delete, **{self.parameter: name}, PolicyName=policy)

    def change_inline(self, scope: Scope, name: str, change: Change) -> None:
        """Bring the property ``Policies`` to its target: what is new first."""
        before = {policy["PolicyName"]: policy["PolicyDocument"] for policy in change.before.get("Policies") or ()}
        after = {policy["PolicyName"]: policy["PolicyDocument"] for policy in change.value("Policies", ())}
        for policy, document in sorted(after.items()):
            if before.get(policy) != document:
                self.put_document(scope, name, policy, document)
        for policy in sorted(before.keys() - after.keys()):
            self.drop_document(scope, name, policy)

    def change_attached(self, scope: Scope, name: str, change: Change) -> None:
        """Bring the property ``ManagedPolicyArns`` to its target: what is new first."""
        before, after = set(change.before.get("ManagedPolicyArns") or ()), set(change.value("ManagedPolicyArns", ()))
        for arn in sorted(after - before):
            scope.call("iam", self.attach, **{self.parameter: name}, PolicyArn=arn)
        for arn in sorted(before - after):
            scope.call("iam", self.detach, **{self.parameter: name}, PolicyArn=arn)

    def strip(self, scope: Scope, name: str) -> None:
        """Take all policies away, which AWS wants to be done before it deletes an entity."""
        for arn in self.attachments(scope, name):
            scope.call("iam", self.detach, **{self.parameter: name}, PolicyArn=arn)
        for policy in scope.pages("iam", self.listed, "PolicyNames", **{self.parameter: name}):
            self.drop_document(scope, name, policy)


ROLE = Entity(
    "RoleName",
    "put_role_policy",
    "get_role_policy",
    "delete_role_policy",
    "list_role_policies",
    "attach_role_policy",
    "detach_role_policy",
    "list_attached_role_policies",
)
USER = Entity(
    "UserName",
    "put_user_policy",
    "get_user_policy",
    "delete_user_policy",
    "list_user_policies",
    "attach_user_policy",
    "detach_user_policy",
    "list_attached_user_policies",
)
GROUP = Entity(
    "GroupName",
    "put_group_policy",
    "get_group_policy",
    "delete_group_policy",
    "list_group_policies",
    "attach_group_policy",
    "detach_group_policy",
    "list_attached_group_policies",
)
