"""One policy set compiled in one worker process, which is started again whenever it crashed or had to be cut off."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.answers import strict_json
from reconciler.policy.bundle import Module
from reconciler.policy.process import Worker

_ERROR = re.compile(r"\(error \d+:(?P<file>[^|()]+)\|(?P<offset>\d+)\|\d+\s+\(errormsg \d+:(?P<message>[^()]*)\)")


class Machine:
    """Evaluates the entry points it was compiled for, one question at a time. Raises PolicyUnavailable throughout.

    ``timeout``: seconds for one evaluation. ``load_timeout``: seconds for compiling, and for waiting for one's turn.
    Thread-safe. Compiling costs ten times an evaluation, so the process is kept.
    """

    def __init__(
        self,
        modules: Sequence[Module],
        data: Mapping[str, Any],
        entrypoints: Sequence[str],
        *,
        timeout: float = 5.0,
        load_timeout: float = 15.0,
    ) -> None:
        """``entrypoints`` are paths such as ``reconciler/decision``. Raises compile, crashed or timeout."""
        self._modules = tuple(modules)
        self._load = {
            "modules": [[module.name, module.source] for module in modules],
            "data": json.dumps(data, ensure_ascii=False),
            "entrypoints": list(entrypoints),
        }
        self._timeout, self._load_timeout = timeout, load_timeout
        self._lock = threading.Lock()
        self._closed = False
        self._worker: Worker | None = self._start()

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        worker = self._worker
        return worker.pid if worker is not None else None

    def ask(self, entrypoint: str, document: Any) -> Any:
        """The value of an entry point for an input, as parsed JSON.

        Raises undefined, malformed (the evaluation failed or its output is no JSON), timeout or crashed.
        """
        term = json.dumps(document, ensure_ascii=False, allow_nan=False)
        if not self._lock.acquire(timeout=self._load_timeout):
            raise PolicyUnavailable("timeout", "the policy engine is busy with other questions")
        try:
            text = self._evaluate(entrypoint, term)
        finally:
            self._lock.release()
        if text == "undefined":
            raise PolicyUnavailable("undefined", f"data.{entrypoint.replace('/', '.')} is undefined")
        try:
            (value,) = strict_json(text)["expressions"]
        except (ValueError, TypeError, KeyError) as error:
            raise PolicyUnavailable("malformed", "the policies' output is no valid JSON") from error
        return value

    def replace_data(self, data: Mapping[str, Any]) -> None:
        """Compile again under other data, in the same process. Raises compile, crashed or timeout."""
        with self._lock:
            self._load = {**self._load, "data": json.dumps(data, ensure_ascii=False)}
            if self._worker is None:
                return
            try:
                _value(self._worker.call({"load": self._load}, self._load_timeout), self._modules)
            except PolicyUnavailable:
                self._drop()
                raise

    def close(self) -> None:
        """End the worker, after the question in hand. Further questions are refused."""
        self._closed = True
        with self._lock:
            self._drop()

    def _evaluate(self, entrypoint: str, term: str) -> str:
        if self._closed:
            raise PolicyUnavailable("unreachable", "the policy engine has been closed")
        if self._worker is None:
            self._worker = self._start()
        try:
            reply = self._worker.call({"ask": [entrypoint, term]}, self._timeout)
        except PolicyUnavailable:
            self._drop()
            raise
        return _value(reply, ())

    def _start(self) -> Worker:
        worker = Worker()
        try:
            _value(worker.call({"load": self._load}, self._load_timeout), self._modules)
        except PolicyUnavailable:
            worker.close()
            raise
        return worker

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _value(reply: Mapping[str, Any], modules: Sequence[Module]) -> str:
    if "error" in reply:
        cause, text = reply["error"]
        raise PolicyUnavailable(cause, _explain(text, modules))
    return str(reply["value"])


def _explain(text: str, modules: Sequence[Module]) -> str:
    """regopy's error as ``file:line: message``, as many as it found."""
    sources = {module.name: module.source for module in modules}
    found = [
        f"{match['file']}:{_line(sources.get(match['file'], ''), int(match['offset']))}: {match['message'].strip()}"
        for match in _ERROR.finditer(text)
    ]
    return "; ".join(dict.fromkeys(found)) or " ".join(text.split())[:300]


def _line(source: str, offset: int) -> int:
    return source.encode()[:offset].count(b"\n") + 1
