"""A Cloud Control API in memory, which follows the provider schemas: for tests of the Cloud Control provider.

It is asynchronous (``polls``), fills in what is read-only and defaulted, never returns what is write-only, refuses what
the schema doesn't allow, holds on to what is create-only, honours client tokens, wants a model where a list handler
does, pages its listings, and fails as told with every code there is, before or after the effect.

What it can't prove: that a service accepts the values, or changes them (only the schema's types, names, required keys
and choices are checked, no pattern, bound or format); what a handler does beyond its schema, forgets to return, returns
in another order or with other spelling, or refuses; how long anything takes, and what a throttled or half-failed
handler leaves behind; permissions; how the real API words its messages beyond the forms seen in public. The wire format
is tested against an emulator.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

from reconciler.model.errors import AwsFault
from reconciler.ports import Clock
from reconciler.providers.faults import fault_of
from reconciler.schema import TypeSchema, identifier_of, schema_for
from reconciler.testing.clock import FakeClock
from reconciler.testing.cloudhandlers import Refused, check, filled, patched, place, visible, within

#: The API's name of each operation, and whether it is a request that is worked on later.
_OPERATIONS = {
    "create_resource": "CreateResource",
    "update_resource": "UpdateResource",
    "delete_resource": "DeleteResource",
    "get_resource": "GetResource",
    "list_resources": "ListResources",
    "get_resource_request_status": "GetResourceRequestStatus",
}


@dataclass(slots=True)
class Failure:
    """How a call or a request is to fail: ``raised`` at once as an exception, else in the progress event.

    ``effect``: what was asked for has happened nevertheless.
    """

    code: str
    message: str = ""
    raised: bool = False
    effect: bool = False


@dataclass(slots=True)
class _Request:
    token: str
    operation: str
    type_name: str
    work: Callable[[], str]
    left: int
    identifier: str = ""
    failure: Failure | None = None
    status: str = "IN_PROGRESS"
    error: str = ""
    message: str = ""


@dataclass(slots=True)
class CloudControlApi:
    """One account and region. ``resources`` is what is there, write-only properties included.

    ``polls``: how often a request answers "in progress" before it is done. ``fail``: failures to come by operation
    (``CreateResource``). ``page``: resources on a page of a listing; ``shown``: whether listings show more than
    identifiers. ``calls`` counts operations, ``log`` has every request that took effect.
    """

    account: str = "111111111111"
    region: str = "us-east-1"
    clock: Clock = field(default_factory=FakeClock)
    polls: int = 0
    page: int = 100
    shown: bool = False
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    fail: dict[str, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    log: list[tuple[str, str, str]] = field(default_factory=list)
    patches: list[list[dict[str, Any]]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _requests: dict[str, _Request] = field(default_factory=dict)
    _tokens: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def of(self, type_name: str) -> dict[str, dict[str, Any]]:
        """What is there of one type, by identifier."""
        return {key[1]: model for key, model in self.resources.items() if key[0] == type_name}

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call, ``operation`` as boto3 names its method. Raises AwsFault as the real scope does."""
        name = _OPERATIONS[operation]
        with self._lock:
            self.calls[name] += 1
            try:
                planned = self.fail[name][0] if self.fail[name] else None
                if planned is not None and planned.raised and not planned.effect:
                    self.fail[name].pop(0)
                    raise Refused(planned.code, planned.message)
                answer: Mapping[str, Any] = getattr(self, f"_{operation}")(parameters)
                if planned is not None and planned.raised:
                    self.fail[name].pop(0)
                    raise Refused(planned.code, planned.message)
            except Refused as refused:
                raise self._error(name, refused) from refused
            return {**answer, "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.clock.now())}}}

    # reading

    def _get_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        type_name: str = given["TypeName"]
        schema = self._schema(type_name, "read")
        identifier = self._found(schema, given["Identifier"])
        return {"TypeName": type_name, "ResourceDescription": self._described(schema, identifier, shown=True)}

    def _list_resources(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        type_name: str = given["TypeName"]
        schema = self._schema(type_name, "list")
        model, wanted = json.loads(given.get("ResourceModel", "{}")), schema.list_model.get("required", ())
        if missing := [name for name in wanted if name not in model]:
            raise Refused(
                "InvalidRequestException", f"required key {missing} not found (HandlerErrorCode: InvalidRequest)"
            )
        fits = [
            identifier
            for identifier, live in sorted(self.of(type_name).items())
            if all(live.get(name) == value for name, value in model.items())
        ]
        start = int(given.get("NextToken", "0"))
        rows = [self._described(schema, one, shown=self.shown) for one in fits[start : start + self.page]]
        more = {"NextToken": str(start + self.page)} if start + self.page < len(fits) else {}
        return {"TypeName": type_name, "ResourceDescriptions": rows, **more}

    def _described(self, schema: TypeSchema, identifier: str, *, shown: bool) -> dict[str, str]:
        model = visible(schema, self.resources[schema.type_name, identifier])
        kept = {name.split("/")[0] for name in schema.primary_identifier}
        model = model if shown else {name: value for name, value in model.items() if name in kept}
        return {"Identifier": identifier, "Properties": json.dumps(model)}

    def _found(self, schema: TypeSchema, identifier: str) -> str:
        """The primary identifier of what an identifier of any kind names."""
        if identifier.startswith("{"):
            wanted = json.loads(identifier)
            for key, model in self.of(schema.type_name).items():
                if all(str(model.get(name)) == str(value) for name, value in wanted.items()):
                    return key
        elif (schema.type_name, identifier) in self.resources:
            return identifier
        raise Refused("ResourceNotFoundException", _not_found(schema.type_name, identifier))

    # requests

    def _create_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        type_name: str = given["TypeName"]
        schema, desired = self._schema(type_name, "create"), json.loads(given["DesiredState"])
        if not isinstance(desired, dict):
            raise Refused("InvalidRequestException", "the desired state is not an object")

        def work() -> str:
            self._refuse(schema.read_only, desired, "InvalidRequest", "readOnlyProperties")
            check(schema, desired)
            model = filled(schema, desired, next(self._numbers))
            identifier = identifier_of(schema, model)
            if identifier is None:
                raise Refused("InternalFailure", "the resource has no identifier")
            if (type_name, identifier) in self.resources:
                raise Refused("AlreadyExists", f"{type_name} {identifier} already exists")
            self.resources[type_name, identifier] = model
            return identifier

        return self._accepted("CREATE", type_name, work, (type_name, given["DesiredState"]), given["ClientToken"], "")

    def _update_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        type_name: str = given["TypeName"]
        schema, operations = self._schema(type_name, "update"), json.loads(given["PatchDocument"])
        identifier = self._found(schema, given["Identifier"])
        for operation in operations:
            at, value = place(operation), operation.get("value")
            for kind, paths in (("createOnlyProperties", schema.create_only), ("readOnlyProperties", schema.read_only)):
                if any(path == at[: len(path)] for path in paths) or list(within(paths, value, at)):
                    raise Refused("NotUpdatableException", f"Invalid patch update: {kind} {list(at)} cannot be updated")
        self.patches.append(operations)

        def work() -> str:
            live = self.resources.get((type_name, identifier))
            if live is None:
                raise Refused("NotFound", f"{identifier} is gone")
            model = patched(visible(schema, live), operations)
            check(schema, model, schema.create_only & schema.write_only)  # they can't be given again
            self.resources[type_name, identifier] = model
            return identifier

        return self._accepted(
            "UPDATE", type_name, work, (type_name, given["Identifier"], given["PatchDocument"]), "", identifier
        )

    def _delete_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        type_name: str = given["TypeName"]
        self._schema(type_name, "delete")

        def work() -> str:
            if self.resources.pop((type_name, given["Identifier"]), None) is None:
                raise Refused("NotFound", f"{given['Identifier']} was not found")
            return str(given["Identifier"])

        return self._accepted("DELETE", type_name, work, (type_name, given["Identifier"]), "", given["Identifier"])

    def _get_resource_request_status(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        request = self._requests.get(given["RequestToken"])
        if request is None:
            raise Refused("RequestTokenNotFoundException", f"Request with token {given['RequestToken']} was not found")
        return self._moved_on(request)

    def _accepted(
        self,
        operation: str,
        type_name: str,
        work: Callable[[], str],
        said: tuple[str, ...],
        token: str,
        identifier: str,
    ) -> Mapping[str, Any]:
        known = self._tokens.get(token) if token else None
        if known is not None:
            if known[0] != (operation, *said):
                raise Refused("ClientTokenConflictException", f"{token} has been used in another request")
            return self._moved_on(self._requests[known[1]])
        going_on = (one for one in self._requests.values() if one.status == "IN_PROGRESS" and one.identifier)
        if any((one.type_name, one.identifier) == (type_name, identifier) for one in going_on):
            raise Refused("ConcurrentOperationException", f"another request on {identifier} is in progress")
        queue = self.fail[_named(operation)]
        failure = queue.pop(0) if queue and not queue[0].raised else None
        name = f"request-{len(self._requests) + 1:06d}"
        request = _Request(name, operation, type_name, work, self.polls, identifier, failure)
        self._requests[name] = request
        if token:
            self._tokens[token] = (operation, *said), name
        return self._moved_on(request)

    def _moved_on(self, request: _Request) -> Mapping[str, Any]:
        """A look at a request, by which it comes closer to its end."""
        if request.status == "IN_PROGRESS" and request.left <= 0:
            self._finish(request)
        request.left -= 1
        now = self.clock.now()
        event: dict[str, Any] = {
            "TypeName": request.type_name,
            "Identifier": request.identifier,
            "RequestToken": request.token,
            "Operation": request.operation,
            "OperationStatus": request.status,
            "EventTime": now,
            "StatusMessage": request.message,
        }
        if request.status == "IN_PROGRESS":
            event["RetryAfter"] = now + timedelta(seconds=3)
        if request.error:
            event["ErrorCode"] = request.error
        return {"ProgressEvent": {key: value for key, value in event.items() if value}}

    def _finish(self, request: _Request) -> None:
        failure = request.failure
        try:
            if failure is None or failure.effect:
                request.identifier = request.work()
                self.log.append((request.operation, request.type_name, request.identifier))
            request.status = "SUCCESS"
            if failure is not None:
                raise Refused(failure.code, failure.message)
        except Refused as refused:
            cancelled = refused.code == "CANCEL_COMPLETE"
            request.status, request.message = ("CANCEL_COMPLETE" if cancelled else "FAILED"), str(refused)
            request.error = "" if cancelled else refused.code

    # the rest

    def _refuse(self, paths: frozenset[tuple[str, ...]], model: Any, code: str, what: str) -> None:
        if found := list(within(paths, model)):
            raise Refused(code, f"Encountered unsupported properties in the model: {what} {found}")

    def _schema(self, type_name: str, handler: str) -> TypeSchema:
        schema = schema_for(type_name, self.region)
        if schema is None:
            raise Refused("TypeNotFoundException", f"The type '{type_name}' cannot be found.")
        if handler not in schema.handler_permissions:
            raise Refused("UnsupportedActionException", f"Resource type {type_name} does not support {handler} action")
        return schema

    def _error(self, operation: str, refused: Refused) -> AwsFault:
        code = refused.code if refused.code.endswith("Exception") else f"{refused.code}Exception"
        response: Any = {
            "Error": {"Code": code, "Message": str(refused)},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        writes = operation in ("CreateResource", "UpdateResource", "DeleteResource")
        return fault_of(ClientError(response, operation), "cloudcontrol", operation, writes=writes)


def _named(operation: str) -> str:
    return f"{operation.capitalize()}Resource"


def _not_found(type_name: str, identifier: str) -> str:
    return (
        f"{type_name} Handler returned status FAILED: Resource of type '{type_name}' with identifier '{identifier}' "
        "was not found. (HandlerErrorCode: NotFound, RequestToken: 00000000-0000-0000-0000-000000000000)"
    )
