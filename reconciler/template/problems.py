"""Collecting everything that is wrong with a template, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Final

from reconciler.model.errors import Problem, SourceError
from reconciler.model.values import Unknown

#: Keys and indexes from the top of the document to a node.
Place = tuple[str | int, ...]
Locate = Callable[[Place], tuple[str, int]]


#: What can't be evaluated folds to this, by identity, so that one mistake isn't reported twice.
INVALID: Final = Unknown("invalid")


class FunctionError(Exception):
    """An intrinsic function can't be evaluated; the message says why. Becomes a Problem where its place is known."""


class Problems:
    """Problems found so far, in the order found, each once."""

    def __init__(self, locate: Locate | None = None) -> None:
        self.locate = locate
        self._found: dict[tuple[str, str], Problem] = {}

    def add(self, place: Place, message: str, suggestion: str = "", reason: str = "invalid") -> None:
        """Record what is wrong at ``place``."""
        file, line = self.locate(place) if self.locate else ("", 0)
        path = "/".join(str(part) for part in place)
        problem = Problem(message, file=file, line=line, path=path, suggestion=suggestion, reason=reason)
        self._found.setdefault((path, message), problem)

    def raise_if_any(self) -> None:
        """Raise SourceError with everything recorded, if there is anything."""
        if self._found:
            raise SourceError(tuple(self._found.values()))

    def __len__(self) -> int:
        return len(self._found)


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """A suggestion for a misspelt name, or nothing."""
    name = str(name)
    options = sorted(str(option) for option in known)
    by_lower = {option.lower(): option for option in options}
    if name.lower() in by_lower:
        return f"did you mean {by_lower[name.lower()]}?"
    close = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""


def kind_of(value: object) -> str:
    """What a value is, in the words of a template's author."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return "nothing" if value is None else "something else"
