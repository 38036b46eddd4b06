"""What the audit trail says of calls, their outcomes and used-up approvals. Names only: no value of a property."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.audit import AuditEvent
from reconciler.model.ids import PlanName, RunId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.secrecy import is_sealed
from reconciler.model.values import leaves, mask


def journal_event(entry: JournalEntry) -> AuditEvent | None:
    """The call that an intent announces, or its outcome; None for an operation that is still going on."""
    if entry.state is JournalState.PENDING:
        return None
    facts = {
        "verb": entry.verb.value,
        "type": entry.type,
        "logical_id": entry.logical_id,
        "identifier": entry.identifier,
        "account": entry.account,
        "region": entry.region,
        "step": entry.step,
        "token": entry.token,
    }
    if entry.state is JournalState.INTENT:
        return AuditEvent("call", entry.at, entry.plan, entry.run, {**facts, "changed": _changed(entry)})
    return AuditEvent(
        "outcome", entry.at, entry.plan, entry.run, {**facts, "state": entry.state.value, "error": entry.error}
    )


def approval_event(
    plan: PlanName, run: RunId, at: datetime, digest: str, approval: str, scope: str, use: str
) -> AuditEvent:
    """A scope of an approval was used up, or given back by a pass that was interrupted."""
    return AuditEvent("approval", at, plan, run, {"approval": approval, "digest": digest, "scope": scope, "use": use})


def _changed(entry: JournalEntry) -> list[str]:
    """The properties that differ. Two masked secrets may differ too, so they are named."""
    before, after = mask(entry.before), mask(entry.after)
    return sorted(
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) or any(is_sealed(leaf) for leaf in leaves(after.get(name)))
    )
