"""A stack in TypeScript, laid out as Prettier does it."""

from __future__ import annotations

import re
from typing import Any

from reconciler.pipeline.cdk import names
from reconciler.pipeline.cdk.printing import Printer
from reconciler.pipeline.cdk.stack import Stack
from reconciler.pipeline.cdk.tree import Array, Call, Made, Member, Set, Statement, Struct, Table, Text, Variable

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def stack_file(stack: Stack, class_name: str, header: str) -> str:
    """The module that exports the stack's class."""
    printer = _TypeScript(stack, names.typescript_variables(stack.referred, stack.modules))
    imports = ["import * as cdk from 'aws-cdk-lib';"]
    imports += [
        f"import * as {names.alias(module)} from '{names.typescript_module(module)}';"
        for module in sorted(stack.modules - {""})
    ]
    imports.append("import { Construct } from 'constructs';")
    options = [("templateFormatVersion", "2010-09-09"), ("description", stack.description)]
    settings = [printer.assignment(f"this.templateOptions.{name}", value, 2) for name, value in options if value != ""]
    settings.append(printer.assignment("this.templateOptions.metadata", stack.metadata, 2))
    return "\n".join(
        [
            f"// {header}",
            *imports,
            "",
            f"export class {class_name} extends cdk.Stack {{",
            "  constructor(scope: Construct, id: string, props?: cdk.StackProps) {",
            "    super(scope, id, props);",
            *settings,
            "",
            printer.blocks(2),
            "  }",
            "}",
            "",
        ]
    )


class _TypeScript(Printer):
    indent = "  "

    def member(self, name: str) -> str:
        return name

    def flat(self, node: Any) -> str | None:
        if isinstance(node, Text):
            return (
                "`" + "".join(_quasi(part) if isinstance(part, str) else self._hole(part) for part in node.parts) + "`"
            )
        if isinstance(node, Array):
            return self._flat_array(node)
        if isinstance(node, Table | Struct):
            values = self.all_flat([value for _, value in node.entries])
            if values is None:
                return None
            pairs = zip(node.entries, values, strict=True)
            members = ", ".join(f"{_key(name)}: {value}" for (name, _), value in pairs)
            return f"{{ {members} }}" if members else "{}"
        if isinstance(node, Call):
            arguments = self.all_flat(node.arguments)
            return None if arguments is None else f"{self.chain(node)}{node.name}({', '.join(arguments)})"
        if isinstance(node, Variable):
            return self.names[node.logical_id]
        if isinstance(node, Member):
            return self.reached(node)
        return literal(node)

    def _hole(self, part: Any) -> str:
        return "${" + str(self.flat(part)) + "}"

    def _flat_array(self, node: Array) -> str | None:
        """Prettier breaks lists of several objects, and so does this."""
        if len(node.items) > 1 and all(
            isinstance(item, Table | Struct) and len(item.entries) > 1 for item in node.items
        ):
            return None
        items = self.all_flat(node.items)
        return None if items is None else f"[{', '.join(items)}]"

    def opened(self, node: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
        if isinstance(node, Array):
            return "[", [("", item) for item in node.items], "]"
        if isinstance(node, Table | Struct):
            return "{", [(f"{_key(name)}: ", value) for name, value in node.entries], "}"
        if isinstance(node, Call):
            head = f"{self.chain(node)}{node.name}("
            *first, last = node.arguments or (None,)
            before = self.all_flat(first)
            inner = self.opened(last) if isinstance(last, Array | Table | Struct) else None
            if inner is None or before is None:
                return head, [("", argument) for argument in node.arguments], ")"
            return head + "".join(f"{text}, " for text in before) + inner[0], inner[1], f"{inner[2]})"
        return None

    def statement(self, statement: Statement, level: int) -> str:
        pad = self.indent * level
        if isinstance(statement, Set):
            return self.assignment(self.reached(statement.target), statement.value, level)
        if isinstance(statement, Call):
            return f"{pad}{self.expression(statement, level, len(pad), 1)};"
        return f"{pad}{self._made(statement, level, len(pad))};"

    def assignment(self, target: str, value: Any, level: int) -> str:
        """``target = value;``"""
        head = f"{self.indent * level}{target} = "
        return f"{head}{self.expression(value, level, len(head), 1)};"

    def _made(self, made: Made, level: int, before: int) -> str:
        variable = self.names.get(made.logical_id)
        head = f"const {variable} = " if variable else ""
        head += f"new {names.alias(made.module)}.{made.name}(this, {literal(made.construct_id)}"
        if not made.entries:
            return f"{head})"
        props = Struct(made.module, "", made.entries)
        return f"{head}, {self.expression(props, level, before + len(head) + 2, 2)})"


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else literal(name)


def literal(value: Any) -> str:
    """A plain value; text of several lines keeps them."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if value.count("\n") > 1 and not _ODD.search(value):
        return f"`{_quasi(value, lines=True)}`"
    quote = '"' if value.count("'") > value.count('"') else "'"
    escaped = "".join(_ESCAPES.get(char, char) for char in value).replace(quote, f"\\{quote}")
    return f"{quote}{_ODD.sub(_code, escaped)}{quote}"


def _quasi(text: str, *, lines: bool = False) -> str:
    """Literal text inside of a template literal."""
    escaped = "".join(char if lines and char in "\n\t" else _ESCAPES.get(char, char) for char in text)
    escaped = re.sub(r"`|\$(?=\{)", lambda match: f"\\{match[0]}", escaped)
    if escaped.endswith("$"):  # in front of an expression it would read as a part of it
        escaped = f"{escaped[:-1]}\\$"
    return _ODD.sub(_code, escaped)


def _code(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
