"""AWS::Lambda::Permission: a statement in the policy of a function, an alias or a version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Located, Wanted
from reconciler.model.values import Properties, has_unknown, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, Provider, refuse_unsupported, same

#: The condition's key that each property becomes.
_CONDITIONS = {
    "aws:sourcearn": "SourceArn",
    "aws:sourceaccount": "SourceAccount",
    "aws:principalorgid": "PrincipalOrgID",
    "lambda:eventsourcetoken": "EventSourceToken",
    "lambda:functionurlauthtype": "FunctionUrlAuthType",
    "lambda:invokedviafunctionurl": "InvokedViaFunctionUrl",
}


class Permission(Provider):
    """A permission. It can't be changed; its id is made from the token of the create, so that it can be repeated."""

    type_name = TypeName("AWS::Lambda::Permission")
    supported = frozenset({"Action", "FunctionName", "Principal", *_CONDITIONS.values()})
    fixed = supported

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:  # noqa: ARG002 - no tags
        """See ``ports.ResourceProvider``: the statements that say the same."""
        if has_unknown(desired):
            return ()
        function, alike = str(desired["FunctionName"]), partial(self._says, scope, reveal(desired))
        return tuple(
            Located(Identifier(f"{function}|{sid}"))
            for sid, statement in _statements(scope, function).items()
            if alike(_properties(statement))
        )

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        function = str(desired["FunctionName"])
        sid = f"reconciler-{hashlib.sha256(token.encode()).hexdigest()[:20]}"
        given = {name: value for name, value in desired.items() if value is not None}
        if sid not in _statements(scope, function):
            scope.call("lambda", "add_permission", **given, StatementId=sid)
        return Done(Identifier(f"{function}|{sid}"))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        function, sid = _parts(item.identifier)
        statement = _statements(scope, function).get(sid)
        if statement is None:
            message = f"permission {sid} of function {function} does not exist"
            raise AwsFault(FaultKind.NOT_FOUND, message, service="lambda", operation="GetPolicy")
        return {**_properties(statement), "FunctionName": function, "Id": sid}

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:  # noqa: ARG002 - all is fixed
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        function, sid = _parts(identifier)
        scope.call("lambda", "remove_permission", FunctionName=function, StatementId=sid)
        return Done(identifier)

    def _says(self, scope: Scope, desired: Properties, live: Mapping[str, Any]) -> bool:
        names = self.supported - {"FunctionName"}
        return all(same(self.type_name, scope.region, name, desired.get(name), live.get(name)) for name in names)


def _parts(identifier: Identifier) -> tuple[str, str]:
    function, found, sid = identifier.rpartition("|")
    if not found:
        raise AwsFault(FaultKind.INVALID_REQUEST, f"{identifier} is no identifier of a permission: FunctionName|Id")
    return function, sid


def _statements(scope: Scope, function: str) -> dict[str, Mapping[str, Any]]:
    """The statements of a function's policy by id; none without one, or without the function."""
    try:
        answer = scope.call("lambda", "get_policy", FunctionName=function)
    except AwsFault as fault:
        if fault.kind is FaultKind.NOT_FOUND:
            return {}
        raise
    statements = json.loads(answer["Policy"])["Statement"]
    return {str(statement["Sid"]): statement for statement in statements}


def _properties(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement as the schema has it."""
    principal = statement["Principal"]
    if isinstance(principal, Mapping):
        principal = next(iter(principal.values()))
    found = {"Action": statement["Action"], "Principal": _account(str(principal))}
    for keys in (statement.get("Condition") or {}).values():
        for key, value in keys.items():
            if (name := _CONDITIONS.get(key.lower())) is not None:
                found[name] = str(value).lower() == "true" if name == "InvokedViaFunctionUrl" else value
    return found


def _account(principal: str) -> str:
    """An account's root by the account's number, as plans have it."""
    parts = principal.split(":")
    return parts[4] if len(parts) == 6 and parts[2] == "iam" and parts[5] == "root" else principal


PROVIDERS: tuple[ResourceProvider, ...] = (Permission(),)
