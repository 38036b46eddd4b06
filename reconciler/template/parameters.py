"""The ``Parameters`` section: declarations, and the values in force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.model.plan import Constraints, Parameter
from reconciler.model.values import Deferred, Sensitive
from reconciler.schema.scalars import text
from reconciler.template.dynamic import STORED
from reconciler.template.problems import INVALID, Problems, did_you_mean, kind_of

_KEYS = frozenset(
    {
        "AllowedPattern",
        "AllowedValues",
        "ConstraintDescription",
        "Default",
        "Description",
        "MaxLength",
        "MaxValue",
        "MinLength",
        "MinValue",
        "NoEcho",
        "Type",
    }
)
#: AWS's own types: what a value of each looks like. AWS checks at deployment that it exists; the calls here do.
_AWS_TYPES: Mapping[str, str] = {
    "AWS::EC2::AvailabilityZone::Name": r"[a-z]{2}(-[a-z]+)+-\d[a-z](-.+)?|[a-z]{2}(-[a-z]+)+-\d-[a-z0-9-]+",
    "AWS::EC2::Image::Id": r"ami-[0-9a-f]+",
    "AWS::EC2::Instance::Id": r"i-[0-9a-f]+",
    "AWS::EC2::KeyPair::KeyName": r".{1,255}",
    "AWS::EC2::SecurityGroup::GroupName": r".{1,255}",
    "AWS::EC2::SecurityGroup::Id": r"sg-[0-9a-f]+",
    "AWS::EC2::Subnet::Id": r"subnet-[0-9a-f]+",
    "AWS::EC2::VPC::Id": r"vpc-[0-9a-f]+",
    "AWS::EC2::Volume::Id": r"vol-[0-9a-f]+",
    "AWS::Route53::HostedZone::Id": r"(/hostedzone/)?[A-Z0-9]{1,32}",
    "AWS::SSM::Parameter::Name": r"[A-Za-z0-9_./:-]{1,2048}",
}
_LIST = re.compile(r"List<(.+)>")
#: ``AWS::SSM::Parameter::Value<type>``: the value given is the name of a parameter that holds one
_STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_PLAIN = ("String", "Number", "List<Number>", "CommaDelimitedList")
_TYPES = (*_PLAIN, *_AWS_TYPES, *(f"List<{name}>" for name in ("String", *_AWS_TYPES)))
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


class _Rejected(Exception):
    """A value that breaks its declaration."""


def load_parameters(section: Any, given: Mapping[str, Any], problems: Problems) -> tuple[Parameter, ...]:
    """Every declared parameter with its value: the given one, else the default.

    A document without a Parameters section (resources written into the plan itself) declares what it is given.
    """
    if section is None:
        return tuple(Parameter(name, _kind(value), _undeclared(value)) for name, value in given.items())
    if not isinstance(section, Mapping):
        problems.add(("Parameters",), f"Parameters must be a mapping, not {kind_of(section)}")
        return ()
    for name in given.keys() - section.keys():
        problems.add(
            ("Parameters",),
            f"the plan gives parameter {name!r}, which the template doesn't declare",
            did_you_mean(name, section),
            "reference",
        )
    return tuple(_load(name, declaration, given, problems) for name, declaration in section.items())


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "CommaDelimitedList"
    return "Number" if isinstance(value, int | float) and not isinstance(value, bool) else "String"


def _undeclared(value: Any) -> Any:
    if isinstance(value, list):
        return [text(item) for item in value]
    return text(value) if isinstance(value, bool) else value


def _load(name: str, declaration: Any, given: Mapping[str, Any], problems: Problems) -> Parameter:
    place = ("Parameters", name)
    if not isinstance(declaration, Mapping):
        problems.add(place, f"the declaration of parameter {name} must be a mapping, not {kind_of(declaration)}")
        return Parameter(name, "String", INVALID)
    for key in declaration.keys() - _KEYS:
        problems.add((*place, key), f"{key} is not part of a parameter", did_you_mean(str(key), _KEYS))
    kind = _checked_type(declaration.get("Type"), (*place, "Type"), problems)
    if kind is None:
        return Parameter(name, "String", INVALID)
    no_echo = text(declaration.get("NoEcho", False)) == "true"
    if name not in given and "Default" not in declaration:
        problems.add(place, f"parameter {name} has no default and the plan gives no value for it", reason="reference")
        return Parameter(name, kind, INVALID, no_echo)
    try:
        value = _value(kind, given.get(name, declaration.get("Default")))
        _check(kind, value, declaration)
    except _Rejected as error:
        shown = "" if no_echo else f" {given.get(name, declaration.get('Default'))!r}"
        hint = str(declaration.get("ConstraintDescription", ""))
        problems.add(place, f"parameter {name}: the value{shown} {error}", hint)
        return Parameter(name, kind, INVALID, no_echo)
    description = str(declaration.get("Description", ""))
    value = Sensitive(value) if no_echo else value
    return Parameter(name, kind, value, no_echo, description, _constraints(declaration))


def _constraints(declaration: Mapping[str, Any]) -> Constraints:
    def said(key: str) -> str:
        return str(text(declaration[key])) if declaration.get(key) is not None else ""

    allowed = declaration.get("AllowedValues")
    return Constraints(
        tuple(str(text(item)) for item in allowed) if isinstance(allowed, list) else (),
        said("AllowedPattern"),
        said("MinLength"),
        said("MaxLength"),
        said("MinValue"),
        said("MaxValue"),
        said("ConstraintDescription"),
    )


def _checked_type(kind: Any, place: tuple[str, ...], problems: Problems) -> str | None:
    if not isinstance(kind, str):
        problems.add(place, "a parameter needs a Type", "for example String")
        return None
    stored = _STORED.fullmatch(kind)
    if (stored[1] if stored else kind) in _TYPES:
        return kind
    problems.add(place, f"{kind!r} is not a parameter type", did_you_mean(kind, _TYPES))
    return None


def in_scope(parameter: Parameter) -> Any:
    """What a reference to a parameter stands for: its value, or what the Parameter Store holds under that name."""
    stored = _STORED.fullmatch(parameter.type)
    if stored is None or parameter.value is INVALID:
        return parameter.value
    name = parameter.value.reveal() if isinstance(parameter.value, Sensitive) else parameter.value
    value = Deferred(STORED, name)
    return Deferred("Fn::Split", [",", value]) if _is_list(stored[1]) else value


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or _LIST.fullmatch(kind) is not None


def _check_form(kind: str, value: str) -> None:
    """Raise unless a value of one of AWS's own types looks like one."""
    listed = _LIST.fullmatch(kind)
    stored = _STORED.fullmatch(kind)
    name = "AWS::SSM::Parameter::Name" if stored else listed[1] if listed else kind
    pattern = _AWS_TYPES.get(name)
    if pattern is not None and not re.fullmatch(pattern, value):
        raise _Rejected(f"is no {name}")


