"""The process that runs regopy, apart from everything else because regopy can crash or never come back.

Started by ``process`` as a script of its own (``python -I -S worker.py SITE_PACKAGES``): it imports the standard
library and regopy only. It speaks JSON behind four bytes of length, over its stdin and stdout:
``{"load": …}`` compiles a policy set, ``{"ask": …}`` evaluates an entry point. It ends when its stdin does, also in
the middle of an evaluation, so that it never outlives the process that asks.

What running regopy showed, and is handled here: strings keep their meaning only when the input goes in as a term
(``set_input`` doesn't escape them); an output may be no JSON at all; errors are printed unless the log is off.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import struct
import sys
import threading
from typing import Any

#: How often to look whether the parent is still there, in seconds; end of file usually says so at once.
_LOOK = 5.0

Reply = dict[str, Any]


class Evaluator:
    """One policy set in one regopy interpreter."""

    def __init__(self) -> None:
        self._interpreter: Any = None
        self._bundle: Any = None

    def answer(self, message: dict[str, Any]) -> Reply:
        """``{"value": text}`` or ``{"error": [cause, text]}``."""
        import regopy

        try:
            if "load" in message:
                return self._load(message["load"])
            return self._ask(*message["ask"])
        except regopy.RegoError as error:
            return {"error": ["compile" if "load" in message else "malformed", str(error)]}
        except ValueError:  # regopy parses the output eagerly; an error text or broken JSON ends here
            return {"error": ["malformed", "the policies' output is no valid JSON (or a built-in failed)"]}

    def _load(self, policies: dict[str, Any]) -> Reply:
        import regopy

        self._interpreter = regopy.Interpreter()
        self._interpreter.log_level = regopy.LogLevel.NONE
        for name, source in policies["modules"]:
            self._interpreter.add_module(name, source)
        self._interpreter.add_data_json(policies["data"])
        self._bundle = self._interpreter.build(None, policies["entrypoints"])
        return {"value": ""}

    def _ask(self, entrypoint: str, term: str) -> Reply:
        self._interpreter.set_input_term(term)
        output = self._interpreter.query_bundle_entrypoint(self._bundle, entrypoint)
        if not output.ok():
            return {"error": ["malformed", "the evaluation failed: rules contradict each other or can't be run"]}
        return {"value": str(output)}


def main(site_packages: str) -> None:
    """Answer until stdin ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # when to end is the parent's decision
    sys.path.append(site_packages)
    replies = os.dup(1)
    os.dup2(2, 1)  # whatever the library prints doesn't belong among the replies
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(messages,), daemon=True).start()
    evaluator = Evaluator()
    while True:
        reply = json.dumps(evaluator.answer(json.loads(messages.get()))).encode()
        _write(replies, struct.pack(">I", len(reply)) + reply)


def _receive(messages: queue.SimpleQueue[bytes]) -> None:
    parent = os.getppid()
    while True:
        _await(parent)
        (length,) = struct.unpack(">I", _read(4))
        messages.put(_read(length))


def _await(parent: int) -> None:
    while not select.select([0], [], [], _LOOK)[0]:
        if os.getppid() != parent:  # another process may hold the other end of stdin open
            os._exit(0)


def _read(length: int) -> bytes:
    parts = []
    while length:
        part = os.read(0, min(length, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    finally:
        os._exit(1)
