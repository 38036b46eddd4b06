"""Rendered Terraform against what the providers take: every resource, attribute, block and reference.

It goes by what a real HCL parser (python-hcl2) makes of the files. A value that is an expression (a reference, a
function) has no shape to check; the attribute that a reference names has to exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import hcl2

from tests.providertable import Attribute, Structure, provider_table

_REFERENCE = re.compile(
    r"(?<![\w.\"-])((?:aws|awscc)_[a-z0-9_]+)\.([A-Za-z_][A-Za-z0-9_-]*)((?:\.[a-z_][a-z0-9_]*|\[[^\]]*\])*)"
)
#: Lists of objects that the provider lets people write as blocks, as everybody does.
_ATTRIBUTES_AS_BLOCKS = ("aws_security_group.", "aws_emr_cluster.")
_TERRAFORMS_OWN = frozenset({"depends_on", "lifecycle", "provider", "count", "for_each", "provisioner", "connection"})


def parsed(content: str) -> dict[str, Any]:
    """A file as the parser sees it. Raises what the parser raises."""
    return dict(hcl2.loads(content))


def resources(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(type, label, body) of every resource block."""
    for block in document.get("resource", ()):
        for kind, labelled in block.items():
            if not kind.startswith("__"):
                for label, body in labelled.items():
                    yield _plain(kind), _plain(label), body


def problems(files: Mapping[str, str]) -> Iterator[str]:
    """What a provider wouldn't take of the rendered files (by name), with the address and the path."""
    documents = {name: parsed(content) for name, content in files.items()}
    declared = {(kind, label) for document in documents.values() for kind, label, _ in resources(document)}
    for document in documents.values():
        for kind, label, body in resources(document):
            structure = provider_table(kind.split("_")[0]).resource(kind)
            if structure is None:
                yield f"{kind}.{label}: there is no such resource"
            else:
                yield from _structure(body, structure, f"{kind}.{label}", top=True)
        # moved and removed blocks are about what isn't declared any more
        told = {kind: blocks for kind, blocks in document.items() if kind not in ("moved", "removed")}
        for text in _expressions(told):
            yield from _references(text, declared)


def _structure(body: Mapping[str, Any], structure: Structure, where: str, *, top: bool = False) -> Iterator[str]:
    given = {_plain(name): value for name, value in body.items() if not name.startswith("__")}
    if top:
        given = {name: value for name, value in given.items() if name not in _TERRAFORMS_OWN}
    for name in sorted(structure.required() - given.keys()):
        yield f"{where}: {name} is required"
    for name, value in given.items():
        attribute = structure.get(name)
        if attribute is None:
            yield f"{where}: there is no {name}"
        elif not attribute.settable:
            yield f"{where}: {name} is read-only"
        else:
            yield from _value(value, attribute, f"{where}.{name}")


def _value(value: Any, attribute: Attribute, where: str) -> Iterator[str]:
    is_block = isinstance(value, list) and bool(value) and all(_is_block(item) for item in value)
    if not is_block:
        if attribute.block and not _is_expression(value):
            yield f"{where}: a block, written as an attribute"
        else:
            yield from _shaped(value, attribute, attribute.many, where)
    elif not attribute.block and not where.startswith(_ATTRIBUTES_AS_BLOCKS):
        yield f"{where}: an attribute, written as a block"
    else:
        if len(value) > 1 and not attribute.many:
            yield f"{where}: only one block may be given"
        for item in value:
            assert attribute.fields is not None, where
            yield from _structure(item, attribute.fields, where)


def _shaped(value: Any, attribute: Attribute, many: str, where: str) -> Iterator[str]:
    """``many``: what of the attribute's lists and maps is still to come."""
    if _is_expression(value) or value is None or (attribute.scalar == "a" and not many):
        return
    wanted = {"[]": list, "{}": dict}.get(many[:2], dict if attribute.fields is not None else None)
    if wanted is not None and not isinstance(value, wanted):
        yield f"{where}: a {wanted.__name__} is wanted"
    elif many:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _shaped(item, attribute, many[2:], where)
    elif attribute.fields is not None:
        yield from _structure(value, attribute.fields, where)
    elif isinstance(value, dict | list):
        yield f"{where}: a single value is wanted"
    elif not _fits(value, attribute.scalar):
        yield f"{where}: {value!r} is no {attribute.scalar}"


def _fits(value: Any, scalar: str) -> bool:
    """Whether Terraform takes the value, which it converts where that makes sense."""
    text = _plain(value) if isinstance(value, str) else str(value).lower()
    if scalar == "n":
        return re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", text) is not None
    return scalar != "b" or text in ("true", "false")


def _references(text: str, declared: set[tuple[str, str]]) -> Iterator[str]:
    for match in _REFERENCE.finditer(text):
        kind, label, rest = match.groups()
        if (kind, label) not in declared:
            yield f"{match[0]}: no such resource is declared"
            continue
        structure = provider_table(kind.split("_")[0]).resource(kind)
        for step in re.findall(r"\.([a-z_][a-z0-9_]*)", rest):
            attribute = structure.get(step) if structure else None
            if attribute is None:
                yield f"{match[0]}: {kind} has no {step}"
                break
            structure = attribute.fields
            if structure is None:
                break


def _expressions(value: Any) -> Iterator[str]:
    """The code in a parsed document: what stands in expressions and interpolations, without the literal text."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not name.startswith("__"):
                yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)
    elif isinstance(value, str):
        yield from _interpolated(value)


def _interpolated(text: str) -> Iterator[str]:
    """What stands between ``${`` and its ``}``; quoted text in it is looked through in the same way."""
    position = 0
    while (start := text.find("${", position)) >= 0:
        if start and text[start - 1] == "$":
            position = start + 2
            continue
        end, depth, quoted, code = start + 2, 1, False, ""
        while end < len(text) and depth:
            char = text[end]
            if quoted and char == "\\":
                end += 2
                continue
            if char == '"':
                quoted = not quoted
            elif quoted and text.startswith("${", end) and text[end - 1] != "$":
                inner = text[end:]
                yield from _interpolated(inner[: inner.find("}") + 1])
            elif not quoted:
                depth += (char == "{") - (char == "}")
                code += char
            end += 1
        yield code
        position = end


def _is_block(value: Any) -> bool:
    return isinstance(value, dict) and "__is_block__" in value


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("${")


def _plain(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text
