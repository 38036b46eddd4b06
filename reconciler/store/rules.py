"""What is kept, for how long: the rules that every store follows."""

from __future__ import annotations

from typing import Any

from reconciler.model.journal import JournalState
from reconciler.model.report import PlanState, RunReport
from reconciler.model.secrecy import scrubbed
from reconciler.model.values import Deferred, Sensitive, Unknown, leaves

#: Runs kept per plan; counted apart for quiet runs and for those that did or found something.
KEEP_RUNS = 200
#: Revisions kept per plan, beside the one that a rollback returned to.
KEEP_REVISIONS = 20
#: Entries of the audit trail that stay in the database when older ones are archived beside it.
KEEP_AUDIT = 100_000
#: Receipts kept, over all plans.
KEEP_RECEIPTS = 1000

#: Journal entries that nobody needs any more once their run is forgotten.
SETTLED = (JournalState.DONE, JournalState.FAILED, JournalState.LOST)


def completes(report: RunReport) -> bool:
    """Whether a pass found everything done: what a crashed pass used its approvals for is carried out then."""
    return report.state is PlanState.IN_SYNC


def is_quiet(report: RunReport) -> bool:
    """Whether a pass found nothing to do: such runs never push those that did something out of the history."""
    return not (report.steps or report.changes or report.error or report.branch)


def storable(value: Any) -> bool:
    """Whether an export has a value that may be kept: secrets and values not known yet never are.

    Nor is a text with a secret in it: masked, it would be another value to whoever imports it.
    """
    return not any(isinstance(leaf, Sensitive | Unknown | Deferred) for leaf in leaves(value)) and (
        scrubbed(value) == value
    )
