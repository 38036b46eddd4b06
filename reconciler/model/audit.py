"""The audit trail: what was decided, allowed, called and what came of it, each entry chained to the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.model.ids import PlanName, RunId


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something to be recorded. ``kind``: decision, approval, call, outcome, rollback, settle. Plain JSON facts."""

    kind: str
    at: datetime
    plan: PlanName
    run: RunId = RunId("")
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event in the chain: ``hash`` is the SHA-256 over ``previous`` (the hash before it) and everything else."""

    seq: int
    event: AuditEvent
    previous: str
    hash: str
