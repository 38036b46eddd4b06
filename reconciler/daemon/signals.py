"""Signals, received on a thread of their own so that they work whatever the other threads are doing.

The handlers do nothing: Python writes each signal's number to a pipe (``signal.set_wakeup_fd``), and the thread
reads it there. The kernel merges equal signals that are pending at the same time; what was received, counts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType

import structlog

log = structlog.get_logger(__name__)

STOPPING = (signal.SIGTERM, signal.SIGINT)
HANDLED = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, *STOPPING)


def exit_at_once(signum: int) -> None:
    """End the process now. Safe: what was begun is in the journal, and the next start takes it up."""
    log.warning("stopped at once", signal=signal.Signals(signum).name)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    os._exit(128 + signum)


class SignalPump:
    """While entered, hands every received signal to ``deliver(signal, how many)``.

    ``deliver`` must be quick. The second SIGTERM or SIGINT ends the process at once. Enter it on the main thread.
    """

    def __init__(
        self, deliver: Callable[[signal.Signals, int], None], die: Callable[[int], None] = exit_at_once
    ) -> None:
        self._deliver = deliver
        self._die = die
        self._stops = 0

    def __enter__(self) -> SignalPump:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._former_fd = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._former = {number: signal.signal(number, _ignore) for number in HANDLED}
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._former_fd)
        os.close(self._write)
        self._thread.join(timeout=1)
        os.close(self._read)

    def _run(self) -> None:
        while received := os.read(self._read, 65536):
            for number, count in Counter(received).items():
                if number in STOPPING:
                    self._stops += count
                    if self._stops > 1:
                        self._die(number)
                if number in HANDLED:
                    self._deliver(signal.Signals(number), count)


def _ignore(_signum: int, _frame: object) -> None:
    """The pipe has it already."""
