"""rollback: return to an earlier revision of a plan, under an approval of its own."""

from __future__ import annotations

from reconciler.cli.options import PlanArgument


def rollback(plan: PlanArgument) -> None:
    """Return to an earlier revision of a plan."""
    del plan
