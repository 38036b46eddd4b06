"""A server of the standard library's kind, run beside what talks to it."""

from __future__ import annotations

import threading
from socketserver import BaseServer

#: How soon a server notices that it is to stop. Seconds.
_NOTICE = 0.05


class Serving:
    """Serves in a thread of its own from the beginning until ``stop``."""

    def __init__(self, server: BaseServer, name: str) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_NOTICE,), name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Serve no more, and free the port."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()
