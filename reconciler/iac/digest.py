"""The digest of a change set that another tool made: what an approval of exactly this change binds to. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from reconciler.model.change import Change, ChangeSet
from reconciler.model.ids import Digest
from reconciler.model.values import sealed


def change_digest(changes: ChangeSet, basis: Any) -> Digest:
    """SHA-256 over the plan's content, its target, every change and ``basis``: all else that the tool went by.

    Secrets take part as keyed digests.
    """
    plan = changes.plan
    content = {
        "plan": [plan.name, plan.digest, plan.rolling_back, plan.absent],
        "target": [plan.target.environment, plan.target.account, plan.target.region],
        "basis": sealed(basis),
        "changes": sorted(text_of(_change(change)) for change in changes.changes),
    }
    return Digest("sha256:" + hashlib.sha256(text_of(content).encode()).hexdigest())


def _change(change: Change) -> Mapping[str, Any]:
    return {
        "resource": [change.logical_id, change.type, change.action.value, change.identifier],
        "before": sealed(change.before),
        "after": sealed(change.after),
        "fields": [
            [field.path, sealed(field.before), sealed(field.after), field.forces_replacement] for field in change.fields
        ],
        "broadens": list(change.broadens),
    }


def text_of(value: Any) -> str:
    """One text for a JSON value."""
    return json.dumps(value, sort_keys=True, default=str)
