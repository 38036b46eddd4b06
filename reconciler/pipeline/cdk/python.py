"""A stack in Python, laid out as Ruff and Black do it."""

from __future__ import annotations

import re
from typing import Any

from reconciler.pipeline.cdk import names
from reconciler.pipeline.cdk.printing import Printer
from reconciler.pipeline.cdk.stack import Stack
from reconciler.pipeline.cdk.tree import Array, Call, Core, Made, Member, Set, Statement, Struct, Table, Text, Variable

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\ufeff]")


def stack_file(stack: Stack, class_name: str, header: str) -> str:
    """The module that defines the stack's class."""
    printer = _Python(stack, names.python_variables(stack.referred, stack.modules))
    imports = ["import aws_cdk as cdk"]
    for module in sorted(stack.modules - {""}):
        alias = names.python_alias(module)
        imports.append(f"from aws_cdk import {module}" + (f" as {alias}" if alias != module else ""))
    imports.append("from constructs import Construct")
    options = [("template_format_version", "2010-09-09"), ("description", stack.description)]
    settings = [printer.assignment(f"self.template_options.{name}", value, 2) for name, value in options if value != ""]
    settings.append(printer.assignment("self.template_options.metadata", stack.metadata, 2))
    return "\n".join(
        [
            f"# {header}",
            *imports,
            "",
            "",
            f"class {class_name}(cdk.Stack):",
            "    def __init__(self, scope: Construct, construct_id: str, **kwargs) -> None:",
            "        super().__init__(scope, construct_id, **kwargs)",
            *settings,
            "",
            printer.blocks(2),
            "",
        ]
    )


class _Python(Printer):
    indent = "    "

    def member(self, name: str) -> str:
        return names.snake_case(name)

    def flat(self, node: Any) -> str | None:
        if isinstance(node, Text):
            return self._text(node)
        if isinstance(node, Variable):
            return self.names[node.logical_id]
        if isinstance(node, Member):
            return self.reached(node)
        opened = self.opened(node)
        if opened is None:
            return literal(node)
        head, parts, tail = opened
        values = self.all_flat([part for _, part in parts])
        if values is None:
            return None
        return head + ", ".join(f"{label}{value}" for (label, _), value in zip(parts, values, strict=True)) + tail

    def _text(self, node: Text) -> str | None:
        """An f-string, unless an expression in it has quotes of its own, which older Pythons don't take."""
        if not all(isinstance(part, str) or _is_simple(part) for part in node.parts):
            return self.flat(Call(Core("Fn"), "join", ("", Array(node.parts))))
        whole = "".join(part for part in node.parts if isinstance(part, str))
        quote = _quote(whole)
        pieces = [
            _escaped(part, quote).replace("{", "{{").replace("}", "}}")
            if isinstance(part, str)
            else "{" + str(self.flat(part)) + "}"
            for part in node.parts
        ]
        return f"f{quote}{''.join(pieces)}{quote}"

    def opened(self, node: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
        if isinstance(node, Array):
            return "[", [("", item) for item in node.items], "]"
        if isinstance(node, Table):
            return "{", [(f"{literal(name)}: ", value) for name, value in node.entries], "}"
        if isinstance(node, Struct):
            head = f"{names.python_alias(node.module)}.{node.name}("
            return head, [(f"{names.snake_case(name)}=", value) for name, value in node.entries], ")"
        if isinstance(node, Call):
            return f"{self.chain(node)}{self.member(node.name)}(", [("", part) for part in node.arguments], ")"
        if isinstance(node, Text) and not all(isinstance(part, str) or _is_simple(part) for part in node.parts):
            return self.opened(Call(Core("Fn"), "join", ("", Array(node.parts))))
        if isinstance(node, Made):
            first: list[tuple[str, Any]] = [("", Member(Core(""), "self")), ("", node.construct_id)]
            head = f"{names.python_alias(node.module)}.{node.name}("
            return head, [*first, *((f"{names.snake_case(name)}=", value) for name, value in node.entries)], ")"
        return None

    def reached(self, node: Member) -> str:
        if isinstance(node.of, Core) and not node.of.name:
            return node.name
        return super().reached(node)

    def statement(self, statement: Statement, level: int) -> str:
        pad = self.indent * level
        if isinstance(statement, Set):
            return self.assignment(self.reached(statement.target), statement.value, level)
        if isinstance(statement, Made) and (variable := self.names.get(statement.logical_id)):
            return self.assignment(variable, statement, level)
        return pad + self.expression(statement, level, len(pad), 0)

    def assignment(self, target: str, value: Any, level: int) -> str:
        """``target = value``"""
        head = f"{self.indent * level}{target} = "
        return head + self.expression(value, level, len(head), 0)


def _is_simple(node: Any) -> bool:
    return isinstance(node, Variable | Core) or (isinstance(node, Member) and _is_simple(node.of))


def literal(value: Any) -> str:
    """A plain value; text of several lines keeps them where it reads the same so."""
    if not isinstance(value, str):
        return repr(value)
    if value.count("\n") > 1 and not _ODD.search(value) and not re.search(r'\\|"""|"$|[ \t\r]\n|\t|\r', value):
        return f'"""{value}"""'
    quote = _quote(value)
    return f"{quote}{_escaped(value, quote)}{quote}"


def _quote(text: str) -> str:
    return "'" if text.count('"') > text.count("'") else '"'


def _escaped(text: str, quote: str) -> str:
    escaped = "".join(_ESCAPES.get(char, char) for char in text).replace(quote, f"\\{quote}")
    return _ODD.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped)
