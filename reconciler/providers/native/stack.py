"""AWS::CloudFormation::Stack: a stack within a plan."""

from __future__ import annotations

import re
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Pending, Progress
from reconciler.model.resource import Located
from reconciler.model.values import Properties, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Tagging, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.frame import refuse_fixed, refuse_unsupported
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.tagging import as_list, as_map, owner_in

_NAME = NameRule("StackName", 128)
_NAMED = {"StackName": "{StackId}"}
_UNCHANGED = re.compile("No updates are to be performed", re.IGNORECASE)

_SETTINGS = ("NotificationARNs", "Parameters", "TemplateURL")

_STACK = Declaration(
    type=TypeName("AWS::CloudFormation::Stack"),
    service="cloudformation",
    arn="{StackId}",
    read=Read("describe_stacks", "Stacks", constants=_NAMED),
    create=Call("create_stack", (*_SETTINGS, "TimeoutInMinutes")),
    updates=(Update(Call("update_stack", _SETTINGS)),),
    delete=Call("delete_stack", constants=_NAMED),
    listing=Listing("describe_stacks", "Stacks"),
    tagging=Tagging("update_stack", "update_stack", _NAMED, inline="Tags", keys="Tags", create="Tags"),
    waiting=Waiting(
        "StackStatus",
        pending=frozenset(
            {
                "CREATE_IN_PROGRESS",
                "REVIEW_IN_PROGRESS",
                "ROLLBACK_IN_PROGRESS",
                "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                "UPDATE_ROLLBACK_IN_PROGRESS",
            }
        ),
        failed=frozenset(
            {
                "CREATE_FAILED",
                "DELETE_FAILED",
                "ROLLBACK_COMPLETE",
                "ROLLBACK_FAILED",
                "UPDATE_FAILED",
                "UPDATE_ROLLBACK_COMPLETE",
                "UPDATE_ROLLBACK_FAILED",
            }
        ),
        gone=frozenset({"DELETE_COMPLETE"}),
        why="StackStatusReason",
        seconds=5.0,
    ),
)
_CHANGEABLE = frozenset({*_SETTINGS, "Tags"})


class Stack(Declared):
    """A stack from a template in S3. What is in it is CloudFormation's: only what is said here is looked after.

    No capabilities are given with it, so that a template which makes identities or has macros is refused by AWS: such
    a stack is a plan's own (``spec.stack`` with ``capabilities``). Neither does it suit parameters that the template
    calls ``NoEcho``: AWS shows asterisks for them, which are never what is wanted.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: parameters are a list of pairs."""
        given = values.pop("Parameters", None) or {}
        pairs = [{"ParameterKey": key, "ParameterValue": _text(value)} for key, value in sorted(given.items())]
        return {**values, "Parameters": pairs} if pairs else values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: outputs can be referred to, as ``Outputs.Name``."""
        pairs = {str(one["ParameterKey"]): one.get("ParameterValue", "") for one in item.answer.get("Parameters", ())}
        outputs = {str(one["OutputKey"]): one.get("OutputValue", "") for one in item.answer.get("Outputs", ())}
        shown = {**properties, "Parameters": pairs, "Outputs": outputs}
        return {name: value for name, value in shown.items() if value not in ({}, [], None)}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``: its name says whose it is."""
        tags = as_map(desired.get("Tags"))
        values = {name: value for name, value in desired.items() if name in self.declaration.create.takes}
        given = self._parameters(scope, self.declaration.create, {}, values)
        given["StackName"] = _NAME.required({}, owner_in(tags), scope, self.type_name)
        given |= {"Tags": as_list(tags), "ClientRequestToken": token}
        return Identifier(scope.call("cloudformation", "create_stack", **given)["StackId"])

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``. One call says everything again."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.supported - _CHANGEABLE, changed)
        before, after = reveal(before), reveal(after)
        kept = {name: before[name] for name in _CHANGEABLE - changed if before.get(name) is not None}
        target = {**kept, **{name: after[name] for name in _CHANGEABLE if after.get(name) is not None}}
        tags = as_map(target.pop("Tags", None))
        given = self._parameters(scope, Call("update_stack"), {}, target)
        given |= {"StackName": identifier, "Tags": as_list(tags)}
        given |= {} if "TemplateURL" in given else {"UsePreviousTemplate": True}
        given.setdefault("NotificationARNs", [])
        try:
            scope.call("cloudformation", "update_stack", **given)
        except AwsFault as fault:
            if fault.kind is not FaultKind.INVALID_REQUEST or not _UNCHANGED.search(fault.message):
                raise
        return self._standing_by(scope, identifier, "update:")

    def _resumed(self, scope: Scope, there: Located, desired: Properties) -> Progress:
        """As ``Declared`` does, but a stack of an earlier attempt comes to rest first."""
        if there.owner is not None and there.owner == owner_in(as_map(desired.get("Tags"))):
            progress = self._standing_by(scope, there.identifier, "create:")
            if isinstance(progress, Pending):
                return progress
        return super()._resumed(scope, there, desired)

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        """Parameters that aren't given have their defaults; from which template a stack is AWS doesn't show."""
        wanted, shown = desired.get("Parameters") or {}, live.get("Parameters") or {}
        given = {name: value for name, value in shown.items() if name in wanted}
        return super()._differing(scope, desired, {**live, "Parameters": given}) | {"TemplateURL"}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(_text(item) for item in value) if isinstance(value, list | tuple) else str(value)


PROVIDERS: tuple[ResourceProvider, ...] = (Stack(_STACK),)
