"""What commands work with, built when one needs it. Tests replace ``build``."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reconciler.model.errors import ConfigurationError, PlanBusy, SourceError

if TYPE_CHECKING:
    from reconciler.daemon.app import CycleLike
    from reconciler.model.plan import Plan, Snapshot
    from reconciler.ports import Clock, EventSink
    from reconciler.settings import Settings
    from reconciler.wiring import App

T = TypeVar("T")

#: Seconds for which a command waits for a plan that another process works on, and between two attempts. A bit longer
#: than the lease (by default) of a process that can only be known to be gone by its silence.
_PATIENCE, _PAUSE = 65.0, 0.5

#: The ``--config`` that was given before the command.
global_config: Path | None = None


def settings_for(config: Path | None) -> Settings:
    """The settings from the command's ``--config``, else from the one before the command, else the usual places."""
    import structlog

    from reconciler.settings import load_settings
    from reconciler.status.logs import configure

    settings = load_settings(config or global_config)
    # A command's own output says what happened and what failed; its log only adds what else went wrong.
    level = "error" if settings.log.level == "info" else settings.log.level
    configure(level, "console" if settings.log.format == "auto" else settings.log.format)
    structlog.contextvars.clear_contextvars()
    return settings


def build(settings: Settings, events: EventSink | None = None) -> App:
    """The application; ``events`` hears what happens during passes."""
    from reconciler import wiring

    return wiring.build(settings, events=events)


def app_for(config: Path | None, events: EventSink | None = None) -> App:
    """The application for a command's ``--config``."""
    return build(settings_for(config), events)


def chosen(snapshot: Snapshot, names: Sequence[str] | None) -> list[Plan]:
    """The plans by name, or all. Raises SourceError for an invalid one, ConfigurationError for one that isn't there."""
    if not snapshot.healthy:
        raise ConfigurationError(f"the source of plans can't be read: {snapshot.problem}")
    if not names:
        return [plan for _, plan in sorted(snapshot.plans.items())]
    found = []
    for name in dict.fromkeys(names):
        plan = next((plan for key, plan in snapshot.plans.items() if key == name), None)
        if plan is None:
            if name in snapshot.invalid:
                raise SourceError(snapshot.invalid[name])
            known = ", ".join(sorted(snapshot.plans)) or "none"
            raise ConfigurationError(f"no plan named {name}; there are {known}")
        found.append(plan)
    return found


class Stop:
    """Takes signals while a command works: SIGTERM and SIGINT let the step in hand end and begin no other."""

    def __init__(self, cycle: CycleLike) -> None:
        self._cycle = cycle
        self.asked = False

    def receive(self, received: signal.Signals, _count: int) -> None:
        """Called on the signals' own thread."""
        if received in (signal.SIGTERM, signal.SIGINT):
            self.asked = True
            self._cycle.stop()


def when_free(work: Callable[[], T], stop: Stop, clock: Clock) -> T:
    """Do what needs a plan for itself; while another process works on the plan, wait, but not for ever.

    Raises PlanBusy when patience is over or ``stop`` was asked, and whatever ``work`` raises.
    """
    from reconciler.cli.terminal import note

    deadline, told = clock.monotonic() + _PATIENCE, False
    while True:
        try:
            return work()
        except PlanBusy as busy:
            if stop.asked or clock.monotonic() >= deadline:
                raise
            if not told:
                note(f"Waiting up to {_PATIENCE:.0f} s: {busy}")
                told = True
            clock.sleep(_PAUSE)
