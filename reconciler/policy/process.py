"""The worker process seen from outside: started, asked within a time limit, killed."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.model.errors import PolicyUnavailable

_SCRIPT = Path(__file__).with_name("worker.py")
#: All that the worker may see of the environment: it needs no credentials.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZDIR")
_HEADER = 4
#: Seconds in which a worker that was told to end does so, before it is killed.
_GRACE = 0.5


class Worker:
    """One worker process. Not thread-safe: one question at a time. After an error it must be closed.

    In a session of its own, so that Ctrl-C at a terminal doesn't reach it while the daemon still decides.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", str(_SCRIPT), _site_packages()]
        try:
            self._process = subprocess.Popen(  # noqa: S603  # fixed words
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                start_new_session=True,
            )
        except OSError as error:
            raise PolicyUnavailable("crashed", f"the embedded policy engine can't be started: {error}") from error
        # Also where nobody calls close(): an engine that is dropped, or the interpreter's end.
        self.close = weakref.finalize(self, _end, self._process)
        if self._process.stdin is None or self._process.stdout is None:
            raise PolicyUnavailable("crashed", "the embedded policy engine was started without pipes")
        self._stdin, self._stdout = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def call(self, message: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The reply. Raises PolicyUnavailable: timeout (seconds are up) or crashed."""
        body = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
        deadline = time.monotonic() + timeout
        try:
            self._send(struct.pack(">I", len(body)) + body, deadline)
            (length,) = struct.unpack(">I", self._receive(_HEADER, deadline))
            reply: dict[str, Any] = json.loads(self._receive(length, deadline))
        except TimeoutError as error:
            raise PolicyUnavailable(
                "timeout", f"the embedded policy engine gave no answer within {timeout:g} s"
            ) from error
        except (OSError, ValueError) as error:
            raise PolicyUnavailable("crashed", "the embedded policy engine crashed while it was asked") from error
        return reply

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            _wait(self._stdin, select.POLLOUT, deadline)
            view = view[os.write(self._stdin, view) :]

    def _receive(self, length: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < length:
            _wait(self._stdout, select.POLLIN, deadline)
            part = os.read(self._stdout, length - len(received))
            if not part:
                raise ConnectionError("end of file")
            received += part
        return bytes(received)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _site_packages() -> str:
    """Where regopy is, found without importing it."""
    spec = importlib.util.find_spec("regopy")
    if spec is None or spec.origin is None:
        raise PolicyUnavailable("crashed", "the embedded policy engine isn't installed (package regopy)")
    return str(Path(spec.origin).parent.parent)
