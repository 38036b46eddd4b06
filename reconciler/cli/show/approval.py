"""What a person approves with `approve --change`, and what can't be undone afterwards."""

from __future__ import annotations

from rich.text import Text

from reconciler.cli.show.changes import change_set
from reconciler.cli.show.decision import decision
from reconciler.cli.show.page import Page
from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision


def exact_change(changes: ChangeSet, given: Decision) -> Text:
    """The change set (with what is lost for good), its digest, and the decision as it stands without the approval."""
    plan = changes.plan
    back = f", rolling back to revision {plan.rolling_back}" if plan.rolling_back is not None else ""
    page = Page()
    where = f" ({plan.target.environment}, account {plan.target.account}, {plan.target.region}){back}"
    page.parts((f"Plan {plan.name}", "bold"), where)
    page.line()
    page.add([change_set(changes)])
    page.line(f"Change: {changes.digest}")
    page.line()
    page.add([decision(given)])
    return page.text
