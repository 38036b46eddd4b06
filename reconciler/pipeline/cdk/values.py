"""Values of a CloudFormation template as expressions of a CDK program.

A typed class takes values of its property's type and checks them. What a template may say and the class doesn't take (a
number as text is turned into one, a list that is a single value isn't) raises ``Untyped``: whoever asked writes such a
property as it stands in the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.pipeline.cdk.names import L1
from reconciler.pipeline.cdk.tree import Array, Call, Core, Member, Struct, Table, Text, Variable
from reconciler.pipeline.files import Place, is_list
from reconciler.schema.scalars import text

FN = Core("Fn")
TOKEN = Core("Token")
_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = "{{resolve:"
#: what the CDK writes into text in place of a value that it doesn't know yet
_PLACEHOLDERS = ("${Token[", "#{Token[")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")


class Untyped(Exception):
    """A value that the typed class doesn't take."""


class Values:
    """Translates the values of one template.

    ``classes``: the typed class of each resource, None for one that is written generically. ``parameters``: the
    template's, with their types.
    """

    def __init__(self, classes: Mapping[str, L1 | None], parameters: Mapping[str, str]) -> None:
        self._classes = classes
        self._parameters = parameters
        self._functions: Mapping[str, Callable[[Any, Place], tuple[Any, str]]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": lambda argument, place: (self._fn("split", argument, ("string", "string"), place), "list"),
            "Fn::Cidr": self._cidr,
            "Fn::Base64": lambda argument, place: (self._fn("base64", [argument], ("string",), place), "string"),
            "Fn::GetAZs": self._zones,
            "Fn::ImportValue": lambda argument, place: (
                self._fn("importValue", [argument], ("string",), place),
                "string",
            ),
            "Fn::ToJsonString": lambda argument, place: (
                Call(FN, "toJsonString", (self.raw(argument, place),)),
                "string",
            ),
            "Fn::Length": lambda argument, place: (Call(FN, "len", (self.raw(argument, place),)), "number"),
        }

    # values as they are

    def raw(self, value: Any, place: Place) -> Any:
        """A value with the names that it has in the template."""
        if is_call(value):
            return self._natural(value, place)[0]
        if isinstance(value, Mapping):
            return Table(tuple((str(key), self.raw(item, place.key(str(key)))) for key, item in value.items()))
        if is_list(value):
            return Array(tuple(self.raw(item, place.item(index)) for index, item in enumerate(value)))
        return _checked(value, place)

    def string(self, value: Any, place: Place) -> Any:
        """A value where the CDK takes text."""
        try:
            return self._scalar(value, "string", place)
        except Untyped:
            raise place.refuse("text is needed here") from None

    # values by type

    def typed(self, value: Any, kind: Any, owner: L1, place: Place) -> Any:
        """A value as the type ``kind`` of a class takes it. Raises Untyped."""
        if isinstance(kind, list):
            return self._composed(value, kind, owner, place)
        if kind == "any":
            if not isinstance(value, Mapping) and not is_list(value):
                raise Untyped  # an object is insisted on, also where AWS takes a document as text
            return self.raw(value, place)
        if kind in ("string", "number", "boolean"):
            return self._scalar(value, kind, place)
        if is_call(value) or _is_dynamic(value):
            return self._token(value, kind, place)
        if kind == "tag":
            return self._struct(value, "", "CfnTag", _TAG, owner, place)
        if kind == "date":
            raise Untyped
        return self._struct(value, owner.module, kind, owner.structs.get(kind), owner, place)

    def _composed(self, value: Any, kind: list[Any], owner: L1, place: Place) -> Any:
        if kind[0] == "union":
            return self._union(value, kind, owner, place)
        if is_call(value) or _is_dynamic(value):
            return self._token(value, "list" if kind == ["list", "string"] else kind[0], place)
        if kind[0] == "list" and is_list(value):
            items = enumerate(value)
            return Array(tuple(self.typed(item, kind[1], owner, place.item(index)) for index, item in items))
        if kind[0] == "map" and isinstance(value, Mapping):
            return Table(
                tuple((str(key), self.typed(item, kind[1], owner, place.key(str(key)))) for key, item in value.items())
            )
        raise Untyped

    def _union(self, value: Any, kind: list[Any], owner: L1, place: Place) -> Any:
        """As the first of its types that takes the value."""
        if is_call(value) or _is_dynamic(value):
            return self._token(value, "string" if "string" in kind else "union", place)
        for other in kind[1:]:
            try:
                return self.typed(value, other, owner, place)
            except Untyped:
                continue
        raise Untyped

    def _struct(self, value: Any, module: str, name: str, fields: Any, owner: L1, place: Place) -> Any:
        if fields is None or not isinstance(value, Mapping):
            raise Untyped
        if value.keys() - fields.keys() or {key for key, field in fields.items() if field[2]} - value.keys():
            raise Untyped
        return Struct(
            module,
            name,
            tuple(
                (fields[key][0], self.typed(item, fields[key][1], owner, place.key(key))) for key, item in value.items()
            ),
        )

    def _scalar(self, value: Any, kind: str, place: Place) -> Any:
        if is_call(value) or (_is_dynamic(value) and kind != "string"):
            return self._token(value, kind, place)
        if value is None or isinstance(value, Mapping) or is_list(value):
            raise Untyped
        if kind == "string":
            return _checked(str(text(value)), place)
        if kind == "number":
            return _number(value)
        if isinstance(value, bool) or value in ("true", "false"):
            return value if isinstance(value, bool) else value == "true"
        raise Untyped

    # functions

    def _token(self, value: Any, kind: str, place: Place) -> Any:
        """What only deployment knows, as an expression of the language's type for ``kind``."""
        node, natural = (value, "string") if isinstance(value, str) else self._natural(value, place)
        if natural == kind:
            return node
        method = {"string": "asString", "number": "asNumber", "list": "asList"}.get(kind, "asAny")
        return Call(TOKEN, method, (node,))

    def _natural(self, value: Mapping[str, Any], place: Place) -> tuple[Any, str]:
        """An expression for a function, and its type: string, list, number or any."""
        function, argument = next(iter(value.items()))
        translate = self._functions.get(function)
        if translate is None:
            raise place.refuse(f"{function} can't be written with the CDK: use format cloudformation for this plan")
        return translate(argument, place)

    def _fn(self, method: str, arguments: Any, kinds: tuple[str, ...], place: Place) -> Call:
        if not is_list(arguments) or len(arguments) != len(kinds):
            raise place.refuse(f"Fn.{method} takes {len(kinds)} values")
        return Call(
            FN, method, tuple(self._scalar(item, kind, place) for item, kind in zip(arguments, kinds, strict=True))
        )

    def _ref(self, name: Any, place: Place) -> tuple[Any, str]:
        if name in self._parameters:
            return _parameter(name, self._parameters[name])
        if name not in self._classes:
            raise place.refuse(f"it refers to {name!r}, which is no resource of the plan")
        return Member(Variable(name), "ref"), "string"

    def _get_att(self, argument: Any, place: Place) -> tuple[Any, str]:
        name, attribute = argument
        if name not in self._classes or not isinstance(attribute, str):
            raise place.refuse(f"it refers to {name!r}, which is no resource of the plan")
        owner = self._classes[name]
        known = owner.attributes.get(attribute) if owner is not None else None
        if known is None:
            return Call(Variable(name), "getAtt", (attribute,)), "any"
        return Member(Variable(name), known[0]), known[1]

    def _sub(self, argument: Any, place: Place) -> tuple[Any, str]:
        pattern, given = argument if is_list(argument) else (argument, {})
        parts: list[Any] = []
        end = 0
        for match in _SUBSTITUTION.finditer(pattern):
            parts += [pattern[end : match.start()], self._substitution(match, given, place)]
            end = match.end()
        return _text([*parts, pattern[end:]]), "string"

    def _substitution(self, match: re.Match[str], given: Mapping[str, Any], place: Place) -> Any:
        literal, name = match.groups()
        if literal:
            return f"${{{name}}}"
        if name in given:
            return self._scalar(given[name], "string", place)
        call = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
        return self._scalar(call, "string", place)

    def _join(self, argument: Any, place: Place) -> tuple[Any, str]:
        delimiter, items = argument
        if not is_list(items):
            return Call(FN, "join", (self._scalar(delimiter, "string", place), self._list(items, place))), "string"
        parts = [self._scalar(item, "string", place) for item in items]
        if delimiter == "":
            return _text(parts), "string"
        return Call(FN, "join", (self._scalar(delimiter, "string", place), Array(tuple(parts)))), "string"

    def _list(self, value: Any, place: Place) -> Any:
        if is_list(value):
            return Array(tuple(self._scalar(item, "string", place) for item in value))
        return self._token(value, "list", place)

    def _select(self, argument: Any, place: Place) -> tuple[Any, str]:
        index, items = argument
        return Call(FN, "select", (self._scalar(index, "number", place), self._list(items, place))), "string"

    def _cidr(self, argument: Any, place: Place) -> tuple[Any, str]:
        return self._fn("cidr", argument, ("string", "number", "string"), place), "list"

    def _zones(self, argument: Any, place: Place) -> tuple[Any, str]:
        return Call(FN, "getAzs", () if argument == "" else (self._scalar(argument, "string", place),)), "list"


