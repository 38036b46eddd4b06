"""A token budget per account, region and service: learns from throttling, leaves a reserve for people."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.ports import Clock

#: Services whose limits are far from the default. Cloud Control's aren't published; each of its calls makes several
#: to the service behind it, whose own limits people share.
_RATES: Mapping[str, float] = {"s3": 1000.0, "cloudcontrol": 20.0}


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """Calls per second and account, region and service.

    ``reserve`` is the share of the known rate that is left to others: people, pipelines, other tools.
    """

    rate: float = 100.0
    floor: float = 0.5
    reserve: float = 0.2
    #: share of the full rate that comes back for every second without throttling
    recovery: float = 0.02
    #: services whose limits are far from the default
    rates: Mapping[str, float] | None = None

    def rate_of(self, service: str) -> float:
        """The rate that a service starts from and recovers to."""
        return (self.rates or {}).get(service, self.rate)


class Bucket:
    """Tokens for one (account, region, service). Thread-safe.

    ``take`` waits for its turn, ``throttled`` halves the rate, time without throttling brings it back.
    """

    __slots__ = ("_at", "_clock", "_lock", "_rate", "_settings", "_tokens", "_top")

    def __init__(self, clock: Clock, settings: BudgetSettings, service: str = "") -> None:
        self._clock = clock
        self._settings = settings
        self._top = settings.rate_of(service) * (1 - settings.reserve)
        self._rate = self._top
        self._tokens = self._rate
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Calls per second allowed at present."""
        return self._rate

    def take(self) -> None:
        """Take a token; sleep through the clock when none is left. The order of arrival is kept."""
        with self._lock:
            self._refill()
            self._tokens -= 1.0
            debt = -self._tokens / self._rate
        if debt > 0:
            self._clock.sleep(debt)

    def throttled(self) -> None:
        """AWS said slow down: halve the rate and forget what was saved up."""
        with self._lock:
            self._refill()
            self._rate = max(self._settings.floor, self._rate / 2)
            self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock.monotonic()
        passed = now - self._at
        self._at = now
        # A bucket holds one second's worth, so that a burst can't exceed what a second allows.
        self._tokens = min(self._tokens + passed * self._rate, max(1.0, self._rate))
        if self._rate < self._top:
            self._rate = min(self._top, self._rate + passed * self._settings.recovery * self._top)


class Budget:
    """The buckets of a process."""

    def __init__(self, clock: Clock, settings: BudgetSettings | None = None) -> None:
        self._clock = clock
        self._settings = settings or BudgetSettings(rates=_RATES)
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def bucket(self, account: str, region: str, service: str) -> Bucket:
        """The one bucket that everybody in this process shares for these three."""
        with self._lock:
            key = (account, region, service)
            if key not in self._buckets:
                self._buckets[key] = Bucket(self._clock, self._settings, service)
            return self._buckets[key]
