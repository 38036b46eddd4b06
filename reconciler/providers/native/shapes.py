"""Small conversions between templates, where a number may be a string, and the SDK, which is strict."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def policy_text(document: Any) -> str:
    """A policy document as APIs take it."""
    return document if isinstance(document, str) else json.dumps(document)


def boolean(value: Any) -> bool:
    """A template's boolean: ``true``, ``"true"``, ``"True"``."""
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def chosen(source: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The entries of ``source`` with these names that are there and not None."""
    return {name: source[name] for name in names if source.get(name) is not None}


def integers(source: Mapping[str, Any], names: Iterable[str]) -> dict[str, int]:
    """As ``chosen``, for numbers that a template may have written as strings."""
    return {name: int(value) for name, value in chosen(source, names).items()}


def chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``values`` in pieces of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def network(value: str) -> str:
    """A CIDR as AWS writes it: host bits cleared, IPv6 compressed. Anything else (a prefix list id) as it is."""
    try:
        return str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError:
        return value
