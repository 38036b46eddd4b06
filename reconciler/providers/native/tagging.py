"""Tags: their shapes, who they say owns a resource, and reading those of many resources in few calls.

The Resource Groups Tagging API answers for a hundred resources at once, whatever their types, but lags behind
writes and may be refused. So it serves large batches only, and whatever it leaves out, or shows without its owner,
is read again from the service itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any

import structlog

from reconciler.model.errors import AwsFault
from reconciler.model.ids import OWNER_ID_TAG, OWNER_PLAN_TAG, LogicalId, Owner, PlanName
from reconciler.ports import Scope

log = structlog.get_logger(__name__)

Tags = dict[str, str]

_ARNS_A_CALL = 100
_VALUES_A_FILTER = 20
_SERVICE = "resourcegroupstaggingapi"


def as_map(tags: Any, key: str = "Key", value: str = "Value") -> Tags:
    """Tags as a dict, from a list of pairs or a mapping, without the ones that AWS sets itself."""
    if isinstance(tags, Mapping):
        pairs = [(str(name), str(text)) for name, text in tags.items()]
    else:
        pairs = [(str(tag[key]), str(tag.get(value, ""))) for tag in tags or ()]
    return {name: text for name, text in pairs if not name.lower().startswith("aws:")}


def as_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as a list of pairs, sorted by key."""
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def owner_in(tags: Mapping[str, str]) -> Owner | None:
    """The owner that tags name; None unless both ownership tags are there."""
    plan, logical_id = tags.get(OWNER_PLAN_TAG), tags.get(OWNER_ID_TAG)
    return Owner(PlanName(plan), LogicalId(logical_id)) if plan and logical_id else None


def bulk_tags(scope: Scope, arns: Collection[str]) -> dict[str, Tags]:
    """Tags by ARN of the resources that show an owner; the others are left out. Never raises AwsFault."""
    remaining = iter(arns)
    chunks = iter(lambda: list(islice(remaining, _ARNS_A_CALL)), [])
    found: dict[str, Tags] = {}
    for answer in scope.gather([partial(_tags_of_chunk, scope, chunk) for chunk in chunks]):
        found.update(answer)
    return {arn: tags for arn, tags in found.items() if owner_in(tags)}


def owned_arns(scope: Scope, resource_type: str, owner: Owner) -> list[str]:
    """ARNs of the resources of a type that carry an owner's tags, as far as the API knows yet.

    ``resource_type``: as it is in the ARNs (``dynamodb:table``; ``sqs`` alone, because a queue's ARN names no type).

    Empty when it can't be asked: a search by tag is a second chance, not the proof that nothing is there.
    """
    filters = [{"Key": key, "Values": [value]} for key, value in owner.tags().items()]
    return [str(item["ResourceARN"]) for item in _tagged(scope, resource_type, filters)]


def arns_of_owners(scope: Scope, resource_type: str, owners: Collection[Owner]) -> dict[Owner, list[str]]:
    """As ``owned_arns``, for many owners at once."""
    found: dict[Owner, list[str]] = {owner: [] for owner in owners}
    for plan in sorted({owner.plan for owner in owners}):
        names = sorted(owner.logical_id for owner in owners if owner.plan == plan)
        filters = [{"Key": OWNER_PLAN_TAG, "Values": [plan]}]
        if len(names) <= _VALUES_A_FILTER:
            filters.append({"Key": OWNER_ID_TAG, "Values": names})
        for item in _tagged(scope, resource_type, filters):
            owner = owner_in(as_map(item["Tags"]))
            if owner in found:
                found[owner].append(str(item["ResourceARN"]))
    return found


def _tagged(scope: Scope, resource_type: str, filters: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    try:
        return scope.pages(
            _SERVICE,
            "get_resources",
            "ResourceTagMappingList",
            TagFilters=filters,
            ResourceTypeFilters=[resource_type],
        )
    except AwsFault as fault:
        log.info("search by tag not possible", resource_type=resource_type, reason=str(fault))
        return []


def _tags_of_chunk(scope: Scope, arns: Iterable[str]) -> dict[str, Tags]:
    """Asks again for what an answer that was cut short (it then has a token) left out."""
    missing = set(arns)
    found: dict[str, Tags] = {}
    try:
        while missing:
            answer = scope.call(_SERVICE, "get_resources", ResourceARNList=sorted(missing))
            new = {str(item["ResourceARN"]): as_map(item["Tags"]) for item in answer["ResourceTagMappingList"]}
            found |= new
            missing -= new.keys()
            if not new or not answer.get("PaginationToken"):
                break
    except AwsFault as fault:
        log.info("tags not readable in bulk", resources=len(missing), reason=str(fault))
    return found
