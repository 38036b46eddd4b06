"""What to remember of a resource that a plan manages."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import Plan
from reconciler.model.resource import Record
from reconciler.model.values import Properties, mask
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
    """The record of a planned resource whose ``applied`` properties are in force; secrets masked."""
    planned = plan.resources[name]
    return Record(
        plan.name,
        name,
        planned.type,
        identifier,
        scope.account,
        scope.region,
        mask(applied),
        adopted,
        planned.deletion_policy,
        planned.needs,
        at,
    )
