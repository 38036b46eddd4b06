"""What a plain YAML scalar means.

YAML 1.1, as CloudFormation reads it, less its surprises: dates stay text (``Version: 2012-10-17``), ``22:22`` is not
a number to the base 60, and digits with a leading zero stay text (an account number is not octal).
"""

from __future__ import annotations

import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    spelling: value
    for value, words in ((True, ("true", "yes", "on")), (False, ("false", "no", "off")))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
}
_MAY_BE_SPECIAL = frozenset("+-.0123456789~nNtTfFyYoO")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,30})")
_BASED = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]{1,16}|b[01_]{1,64})")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

#: the largest whole number that every consumer down the road (JSON, Rego, AWS) keeps exact
MAX_INTEGER = 2**63 - 1

Scalar = str | int | float | bool | None


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises ValueError for a number that JSON can't carry."""
    if text and text[0] not in _MAY_BE_SPECIAL:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return checked_integer(int(text.replace("_", "")))
    if _BASED.fullmatch(text):
        return checked_integer(int(text.replace("_", ""), 0))
    if _FLOAT.fullmatch(text):
        return checked_float(text.replace("_", ""))
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that JSON can carry")
    return text


def checked_integer(number: int) -> int:
    """``number``, unless it is too large. Raises ValueError."""
    if abs(number) > MAX_INTEGER:
        raise ValueError("the number is too large; quote it if it is text")
    return number


def checked_float(text: str) -> float:
    """The number, unless it overflows. Raises ValueError."""
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("the number is too large; quote it if it is text")
    return number
