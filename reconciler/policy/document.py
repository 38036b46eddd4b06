"""The question put to Rego: a plan, its changes and the facts as one plain JSON document. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from reconciler.model.change import Action, Change, ChangeSet
from reconciler.model.decision import Facts
from reconciler.model.plan import Approval, Guardrail, Plan, RollbackPolicy
from reconciler.model.values import mask

Document = dict[str, Any]


def policy_input(plan: Plan, changes: ChangeSet | None, facts: Facts) -> Document:
    """The input document of ``data.reconciler.decision``; secrets are masked.

    Without ``changes`` it asks for admission (phase ``admit``: no identity, no actions), with them for a review.
    """
    listed = changes.changes if changes is not None else ()
    return {
        "phase": "admit" if changes is None else "review",
        "operation": facts.operation,
        "plan": _plan(plan),
        "approvals": [_approval(approval) for approval in facts.approvals],
        "identity": _identity(facts) if changes is not None else None,
        "permissions": {"missing": sorted(facts.missing_permissions)},
        "actions": [_action(change, facts.operation, rolling_back=plan.rolling_back is not None) for change in listed],
        "totals": _totals(plan, listed),
        "now": instant(facts.now),
    }


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, written ``+00:00``: both engines read that, one of them doesn't read ``Z``."""
    return moment.astimezone(UTC).isoformat()


def plain(value: Any) -> Any:
    """``value`` as JSON that every engine reads the same way; secrets masked, dates and odd numbers as text."""
    return _jsonable(mask(value))


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _plan(plan: Plan) -> Document:
    target = plan.target
    return {
        "name": plan.name,
        "author": plan.author,
        "environment": target.environment,
        "account": target.account,
        "region": target.region,
        "profile": target.profile,
        "delivery": str(plan.delivery),
        "labels": plain(plan.labels),
        "digest": plan.digest,
        "state": "absent" if plan.absent else "present",
        "guardrail": _guardrail(plan.guardrail),
        "rollback": _rollback(plan.rollback),
        "rolling_back": plan.rolling_back,
    }


def _guardrail(guardrail: Guardrail) -> Document:
    return {
        "status": guardrail.status,
        "reference": guardrail.reference,
        "exceptions": [
            {
                "rule": exception.rule,
                "reason": exception.reason,
                "approvedBy": exception.approved_by,
                "expires": instant(exception.expires),
            }
            for exception in guardrail.exceptions
        ],
    }


def _rollback(rollback: RollbackPolicy) -> str | Document:
    return {"procedure": rollback.procedure} if rollback.mode == "procedure" else rollback.mode


def _approval(approval: Approval) -> Document:
    return {
        "name": approval.name,
        "approver": approval.approver,
        "verified": approval.verified,
        "reason": approval.reason,
        "scope": sorted(approval.scope),
        "change": "exact" if approval.change else "any",
        "ticket": approval.ticket,
        "expiresAt": instant(approval.expires_at),
    }


def _identity(facts: Facts) -> Document | None:
    identity = facts.identity
    return None if identity is None else {"account": identity.account, "arn": identity.arn}


def _action(change: Change, operation: str, *, rolling_back: bool) -> Document:
    """``original`` is what a change does in itself, whatever it serves; ``loss`` what undoing it won't bring back.

    ``broadens``: which permissions or network rules it opens further.
    """
    action = Action.ROLLBACK if rolling_back else change.action
    return {
        "id": change.logical_id,
        "operation": operation,
        "action": str(action),
        "original": str(change.action),
        "type": change.type,
        "before": plain(change.before),
        "after": plain(change.after),
        "paths": [field.path for field in change.fields],
        "loss": list(change.loss),
        "broadens": list(change.broadens),
    }


def _totals(plan: Plan, changes: Sequence[Change]) -> dict[str, int]:
    """Counts over the whole pass, of what the changes do in themselves: a rollback's deletions are deletions.

    ``resources``: those planned and those about to go, the base of a percentage.
    """
    counted = Counter(change.action for change in changes)
    concerned = set(plan.resources) | {change.logical_id for change in changes}
    return {"resources": len(concerned), **{f"{action}s": counted[action] for action in Action}}
