"""Strings that have several spellings for one meaning, each brought to one; what isn't of the kind stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.schema import declared
from reconciler.schema.scalars import bare_network
from reconciler.schema.types import Path

_UNITS = re.compile(r"([\d.]+)\s*(vcpu|gb)", re.IGNORECASE)
_KEY_TYPE = re.compile(r"(ssh|ecdsa|sk)-[\w@.-]+")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)
_SECONDS = (604_800, 86_400, 3_600, 60, 1)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


def lower(value: str) -> str:
    """Text whose letter case means nothing."""
    return value.lower()


def dns_name(value: str) -> str:
    """A DNS name: lower case, no final dot, no octal escapes (``\\052`` is an asterisk)."""
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), value.lower()).removesuffix(".")


def units(value: str) -> str:
    """``1 vCPU`` as 1024, ``0.5 GB`` as 512."""
    match = _UNITS.fullmatch(value.strip())
    if match is None:
        return value
    try:
        return f"{float(match.group(1)) * 1024:g}"
    except ValueError:
        return value


def lines(value: str) -> str:
    """Text in lines: Unix line ends, no white space at the end."""
    return value.replace("\r\n", "\n").rstrip()


def public_key(value: str) -> str:
    """A public key of OpenSSH without its comment; text in another format as lines."""
    words = value.split()
    return " ".join(words[:2]) if len(words) > 1 and _KEY_TYPE.fullmatch(words[0]) else lines(value)


def duration(value: str) -> str:
    """An ISO 8601 duration as seconds."""
    match = _DURATION.fullmatch(value.strip())
    if match is None or not any(match.groups()):
        return value
    parts = zip(match.groups(), _SECONDS, strict=True)
    return f"{sum(float(part) * seconds for part, seconds in parts if part):.6f}"


def moment(value: str) -> str:
    """A time with its zone, in UTC."""
    match = _MOMENT.fullmatch(value.strip())
    if match is None:
        return value
    try:
        return datetime.fromisoformat(value.strip().upper()).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return value


def group_arn(value: str) -> str:
    """The ARN of a log group without its streams."""
    return value.removesuffix(":*")


def s3_place(value: str) -> str:
    """A place in S3 by its usual scheme, without a slash at the end."""
    return re.sub(r"^s3[an]://", "s3://", value).rstrip("/")


def method_path(value: str) -> str:
    """A path of an API as it is."""
    return "/" + value.replace("~1", "/").strip("/")


_DECLARED: tuple[tuple[frozenset[tuple[str, Path]], Callable[[str], str]], ...] = (
    (declared.LOWER_CASE, lower),
    (declared.ANY_CASE, lower),
    (declared.DNS_NAME, dns_name),
    (declared.CPU_UNITS, units),
    (declared.MEBIBYTES, units),
    (declared.TEXT_LINES, lines),
    (declared.PUBLIC_KEY, public_key),
    (declared.DURATION, duration),
    (declared.MOMENT, moment),
    (declared.GROUP_ARN, group_arn),
    (declared.METHOD_PATH, method_path),
    (declared.S3_PLACE, s3_place),
)


def spelling(type_name: str, path: Path, node: Mapping[str, Any]) -> Callable[[str], str] | None:
    """What brings the strings at ``path`` of a type to one spelling, by declaration or the schema's own word."""
    place = (type_name, path)
    for table, function in _DECLARED:
        if place in table:
            return function
    if node.get("format") == "date-time":
        return moment
    if type_name in declared.BARE_NETWORKS and path and "Cidr" in path[-1]:
        return bare_network
    return None
