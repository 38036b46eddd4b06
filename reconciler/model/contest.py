"""Fights with other actors: fields that were put right and came back changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.ids import Digest, LogicalId, PlanName

#: The path of a contest about a resource that somebody keeps deleting.
WHOLE = "/"


@dataclass(frozen=True, slots=True)
class Contest:
    """How often a drifted field was put right since ``first_at``; ``held_until``: left alone until then.

    ``actor`` is who changed it, where CloudTrail tells. ``digest`` is the plan's: another content begins anew.
    """

    plan: PlanName
    logical_id: LogicalId
    path: str
    digest: Digest
    times: int
    first_at: datetime
    last_at: datetime
    held_until: datetime | None = None
    actor: str = ""
