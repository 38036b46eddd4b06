"""What to remember of a resource that a plan manages."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.resource import Record
from reconciler.model.values import Properties, sealed
from reconciler.ports import Scope


def record_of(
    plan: Plan,
    name: LogicalId,
    identifier: Identifier,
    applied: Properties,
    scope: Scope,
    at: datetime,
    *,
    adopted: bool = False,
) -> Record:
    """The record of a planned resource whose ``applied`` properties are in force; secrets as keyed digests."""
    planned = plan.resources[name]
    return Record(
        plan.name,
        name,
        planned.type,
        identifier,
        scope.account,
        scope.region,
        sealed(applied),
        adopted,
        planned.deletion_policy,
        planned.needs,
        at,
    )


def outdated(record: Record, planned: PlannedResource, desired: Properties) -> bool:
    """Whether a resource that is just as wanted is remembered otherwise.

    A pass was cut short after its call, or others made it so: what the plan sets then counts as set by the plan.
    """
    if (record.deletion_policy, record.needs) != (planned.deletion_policy, planned.needs):
        return True
    return record.applied != desired and record.applied != sealed(desired)  # most hold no secret
