"""Runs a job with a time limit, for calls that can't be interrupted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Runs jobs in threads of their own and gives up on those that take longer than ``seconds``.

    A job given up on runs on unseen; when ``tolerated`` of them do, further jobs are refused at once, so that a
    policy that never ends can't eat the machine thread by thread.
    """

    def __init__(self, seconds: float, tolerated: int = 2) -> None:
        self.seconds = seconds
        self._tolerated = tolerated
        self._lock = threading.Lock()
        self._given_up: list[threading.Thread] = []

    def run(self, job: Callable[[], T]) -> T:
        """The job's result, or its exception. Raises TimeoutError when the time is up."""
        if self._runaways() >= self._tolerated:
            raise TimeoutError("earlier questions still haven't ended")
        outcome: queue.SimpleQueue[Callable[[], T]] = queue.SimpleQueue()
        thread = threading.Thread(target=_deliver, args=(job, outcome), name="policy-question", daemon=True)
        thread.start()
        try:
            answer = outcome.get(timeout=self.seconds)
        except queue.Empty:
            with self._lock:
                self._given_up.append(thread)
            raise TimeoutError(f"no answer within {self.seconds:g} s") from None
        return answer()

    def _runaways(self) -> int:
        with self._lock:
            self._given_up = [thread for thread in self._given_up if thread.is_alive()]
            return len(self._given_up)


def _deliver(job: Callable[[], T], outcome: queue.SimpleQueue[Callable[[], T]]) -> None:
    try:
        result = job()
    except BaseException as error:  # handed to the caller, whatever it is
        failure = error

        def fail() -> T:
            raise failure

        outcome.put(fail)
    else:
        outcome.put(lambda: result)
