"""HCL, written the way ``terraform fmt`` writes it.

Values are plain JSON values plus three kinds of expression: ``Raw`` (HCL as it stands), ``Template`` (a string with
interpolations) and ``Call`` (a function call). No strings are ever pasted together outside this module.

python-hcl2 8.1 can write HCL too, but not as ``fmt`` wants it (labels unquoted, values of several lines aligned, spaces
on empty lines), and keys and strings have to be quoted before it gets them: it parses, in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

INDENT = "  "
_INLINE_WIDTH = 80
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Words that mean something else at the start of an object or an item.
_KEYWORDS = frozenset({"for", "if", "in", "null", "true", "false"})
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HEREDOC = "<<-EOT"
_FEWEST_LINES = 2
#: Runs that need an escape, a sign in front of an interpolation, lines of blanks only, ends of the text.
_UNFIT = re.compile(r"[$%]{2,}\{|[$%](?=\0)|(?m:^[ \t]+$)|(?m:^[ \t]*EOT\b)")
_INTRODUCER = re.compile(r"(\$+|%+)(?=\{)")


@dataclass(frozen=True, slots=True)
class Raw:
    """HCL as it stands: a reference or an operator expression on one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A string made of literal text and interpolated expressions, in order."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the last argument may span lines (``jsonencode({...})``)."""

    function: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its labels, attributes and nested blocks, in the order in which they are printed."""

    kind: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()


def quoted(text: str) -> str:
    """``text`` as an HCL string literal. Raises ValueError for text that no file can hold (lone surrogates)."""
    return f'"{_escaped(text, before_interpolation=False)}"'


def expression(value: Any, indent: int = 0) -> str:
    """A value as HCL, continuation lines indented by ``indent`` levels. Raises ValueError if it can't be written."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Template):
        return _template(value)
    if isinstance(value, Call):
        return f"{value.function}({', '.join(expression(argument, indent) for argument in value.arguments)})"
    if isinstance(value, Mapping):
        return _object(value, indent)
    if isinstance(value, list | tuple):
        return _list(value, indent)
    return _scalar(value)


def inline(value: Any) -> str:
    """A value as HCL on one line, for use inside another expression."""
    if isinstance(value, Call):
        return f"{value.function}({', '.join(inline(argument) for argument in value.arguments)})"
    if isinstance(value, Mapping):
        members = ", ".join(f"{_key(str(key))} = {inline(item)}" for key, item in value.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(item) for item in value)}]"
    return expression(value)


def document(header: str, blocks: Sequence[Block]) -> str:
    """A whole file: comment lines, then blocks separated by blank lines."""
    comment = "".join(f"# {line}\n" for line in header.splitlines())
    return "\n".join([comment, *(_block(block, 0) for block in blocks)])


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and isfinite(value):
        return repr(value)
    raise ValueError(f"a {type(value).__name__} can't be written as HCL")


def _escaped(text: str, *, before_interpolation: bool) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("the text holds half a character (a lone surrogate)")
    escaped = "".join(_escaped_char(char) for char in text)
    escaped = _INTRODUCER.sub(_doubled, escaped)
    if before_interpolation and escaped.endswith("$"):
        escaped = f"{escaped[:-1]}\\u0024"  # "$" in front of "${" would read as an escape
    return escaped


def _doubled(match: re.Match[str]) -> str:
    """``${`` is escaped as ``$${``; a run such as ``$$${`` would be read differently, so its head is spelled out."""
    run = match[1]
    return f"\\u{ord(run[0]):04x}" * (len(run) - 1) + run[0] * 2


def _escaped_char(char: str) -> str:
    short = _SHORT_ESCAPES.get(char)
    if short is not None:
        return short
    if char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029\ufeff":
        return f"\\u{ord(char):04x}"
    return char


def _template(template: Template) -> str:
    pieces: list[str] = []
    for index, part in enumerate(template.parts):
        if isinstance(part, str):
            pieces.append(_escaped(part, before_interpolation=index + 1 < len(template.parts)))
        else:
            pieces.append(_interpolated(part))
    return f'"{"".join(pieces)}"'


