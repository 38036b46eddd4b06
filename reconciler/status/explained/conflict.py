"""Something stands where a resource would go, or is in the way of a change: adopt, update, or delete and recreate."""

from __future__ import annotations

import re

from reconciler.model.change import Conflict
from reconciler.model.errors import FaultKind
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Plan
from reconciler.model.report import Explanation
from reconciler.schema import identifier_of, schema_for
from reconciler.status.explained import remedies
from reconciler.status.explained.case import Case
from reconciler.status.explained.remedies import option
from reconciler.status.outcome import Outcome

_OWNER = re.compile(r"belongs to plan (\S+) \(([^)]*)\)")


def conflict(plan: Plan, found: Conflict) -> Explanation:
    """A conflict that the diff saw."""
    return _taken(plan, found.logical_id, found.type, found.identifier, found.message)


def in_the_way(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """A conflict that a step met."""
    if case.kind == FaultKind.ALREADY_EXISTS and case.logical_id is not None and case.type is not None:
        identifier = case.identifier or _named(plan, outcome, case)
        return _taken(plan, case.logical_id, case.type, identifier, case.text)
    return Explanation(
        kind="conflict",
        title="Resource conflict",
        analysis=(
            *((("Resource", case.subject),) if case.subject else ()),
            ("Conflict", case.text),
            ("In the plan", remedies.place(plan, case.logical_id)),
        ),
        options=(
            option("Once what the message names is out of the way or done, go on:", remedies.apply(plan)),
            f"Leave the resource as it is: take the change back in {remedies.place(plan, case.logical_id)}",
            *_recreate(plan, case.type, case.identifier),
        ),
    )


def _taken(
    plan: Plan, name: LogicalId, type_name: TypeName, identifier: Identifier | None, message: str
) -> Explanation:
    owner = _OWNER.search(message)
    return Explanation(
        kind="conflict",
        title=_title(message),
        analysis=(
            ("Resource", f"{identifier or name} ({type_name})"),
            ("Conflict", message),
            ("Owner", f"plan {owner[1]} ({owner[2]})" if owner else "no plan"),
            ("In the plan", f"{name}, {remedies.place(plan, name)}"),
        ),
        options=_ways(plan, name, type_name, identifier, message),
    )


def _title(message: str) -> str:
    return "Resource to adopt does not exist" if "does not exist" in message else "Resource already exists"


def _ways(
    plan: Plan, name: LogicalId, type_name: TypeName, identifier: Identifier | None, message: str
) -> tuple[str, ...]:
    where = remedies.place(plan, name)
    if type_name == "AWS::CloudFormation::Stack" and identifier:
        return (
            option(
                "Take it over: give the stack the plan's tags (its other tags, named again, stay), then go on:",
                remedies.hand_over_stack(plan, name, identifier),
                remedies.apply(plan),
            ),
            f"Make another one: spec.stack.name in {where}",
        )
    if "can't change from" in message:
        return (f"Give the new resource another logical id in {where}",)
    if "does not exist" in message:
        return (f"Correct the identifier in {where}", f"Create it instead: remove the adopt line in {where}")
    owner = _OWNER.search(message)
    if owner:
        moved = f"Metadata: {{Reconciler: {{movedFrom: {owner[1]}/{owner[2]}}}}}"
        return (
            f"Use existing resource: refer to it by its identifier and take {name} out of {where}",
            option(f"Take it over: remove it from plan {owner[1]} and add to {name} in {where}:", moved),
            f"Make another one: give {name} a name or place of its own in {where}",
        )
    recreate = _recreate(plan, type_name, identifier)
    if "force a replacement" in message:
        return (f"Change the plan to what exists, in {where}", *recreate)
    known = identifier or Identifier("IDENTIFIER")
    by_tags = remedies.hand_over(plan, name, type_name, identifier) if identifier else None
    update: tuple[str, ...] = ()
    if by_tags is not None:
        text = "Update existing resource: make it the plan's by its tags, then to what the plan says:"
        update = (option(text, by_tags, remedies.apply(plan)),)
    return (
        option(
            f"Use existing resource: adopt it; add to {name} in {where}, approve, apply:",
            remedies.adopt(known),
            remedies.apply(plan),
        ),
        *update,
        *recreate,
    )


def _recreate(plan: Plan, type_name: TypeName | None, identifier: Identifier | None) -> tuple[str, ...]:
    if type_name is None or identifier is None:
        return ()
    command = remedies.delete(plan, type_name, identifier)
    return (option("Delete and recreate (with approval; what it holds is lost):", command, remedies.apply(plan)),)


def _named(plan: Plan, outcome: Outcome, case: Case) -> Identifier | None:
    """The identifier that the plan itself spells out, as a name does."""
    schema = schema_for(case.type, plan.target.region) if case.type else None
    desired = outcome.changes.desired.get(case.logical_id) if outcome.changes and case.logical_id else None
    if schema is None or not desired:
        return None
    return identifier_of(schema, desired)
