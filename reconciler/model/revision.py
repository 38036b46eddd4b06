"""What was in force before: earlier contents of a plan, and the wish to return to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.ids import Digest, PlanName, RunId


@dataclass(frozen=True, slots=True)
class Revision:
    """A content of a plan that was in sync once. ``body`` is the plan as JSON, secrets replaced by keyed digests."""

    plan: PlanName
    number: int
    digest: Digest
    at: datetime
    run: RunId
    body: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """A rollback that was asked for: ``revision`` stands in for the plan's file as long as that has ``digest``.

    ``reached``: live state has been brought there once.
    """

    plan: PlanName
    digest: Digest
    revision: int
    at: datetime
    reached: bool = False
