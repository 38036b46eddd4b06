"""What policy decided, for the audit trail: every decision once, and again before anything is done under it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.model.audit import AuditEvent
from reconciler.model.change import ChangeSet
from reconciler.model.codec import to_json
from reconciler.model.decision import Decision, Mode
from reconciler.model.errors import StoreError
from reconciler.model.ids import RunId
from reconciler.model.plan import Approval, Plan
from reconciler.ports import Clock, Store

_KIND = "decision"


class Auditor:
    """Records decisions. Calls, their outcomes and used-up approvals are recorded by the store with what they are.

    What was recorded last is asked of the store each time: another process may have decided on the plan meanwhile.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def decided(
        self,
        run: RunId,
        plan: Plan,
        decision: Decision,
        changes: ChangeSet | None,
        approvals: Collection[Approval],
    ) -> None:
        """Record a decision unless it is the one recorded last for the plan and nothing is done under it.

        ``changes`` is None for an admission. Raises StoreError; then nothing may be done.
        """
        if changes is not None and changes.empty and decision.mode is not Mode.DENY:
            return  # in sync: nothing was decided
        facts = _plain(_facts(plan, decision, changes, approvals))
        if not facts["direct"]:
            last = self._store.last_audited(plan.name, _KIND)
            if last is not None and last.event.facts == facts:
                return
        self._store.audit(AuditEvent(_KIND, self._clock.now(), plan.name, run, facts))


def _facts(
    plan: Plan, decision: Decision, changes: ChangeSet | None, approvals: Collection[Approval]
) -> Mapping[str, Any]:
    done = changes.changes if changes is not None and not changes.conflicts and not changes.unknown else ()
    return {
        "asked": "admission" if changes is None else "review",
        "mode": decision.mode.value,
        "policy": decision.revision,
        "plan_digest": plan.digest,
        "change_digest": changes.digest if changes else "",
        "rolling_back": changes.plan.rolling_back if changes else None,
        "actions": Counter(change.action.value for change in changes.changes) if changes else {},
        "reasons": [{"rule": reason.rule, "message": reason.message} for reason in decision.reasons],
        "rulings": {
            name: {"allow": ruling.allow, "reasons": ruling.reasons}
            for name, ruling in decision.actions.items()
            if ruling.reasons or not ruling.allow
        },
        "approvals": [_approval(approval) for approval in sorted(approvals, key=lambda approval: approval.name)],
        # What follows: calls to AWS, or a commit on a branch; the same change is committed once only.
        "direct": bool(done) and decision.mode is Mode.APPLY,
        "branch": bool(done) and decision.mode is Mode.PIPELINE,
    }


def _approval(approval: Approval) -> Mapping[str, Any]:
    return {
        "name": approval.name,
        "approver": approval.approver,
        "verified": approval.verified,
        "reason": approval.reason,
        "scope": sorted(approval.scope),
        "change": approval.change,
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as the trail gives them back, secrets masked. Raises StoreError if they have no JSON form."""
    try:
        plain: dict[str, Any] = json.loads(to_json(facts))
    except ValueError as error:
        raise StoreError(f"the decision can't be written down: {error}") from error
    return plain
