"""The write-ahead journal: the intent before each call, the outcome after."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.model.change import Verb
from reconciler.model.ids import ClientToken, Identifier, LogicalId, PlanName, RunId, StepId, TypeName
from reconciler.model.progress import Handle
from reconciler.model.resource import Record
from reconciler.model.values import Properties


class JournalState(StrEnum):
    """``intent``: about to call. ``pending``: accepted, handle known. The rest are final.

    ``lost``: no answer came and no trace was found: it didn't take effect as far as can be told. Repeated with the same
    token, so that one that did take effect after all isn't made twice. ``undecidable``: it can't be told whether the
    call took effect; the plan waits until a person has looked and said so (``reconciler settle``).
    """

    INTENT = "intent"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step of one run. ``before`` is the live state it was computed from, ``after`` its target; secrets masked.

    ``verb`` is what was called, so that of an undo is the reverse of its step's. ``record``: what to remember once the
    call is known to have taken effect; of a resource that is created it has no identifier yet.
    """

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
    record: Record | None = None
