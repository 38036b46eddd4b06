"""Looking again: AWS is eventually consistent, so a resource just written may read old or absent for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from reconciler.ports import Clock

T = TypeVar("T")

#: Seconds between looks; their sum is how long AWS may take until what was written is seen everywhere.
SETTLE = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


def looks(clock: Clock) -> Iterator[None]:
    """One item a look, each after its pause."""
    for pause in SETTLE:
        if pause:
            clock.sleep(pause)
        yield


def look_until(clock: Clock, look: Callable[[], T | None]) -> T | None:
    """The first answer of ``look`` that is one; None if there was none all the while. Raises what ``look`` raises."""
    for _ in looks(clock):
        answer = look()
        if answer is not None:
            return answer
    return None
