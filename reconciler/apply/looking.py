"""Looking and asking again: AWS is eventually consistent.

A resource just written may read old or absent for a while, and a name just given up may not be free yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.ports import Clock

T = TypeVar("T")

#: Seconds between looks; their sum is how long AWS may take until what was written is seen everywhere.
SETTLE = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)

#: Seconds between attempts to make again what has only just been deleted: some names are free after a minute.
FREED = (5.0, 10.0, 20.0, 30.0)


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


def when_free(clock: Clock, create: Callable[[], T]) -> T:
    """What ``create`` returns, called again as long as AWS says that the name of what was deleted isn't free yet.

    Raises AwsFault as ``create``; CONFLICT only when a minute didn't help.
    """
    for pause in FREED:
        try:
            return create()
        except AwsFault as fault:
            if fault.kind is not FaultKind.CONFLICT or fault.ambiguous:
                raise
        clock.sleep(pause)
    return create()
