"""The work queue: keys, not events.

One pass per key at a time. A key asked for any number of times while it waits gets one pass; asked for during its
pass, it gets exactly one more. Requests travel with the key: a pass answers those made before it began, and never
one made while it ran.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.model.ids import RequestId
from reconciler.ports import Clock, Telemetry

#: The longest a waiting worker goes without looking at the clock again, so that a clock that jumps is noticed.
_LOOK_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Work:
    """One pass to make: the key, why, the requests that it answers, and when it was asked for last (monotonic)."""

    key: str
    trigger: str
    requests: tuple[RequestId, ...] = ()
    asked: float = field(default=0.0, compare=False)


@dataclass(slots=True)
class _Waiting:
    """What has been asked of a key since its last pass began."""

    trigger: str
    requests: list[RequestId] = field(default_factory=list)
    asked: float = 0.0

    def merge(self, trigger: str, requests: Iterable[RequestId], asked: float) -> None:
        """A request's trigger says more than a timer's, so it names the pass. The last time asked counts."""
        self.asked = max(self.asked, asked)
        for request in requests:
            if not self.requests:
                self.trigger = trigger
            if request not in self.requests:
                self.requests.append(request)


@dataclass(slots=True)
class _Later(_Waiting):
    """What is asked of a key from the moment ``due`` on."""

    due: float = 0.0


class WorkQueue:
    """A thread-safe queue of keys. Time comes from ``clock``; its length goes to ``telemetry``."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._changed = threading.Condition()
        self._ready: deque[str] = deque()
        self._waiting: dict[str, _Waiting] = {}
        self._running: dict[str, float] = {}
        self._later: dict[str, _Later] = {}
        self._closed = False
        self._draining = False

    def add(self, key: str, trigger: str, request: RequestId | None = None, *, asked: float | None = None) -> bool:
        """Ask for a pass of ``key`` as soon as possible. False: the queue is closed and nothing was added.

        ``asked``: when that was wished, by the clock's monotonic time, if before this call: the same for all keys of
        one request, so that one read can serve them all.
        """
        with self._changed:
            if self._closed:
                return False
            now = self._clock.monotonic() if asked is None else asked
            self._add(key, trigger, () if request is None else (request,), now)
            self._changed.notify()
            return True

    def add_after(self, key: str, seconds: float, trigger: str, requests: Iterable[RequestId] = ()) -> None:
        """Ask for a pass of ``key`` in ``seconds``; the earliest of several counts.

        Any pass before it voids it, and answers the ``requests`` that wait with it.
        """
        with self._changed:
            if self._closed:
                return
            now = self._clock.monotonic()
            due = now + max(0.0, seconds)
            later = self._later.setdefault(key, _Later(trigger, due=due))
            if due < later.due:
                later.due = due
                if not later.requests:
                    later.trigger = trigger
            later.merge(trigger, requests, now)
            self._changed.notify()

    def get(self, timeout: float | None = None) -> Work | None:
        """The next work, marked as running until ``done``. None: closed, or nothing came within ``timeout`` seconds."""
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        with self._changed:
            while True:
                self._promote()
                if self._ready and (not self._closed or self._draining):
                    return self._take()
                now = self._clock.monotonic()
                if self._closed or (deadline is not None and now >= deadline):
                    return None
                self._changed.wait(self._pause(now, deadline))

    def done(self, key: str) -> None:
        """The pass of ``key`` ended; if it was asked for meanwhile it is ready again."""
        with self._changed:
            self._running.pop(key, None)
            if key in self._waiting:
                self._ready.append(key)
            self._report()
            self._changed.notify_all()

    def forget(self, key: str) -> tuple[RequestId, ...]:
        """Drop what waits for ``key``, and return the requests that will now have no pass. A running pass goes on."""
        with self._changed:
            dropped = (self._waiting.pop(key, None), self._later.pop(key, None))
            if key in self._ready:
                self._ready.remove(key)
            self._report()
            self._changed.notify_all()
            return tuple(dict.fromkeys(request for each in dropped if each for request in each.requests))

    def close(self, *, drain: bool = False) -> None:
        """Accept nothing more. With ``drain`` what is ready is still handed out; delayed work is dropped."""
        with self._changed:
            self._closed, self._draining = True, drain
            self._later.clear()
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """After ``close``: wait up to ``timeout`` real seconds for running passes to end. Whether they all did."""
        with self._changed:
            return self._changed.wait_for(self._idle, timeout)

    @property
    def depth(self) -> int:
        """How many keys wait for a pass; running and delayed ones don't count."""
        with self._changed:
            return len(self._waiting)

    @property
    def running(self) -> frozenset[str]:
        """The keys whose pass is going on."""
        with self._changed:
            return frozenset(self._running)

    def open(self) -> dict[str, float]:
        """The keys whose pass has been asked for and hasn't ended, in turn, and when each was asked for last."""
        with self._changed:
            waiting = {key: self._waiting[key].asked for key in self._ready}
            # asked for again during its pass: what counts is the later time
            again = {key: self._waiting[key].asked for key in self._running if key in self._waiting}
            return {**self._running, **again, **waiting}

    def delays(self) -> dict[str, float]:
        """Seconds until each delayed key is due."""
        with self._changed:
            now = self._clock.monotonic()
            return {key: max(0.0, later.due - now) for key, later in sorted(self._later.items())}

    def _add(self, key: str, trigger: str, requests: Iterable[RequestId], asked: float) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting(trigger)
            if key not in self._running:
                self._ready.append(key)
            self._report()
        waiting.merge(trigger, requests, asked)

    def _promote(self) -> None:
        now = self._clock.monotonic()
        for key in [key for key, later in self._later.items() if later.due <= now]:
            later = self._later.pop(key)
            self._add(key, later.trigger, later.requests, later.due)

    def _take(self) -> Work:
        key = self._ready.popleft()
        waiting = self._waiting.pop(key)
        if later := self._later.pop(key, None):
            waiting.merge(later.trigger, later.requests, later.asked)
        self._running[key] = waiting.asked
        self._report()
        return Work(key, waiting.trigger, tuple(waiting.requests), waiting.asked)

    def _pause(self, now: float, deadline: float | None) -> float:
        moments = [later.due for later in self._later.values()]
        if deadline is not None:
            moments.append(deadline)
        return max(0.0, min([_LOOK_AGAIN, *(moment - now for moment in moments)]))

    def _idle(self) -> bool:
        return not self._running and not (self._draining and self._ready)

    def _report(self) -> None:
        self._telemetry.queue_depth(len(self._waiting))