def _interpolated(part: Any) -> str:
    return "${" + inline(part) + "}"


def _key(name: str) -> str:
    if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS:
        return name
    # fmt aligns by what the eye sees of a key; spelled out, that is one column a character everywhere
    return "".join(char if char < "\x7f" else _code_point(char) for char in quoted(name))


def _code_point(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _object(value: Mapping[str, Any], indent: int) -> str:
    if not value:
        return "{}"
    lines = _assignments({_key(str(key)): item for key, item in value.items()}, indent + 1)
    return "\n".join(["{", *lines, f"{INDENT * indent}}}"])


def _list(value: Sequence[Any], indent: int) -> str:
    if not value:
        return "[]"
    inline = f"[{', '.join(expression(item) for item in value)}]"
    if "\n" not in inline and len(inline) <= _INLINE_WIDTH and not any(isinstance(item, list) for item in value):
        return inline
    pad = INDENT * (indent + 1)
    return "\n".join(["[", *(f"{pad}{expression(item, indent + 1)}," for item in value), f"{INDENT * indent}]"])


def _assignments(attributes: Mapping[str, Any], indent: int) -> list[str]:
    """``name = value`` lines; the equals signs of neighbours that fit on one line, or begin a text, are aligned."""
    pad = INDENT * indent
    texts = {name: _assigned(value, indent) for name, value in attributes.items()}
    lines: list[str] = []
    group: list[str] = []

    def flush() -> None:
        width = max((len(name) for name in group), default=0)
        lines.extend(f"{pad}{name.ljust(width)} = {texts[name]}" for name in group)
        group.clear()

    for name, text in texts.items():
        if "\n" not in text or text.startswith(_HEREDOC):
            group.append(name)
            continue
        flush()
        lines.append(f"{pad}{name} = {text}")
    flush()
    return lines


def _assigned(value: Any, indent: int) -> str:
    """The right side of an assignment: text of several lines as such if it can be, anything else as an expression."""
    if isinstance(value, Call) and len(value.arguments) == 1:
        text = _heredoc(value.arguments[0], indent)
        return expression(value, indent) if text is None else f"{value.function}({text}\n{INDENT * indent})"
    return _heredoc(value, indent) or expression(value, indent)


def _heredoc(value: Any, indent: int) -> str | None:
    """Text as lines between markers; None for text that would be another one then, or that isn't worth it."""
    parts = value.parts if isinstance(value, Template) else (value,)
    texts = [part for part in parts if isinstance(part, str)]
    whole = "\0".join(texts)
    if (
        not texts
        or whole.count("\0") >= len(texts)
        or whole.count("\n") < _FEWEST_LINES
        or not isinstance(parts[-1], str)
        or not whole.endswith("\n")
    ):
        return None
    if any(not char.isprintable() and char not in "\n\t\0" for char in whole) or _UNFIT.search(whole):
        return None
    pieces = (_INTRODUCER.sub(_doubled, part) if isinstance(part, str) else _interpolated(part) for part in parts)
    lines = "".join(pieces).removesuffix("\n").split("\n")
    if not any(line and line[0] not in " \t" for line in lines):  # what they have in common would be taken off
        return None
    pad = INDENT * (indent + 1)
    return "\n".join([_HEREDOC, *(f"{pad}{line}" if line else "" for line in lines), f"{INDENT * indent}EOT"])


def _block(block: Block, indent: int) -> str:
    pad = INDENT * indent
    head = " ".join([block.kind, *(quoted(label) for label in block.labels)])
    body = "\n".join(_assignments(block.attributes, indent + 1))
    parts = [f"{body}\n"] if body else []
    parts += [_block(child, indent + 1) for child in block.blocks]
    if not parts:
        return f"{pad}{head} {{}}\n"
    inner = "\n".join(parts)
    return f"{pad}{head} {{\n{inner}{pad}}}\n"
