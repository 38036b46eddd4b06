"""Plans that can never be ready, because they wait for each other's exports: refused at load, all of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.errors import Problem
from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan
from reconciler.source.inforce import Invalid
from reconciler.template.exchange import circles


def without_circles(
    plans: dict[PlanName, Plan], invalid: Invalid, before: Mapping[PlanName, Plan]
) -> tuple[dict[PlanName, Plan], Invalid]:
    """The plans to go by, and the problems, with every plan of a circle refused.

    Its last good version stays in force, as with any other mistake, unless that is on a circle too. ``before``: the
    plans in force until now.
    """
    plans, invalid = dict(plans), dict(invalid)
    while found := circles(plans):
        circular = {name: (*circle[at:], *circle[:at]) for circle in found for at, name in enumerate(circle)}
        for name, circle in circular.items():
            problem = _problem(plans[name], circle)
            if problem not in invalid.get(name, ()):
                invalid[name] = (*invalid.get(name, ()), problem)
        edited = {
            name: before[name] for name in circular if name in before and before[name].digest != plans[name].digest
        }
        plans = {name: plan for name, plan in plans.items() if edited or name not in circular} | edited
    return plans, invalid


def _problem(plan: Plan, circle: tuple[PlanName, ...]) -> Problem:
    way = " -> ".join((*circle, circle[0]))
    return Problem(
        f"plans import from each other in a circle: {way}",
        plan.origin.file,
        plan.origin.line,
        "spec",
        "let one of them give the value as a parameter, or move the resource that both need to a plan of its own",
        "cycle",
    )
