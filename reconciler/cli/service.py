"""The daemon as a process: signals, logs, HTTP, and a reload that keeps what must stay."""

from __future__ import annotations

from pathlib import Path

import structlog

from reconciler import wiring
from reconciler.cli import runtime
from reconciler.daemon.app import AppLike
from reconciler.daemon.backend import Backend
from reconciler.daemon.control import Inbox
from reconciler.daemon.daemon import Daemon
from reconciler.daemon.signals import SignalPump
from reconciler.model.errors import ConfigurationError
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
        daemon = Daemon(app, inbox=inbox, reload=_Reload(app, config))
        server = _http(daemon, settings, app)
        server.start()
        try:
            return daemon.run()
        finally:
            server.stop()


class _Reload:
    """Makes the App that a changed configuration asks for; an unchanged one keeps the App, and all that it has seen."""

    def __init__(self, app: wiring.App, config: Path | None) -> None:
        self._app = app
        self._config = config

    def __call__(self, _in_force: AppLike) -> AppLike:
        """Raises ReconcilerError; then the App in force stays."""
        settings = _settings(self._config)
        if settings == self._app.settings:
            return self._app
        if settings.http != self._app.settings.http or settings.store_url != self._app.settings.store_url:
            log.warning("restart needed", fields=("http", "store"), reason="they can't change while running")
        app = wiring.rebuild(self._app, settings)
        if app.policy.problem and not self._app.policy.problem:
            # A new engine has no last good set to fall back on, so the one that has stays.
            raise ConfigurationError(f"policies: {app.policy.problem}")
        self._app = app
        return app


def _settings(config: Path | None) -> Settings:
    settings = load_settings(config)
    configure(settings.log.level, settings.log.format)
    return settings


def _http(daemon: Daemon, settings: Settings, app: wiring.App) -> HttpServer:
    token = settings.http.token.get_secret_value() if settings.http.token else None
    return HttpServer(
        Backend(daemon), app.metrics.exposition, host=settings.http.host, port=settings.http.port, token=token
    )
