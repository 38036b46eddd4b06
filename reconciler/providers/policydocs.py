"""IAM policy documents of grants: put together, narrowed by region, cut where AWS's limit demands it. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: AWS's limit on a managed policy, white space not counted.
LONGEST = 6144
#: Services whose requests don't all go to the region of the plan.
_GLOBAL = frozenset({"iam", "sts", "s3", "cloudtrail", "servicequotas"})


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource (an ARN, with wildcards perhaps, or ``*``), from a plan in ``region``."""

    action: str
    resource: str
    region: str


def statements_of(needed: Iterable[Grant]) -> list[Mapping[str, Any]]:
    """Grants put together: actions of a service on the same resources, in the same regions."""
    where: dict[str, set[str]] = defaultdict(set)
    regions: dict[str, set[str]] = defaultdict(set)
    for grant in needed:
        where[grant.action].add(grant.resource)
        regions[grant.action].add(grant.region)
    together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for action, resources in where.items():
        service = action.partition(":")[0]
        everywhere = "*" in resources
        bound = tuple(sorted(regions[action])) if everywhere and service not in _GLOBAL else ()
        together[service, ("*",) if everywhere else tuple(sorted(resources)), bound].append(action)
    numbers: dict[str, int] = defaultdict(int)
    found = []
    for (service, arns, bound), names in sorted(together.items()):
        numbers[service] += 1
        sid = f"{service.capitalize()}No{numbers[service]}".replace("-", "")
        found.append(statement(sid, sorted(names), list(arns), bound or None))
    return found


def statement(
    sid: str, actions: Sequence[str], resources: Sequence[str], regions: Sequence[str] | None
) -> Mapping[str, Any]:
    """One statement that allows; ``regions``: only calls to those."""
    condition = {"Condition": {"StringEquals": {"aws:RequestedRegion": list(regions)}}} if regions else {}
    named: Any = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": named, **condition}


def documents_of(statements: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """As few documents as take all statements in order, none longer than AWS allows."""
    current: list[Mapping[str, Any]] = []
    for part in (piece for whole in statements for piece in _pieces(whole)):
        if current and size(document([*current, part])) > LONGEST:
            yield document(current)
            current = []
        current.append(part)
    if current:
        yield document(current)


def _pieces(whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A statement that is too long by itself, halved by its resources (or actions) until it isn't."""
    if size(document([whole])) <= LONGEST:
        yield whole
        return
    part = "Resource" if isinstance(whole["Resource"], list) else "Action"
    items = whole[part]
    for letter, half in (("a", items[: len(items) // 2]), ("b", items[len(items) // 2 :])):
        yield from _pieces({**whole, "Sid": f"{whole['Sid']}{letter}", part: half})


def document(statements: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Statements as a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def size(policy: Mapping[str, Any]) -> int:
    """How AWS counts the length of a policy."""
    return len("".join(json.dumps(policy, separators=(",", ":")).split()))
