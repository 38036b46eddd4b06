"""Keeps the leases that this process holds: one thread renews them all, and gives back what could not be given back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from reconciler.model.errors import LeaseLost, StoreError
from reconciler.model.lease import LeaseRow
from reconciler.ports import Clock, Store

log = structlog.get_logger(__name__)

#: Seconds until a renewal or a release that failed is tried again.
_AGAIN = 1.0
#: Seconds that the thread waits for another lease before it ends.
_LINGER = 10.0

#: The holds of this process, by their nonces, over every store and every reload of the configuration: a lease of this
#: very process that isn't among them was left behind by a release that failed.
held_here: set[str] = set()


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of a lease, in seconds.

    ``ttl``: others take a lease over when it stood still for so long before their eyes. ``call``: the longest that
    one AWS call may take. A holder therefore begins nothing later than ``ttl - call`` after its last renewal.
    """

    ttl: float
    call: float

    @classmethod
    def of(cls, ttl: float, call: float) -> Terms:
        """Terms with time enough for renewals that fail now and then: a ``ttl`` too short for the calls is raised."""
        return cls(max(ttl, call / 0.6), call)

    @property
    def good_for(self) -> float:
        """How long after a renewal a call may be begun."""
        return self.ttl - self.call

    @property
    def every(self) -> float:
        """The time between renewals: two may fail before the lease is lost."""
        return self.good_for / 3


class Held:
    """``ports.Lease``: a row that is ours, and until when that is certain."""

    def __init__(self, row: LeaseRow, asked: float, terms: Terms, clock: Clock) -> None:
        self._terms, self._clock = terms, clock
        self.lost = ""
        self.renewed(row, asked)

    def ensure(self) -> None:
        """See ``ports.Lease``. Never asks the store. A process that was suspended for too long finds out here."""
        self.expire()
        if self.lost:
            raise LeaseLost(f"the lease on {self.row.plan} is lost: {self.lost}; nothing more is changed in this pass")

    def renewed(self, row: LeaseRow, asked: float) -> None:
        """``row`` was written after the moment ``asked``; nobody can have seen it, and begun to wait, before that."""
        self.row = row
        self.until = asked + self._terms.good_for
        self.due = asked + self._terms.every

    def expire(self) -> None:
        """Lose the lease when its time is over."""
        if not self.lost and self._clock.monotonic() >= self.until:
            self.lose(f"it was not renewed for {self._terms.good_for:.0f} s (store failing, or process suspended)")

    def lose(self, why: str) -> None:
        """From now on, and for good: who lost a lease can't know what others did meanwhile."""
        self.lost = why


class Renewals:
    """What this process holds. Thread-safe.

    ``start`` runs the loop it is given on a thread; a test that gives another one calls ``tick`` itself.
    """

    def __init__(
        self, store: Store, clock: Clock, terms: Terms, start: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        self._store, self._clock, self._terms = store, clock, terms
        self._start = start or _on_a_thread
        self._changed = threading.Condition()
        self._held: dict[str, Held] = {}
        self._left: dict[str, LeaseRow] = {}
        self._running = False

    def keep(self, row: LeaseRow, asked: float) -> Held:
        """Renew ``row``, written after the moment ``asked``, until it is released."""
        held = Held(row, asked, self._terms, self._clock)
        with self._changed:
            self._held[row.holder.nonce] = held
            self._wake()
        return held

    def release(self, held: Held) -> None:
        """Give a lease back. Never raises StoreError: a row that stays is tried again until it is gone."""
        with self._changed:
            self._held.pop(held.row.holder.nonce, None)
        self.give_back(held.row)

    def give_back(self, row: LeaseRow) -> None:
        """Drop a row that may be in the store."""
        held_here.discard(row.holder.nonce)
        try:
            self._store.drop_lease(row)
        except StoreError as error:
            log.error("lease not released", plan=row.plan, error=str(error), consequence="tried again")
            with self._changed:
                self._left[row.holder.nonce] = row
                self._wake()

    def tick(self) -> float:
        """Do what is due. Seconds until something may be due again."""
        with self._changed:
            held, left = list(self._held.values()), list(self._left.values())
        for each in held:
            if not each.lost and self._clock.monotonic() >= each.due:
                self._renew(each)
        for row in left:
            self._drop(row)
        now = self._clock.monotonic()
        moments = [each.due - now for each in held if not each.lost]
        return max(0.0, min([self._terms.every, *moments, *[_AGAIN for _ in left]]))

    def _renew(self, held: Held) -> None:
        held.expire()
        if held.lost:
            self._say_lost(held)
            return
        asked = self._clock.monotonic()
        row = replace(held.row, beat=held.row.beat + 1)
        try:
            if self._store.take_lease(row, held.row):
                held.renewed(row, asked)
                return
            stored = self._store.lease(row.plan)
        except Exception as error:
            # Whatever it is, the thread must go on: it is the only one, and other leases hang on it.
            log.warning("lease not renewed", plan=row.plan, error=str(error))
            held.due = asked + _AGAIN
            return
        if stored is not None and stored.holder == row.holder:
            # An earlier renewal was written although the store reported a failure: go on from there.
            held.row = stored
            held.due = asked + _AGAIN
            return
        held.lose(f"it was taken over by {stored.holder}" if stored else "its row is gone from the store")
        self._say_lost(held)

    def _say_lost(self, held: Held) -> None:
        with self._changed:
            released = held.row.holder.nonce not in self._held
        if not released:
            log.error("lease lost", plan=held.row.plan, reason=held.lost, consequence="the pass ends")

    def _drop(self, row: LeaseRow) -> None:
        try:
            self._store.drop_lease(row)
        except Exception as error:
            log.debug("lease still not released", plan=row.plan, error=str(error))
            return
        with self._changed:
            self._left.pop(row.holder.nonce, None)

    def _wake(self) -> None:
        self._changed.notify_all()
        if self._running:
            return
        try:
            self._start(self._run)
            self._running = True
        except RuntimeError as error:
            log.error("leases not renewed", error=str(error), consequence="passes end when their lease runs out")

    def _run(self) -> None:
        while True:
            pause = self.tick()
            with self._changed:
                if self._held or self._left:
                    self._changed.wait(pause)
                elif not self._changed.wait_for(lambda: bool(self._held or self._left), _LINGER):
                    self._running = False
                    return


def _on_a_thread(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="leases", daemon=True).start()
