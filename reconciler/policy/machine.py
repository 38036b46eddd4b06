"""One policy set compiled into one regopy interpreter: the only module that knows regopy.

What running regopy showed, and is handled here: strings keep their meaning only when the input goes in as a term
(``set_input`` doesn't escape them); an output may be no JSON at all; errors are printed unless the log is off;
compiling costs ten times an evaluation, so it is done once.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.answers import strict_json
from reconciler.policy.bundle import Module

_ERROR = re.compile(r"\(error \d+:(?P<file>[^|()]+)\|(?P<offset>\d+)\|\d+\s+\(errormsg \d+:(?P<message>[^()]*)\)")


class Machine:
    """Evaluates the entry points it was compiled for, one question at a time. Raises PolicyUnavailable throughout."""

    def __init__(self, modules: Sequence[Module], data: Mapping[str, Any], entrypoints: Sequence[str]) -> None:
        """``entrypoints`` are paths such as ``reconciler/decision``. Raises with cause compile."""
        import regopy  # loading the shared library takes a moment that `--help` shouldn't pay

        self._lock = threading.Lock()
        self._interpreter = regopy.Interpreter()
        self._interpreter.log_level = regopy.LogLevel.NONE
        try:
            for module in modules:
                self._interpreter.add_module(module.name, module.source)
            self._interpreter.add_data_json(json.dumps(data, ensure_ascii=False))
            self._bundle = self._interpreter.build(None, list(entrypoints))
        except regopy.RegoError as error:
            raise PolicyUnavailable("compile", _explain(str(error), modules)) from error

    def ask(self, entrypoint: str, document: Any, *, patience: float = -1) -> Any:
        """The value of an entry point for an input, as parsed JSON.

        Waits at most ``patience`` seconds for its turn (negative: as long as it takes).
        Raises undefined, malformed (the evaluation failed or its output is no JSON) or timeout.
        """
        term = json.dumps(document, ensure_ascii=False, allow_nan=False)
        if not self._lock.acquire(timeout=patience):
            raise PolicyUnavailable("timeout", "the policy engine is busy with another question")
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

    def _evaluate(self, entrypoint: str, term: str) -> str:
        import regopy

        try:
            self._interpreter.set_input_term(term)
            output = self._interpreter.query_bundle_entrypoint(self._bundle, entrypoint)
        except regopy.RegoError as error:
            raise PolicyUnavailable("malformed", _explain(str(error), ())) from error
        except ValueError as error:  # regopy parses the output eagerly; an error text or broken JSON ends here
            raise PolicyUnavailable("malformed", "the policies' output is no valid JSON") from error
        if not output.ok():
            raise PolicyUnavailable("malformed", "the evaluation failed: rules contradict each other or can't be run")
        return str(output)


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
