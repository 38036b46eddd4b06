"""One thing that AWS does and moto doesn't, and the members of moto's classes that teach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """Members that something of moto's is given. ``new``: it has none of these names; otherwise ours take the place."""

    owner: Any
    members: Mapping[str, Any]
    new: bool


@dataclass(frozen=True, slots=True)
class Lesson:
    """``call`` is the operation that shows the difference (boto3's name of the service, the API's of the operation)."""

    call: str
    aws: str
    moto: str
    given: tuple[Given, ...]

    def teach(self) -> None:
        """Give moto what the lesson consists of."""
        for given in self.given:
            for name, member in given.members.items():
                setattr(given.owner, name, member)


def adds(owner: Any, *methods: Callable[..., Any], **named: Any) -> Given:
    """Members that moto lacks, by their own names or by others."""
    return Given(owner, _by_name(methods, named), new=True)


def changes(owner: Any, *methods: Callable[..., Any], **named: Any) -> Given:
    """Members to put in the place of moto's, by their own names or by others; what they call of moto's they keep."""
    return Given(owner, _by_name(methods, named), new=False)


def remembered(resource: Any, what: str) -> dict[str, Any]:
    """What a lesson remembers at a resource of moto's, to be read and changed; it goes when the resource does."""
    found: dict[str, Any] = vars(resource).setdefault(f"taught_{what}", {})
    return found


def _by_name(methods: tuple[Callable[..., Any], ...], named: Mapping[str, Any]) -> dict[str, Any]:
    return {method.__name__: method for method in methods} | dict(named)
