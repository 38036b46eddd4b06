"""One pass a plan at a time, over all processes that share a store: a lease per plan, in the store.

A lease is taken over from a holder that is provably dead, at once; never from one that is provably alive on this
machine; and from any other when it stood still for its ``ttl`` while this process watched. Only durations on one
machine's own steady clock are ever compared, so clocks that differ or jump don't matter.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from reconciler.model.errors import PlanBusy, StoreError
from reconciler.model.ids import PlanName
from reconciler.model.lease import LeaseRow
from reconciler.ports import Clock, Lease, Store
from reconciler.store.liveness import Life, Machine
from reconciler.store.renewal import Held, Renewals, Terms, held_here

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A lease as it was looked at, and since when it has been just so."""

    row: LeaseRow
    since: float


class StoreLeases:
    """``ports.Locks`` over a store. Thread-safe; it never waits: who finds a plan busy comes back later.

    ``ttl`` and ``call``: see ``renewal.Terms``. ``start``: see ``renewal.Renewals``.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        ttl: float,
        call: float,
        machine: Machine | None = None,
        start: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._store, self._clock = store, clock
        self._terms = Terms.of(ttl, call)
        self._machine = machine or Machine()
        self._seen: dict[PlanName, _Seen] = {}
        self.renewals = Renewals(store, clock, self._terms, start)

    @contextlib.contextmanager
    def hold(self, plan: PlanName) -> Iterator[Lease]:
        """See ``ports.Locks``."""
        row = self._store.lease(plan)
        if row is not None:
            self._check_abandoned(row)
        held = self._take(plan, row)
        try:
            yield held
        finally:
            self.renewals.release(held)

    def _take(self, plan: PlanName, former: LeaseRow | None) -> Held:
        """Put this process in the place of ``former``. Raises PlanBusy if another one was quicker, StoreError."""
        row = LeaseRow(plan, self._machine.holder(uuid.uuid4().hex, self._terms.ttl), 0)
        held_here.add(row.holder.nonce)
        asked = self._clock.monotonic()
        try:
            taken = self._store.take_lease(row, former)
        except StoreError:
            # It may have been written all the same.
            self.renewals.give_back(row)
            raise
        self._seen.pop(plan, None)
        if not taken:
            held_here.discard(row.holder.nonce)
            raise PlanBusy(f"another process has just begun to work on {plan}")
        return self.renewals.keep(row, asked)

    def _check_abandoned(self, row: LeaseRow) -> None:
        """Raise PlanBusy unless the holder of ``row`` is gone."""
        life, silent = self._life(row), self._silent(row)
        ttl = max(self._terms.ttl, row.holder.ttl)
        if life is Life.DEAD or (life is Life.UNKNOWN and silent >= ttl):
            log.warning("lease abandoned", plan=row.plan, holder=str(row.holder), life=life.name, silent=round(silent))
            return
        quiet = f"it has shown no sign of life for {silent:.0f} s" if silent >= self._terms.good_for else ""
        if life is Life.ALIVE:
            hint = f"; {quiet} but still exists: if it hangs, end it" if quiet else ""
        else:
            hint = f"; {quiet} and counts as gone after {ttl:.0f} s" if quiet else ""
        raise PlanBusy(f"{row.plan} is being worked on by {row.holder}{hint}")

    def _life(self, row: LeaseRow) -> Life:
        """This process knows of itself what it holds, and so what a release that failed has left behind."""
        if row.holder.nonce in held_here:
            return Life.ALIVE
        life = self._machine.life(row.holder)
        return Life.DEAD if life is Life.ALIVE and row.holder.pid == os.getpid() else life

    def _silent(self, row: LeaseRow) -> float:
        """For how long this process has seen the lease stand still."""
        now = self._clock.monotonic()
        seen = self._seen.get(row.plan)
        if seen is None or seen.row != row:
            seen = self._seen[row.plan] = _Seen(row, now)
        return now - seen.since
