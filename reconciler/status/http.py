"""The HTTP server: ``api`` behind ``shield``, served by uvicorn in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time

import structlog
import uvicorn

from reconciler.model.errors import ConfigurationError
from reconciler.status.api import ApiBackend, Exposition, build_app
from reconciler.status.shield import Shield, is_loopback

__all__ = ["ApiBackend", "Exposition", "HttpServer"]

log = structlog.get_logger(__name__)

_START_TIMEOUT = 10.0
_BACKLOG = 128


class HttpServer:
    """Serves metrics, health, the API and the page. May be started once.

    ``port`` 0 takes a free one. ``token``: the bearer token that requests for a pass need; None allows none.
    """

    def __init__(
        self,
        backend: ApiBackend,
        exposition: Exposition,
        *,
        host: str = "127.0.0.1",
        port: int = 9595,
        token: str | None = None,
    ) -> None:
        self._host = host
        self._port = port
        app = Shield(build_app(backend, exposition, token), loopback_only=is_loopback(host))
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                limit_concurrency=256,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=2,
            )
        )
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port listened on; the real one once started."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    def start(self) -> None:
        """Listen and serve; returns when requests are answered. Raises ConfigurationError if the port can't be had."""
        listener = self._listen()
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="http", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ConfigurationError(f"http: the server at {self.url} did not start; the log says why")
            time.sleep(0.005)
        log.info("http listening", url=self.url)

    def stop(self, timeout: float = 5.0) -> None:
        """Answer what is in hand and close; returns after ``timeout`` seconds at the latest. May be called again."""
        if self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout)
        self._thread = None

    def _listen(self) -> socket.socket:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(_BACKLOG)
            except OSError:
                listener.close()
                raise
        except OSError as error:
            raise ConfigurationError(
                f"http: can't listen on {self._host}:{self._port}: {error.strerror or error}; "
                "set http.host and http.port to an address of this machine and a free port"
            ) from error
        return listener
