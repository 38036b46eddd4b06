"""What can be made to happen to calls of the local AWS: errors, cut connections, answers that are held back."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from reconciler.testing.wire import Call

#: A test that died must not hold a server thread for ever. Seconds.
_LONGEST_HOLD = 60.0


@dataclass(slots=True)
class Fault:
    """What to answer instead of moto: an error, or a cut connection (before or after the call took effect)."""

    service: str
    operation: str
    left: int
    code: str = ""
    status: int = 400
    message: str = ""
    account: str = ""
    cut: bool = False
    applied: bool = False

    def matches(self, call: Call) -> bool:
        """Whether a call is one that this is meant for."""
        wanted = (self.service in ("*", call.service), self.operation in ("*", call.operation))
        return self.left > 0 and all(wanted) and self.account in ("", call.account)


class Hold:
    """The calls of one operation, each held after it took effect until ``release``; ``arrived`` is set by the first."""

    def __init__(self, service: str, operation: str) -> None:
        self._wanted = (service, operation)
        self._released = threading.Event()
        self.arrived = threading.Event()

    def release(self) -> None:
        """Let the answers go out, held ones and later ones."""
        self._released.set()

    def wait(self, call: Call) -> None:
        """Called by the server before it answers."""
        if (call.service, call.operation) == self._wanted:
            self.arrived.set()
            self._released.wait(_LONGEST_HOLD)
