"""What is kept, for how long: the rules that every store follows."""

from __future__ import annotations

from typing import Any

from reconciler.model.report import RunReport
from reconciler.model.values import Deferred, Sensitive, Unknown, leaves

#: Runs kept per plan; counted apart for quiet runs and for those that did or found something.
KEEP_RUNS = 200
#: Receipts kept, over all plans.
KEEP_RECEIPTS = 1000


def is_quiet(report: RunReport) -> bool:
    """Whether a pass found nothing to do: such runs never push those that did something out of the history."""
    return not (report.steps or report.changes or report.error or report.branch)


def storable(value: Any) -> bool:
    """Whether an export has a value that may be kept: secrets and values not known yet never are."""
    return not any(isinstance(leaf, Sensitive | Unknown | Deferred) for leaf in leaves(value))
