"""What AWS says of a request to make, change or delete a resource: the handlers work on after the call has returned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from reconciler.model.denial import denial_in
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.providers.handlercodes import kind_of_code

SERVICE = "cloudcontrol"

_CALLS = {"CREATE": "CreateResource", "UPDATE": "UpdateResource", "DELETE": "DeleteResource"}
_GOING_ON = frozenset({"PENDING", "IN_PROGRESS", "CANCEL_IN_PROGRESS"})

#: Seconds between two questions: where AWS doesn't say, and at least and at most.
_PAUSE, _SHORTEST, _LONGEST = 5.0, 1.0, 30.0


def progress_of(answer: Mapping[str, Any], known: Identifier) -> Progress:
    """The progress that an answer tells of; ``known``: the identifier as far as it was known before.

    The handle is the request's token. Raises AwsFault, marked as ``failed``, when the request came to nothing.
    """
    event: Mapping[str, Any] = answer["ProgressEvent"]
    status = event.get("OperationStatus", "")
    identifier = Identifier(event.get("Identifier") or known)
    handle = Handle(identifier, str(event.get("RequestToken", "")))
    if status == "SUCCESS":
        return Done(identifier)
    if status in _GOING_ON:
        return Pending(handle, _pause(event, answer), _message(event))
    if event.get("Operation") == "DELETE" and event.get("ErrorCode") == "NotFound":
        return Done(identifier)
    if identifier != known:
        # What failed may have left something: that is remembered before the failure is told.
        return Pending(handle, 0.0, _message(event))
    raise failure(event)


def failure(event: Mapping[str, Any]) -> AwsFault:
    """The fault that a request ended with."""
    code, said = str(event.get("ErrorCode") or ""), str(event.get("StatusMessage") or "")
    operation = _CALLS.get(str(event.get("Operation")), "GetResourceRequestStatus")
    if event.get("OperationStatus") == "CANCEL_COMPLETE":
        message = f"somebody has cancelled the request for {_about(event)}"
        return AwsFault(
            FaultKind.CONFLICT, message, service=SERVICE, operation=operation, code="Cancelled", failed=True
        )
    kind = kind_of_code(code, said)
    told = denial_in(said) if kind is FaultKind.ACCESS_DENIED else None
    message = f"{said or 'AWS says nothing more'} ({_about(event)})"
    if code == "NotUpdatable":
        message += "; it can't be changed in place: take the change back, or give the resource a new logical id"
    return AwsFault(
        kind,
        message,
        service=SERVICE,
        operation=operation,
        code=code,
        permission=told.permission if told else "",
        resource=told.resource if told else "",
        failed=True,
    )


def _about(event: Mapping[str, Any]) -> str:
    return " ".join(str(part) for part in (event.get("TypeName"), event.get("Identifier")) if part)


def _message(event: Mapping[str, Any]) -> str:
    status = str(event.get("OperationStatus", "")).replace("_", " ").lower()
    return ": ".join(part for part in (f"{_about(event)} {status}", str(event.get("StatusMessage") or "")) if part)


def _pause(event: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Until AWS wants to be asked again, by its own clock; else longer the longer it has been going on."""
    now, after, begun = _date(answer), event.get("RetryAfter"), event.get("EventTime")
    if now is not None and isinstance(after, datetime):
        return _bounded((after - now).total_seconds())
    if now is not None and isinstance(begun, datetime):
        return _bounded((now - begun).total_seconds() / 4)
    return _PAUSE


def _bounded(seconds: float) -> float:
    return min(_LONGEST, max(_SHORTEST, seconds))


def _date(answer: Mapping[str, Any]) -> datetime | None:
    header = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        date = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo is not None else None
