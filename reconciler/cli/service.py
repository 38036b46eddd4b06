"""The daemon as a process: signals, logs, HTTP, and a reload that keeps what must stay."""

from __future__ import annotations

from pathlib import Path

import structlog

from reconciler import wiring
from reconciler.cli import runtime
from reconciler.daemon.backend import Backend
from reconciler.daemon.control import Inbox
from reconciler.daemon.daemon import Daemon
from reconciler.daemon.signals import SignalPump
from reconciler.settings import Settings, load_settings
from reconciler.status.http import HttpServer
from reconciler.status.logs import configure

log = structlog.get_logger(__name__)


def serve(config: Path | None) -> bool:
    """Run the daemon until stopped. Whether it stopped cleanly. Raises ReconcilerError if it can't start."""
    inbox = Inbox()
    # Before anything slow: a signal during the start is a request like any other.
    with SignalPump(inbox.signal):
        config = config or runtime.global_config
        settings = _settings(config)
        app = wiring.build(settings)
        daemon = Daemon(app, inbox=inbox, reload=lambda _old: wiring.rebuild(app, _settings(config)))
        server = _http(daemon, settings, app)
        server.start()
        try:
            return daemon.run()
        finally:
            server.stop()


def _settings(config: Path | None) -> Settings:
    settings = load_settings(config)
    configure(settings.log.level, settings.log.format)
    return settings


def _http(daemon: Daemon, settings: Settings, app: wiring.App) -> HttpServer:
    token = settings.http.token.get_secret_value() if settings.http.token else None
    return HttpServer(
        Backend(daemon), app.metrics.exposition, host=settings.http.host, port=settings.http.port, token=token
    )
