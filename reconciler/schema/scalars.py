"""Scalars in the form their schema type gives them."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

_INTEGER = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
#: marks a JSON boolean, because Python holds ``True == 1``
_BOOLEAN_MARK = "\x00"

_BOOLEANS = {"true": True, "false": False}


def text(value: Any) -> Any:
    """A scalar as CloudFormation writes it into a string; anything else unchanged."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return value


def number_text(value: float) -> str:
    """A number as CloudFormation prints it: integers plain, no exponent where avoidable."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return str(value)


def integer(value: Any) -> Any:
    """``"80"`` and ``80.0`` as ``80``; what isn't an integer unchanged."""
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def number(value: Any) -> Any:
    """``"1.50"`` as ``1.5`` and ``"2"`` as ``2``; what isn't a number unchanged."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        parsed = float(value) if not _INTEGER.fullmatch(value.strip()) else int(value)
        return int(parsed) if isinstance(parsed, float) and parsed.is_integer() else parsed
    return integer(value)


def boolean(value: Any) -> Any:
    """``"true"`` and ``"False"`` as booleans; anything else unchanged."""
    return _BOOLEANS.get(value.lower(), value) if isinstance(value, str) else value


def of_kinds(kinds: Collection[str], value: Any) -> Any:
    """A scalar in the JSON types that a schema allows; what fits none unchanged, as where there are none."""
    if not isinstance(value, str):
        return text(value) if set(kinds) == {"string"} else value
    if not kinds or "string" in kinds:
        return value
    if {"object", "array"}.issuperset(kinds):
        return parsed_json(value)
    for kind, read in (("boolean", boolean), ("integer", integer), ("number", number)):
        if kind in kinds and (found := read(value)) is not value:
            return found
    return value


def free(value: Any) -> Any:
    """A scalar of free-form JSON: kept as it is, except that a boolean is marked so that it equals no number."""
    if value is True:
        return _BOOLEAN_MARK + "true"
    if value is False:
        return _BOOLEAN_MARK + "false"
    return value


@lru_cache(maxsize=8192)
def network(value: str) -> str:
    """An IPv6 address or network in its compressed lower-case form, host bits kept; any other text unchanged."""
    if ":" not in value:
        return value
    try:
        return str(ipaddress.IPv6Interface(value)) if "/" in value else str(ipaddress.IPv6Address(value))
    except ValueError:
        return value


@lru_cache(maxsize=8192)
def bare_network(value: str) -> str:
    """A network in its compressed form without host bits; any other text unchanged."""
    try:
        return str(ipaddress.ip_network(value, strict=False)) if "/" in value else network(value)
    except ValueError:
        return value


def parsed_json(value: str) -> Any:
    """The object or array that a string spells in JSON; the string itself if it spells none."""
    stripped = value.lstrip()
    if not stripped.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
