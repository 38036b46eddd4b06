"""The kinds of values that plan and approval documents are made of, each with its check and how that refuses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_INTERVAL = 7 * 86400


def _account(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise PydanticCustomError(
            "unquoted", "an account is text, not a number: quote it, as in {quoted}", {"quoted": f'"{value:012d}"'}
        )
    return value


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        raise PydanticCustomError("unquoted", "expected text, found {found}: quote it", {"found": _yaml_name(value)})
    return value


def _yaml_name(value: bool | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(value: Any) -> Any:
    """``90s``, ``5m``, ``1h30m`` to seconds."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise PydanticCustomError("duration", "not a duration; write it like 30s, 5m or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds
    if not 1 <= total <= _MAX_INTERVAL:
        raise PydanticCustomError("duration", "a duration lies between 1s and 7d")
    return float(total)


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("timestamp", "not a time; write it like 2026-11-23T09:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("timestamp", "not a time; write it like 2026-11-23T09:00:00Z") from None
    if _DATE.fullmatch(value) or moment.tzinfo is None:
        raise PydanticCustomError("timestamp", "a time needs a time of day and a zone, like 2026-11-23T09:00:00Z")
    return moment.astimezone(UTC)


def _day_or_time(value: Any) -> Any:
    """A date alone expires as it begins: the earlier reading, for an exception is a risk."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.combine(datetime.fromisoformat(value).date(), time.min, UTC)
        except ValueError:
            raise PydanticCustomError("timestamp", "there is no such day") from None
    return _timestamp(value)


def _reference(value: str) -> str:
    """Whether ``..`` leaves the source is found out where the path is followed."""
    if value.startswith(("/", "~")) or "\\" in value or re.match(r"[A-Za-z]:", value):
        raise PydanticCustomError("path_escape", "must be a path relative to the plan file, inside the source")
    return value


def _descending(value: str) -> str:
    if ".." in _reference(value).split("/"):
        raise PydanticCustomError("path_escape", "must be a relative path without '..'")
    return value


def _repository(value: str) -> str:
    if value.startswith("-") or re.match(r"[A-Za-z0-9]+::", value):
        raise PydanticCustomError("repository", "must be a Git URL or a path; options and remote helpers are refused")
    return value


def _pointer(value: str) -> str:
    if not value.startswith("/"):
        raise PydanticCustomError("pointer", "must be a JSON pointer like /DesiredCapacity")
    return value


def _parameter(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float) for item in items):
        raise PydanticCustomError("parameter", "a parameter's value is text, a number, true, false, or a list of those")
    return value


#: text as it was written: what YAML takes for a number is refused
Written: TypeAlias = Annotated[str, BeforeValidator(_text)]
Text: TypeAlias = Annotated[Written, StringConstraints(min_length=1, max_length=4096)]
Line: TypeAlias = Annotated[Written, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\r\n]+$")]
Person: TypeAlias = Annotated[Written, StringConstraints(min_length=1, max_length=254, pattern=r"^[^\s,\"]+$")]
PlanNameText: TypeAlias = Annotated[
    Written, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
Plain: TypeAlias = Annotated[Written, StringConstraints(max_length=63, pattern=r"^[a-z][a-z0-9-]*$")]
Account: TypeAlias = Annotated[str, BeforeValidator(_account), StringConstraints(pattern=r"^[0-9]{12}$")]
Region: TypeAlias = Annotated[Written, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
RoleArn: TypeAlias = Annotated[
    Written, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$")
]
LabelText: TypeAlias = Annotated[
    Written,
    StringConstraints(max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$"),
]
Duration: TypeAlias = Annotated[float, BeforeValidator(_duration)]
Moment: TypeAlias = Annotated[datetime, BeforeValidator(_timestamp)]
DayOrMoment: TypeAlias = Annotated[datetime, BeforeValidator(_day_or_time)]
Reference: TypeAlias = Annotated[Line, AfterValidator(_reference)]
ParameterValue: TypeAlias = Annotated[Any, AfterValidator(_parameter)]
Pointer: TypeAlias = Annotated[Line, AfterValidator(_pointer)]
GitWord: TypeAlias = Annotated[Line, AfterValidator(_repository)]
Descending: TypeAlias = Annotated[Line, AfterValidator(_descending)]
