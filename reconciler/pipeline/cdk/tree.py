"""Expressions of a program, before anyone decides on its language.

Plain values (text, numbers, booleans, None) stand for themselves. Names of members are the CDK's own (camelCase); a
printer turns them into its language's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """A string made of literal text and of expressions, in order."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A list."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping whose keys are kept as they are."""

    entries: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Struct:
    """A value of a struct of the library: ``name`` is its class below ``module`` (empty: the library's core)."""

    module: str
    name: str
    entries: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What is made of a resource or a parameter, by its logical id."""

    logical_id: str


@dataclass(frozen=True, slots=True)
class Member:
    """A property of an expression."""

    of: Any
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A method of an expression."""

    of: Any
    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Core:
    """A class of the library's core: ``Fn``, ``Token`` …"""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A construct: its class below ``module``, its id, and the properties that it is made with.

    ``logical_id``: by what expressions refer to it.
    """

    logical_id: str
    module: str
    name: str
    construct_id: str
    entries: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Set:
    """An assignment to a member."""

    target: Member
    value: Any


Statement = Made | Set | Call


def variables(node: Any) -> Iterator[str]:
    """The logical ids of everything that an expression or a statement refers to."""
    if isinstance(node, Variable):
        yield node.logical_id
    elif isinstance(node, Text):
        yield from _each(node.parts)
    elif isinstance(node, Array):
        yield from _each(node.items)
    elif isinstance(node, Table | Struct | Made):
        yield from _each(tuple(value for _, value in node.entries))
    elif isinstance(node, Member):
        yield from variables(node.of)
    elif isinstance(node, Call):
        yield from _each((node.of, *node.arguments))
    elif isinstance(node, Set):
        yield from _each((node.target, node.value))


def _each(nodes: tuple[Any, ...]) -> Iterator[str]:
    for node in nodes:
        yield from variables(node)
