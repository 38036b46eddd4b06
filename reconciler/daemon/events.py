"""One EventSink that hands each event to several."""

from __future__ import annotations

import threading

import structlog

from reconciler.model.events import Event
from reconciler.ports import EventSink

log = structlog.get_logger(__name__)


class EventHub:
    """Fans events out to its sinks in the order they subscribed; a sink that raises harms nobody else."""

    def __init__(self, *sinks: EventSink) -> None:
        self._lock = threading.Lock()
        self._sinks: tuple[EventSink, ...] = sinks

    def subscribe(self, sink: EventSink) -> None:
        """Hand every event from now on to ``sink`` as well."""
        with self._lock:
            self._sinks = (*self._sinks, sink)

    def unsubscribe(self, sink: EventSink) -> None:
        """Hand no more events to ``sink``."""
        with self._lock:
            self._sinks = tuple(known for known in self._sinks if known is not sink)

    def emit(self, event: Event) -> None:
        for sink in self._sinks:
            try:
                sink.emit(event)
            except Exception:
                log.exception("event sink failed", sink=type(sink).__name__, event_type=type(event).__name__)
