"""Reading many resources side by side, so that one that can't be read doesn't spoil the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import takewhile
from typing import Any, TypeVar

from reconciler.model.errors import AwsFault, FaultKind, GuardBlocked
from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.ports import Scope

T = TypeVar("T")

#: More resources than this in one read are worth a batch call; up to it, exact calls one by one are better.
FEW = 5


def read_each(scope: Scope, wanted: Iterable[Wanted], read: Callable[[Wanted], T]) -> dict[Identifier, T | Unreadable]:
    """What ``read`` returns for each, in parallel. One that NOT_FOUND is raised for is left out."""
    items = list(wanted)
    answers = scope.gather([partial(_guarded, read, item) for item in items])
    return {item.identifier: answer for item, answer in zip(items, answers, strict=True) if answer is not None}


def _guarded(read: Callable[[Wanted], T], item: Wanted) -> T | Unreadable | None:
    try:
        return read(item)
    except AwsFault as fault:
        return None if fault.kind is FaultKind.NOT_FOUND else unreadable(item.identifier, fault)
    except GuardBlocked as blocked:
        return Unreadable(item.identifier, FaultKind.ACCESS_DENIED, str(blocked))


def merged(scope: Scope, jobs: Iterable[Callable[[], Mapping[Identifier, T]]]) -> dict[Identifier, T]:
    """What all the jobs answer, asked for as many at a time as the scope allows."""
    return {identifier: one for answer in scope.gather(jobs) for identifier, one in answer.items()}


def unreadable(identifier: Identifier, fault: AwsFault) -> Unreadable:
    """The answer for a resource whose read failed."""
    return Unreadable(identifier, fault.kind, str(fault))


def observed(
    found: Mapping[Identifier, dict[str, Any] | Unreadable],
) -> dict[Identifier, Observation | Unreadable]:
    """Properties as observations; what is unreadable stays so."""
    return {
        identifier: answer if isinstance(answer, Unreadable) else Observation(identifier, answer)
        for identifier, answer in found.items()
    }


def sweep(
    scope: Scope,
    service: str,
    operation: str,
    *,
    key: str,
    token: tuple[str, str],
    most: int,
    **parameters: Any,
) -> Iterator[list[Any]]:
    """Pages of a listing, one after the other, at most ``most`` of them: a consumer may stop when it has enough.

    ``token``: where the continuation stands in an answer and where it goes in the next request. Raises as ``call``.
    """
    for _ in range(most):
        answer = scope.call(service, operation, **parameters)
        yield list(answer.get(key) or ())
        following = answer.get(token[0])
        if not following:
            return
        parameters[token[1]] = following


def names_shown(
    scope: Scope,
    service: str,
    operation: str,
    names: Collection[str],
    *,
    key: str,
    token: tuple[str, str],
    name: Callable[[Any], str],
    **parameters: Any,
) -> tuple[frozenset[str], bool]:
    """Those of ``names`` that a listing shows, and whether that is all of them that there are.

    ``name``: of an item. See ``sweep`` for the rest. It isn't all where listing is refused, or was given up in an
    account full of others after a quarter of the calls that asking for one by one takes.
    """
    wanted, found, pages = frozenset(names), set[str](), 0
    most = max(2, len(wanted) // 4)
    try:
        for page in sweep(scope, service, operation, key=key, token=token, most=most, **parameters):
            pages += 1
            found |= {name(item) for item in page} & wanted
            if found == wanted:
                return wanted, True
    except AwsFault:
        return frozenset(found), False
    return frozenset(found), pages < most


def shared_beginning(names: Iterable[str]) -> str:
    """What all of some names begin with."""
    ordered = sorted(names)
    first, last = ordered[0], ordered[-1]  # all others lie between these two
    return "".join(left for left, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def document_in(text: str) -> Any:
    """The document that an attribute holds as JSON; a text that isn't JSON as it is, so that it can be compared."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def without_empty(properties: Mapping[str, Any]) -> dict[str, Any]:
    """``properties`` without the ones that aren't set; False and 0 are values."""
    return {name: value for name, value in properties.items() if value is not None and value not in ("", [], {})}


def absent_as(codes: Iterable[str], default: T, call: Callable[[], T]) -> T:
    """What ``call`` returns, or ``default`` if AWS says by one of ``codes`` that the thing isn't set."""
    try:
        return call()
    except AwsFault as fault:
        if fault.code in codes:
            return default
        raise
