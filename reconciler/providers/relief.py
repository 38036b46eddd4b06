"""The breaker of an account: one that throttles too much is left to the people who work in it for a while."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.ports import Clock, Telemetry

log = structlog.get_logger(__name__)

#: Throttled calls are counted over this long. Seconds.
_MINUTE = 60.0
#: While it is being tried again, a tenth of the throttled calls is enough to leave the account alone once more, and
#: one pass begins in an eighth of the relief.
_LESS, _PACE = 10, 8


@dataclass(frozen=True, slots=True)
class ReliefSettings:
    """``throttles`` throttled calls within a minute leave an account's region alone for ``relief`` seconds."""

    throttles: int = 60
    relief: float = 120.0


@dataclass(slots=True)
class _Place:
    """One account and region. Times are the monotonic clock's."""

    recent: deque[float] = field(default_factory=deque)
    until: float = 0.0
    trying_until: float = 0.0
    trial_at: float = 0.0
    trial_by: int = 0


class Relief:
    """The breakers of all accounts of a process. Thread-safe."""

    def __init__(self, clock: Clock, telemetry: Telemetry, settings: ReliefSettings) -> None:
        self._clock, self._telemetry, self._settings = clock, telemetry, settings
        self._places: defaultdict[tuple[str, str], _Place] = defaultdict(_Place)
        self._lock = threading.Lock()

    def admit(self, account: str, region: str, *, asked: bool = False) -> None:
        """Let a pass begin. Raises AwsFault THROTTLED while the account is left alone.

        After that, passes begin one after the other until there has been no throttling for as long again.
        ``asked``: by a person, for whom the account is kept free: let through in any case.
        """
        now = self._clock.monotonic()
        with self._lock:
            place = self._places[account, region]
            wait = 0.0 if asked else self._wait(place, now)
        self._telemetry.account_throttled(account, region, left_alone=now < place.until)
        if wait > 0:
            until = self._clock.now() + timedelta(seconds=wait)
            raise AwsFault(
                FaultKind.THROTTLED,
                f"AWS throttles account {account} in {region}, so it is left to the people who work there until "
                f"{until:%H:%M:%S} UTC; the plan is tried again by itself, and at once by `reconciler sync`",
            )

    def throttled(self, account: str, region: str) -> None:
        """A call was throttled."""
        now = self._clock.monotonic()
        with self._lock:
            place = self._places[account, region]
            place.recent.append(now)
            while place.recent[0] <= now - _MINUTE:
                place.recent.popleft()
            most = self._settings.throttles
            if now < place.trying_until:
                most = max(1, most // _LESS)
            if now < place.until or len(place.recent) < most:
                return
            place.recent.clear()
            place.until = now + self._settings.relief
            place.trying_until = place.until + self._settings.relief
            place.trial_by = 0
        log.warning("account left alone", account=account, region=region, seconds=self._settings.relief)
        self._telemetry.account_throttled(account, region, left_alone=True)

    def _wait(self, place: _Place, now: float) -> float:
        """Seconds until this thread may begin a pass; 0: now."""
        if now < place.until:
            return place.until - now
        me, pace = threading.get_ident(), self._settings.relief / _PACE
        if now >= place.trying_until:
            return 0.0
        if place.trial_by not in (0, me) and now < place.trial_at + pace:
            return place.trial_at + pace - now
        if place.trial_by != me or now >= place.trial_at + pace:
            place.trial_by, place.trial_at = me, now
        return 0.0
