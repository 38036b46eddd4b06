"""Which plans are in force: the good ones of now, and the last good version of those that are broken now. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from reconciler.model.errors import Problem
from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan
from reconciler.source.reading import Entry

Invalid = dict[str, tuple[Problem, ...]]


def plans_in_force(
    entries: Sequence[Entry], broken: Mapping[str, tuple[Problem, ...]], before: Mapping[PlanName, Plan]
) -> tuple[dict[PlanName, Plan], Invalid]:
    """The plans to go by, and what is wrong now by plan (or by file, where no plan's name can be told).

    ``broken``: files, and directories with a trailing ``/``, that can't be read in full; which plans they hold now
    can't be told, so those that came from there stay. ``before``: the plans in force until now.
    """
    plans: dict[PlanName, Plan] = {}
    invalid: Invalid = {}
    by_name: defaultdict[PlanName, list[Entry]] = defaultdict(list)
    broken = dict(broken)
    for entry in entries:
        if entry.name is None:
            broken[entry.file] = (*broken.get(entry.file, ()), *entry.problems)
        else:
            by_name[entry.name].append(entry)
    for name, found in by_name.items():
        plan, problems = _one(name, found)
        if problems:
            invalid[name] = problems
            plan = before.get(name)
        if plan is not None:
            plans[name] = plan
    for place, problems in broken.items():
        kept = [name for name, plan in before.items() if name not in by_name and _from(plan, place)]
        for name in kept:
            plans[name] = before[name]
            invalid[name] = (*invalid.get(name, ()), *problems)
        if not kept:
            invalid[place] = problems
    return plans, invalid


def _one(name: PlanName, found: Sequence[Entry]) -> tuple[Plan | None, tuple[Problem, ...]]:
    """The plan of a name, or what is wrong: with it, or that there are several."""
    if len(found) == 1:
        return found[0].plan, found[0].problems
    problems: list[Problem] = []
    for entry in found:
        others = ", ".join(f"{other.file}:{other.line}" for other in found if other is not entry)
        message = f"the plan name {name} is used more than once; also in {others}"
        problems.append(Problem(message, entry.file, entry.line, "metadata/name", "rename one", "duplicate"))
        problems.extend(entry.problems)
    return None, tuple(problems)


def _from(plan: Plan, place: str) -> bool:
    return plan.origin.file == place or (place.endswith("/") and plan.origin.file.startswith(place))
