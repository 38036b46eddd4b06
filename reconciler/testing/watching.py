"""Counts, over the whole life of a process, what the program under test asked of accounts that it may only read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.testing.wire import Call, role_of

#: Staging and production in the tests and the shipped policies.
READ_ONLY = frozenset({"333333333333", "444444444444"})
#: Roles of others: of the tests themselves, and of the pipeline that deploys what was merged.
OTHERS = frozenset({"test", "pipeline"})


@dataclass(slots=True)
class Watch:
    """Every call of anybody but ``OTHERS`` in the ``READ_ONLY`` accounts; whose role isn't known is the program's.

    ``reads`` are counted, ``writes`` kept: there must be none. Thread-safe.
    """

    role: Callable[[Call], str] = role_of
    reads: int = 0
    writes: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def saw(self, call: Call) -> None:
        """A call reached the server, whatever it was answered."""
        if call.account not in READ_ONLY or self.role(call) in OTHERS:
            return
        with self._lock:
            if call.mutating:
                self.writes.append(f"{call.name} in {call.account}")
            else:
                self.reads += 1


#: What every ``LocalAws`` of the process reports to.
WATCH = Watch()
