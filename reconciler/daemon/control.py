"""What the control thread is asked to do. Equal commands that wait together are one, and counted."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from enum import Enum, auto


class Command(Enum):
    """In the order in which they are carried out when several wait."""

    STOP = auto()
    RELOAD_EVERYTHING = auto()
    POLICY_CHANGED = auto()
    SOURCE_CHANGED = auto()
    RESYNC = auto()
    WRITE_STATE = auto()


BY_SIGNAL = {
    signal.SIGHUP: Command.RELOAD_EVERYTHING,
    signal.SIGUSR1: Command.RESYNC,
    signal.SIGUSR2: Command.WRITE_STATE,
    signal.SIGTERM: Command.STOP,
    signal.SIGINT: Command.STOP,
}


class Inbox:
    """Commands on their way to the control thread."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._waiting: Counter[Command] = Counter()

    def post(self, command: Command, count: int = 1) -> None:
        """Ask for ``command``; never blocks for long."""
        with self._arrived:
            self._waiting[command] += count
            self._arrived.notify_all()

    def signal(self, received: signal.Signals, count: int) -> None:
        """Ask for what a signal stands for."""
        self.post(BY_SIGNAL[received], count)

    def take(self, timeout: float) -> list[tuple[Command, int]]:
        """All that waits, in the order to carry it out, each with how often it was asked; waits up to ``timeout`` s."""
        with self._arrived:
            self._arrived.wait_for(lambda: bool(self._waiting), timeout)
            taken, self._waiting = self._waiting, Counter()
        return [(command, taken[command]) for command in Command if command in taken]