def _value(kind: str, given: Any) -> Any:
    if _is_list(kind):
        if isinstance(given, list):
            return [_scalar(item) for item in given]
        return [item.strip() for item in _scalar(given).split(",")] if given != "" else []
    value = _scalar(given)
    if kind == "Number":
        return _number(value)
    return value


def _scalar(value: Any) -> str:
    if not isinstance(value, str | bool | int | float):
        raise _Rejected(f"must be a string or number, not {kind_of(value)}")
    return str(text(value))


def _number(value: str) -> Any:
    """A number; kept as text where a number would be printed differently."""
    if not _NUMBER.fullmatch(value.strip()):
        raise _Rejected("must be a number")
    return int(value) if value.lstrip("-").isdigit() and str(int(value)) == value else value.strip()


def _check(kind: str, value: Any, declaration: Mapping[str, Any]) -> None:
    items = value if isinstance(value, list) else [value]
    if not (isinstance(value, list) and _is_allowed(",".join(value), declaration)):
        for item in items:
            _check_allowed(str(item), declaration)
    for item in items:
        if kind == "List<Number>" and not _NUMBER.fullmatch(str(item)):
            raise _Rejected("must be a list of numbers")
        _check_form(kind, str(item))
        _check_pattern(str(item), declaration)
        if kind == "Number":
            _check_range(float(item), declaration)
        elif kind == "String":
            _check_length(str(item), declaration)


def _is_allowed(value: str, declaration: Mapping[str, Any]) -> bool:
    allowed = declaration.get("AllowedValues")
    return isinstance(allowed, list) and value in [text(item) for item in allowed]


def _check_allowed(value: str, declaration: Mapping[str, Any]) -> None:
    """Each item must be allowed; a list may also be allowed as a whole, written with commas."""
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list) and not _is_allowed(value, declaration):
        raise _Rejected(f"must be one of {', '.join(str(text(item)) for item in allowed)}")


def _check_pattern(value: str, declaration: Mapping[str, Any]) -> None:
    pattern = declaration.get("AllowedPattern")
    if not isinstance(pattern, str):
        return
    try:
        matches = re.fullmatch(pattern, value)
    except re.error as error:
        raise _Rejected(f"can't be checked: AllowedPattern is not a regular expression ({error})") from error
    if not matches:
        raise _Rejected(f"doesn't match {pattern}")


def _bound(declaration: Mapping[str, Any], key: str) -> float | None:
    value = declaration.get(key)
    if value is None:
        return None
    if not _NUMBER.fullmatch(str(value)):
        raise _Rejected(f"can't be checked: {key} is not a number")
    return float(value)


def _check_range(value: float, declaration: Mapping[str, Any]) -> None:
    least, most = _bound(declaration, "MinValue"), _bound(declaration, "MaxValue")
    if least is not None and value < least:
        raise _Rejected(f"must be at least {declaration['MinValue']}")
    if most is not None and value > most:
        raise _Rejected(f"must be at most {declaration['MaxValue']}")


def _check_length(value: str, declaration: Mapping[str, Any]) -> None:
    least, most = _bound(declaration, "MinLength"), _bound(declaration, "MaxLength")
    if least is not None and len(value) < least:
        raise _Rejected(f"must have at least {declaration['MinLength']} characters")
    if most is not None and len(value) > most:
        raise _Rejected(f"must have at most {declaration['MaxLength']} characters")
