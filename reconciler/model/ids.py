"""Names that must not be mixed up, and the identity of a resource's owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

PlanName = NewType("PlanName", str)
LogicalId = NewType("LogicalId", str)
TypeName = NewType("TypeName", str)
#: A CloudFormation primary identifier; parts of a compound one are joined by ``|``, as Cloud Control does.
Identifier = NewType("Identifier", str)
#: ``sha256:`` followed by 64 hexadecimal digits.
Digest = NewType("Digest", str)
RunId = NewType("RunId", str)
StepId = NewType("StepId", str)
RequestId = NewType("RequestId", str)
ClientToken = NewType("ClientToken", str)

OWNER_PLAN_TAG = "reconciler:plan"
OWNER_ID_TAG = "reconciler:id"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a resource belongs to: the plan and the logical id in it, as its ownership tags say."""

    plan: PlanName
    logical_id: LogicalId

    def tags(self) -> dict[str, str]:
        """The ownership tags of a resource with this owner."""
        return {OWNER_PLAN_TAG: self.plan, OWNER_ID_TAG: self.logical_id}
