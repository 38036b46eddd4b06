"""Shows a pass as it happens: a live line for what runs on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.status import Status

from reconciler.cli.show import protocol
from reconciler.cli.show.page import clean
from reconciler.cli.terminal import out
from reconciler.model.events import ApplyStarted, Event, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from reconciler.model.report import RunReport


class Progress:
    """An EventSink that prints the execution protocol. Steps of one pass may run at the same time: one is one block."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self._status: Status | None = None

    def emit(self, event: Event) -> None:
        with self._lock:
            match event:
                case ApplyStarted():
                    self._print(protocol.context(event.context), "", protocol.planned(event.steps), "")
                case StepStarted():
                    self._began(event)
                case StepProgress():
                    self._going_on(event)
                case StepFinished():
                    self._running.pop(event.step.id, None)
                    self._print(protocol.step(event.result, event.number, event.total), "")
                    self._refresh()

    def outcome(self, report: RunReport) -> None:
        """Print what follows the steps of a pass."""
        with self._lock:
            self._running.clear()
            self._refresh()
            if not report.steps:
                self._print(protocol.context(report.context) if report.context else f"Plan: {report.plan}", "")
            for section in protocol.outcome(report):
                self._print(section, "")

    def close(self) -> None:
        """Take the live line away."""
        with self._lock:
            self._running.clear()
            self._refresh()

    def _began(self, event: StepStarted) -> None:
        what = f"step {event.number} of {event.total}: {event.step.verb} {event.step.logical_id}"
        self._running[event.step.id] = what
        self._refresh()

    def _going_on(self, event: StepProgress) -> None:
        what = f"{event.step.verb} {event.step.logical_id}: {event.message}"
        if self._running.get(event.step.id) == what:
            return
        self._running[event.step.id] = what
        if not self._console.is_terminal:
            self._print(f"Waiting: {clean(what)}")
        self._refresh()

    def _print(self, *parts: RenderableType) -> None:
        if self._quiet:
            return
        for part in parts:
            self._console.print(part, markup=False, highlight=False)

    def _refresh(self) -> None:
        if self._quiet or not self._console.is_terminal:
            return
        if not self._running:
            if self._status:
                self._status.stop()
                self._status = None
            return
        text = clean("; ".join(self._running.values()))
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """A display on standard output; ``quiet``: one that shows nothing."""
    display = Progress(out(), quiet=quiet)
    try:
        yield display
    finally:
        display.close()
