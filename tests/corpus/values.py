"""Made-up values for template parameters that have no default: what their declaration allows, the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
_HEX = "0123456789abcdef0"
#: what a parameter of an AWS type names, by the type's last words
_OF_TYPE: Mapping[str, str] = {
    "AvailabilityZone::Name": ZONES[0],
    "Image::Id": f"ami-{_HEX}",
    "Instance::Id": f"i-{_HEX}",
    "KeyPair::KeyName": "a-key",
    "SecurityGroup::GroupName": "a-group",
    "SecurityGroup::Id": f"sg-{_HEX}",
    "Subnet::Id": f"subnet-{_HEX}",
    "Volume::Id": f"vol-{_HEX}",
    "VPC::Id": f"vpc-{_HEX}",
    "HostedZone::Id": "Z0123456789ABCDEFGHIJ",
}
#: what free text may have to look like, for those with a pattern; the first that fits is taken
_TEXTS = (
    "example",
    "Example1",
    "Passw0rd1234",
    "12",
    "10.0.0.0/16",
    "10.0.0.1",
    "example.com",
    "ops@example.com",
    "1.2.3",
    "https://example.com/",
    "arn:aws:iam::123456789012:role/example",
    "123456789012",
    "us-east-1",
    "s3://example/key",
    "/example",
    "example/",
    "0 1 * * ? *",
    "cron(0 1 * * ? *)",
    "mon:01:00-mon:02:00",
    "01:00-02:00",
    "t3.micro",
    "true",
    *(f"{kind}-{_HEX}" for kind in ("vpc", "subnet", "sg", "rtb", "pcx", "vol", "i")),
    "d-0123456789",
    "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
)


def values_for(declarations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A value for each parameter; none where its declaration makes no sense, which validation says then."""
    found: dict[str, Any] = {}
    for name, declaration in declarations.items():
        with suppress(ValueError, TypeError, re.error):
            found[str(name)] = _value_for(str(name), declaration)
    return found


def _value_for(name: str, declaration: Mapping[str, Any]) -> Any:
    """A value that the declaration of parameter ``name`` allows, as far as that can be told from it."""
    kind = str(declaration.get("Type", "String"))
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list) and allowed:
        return str(allowed[0]).lower() if isinstance(allowed[0], bool) else allowed[0]
    inner = re.sub(r"^List<(.*)>$", r"\1", kind)
    value = _number(declaration) if inner == "Number" else _text(name, inner, declaration)
    if kind == "List<AWS::EC2::AvailabilityZone::Name>":
        return list(ZONES)
    if inner != kind or kind == "CommaDelimitedList":
        # several, and different ones where they identify something
        return [f"{value[:-1]}{index}" for index in range(3)] if inner.endswith("::Id") else [value] * 3
    return value


def _number(declaration: Mapping[str, Any]) -> float:
    least = float(declaration.get("MinValue", 1))
    found = least if "MaxValue" in declaration else max(least, 1)
    return int(found) if found.is_integer() else found


def _text(name: str, kind: str, declaration: Mapping[str, Any]) -> str:
    for ending, value in _OF_TYPE.items():
        if kind.endswith(ending):
            return value
    return next((text for text in _candidates(name) if _fits(text, declaration)), "example")


def _candidates(name: str) -> Iterator[str]:
    """What the name suggests first: templates use strings for nearly everything."""
    words = name.lower()
    hints = {
        "cidr": "10.0.0.0/16",
        "arn": "arn:aws:iam::123456789012:role/example",
        "email": "ops@example.com",
        "subnet": f"subnet-{_HEX}",
        "securitygroup": f"sg-{_HEX}",
        "vpc": f"vpc-{_HEX}",
        "ami": f"ami-{_HEX}",
        "password": "Passw0rd1234",
    }
    yield from (value for word, value in hints.items() if word in words)
    for text in _TEXTS:
        yield text
        yield text * 3


def _fits(text: str, declaration: Mapping[str, Any]) -> bool:
    if len(text) < int(declaration.get("MinLength", 0)) or len(text) > int(declaration.get("MaxLength", 4096)):
        return False
    pattern = declaration.get("AllowedPattern")
    return not isinstance(pattern, str) or re.fullmatch(pattern, text) is not None
