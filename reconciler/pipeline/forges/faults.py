"""What services answer when they refuse, in words that say what to do; and patience after a rate limit."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.model.errors import PipelineError
from reconciler.ports import Clock

#: Without a word from the service about when to come back. Seconds.
_A_WHILE = 60.0
#: No pause is longer, whatever a header says. Seconds.
_LONGEST = 3600.0
_SHOWN = 300


class Patience:
    """After a rate limit nothing is asked until the service says so. One for each token. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: datetime | None = None

    def check(self, where: str) -> None:
        """Raise PipelineError while the service isn't to be asked."""
        with self._lock:
            until = self._until
        if until is not None and self._clock.now() < until:
            raise PipelineError(f"{where} limits the rate of requests: nothing is asked before {until:%H:%M:%S} UTC")

    def limited(self, where: str, headers: Mapping[str, str]) -> PipelineError:
        """The service said so just now."""
        now = self._clock.now()
        until = now + timedelta(seconds=min(_LONGEST, max(1.0, _pause(headers, now.timestamp()))))
        with self._lock:
            self._until = until
        return PipelineError(f"{where} limits the rate of requests: nothing is asked before {until:%H:%M:%S} UTC")


def is_limit(status: int, message: str, headers: Mapping[str, str]) -> bool:
    """Whether a refusal is about the rate of requests: GitHub says 403 as well as 429 for that."""
    if status == 429:
        return True
    words = "rate limit" in message.lower() or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return status == 403 and words


def refusal(where: str, status: int, message: str, needs: str) -> PipelineError:
    """Any other refusal. ``needs``: the permission that the token must have."""
    said = " ".join(message.split())[:_SHOWN]
    hint = {
        401: "the token isn't accepted: is it in force, and for this service?",
        403: f"the token may not do this: it needs {needs}",
        404: f"there is no such repository, or the token can't see it: it needs {needs}",
    }.get(status, "")
    error = PipelineError(f"{where} answered {status}: {said}{f' ({hint})' if hint else ''}")
    error.retryable = status >= 500 or status in (408, 409)
    return error


def unreachable(where: str, error: Exception) -> PipelineError:
    """No answer at all."""
    return PipelineError(f"{where} can't be reached: {type(error).__name__}")


def _pause(headers: Mapping[str, str], now: float) -> float:
    after, reset = headers.get("retry-after", ""), ""
    for name in ("x-ratelimit", "ratelimit"):
        if headers.get(f"{name}-remaining", "0") == "0":  # else it is another limit than the one that was hit
            reset = reset or headers.get(f"{name}-reset", "")
    if after.isdigit():
        return float(after)
    return float(reset) - now if reset.isdigit() else _A_WHILE
