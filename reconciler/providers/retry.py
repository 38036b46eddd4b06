"""When a call is made again, and how long to wait before: the one owner of retries (the SDK's are off)."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from reconciler.model.errors import AwsFault, FaultKind

#: What botocore reports when the connection was refused or never made: the request did not leave this machine.
_NOT_SENT = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
_WORTH_READING_AGAIN = frozenset({FaultKind.THROTTLED, FaultKind.UNAVAILABLE, FaultKind.TIMEOUT})

#: Refusals, by what they say, that only say that the call came too early; nothing was done. A role that was just made
#: isn't known everywhere for some seconds (IAM is eventually consistent); Lambda takes one change at a time.
_TOO_EARLY = re.compile(
    "cannot be assumed by Lambda"
    "|is (not )?authorized to assume the provided role"
    "|execution role you provide must allow AWS EventBridge Scheduler to assume"
    "|CodeBuild is not authorized to perform: sts:AssumeRole"
    "|The operation cannot be performed at this time"
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds of the repetition of one call; times in seconds."""

    attempts: int = 6
    base: float = 0.25
    cap: float = 10.0
    #: no attempt starts later than this after the first
    total: float = 45.0
    #: attempts while AWS says that a call came too early
    early: int = 12

    def again(self, fault: AwsFault, *, writes: bool, attempt: int, elapsed: float) -> bool:
        """Whether the call may be made again after ``attempt`` attempts and ``elapsed`` seconds."""
        early = came_too_early(fault)
        if attempt >= (self.early if early else self.attempts) or elapsed >= self.total:
            return False
        if writes:
            return certainly_not_executed(fault)
        return early or fault.kind in _WORTH_READING_AGAIN

    def pause(self, attempt: int) -> float:
        """Seconds before the next attempt: exponential with full jitter."""
        return random.uniform(0.0, min(self.cap, self.base * 2.0**attempt))  # noqa: S311 - spreads load, guards nothing


def certainly_not_executed(fault: AwsFault) -> bool:
    """Whether a failed write can be repeated without the danger of doing it twice."""
    return (
        fault.kind is FaultKind.THROTTLED or (fault.code in _NOT_SENT and not fault.ambiguous) or came_too_early(fault)
    )


def came_too_early(fault: AwsFault) -> bool:
    """Whether AWS refused a call only because something that it needs isn't ready yet."""
    refused = fault.kind in (FaultKind.INVALID_REQUEST, FaultKind.CONFLICT, FaultKind.ACCESS_DENIED)
    return refused and not fault.ambiguous and _TOO_EARLY.search(fault.message) is not None
