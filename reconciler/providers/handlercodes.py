"""What the handlers of resource types answer when they fail, in the closed vocabulary of ``model.errors``.

Handlers do the work behind the Cloud Control API (and CloudFormation). How one failed stands in a progress event, or in
words at the end of an error's message: ``(HandlerErrorCode: NotFound, RequestToken: …)``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.model.denial import denial_in
from reconciler.model.errors import FaultKind

#: By the codes' definitions in AWS's guide for extension developers.
_KINDS: Mapping[str, FaultKind] = {
    "AccessDenied": FaultKind.ACCESS_DENIED,
    "AlreadyExists": FaultKind.ALREADY_EXISTS,
    "GeneralServiceException": FaultKind.INVALID_REQUEST,  # a service's error that no other code stands for
    "InternalFailure": FaultKind.UNAVAILABLE,
    "InvalidCredentials": FaultKind.CREDENTIALS,
    "InvalidRequest": FaultKind.INVALID_REQUEST,
    "NetworkFailure": FaultKind.UNAVAILABLE,
    "NotFound": FaultKind.NOT_FOUND,
    "NotStabilized": FaultKind.TIMEOUT,  # never got ready
    "NotUpdatable": FaultKind.INVALID_REQUEST,
    "ResourceConflict": FaultKind.CONFLICT,
    "ServiceInternalError": FaultKind.UNAVAILABLE,
    "ServiceLimitExceeded": FaultKind.QUOTA,
    "ServiceTimeout": FaultKind.TIMEOUT,
    "Throttling": FaultKind.THROTTLED,
    "UnauthorizedTaggingOperation": FaultKind.ACCESS_DENIED,
}
#: Handlers put what they don't know into these, with the service's own words.
_VAGUE = frozenset({"GeneralServiceException", "InvalidRequest", "InternalFailure"})
_TOLD = re.compile(r"HandlerErrorCode: (\w+)")


def told_code(message: str) -> str:
    """The handler's code that an error's message names; empty where it names none."""
    found = _TOLD.search(message)
    return found[1] if found else ""


def kind_of_code(code: str, message: str) -> FaultKind:
    """The kind of a handler's failure. A code that isn't known is a refusal: nothing is made of it."""
    if code in _VAGUE and denial_in(message).permission:
        return FaultKind.ACCESS_DENIED
    if code in _VAGUE and "rate exceeded" in message.lower():
        return FaultKind.THROTTLED
    return _KINDS.get(code, FaultKind.INVALID_REQUEST)
