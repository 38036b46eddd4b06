"""What AWS turns a value into, by the ``propertyTransform`` of its schema.

A transform is a JSONata expression over the properties given, whose value may be read back instead of the one given:
an ARN for a name, a full version for a short one. Names in it are looked for beside the property first, then further
out (both are in use). ``$OR`` stands between alternatives; a string may be a regular expression for the whole value.

Expressions are data that AWS ships; they are evaluated with a limit of time and depth, one at a time, and what they
come to is kept. One that fails accepts nothing, so that the difference is shown.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from reconciler.model.values import Sensitive, has_unknown, leaves, reveal, transform
from reconciler.schema.scalars import number, text
from reconciler.schema.types import Path, TypeSchema

#: milliseconds and nested calls; the longest of AWS's takes some 20 of each
_TIME, _DEPTH = 2_000, 400
#: a longer value is never held against a pattern
_LONGEST = 4_096
_NAME = re.compile(r"(?<![\w$])[A-Za-z_]\w*")
_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
#: characters of a given value that mean something in a pattern, and where in Unicode they hide meanwhile
_SPECIAL = ".^$*+?{}[]\\|()"
_HIDDEN = 0xE000

_ONE_AT_A_TIME = threading.Lock()


def accepts(
    schema: TypeSchema,
    path: Path,
    around: Sequence[Mapping[str, Any]],
    given: Any,
    live: Any,
    alike: Callable[[Any, Any], bool],
    settled: bool = True,
) -> bool:
    """Whether ``live`` is what AWS makes of ``given`` at ``path``, by the schema's own word.

    ``around``: the objects that enclose the value, outermost (the properties) first. ``alike``: whether two values
    mean the same there. ``settled``: whether ``given`` is what was applied last: only then a transform that doesn't
    depend on it (any KMS key) says anything. False where the schema has no transform, or one that can't be evaluated.
    """
    alternatives = schema.transforms.get(path)
    if not alternatives or live is None:
        return False
    secret = any(isinstance(leaf, Sensitive) for leaf in leaves(given))
    given, live = _typed(schema, path, reveal(given)), reveal(live)
    for expression in alternatives:
        context = _surroundings(expression, around)
        depends = path[-1] in context
        if depends:
            context[path[-1]] = Sensitive(given) if secret else given  # what depends on a secret isn't kept
        elif not settled:
            continue
        result, pattern = _result(expression, context)
        if isinstance(result, Mapping) and set(result) == set(context):
            result = result.get(path[-1])  # an expression that changes the whole (``$ ~> |…|…|``)
        if result is not None and alike(result, live):
            return True
        # a constant pattern is the form AWS answers in; a value given in that form itself is compared as it is
        if pattern and _matches(pattern, live) and (depends or not _matches(pattern, given)):
            return True
    return False


def evaluate(expression: str, properties: Mapping[str, Any]) -> Any:
    """The value of a JSONata expression over ``properties``. Raises ValueError when it has none in time."""
    with _ONE_AT_A_TIME:
        jsonata = _library()
        try:
            return jsonata.Jsonata(expression, timeout=_TIME, stack=_DEPTH).evaluate(properties)
        except (jsonata.JException, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"the transform has no value here: {type(error).__name__}") from None
        except AttributeError:  # the library's own way of meeting a null where it expects a text
            raise ValueError("the transform has no value here") from None


def _result(expression: str, context: dict[str, Any]) -> tuple[Any, str | None]:
    if has_unknown(context):
        return None, None
    if any(isinstance(leaf, Sensitive) for leaf in leaves(context)):
        return _worked_out(expression, reveal(context))
    return _kept(expression, _hashable(context))


def _typed(schema: TypeSchema, path: Path, value: Any) -> Any:
    """A scalar in the type that the schema gives it."""
    node = schema.node(path) or {}
    kinds = node.get("type", "string")
    if "string" in kinds:
        return text(value)
    return number(value) if isinstance(value, str) and not isinstance(kinds, list) else value


def _surroundings(expression: str, around: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an expression names, as the nearest enclosing object has it; numbers as text, as templates write them."""
    found: dict[str, Any] = {}
    names = {match.group() for match in _NAME.finditer(_LITERAL.sub('""', expression))}
    for properties in around:
        for name in names & properties.keys():
            found[name] = transform(properties[name], lambda leaf: leaf if isinstance(leaf, bool) else text(leaf))
    return found


def _worked_out(expression: str, context: Mapping[str, Any]) -> tuple[Any, str | None]:
    """What an expression comes to as it is, and as the pattern that it may be."""
    try:
        plain = evaluate(expression, context)
    except ValueError:
        return None, None
    if not isinstance(plain, str):
        return plain, None
    return plain, _pattern(expression, context)


def _pattern(expression: str, context: Mapping[str, Any]) -> str | None:
    """The result as a pattern: what was given stands in it for itself, AWS's own parts mean what they say."""
    literals = {match.group()[1:-1] for match in _LITERAL.finditer(expression)}  # a mark looked for must be found
    hidden = {ord(mark): chr(_HIDDEN + ord(mark)) for mark in _SPECIAL if mark not in literals}
    try:
        result = evaluate(
            expression, transform(context, lambda leaf: leaf.translate(hidden) if isinstance(leaf, str) else leaf)
        )
    except ValueError:
        return None
    shown = {_HIDDEN + mark: "\\" + chr(mark) for mark in hidden}
    return result.translate(shown) if isinstance(result, str) else None


def _matches(pattern: str, value: Any) -> bool:
    compiled = _compiled(pattern)
    return (
        compiled is not None
        and isinstance(value, str)
        and len(value) <= _LONGEST
        and compiled.fullmatch(value) is not None
    )


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern.replace("[[]", r"\["))  # which Python warns of
    except (re.error, OverflowError, RecursionError):
        return None


def _hashable(value: Any) -> Any:
    """A value that can be a key of a cache; ``_thawed`` is the reverse."""
    if isinstance(value, Mapping):
        return ("{", *((str(key), _hashable(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return ("[", *map(_hashable, value))
    return (type(value).__name__, value)


def _thawed(value: Any) -> Any:
    if value[0] == "{":
        return {key: _thawed(item) for key, item in value[1:]}
    if value[0] == "[":
        return [_thawed(item) for item in value[1:]]
    return value[1]


@lru_cache(maxsize=8192)
def _kept(expression: str, context: tuple[Any, ...]) -> tuple[Any, str | None]:
    return _worked_out(expression, _thawed(context))


@lru_cache(maxsize=1)
def _library() -> ModuleType:
    """Imported on first use: most plans need no transform. It raises Python's recursion limit, which is put back."""
    limit = sys.getrecursionlimit()
    try:
        return import_module("jsonata")
    finally:
        sys.setrecursionlimit(limit)
