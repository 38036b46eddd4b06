"""The write-ahead journal: the intent before each call, the outcome after."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.model.change import Verb
from reconciler.model.ids import ClientToken, Identifier, LogicalId, PlanName, RunId, StepId, TypeName
from reconciler.model.progress import Handle
from reconciler.model.values import Properties


class JournalState(StrEnum):
    """``intent``: about to call. ``pending``: accepted, handle known. The rest are final.

    ``undecidable``: after a crash it can't be told whether the call took effect; a person must look.
    """

    INTENT = "intent"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step of one run. ``before`` is the live state it was computed from, ``after`` its target; secrets masked."""

    run: RunId
    plan: PlanName
    step: StepId
    logical_id: LogicalId
    type: TypeName
    verb: Verb
    token: ClientToken
    account: str
    region: str
    at: datetime
    state: JournalState = JournalState.INTENT
    identifier: Identifier | None = None
    handle: Handle | None = None
    before: Properties = field(default_factory=dict)
    after: Properties = field(default_factory=dict)
    error: str = ""
