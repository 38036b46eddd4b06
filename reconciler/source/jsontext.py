"""JSON to documents, by the standard library's C parser; line numbers are worked out only when asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from reconciler.source.document import Limits, Marks, failure
from reconciler.source.scalars import checked_float, checked_integer

# A string that never ends swallows the rest, so that hostile input costs one scan and not one from every quote.
_STRING = r'"(?:[^"\\]|\\.)*+"?'
_BRACKET = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_TOKEN = re.compile(_STRING + r'|[\[\]{},]|[^\s"\[\]{},:]+', re.DOTALL)


class _Duplicate(ValueError):
    """Two entries of one object have the same key."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def read_json(text: str, file: str, limits: Limits) -> Any:
    """The value of a JSON text. Raises SourceError."""
    _check_depth(text, file, limits)
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=checked_float,
        )
    except json.JSONDecodeError as error:
        raise failure(f"not valid JSON: {error.msg}", file, error.lineno, reason="json") from None
    except _Duplicate as error:
        line = _line_of_duplicate(text, error.key)
        raise failure(f"duplicate key {error.key!r}", file, line, reason="duplicate") from None
    except ValueError as error:
        raise failure(f"not valid JSON: {error}", file, reason="json") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Duplicate(key)
            seen.add(key)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON can carry")


def _integer(text: str) -> int:
    if len(text) > 20:
        raise ValueError("the number is too large; quote it if it is text")
    return checked_integer(int(text))


def _check_depth(text: str, file: str, limits: Limits) -> None:
    """Refuse deep nesting before a recursive parser meets it."""
    if text.count("[") + text.count("{") <= limits.depth:
        return
    depth = 0
    for match in _BRACKET.finditer(text):
        symbol = match[0]
        if symbol in "[{":
            depth += 1
            if depth > limits.depth:
                line = text.count("\n", 0, match.start()) + 1
                raise failure(f"nested deeper than {limits.depth} levels", file, line, reason="size")
        elif symbol in "]}":
            depth -= 1


def _line_of_duplicate(text: str, key: str) -> int:
    """The line where ``key`` is written a second time in one object."""
    for frame, part, line in _entries(text):
        if part == key and part in frame.lines:
            return line
        frame.lines[part] = line
    return 0


def json_marks(text: str) -> Marks:
    """Line numbers of a text that is known to be valid JSON."""
    root = Marks(1)
    for frame, part, line in _entries(text, root):
        frame.lines[part] = line
    return root


def _entries(text: str, root: Marks | None = None) -> Iterator[tuple[Marks, str | int, int]]:
    """Every entry of every object and list: what it is in, its key or index, its line. Consumers note the line."""
    stack: list[_Frame] = []
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        symbol = match[0]
        if symbol in "]}":
            stack.pop()
        elif symbol == ",":
            stack[-1].part = None
        else:
            line += text.count("\n", counted, match.start())
            counted = match.start()
            if stack and stack[-1].part is None:
                frame = stack[-1]
                frame.part = frame.next_index() if frame.is_list else _string(symbol)
                yield frame.marks, frame.part, line
                if not frame.is_list:
                    continue
            if symbol in "[{":
                marks = root if root is not None and not stack else Marks(line)
                if stack and stack[-1].part is not None:
                    stack[-1].marks.inner[stack[-1].part] = marks
                stack.append(_Frame(marks, symbol == "["))


def _string(literal: str) -> str:
    return json.loads(literal) if "\\" in literal else literal[1:-1]


@dataclass(slots=True)
class _Frame:
    """An object or list that is being read; ``part`` is the key or index of the entry in hand."""

    marks: Marks
    is_list: bool
    part: str | int | None = None
    index: int = -1

    def next_index(self) -> int:
        self.index += 1
        return self.index
