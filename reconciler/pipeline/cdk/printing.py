"""Laying out expressions: on one line where they fit, else one part a line, as formatters do it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.pipeline.cdk.stack import Stack
from reconciler.pipeline.cdk.tree import Array, Call, Core, Made, Member, Set, Statement, Struct, Table, Text, Variable

#: columns; what both languages' projects tell their formatters
WIDTH = 120


class Printer(ABC):
    """Prints the statements of one stack. ``names``: a variable for each logical id that something refers to."""

    indent: str

    def __init__(self, stack: Stack, names: Mapping[str, str]) -> None:
        self.stack = stack
        self.names = names

    # what each language says itself

    @abstractmethod
    def flat(self, node: Any) -> str | None:
        """An expression on one line, or None for one that takes several."""

    @abstractmethod
    def opened(self, node: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
        """How an expression begins, its parts with what stands before each, and how it ends; None if it has none."""

    @abstractmethod
    def statement(self, statement: Statement, level: int) -> str:
        """A whole statement, ``level`` indents deep."""

    @abstractmethod
    def member(self, name: str) -> str:
        """A name of the CDK in this language."""

    # layout

    def expression(self, node: Any, level: int, before: int, after: int) -> str:
        """An expression that begins ``before`` columns into its line and has ``after`` more columns behind it."""
        flat = self.flat(node)
        if flat is not None and ("\n" in flat or before + len(flat) + after <= WIDTH):
            return flat
        opened = self.opened(node)
        if opened is None:
            return flat if flat is not None else str(node)
        head, parts, tail = opened
        pad = self.indent * (level + 1)
        lines = [f"{pad}{label}{self.expression(part, level + 1, len(pad) + len(label), 1)}," for label, part in parts]
        return "\n".join([head, *lines, f"{self.indent * level}{tail}"])

    def all_flat(self, nodes: Sequence[Any]) -> list[str] | None:
        """Each on one line, or None if one of them takes several."""
        found = [self.flat(node) for node in nodes]
        return None if any(text is None or "\n" in text for text in found) else [str(text) for text in found]

    def chain(self, node: Member | Call) -> str:
        """What a member or a method is reached by."""
        if isinstance(node.of, Variable):
            return f"{self.names[node.of.logical_id]}."
        if isinstance(node.of, Core):
            return f"cdk.{node.of.name}."
        return f"{self.flat(node.of)}."

    def reached(self, node: Member) -> str:
        """A member; constants of the core keep their spelling."""
        return self.chain(node) + (node.name if isinstance(node.of, Core) else self.member(node.name))

    def blocks(self, level: int) -> str:
        """Every block of the stack, a blank line between them."""
        return "\n\n".join(
            "\n".join(self.statement(statement, level) for statement in block.statements) for block in self.stack.blocks
        )


__all__ = ["WIDTH", "Array", "Call", "Core", "Made", "Member", "Printer", "Set", "Struct", "Table", "Text", "Variable"]
