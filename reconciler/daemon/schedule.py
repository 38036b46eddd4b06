"""Timers: one per plan, which only put the plan's name on the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger


class Schedule:
    """Calls ``due(name)`` every interval of each plan, spread by the jitter so that plans don't move in step."""

    def __init__(self, due: Callable[[str], None]) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._due = due
        self._intervals: dict[str, tuple[float, float]] = {}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Let the timers run."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop all timers; one that is firing isn't waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def set(self, name: str, interval: float, jitter: float) -> None:
        """(Re)schedule a plan; the same times again leave its timer alone. Seconds, and a share of them."""
        if self._intervals.get(name) == (interval, jitter):
            return
        self._intervals[name] = (interval, jitter)
        trigger = IntervalTrigger(seconds=interval, jitter=interval * jitter or None, timezone=UTC)
        self._scheduler.add_job(self._due, trigger, args=[name], id=name, replace_existing=True)

    def remove(self, name: str) -> None:
        """Forget a plan's timer, if it has one."""
        if self._intervals.pop(name, None) is None:
            return
        try:
            self._scheduler.remove_job(name)
        except JobLookupError:
            return

    @property
    def intervals(self) -> dict[str, float]:
        """The interval of every scheduled plan, in seconds."""
        return {name: interval for name, (interval, _) in self._intervals.items()}
