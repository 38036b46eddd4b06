"""Variables of a Terraform module: types, defaults, and what the template demands of their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reconciler.model.plan import Constraints
from reconciler.pipeline.hcl import Block, Raw, inline
from reconciler.pipeline.variables import ABSENT, Variable

_LISTS = re.compile(r"List<.*>|CommaDelimitedList")
#: What Terraform's regular expressions don't have: looking around, references back, possessive and atomic groups.
_BEYOND_RE2 = re.compile(r"\(\?(=|!|<[=!]|>)|\\[1-9]|[+*?}]\+")


def variable_block(variable: Variable, label: str, *, unused: bool = False) -> Block:
    """The variable under ``label``. ``unused``: nothing refers to it, its value is part of the files already."""
    kind = _type(variable)
    attributes: dict[str, Any] = {}
    description = _description(variable, unused=unused)
    if description:
        attributes["description"] = description
    attributes["type"] = Raw(kind)
    if variable.default is not ABSENT:
        attributes["default"] = _default(variable.default, kind)
    if variable.sensitive:
        attributes["sensitive"] = True
    return Block("variable", (label,), attributes, () if unused else tuple(_validations(variable, label, kind)))


def terraform_type(parameter_type: str) -> str:
    """The Terraform type of a CloudFormation parameter type."""
    kind = re.sub(r"^AWS::SSM::Parameter::Value<(.*)>$", r"\1", parameter_type)
    if kind.startswith("List<Number>"):
        return "list(number)"
    if _LISTS.fullmatch(kind):
        return "list(string)"
    return "number" if kind == "Number" else "string"


def _type(variable: Variable) -> str:
    """As ``terraform_type``; a number that is kept as text, because it would be printed differently, stays text."""
    kind = terraform_type(variable.type)
    return "string" if kind == "number" and isinstance(variable.default, str) and _odd(variable.default) else kind


def _odd(text: str) -> bool:
    return not re.fullmatch(r"-?(0|[1-9][0-9]*)", text)


def _description(variable: Variable, *, unused: bool) -> str:
    notes = []
    if unused:
        notes.append("the value is part of the configuration already, so change it in the plan")
    pattern = variable.constraints.allowed_pattern
    if pattern and not _is_re2(pattern):
        notes.append(f"must match {pattern}, which Terraform can't check")
    description = variable.description.strip()
    return f"{description} ({'; '.join(notes)})".lstrip() if notes else description


def _default(value: Any, kind: str) -> Any:
    if kind.startswith("list(") and isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, list | tuple):
        return [_default(item, kind.removeprefix("list(").removesuffix(")")) for item in value]
    if kind == "number" and isinstance(value, str):
        return float(value) if "." in value or "e" in value.lower() else int(value)
    return str(value) if kind == "string" else value


# what the value has to be


def _validations(variable: Variable, label: str, kind: str) -> Iterator[Block]:
    for condition, demand in _demands(variable.constraints, kind, variable.default):
        checked = condition.format(value="item" if kind.startswith("list(") else f"var.{label}")
        if kind.startswith("list("):
            checked = f"alltrue([for item in var.{label} : {checked}])"
        message = _sentence(variable.constraints.explanation or f"{label} {demand}")
        yield Block("validation", (), {"condition": Raw(checked), "error_message": message})


def _by_item(constraints: Constraints, default: Any) -> bool:
    """Whether the allowed values are those of items. A list may be allowed as a whole, written with commas."""
    return not isinstance(default, list | tuple) or {str(item) for item in default} <= set(constraints.allowed_values)


def _demands(constraints: Constraints, kind: str, default: Any) -> Iterator[tuple[str, str]]:
    """(condition on ``{value}``, the same in words); braces of the condition's own are doubled."""
    number = "number" in kind
    if constraints.allowed_values and _by_item(constraints, default):
        values = [_number(text) if number else text for text in constraints.allowed_values]
        yield f"contains({_literal(values)}, {{value}})", f"must be one of {', '.join(constraints.allowed_values)}"
    pattern = constraints.allowed_pattern
    if pattern and _is_re2(pattern):
        yield f"can(regex({_literal(f'^(?:{pattern})$')}, {{value}}))", f"must match {pattern}"
    for text, measured, sign, words in (
        (constraints.least_length, "length({value})", ">=", "must have at least {} characters"),
        (constraints.most_length, "length({value})", "<=", "must have at most {} characters"),
        (constraints.least_value, "{value}", ">=", "must be at least {}"),
        (constraints.most_value, "{value}", "<=", "must be at most {}"),
    ):
        if text and number == (measured == "{value}"):
            yield f"{measured} {sign} {_number(text)}", words.format(text)


def _number(text: str) -> Any:
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _literal(value: Any) -> str:
    return inline(value).replace("{", "{{").replace("}", "}}")


def _is_re2(pattern: str) -> bool:
    """Whether Terraform can evaluate a pattern. Counts above a thousand are too much for it as well."""
    if _BEYOND_RE2.search(pattern) or any(int(count) > 1000 for count in re.findall(r"[{,](\d+)(?=[,}])", pattern)):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _sentence(text: str) -> str:
    """Terraform wants whole sentences."""
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