_TAG: Mapping[str, tuple[str, Any, bool]] = {"Key": ("key", "string", True), "Value": ("value", "string", True)}


def is_call(value: Any) -> bool:
    """Whether a template's value is an intrinsic function."""
    return isinstance(value, Mapping) and len(value) == 1 and _is_function(next(iter(value)))


def _is_function(key: Any) -> bool:
    return key == "Ref" or (isinstance(key, str) and key.startswith("Fn::"))


def _is_dynamic(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_DYNAMIC)


def _checked(value: Any, place: Place) -> Any:
    if isinstance(value, str) and any(placeholder in value for placeholder in _PLACEHOLDERS):
        raise place.refuse("the text reads as one of the CDK's own placeholders: use another format for this plan")
    return value


def _number(value: Any) -> Any:
    """A number, also from text that a number would be written as."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value) and value != "-0":
        return int(value)
    raise Untyped


def _parameter(name: str, kind: str) -> tuple[Any, str]:
    if kind == "Number":
        return Member(Variable(name), "valueAsNumber"), "number"
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return Member(Variable(name), "valueAsList"), "list"
    return Member(Variable(name), "valueAsString"), "string"


def _text(parts: list[Any]) -> Any:
    """Neighbouring pieces of text as one; a single expression by itself."""
    merged: list[Any] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Text) else (part,):
            if isinstance(piece, str) and merged and isinstance(merged[-1], str):
                merged[-1] += piece
            elif piece != "":
                merged.append(piece)
    if len(merged) == 1:
        return merged[0]
    return Text(tuple(merged)) if merged else ""
