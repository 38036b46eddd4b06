"""The intrinsic functions on values that are all known. Each takes its argument and raises FunctionError."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.schema.scalars import text
from reconciler.template.cidr import cidr, whole
from reconciler.template.problems import FunctionError, kind_of


def as_text(value: Any, function: str) -> str:
    """A scalar as CloudFormation writes it into a string. Raises FunctionError for lists and mappings."""
    if isinstance(value, str | bool | int | float):
        return str(text(value))
    raise FunctionError(f"{function}: a string is needed, but {kind_of(value)} was given")


def items_of(argument: Any, function: str, least: int, most: int) -> list[Any]:
    """The arguments of a function that takes a list of them."""
    if not isinstance(argument, list) or not least <= len(argument) <= most:
        amount = str(least) if least == most else f"{least} to {most}"
        raise FunctionError(f"{function} takes a list of {amount} values")
    return argument


def join(argument: Any) -> str:
    """``[delimiter, [value, …]]``."""
    delimiter, values = items_of(argument, "Fn::Join", 2, 2)
    if not isinstance(values, list):
        raise FunctionError(f"Fn::Join: the second argument must be a list, but {kind_of(values)} was given")
    return as_text(delimiter, "Fn::Join").join(as_text(value, "Fn::Join") for value in values)


def split(argument: Any) -> list[str]:
    """``[delimiter, string]``."""
    delimiter, value = items_of(argument, "Fn::Split", 2, 2)
    if not isinstance(delimiter, str) or not delimiter:
        raise FunctionError("Fn::Split: the delimiter must be a string that isn't empty")
    return as_text(value, "Fn::Split").split(delimiter)


def select(argument: Any) -> Any:
    """``[index, list]``."""
    index, values = items_of(argument, "Fn::Select", 2, 2)
    if not isinstance(values, list):
        raise FunctionError(f"Fn::Select: the second argument must be a list, but {kind_of(values)} was given")
    position = whole(index, "Fn::Select: the index")
    if not 0 <= position < len(values):
        raise FunctionError(f"Fn::Select: index {position} is out of range, the list has {len(values)} items")
    return values[position]


def to_base64(argument: Any) -> str:
    """A string, encoded as UTF-8."""
    return base64.b64encode(as_text(argument, "Fn::Base64").encode()).decode("ascii")


def to_json(argument: Any) -> str:
    """A list or mapping as compact JSON."""
    if not isinstance(argument, list | Mapping):
        raise FunctionError(f"Fn::ToJsonString: a list or mapping is needed, but {kind_of(argument)} was given")
    return json.dumps(argument, separators=(",", ":"), ensure_ascii=False)


def length(argument: Any) -> int:
    """The number of items in a list."""
    if not isinstance(argument, list):
        raise FunctionError(f"Fn::Length: a list is needed, but {kind_of(argument)} was given")
    return len(argument)


def subnets(argument: Any) -> list[str]:
    """``[block, count, bits]``."""
    if isinstance(argument, list) and len(argument) == 2:
        raise FunctionError("Fn::Cidr: say how many host bits each network has, as third argument (8 makes a /24)")
    return cidr(*items_of(argument, "Fn::Cidr", 3, 3))


#: Functions of nothing but their argument's value.
PURE: Mapping[str, Callable[[Any], Any]] = {
    "Fn::Base64": to_base64,
    "Fn::Cidr": subnets,
    "Fn::Join": join,
    "Fn::Length": length,
    "Fn::Select": select,
    "Fn::Split": split,
    "Fn::ToJsonString": to_json,
}
