"""What plans give to and take from each other: exported outputs and ``Fn::ImportValue``. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan
from reconciler.model.values import nodes

#: account, region and name: an export is known where it was made, and nowhere else
Place = tuple[str, str, str]


def exports_of(plan: Plan) -> frozenset[Place]:
    """What a plan offers to others in its account and region."""
    if plan.absent:
        return frozenset()
    return frozenset(_place(plan, output.export) for output in plan.outputs if isinstance(output.export, str))


def imports_of(plan: Plan) -> frozenset[Place]:
    """What a plan takes from others, in its resources and in what it exports itself."""
    if plan.absent:
        return frozenset()
    expressions = [*(resource.properties for resource in plan.resources.values()), *(o.value for o in plan.outputs)]
    return frozenset(_place(plan, name) for expression in expressions for name in imported_names(expression))


def imported_names(expression: object) -> Iterator[str]:
    """The export names in an expression, as far as they are known without live state."""
    for node in nodes(expression):
        if node.function == "Fn::ImportValue" and isinstance(node.argument, str):
            yield node.argument


def exporters(plans: Mapping[PlanName, Plan]) -> dict[Place, PlanName]:
    """Which plan exports what. Of several the first by name, as nothing better can be said."""
    found: dict[Place, PlanName] = {}
    for name in sorted(plans):
        for place in exports_of(plans[name]):
            found.setdefault(place, name)
    return found


def importers(plans: Mapping[PlanName, Plan]) -> dict[Place, list[PlanName]]:
    """Which plans take what."""
    found: defaultdict[Place, list[PlanName]] = defaultdict(list)
    for name in sorted(plans):
        for place in imports_of(plans[name]):
            found[place].append(name)
    return found


def circles(plans: Mapping[PlanName, Plan]) -> list[tuple[PlanName, ...]]:
    """Plans that import from each other in a circle, each circle in import order; a plan may be one by itself.

    Every plan that lies on a circle is in one of the answers.
    """
    sources = exporters(plans)
    needs: dict[PlanName, Collection[PlanName]] = {
        name: {sources[place] for place in imports_of(plan) if place in sources} for name, plan in plans.items()
    }
    needs = {name: wanted for name, wanted in needs.items() if wanted}
    found: list[tuple[PlanName, ...]] = []
    for name in sorted(needs):
        if not any(name in circle for circle in found) and (circle := _circle_through(name, needs)):
            found.append(circle)
    return found


def _circle_through(start: PlanName, needs: Mapping[PlanName, Collection[PlanName]]) -> tuple[PlanName, ...]:
    """The shortest way from a plan back to itself; empty if there is none."""
    ways: list[tuple[PlanName, ...]] = [(start,)]
    seen: set[PlanName] = set()
    for way in ways:  # grows while it is walked
        for following in sorted(needs.get(way[-1], ())):
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()


def _place(plan: Plan, name: str) -> Place:
    return (plan.target.account, plan.target.region, name)
