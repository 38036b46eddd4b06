"""What AWS turns a value into, by the ``propertyTransform`` of its schema.

A transform is a JSONata expression for the value that will be read back for a value given: an ARN for a name, a full
version for a short one. Part of the result may be a regular expression. Understood here are the forms that can be told
from the value alone (most of those there are); any other accepts nothing,
so that the difference is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reconciler.schema.scalars import text
from reconciler.schema.types import Path, TypeSchema

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<regex>/(?:[^/\\]|\\.)+/)"""
    r"""|(?P<name>\$?[A-Za-z_][\w.]*)|(?P<number>-?\d+)|(?P<mark>[()\[\],&]))"""
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str


class _Unsupported(Exception):
    """The expression isn't one of the understood forms."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A result: as plain text, and as the pattern it stands for (given parts escaped, the schema's own not).

    ``uses``: whether the given value is part of it. A pattern that doesn't depend on it would accept any value.
    """

    plain: str
    pattern: str
    uses: bool


def accepts(schema: TypeSchema | None, path: Path, given: Any, live: Any) -> bool:
    """Whether ``live`` is what AWS makes of ``given`` at ``path``, by the schema's own word.

    False for anything but scalars and where the schema has no transform or one that isn't understood.
    """
    if schema is None or not isinstance(given, str | int | float) or not isinstance(live, str | int | float):
        return False
    transforms = schema.document.get("propertyTransform")
    expression = transforms.get("/properties/" + "/".join(path)) if transforms else None
    if not isinstance(expression, str):
        return False
    return any(_fits(alternative, path, str(text(given)), str(text(live))) for alternative in _alternatives(expression))


def _fits(alternative: str, path: Path, given: str, live: str) -> bool:
    tokens = _tokens(alternative)
    if tokens is None:
        return False
    try:
        result = _Evaluator(tokens, path, given).run()
    except (_Unsupported, IndexError, ValueError):
        return False
    return result.plain == live or (result.uses and _matches(result.pattern, live))


def _matches(pattern: str, live: str) -> bool:
    try:
        return re.fullmatch(pattern, live) is not None
    except re.error:
        return False


@lru_cache(maxsize=512)
def _alternatives(expression: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in expression.split("$OR"))


@lru_cache(maxsize=512)
def _tokens(expression: str) -> tuple[_Token, ...] | None:
    tokens: list[_Token] = []
    position = 0
    while position < len(expression.rstrip()):
        match = _TOKEN.match(expression, position)
        if match is None or match.lastgroup is None:
            return None
        tokens.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return tuple(tokens)


class _Evaluator:
    """Recursive descent over the tokens of one alternative; raises ``_Unsupported``."""

    def __init__(self, tokens: tuple[_Token, ...], path: Path, given: str) -> None:
        self._rest = list(tokens)
        self._name = path[-1] if path else ""
        self._parents = [part for part in path[:-1] if part != "*"]
        self._given = given

    def run(self) -> _Text:
        result = self._concatenation()
        if self._rest:
            raise _Unsupported
        return result

    def _concatenation(self) -> _Text:
        result = self._term()
        while self._skip("&"):
            result = _joined([result, self._term()])
        return result

    def _term(self) -> _Text:
        token = self._take()
        if token.kind == "string":
            literal = _unquoted(token.value)
            return _Text(literal, literal, uses=False)
        if token.kind == "name" and not token.value.startswith("$"):
            *parents, name = token.value.split(".")
            if name != self._name or parents != self._parents[len(self._parents) - len(parents) :]:
                raise _Unsupported  # another property, whose value isn't known here
            return _Text(self._given, re.escape(self._given), uses=True)
        if token.kind == "name":
            return self._call(token.value)
        raise _Unsupported

    def _call(self, function: str) -> _Text:
        self._expect("(")
        if function == "$join":
            self._expect("[")
            parts = [self._concatenation()]
            while self._skip(","):
                parts.append(self._concatenation())
            self._expect("]")
            self._expect(")")
            return _joined(parts)
        subject = self._concatenation().plain
        result = self._changed(function, subject)
        return _Text(result, re.escape(result), uses=True)

    def _changed(self, function: str, subject: str) -> str:
        if function in ("$lowercase", "$uppercase", "$string"):
            self._expect(")")
            return {"$lowercase": subject.lower(), "$uppercase": subject.upper(), "$string": subject}[function]
        self._expect(",")
        argument = self._take()
        if function == "$substringAfter":
            self._expect(")")
            _, found, after = subject.partition(_unquoted(argument.value))
            return after if found else subject
        if function == "$split":
            self._expect(")")
            self._expect("[")
            index = int(self._take().value)
            self._expect("]")
            return subject.split(_unquoted(argument.value))[index]
        if function == "$replace":
            self._expect(",")
            replacement = _unquoted(self._take().value)
            self._expect(")")
            return _replaced(subject, argument, replacement)
        raise _Unsupported

    def _take(self) -> _Token:
        if not self._rest:
            raise _Unsupported
        return self._rest.pop(0)

    def _skip(self, mark: str) -> bool:
        if self._rest and self._rest[0] == _Token("mark", mark):
            self._rest.pop(0)
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise _Unsupported


def _joined(parts: list[_Text]) -> _Text:
    return _Text(
        "".join(part.plain for part in parts),
        "".join(part.pattern for part in parts),
        any(part.uses for part in parts),
    )


def _unquoted(literal: str) -> str:
    """A string literal's text. JSONata's backslash before a character it doesn't know means that character."""
    if len(literal) < 2 or literal[0] not in "\"'":
        raise _Unsupported
    return re.sub(r"\\(.)", r"\1", literal[1:-1])


def _replaced(subject: str, argument: _Token, replacement: str) -> str:
    if argument.kind == "string":
        return subject.replace(_unquoted(argument.value), replacement)
    if argument.kind != "regex":
        raise _Unsupported
    try:
        return re.sub(argument.value[1:-1], re.sub(r"\$(\d)", r"\\\1", replacement), subject)
    except re.error as error:
        raise _Unsupported from error
