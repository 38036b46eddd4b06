"""Order: changes become steps with edges. What is needed comes first, deletes go in reverse.

A replacement is two steps. The new resource comes first and the old one goes when nothing refers to it any more,
unless both can't exist at once (same identifier, same name, same address range): then the old one goes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.diff.waves import waves
from reconciler.live.finding import planned_name
from reconciler.live.merge import changed_properties
from reconciler.model.change import Action, Change, Step, Verb
from reconciler.model.ids import LogicalId, StepId
from reconciler.model.plan import Plan
from reconciler.schema import TypeSchema, identifier_of, schema_for

#: Properties, beside names, that two live resources of a type can't share within their parent.
_EXCLUSIVE = frozenset(
    {"AllocationId", "CidrBlock", "DestinationCidrBlock", "DestinationIpv6CidrBlock", "InternetGatewayId"}
)
#: The same for some types alone: a subnet has one route table.
_EXCLUSIVE_IN = frozenset({("AWS::EC2::SubnetRouteTableAssociation", "SubnetId")})
#: Names that aren't a resource's own: what it is a version of has it, and others beside it.
_SHARED = frozenset({("AWS::Lambda::LayerVersion", "LayerName"), ("AWS::Lambda::Version", "FunctionName")})


def steps_of(
    plan: Plan, changes: Collection[Change], needs: Mapping[LogicalId, frozenset[LogicalId]]
) -> tuple[Step, ...]:
    """The steps of a change set, each listed after those it needs.

    ``needs`` has the dependencies of planned and of recorded resources. Raises ValueError on a cycle.
    """
    steps: dict[StepId, Step] = {}
    for change in changes:
        for verb in _verbs(plan, change):
            step = _step(change, verb)
            steps[step.id] = step
    by_resource = {change.logical_id: change for change in changes}
    first_out = _first_out(plan, changes, needs)
    edged = [
        replace(step, needs=frozenset(_edges(step, steps, by_resource, needs, first_out))) for step in steps.values()
    ]
    by_id = {step.id: step for step in edged}
    return tuple(by_id[name] for wave in waves({step.id: step.needs for step in edged}) for name in wave)


def _first_out(
    plan: Plan, changes: Collection[Change], needs: Mapping[LogicalId, frozenset[LogicalId]]
) -> set[LogicalId]:
    """Replacements whose old half goes before the new one comes: those that can't exist twice, and what hangs on them.

    A dependant's old half has to go before what it refers to can; its new half comes after the new one of that.
    """
    replaced = {change.logical_id: change for change in changes if change.action is Action.REPLACE}
    found = {name for name, change in replaced.items() if _exclusive(plan, change)}
    while more := {name for name in replaced.keys() - found if needs.get(name, frozenset()) & found}:
        found |= more
    return found


def _verbs(plan: Plan, change: Change) -> tuple[Verb, ...]:
    if change.action is Action.REPLACE:
        planned = plan.resources[change.logical_id]
        return (Verb.CREATE,) if planned.update_replace_policy != "Delete" else (Verb.CREATE, Verb.DELETE)
    return (
        {
            Action.CREATE: Verb.CREATE,
            Action.UPDATE: Verb.UPDATE,
            Action.DELETE: Verb.DELETE,
            Action.ADOPT: Verb.ADOPT,
        }[change.action],
    )


def _step(change: Change, verb: Verb) -> Step:
    creating, deleting = verb is Verb.CREATE, verb is Verb.DELETE
    return Step(
        id=step_id(change.logical_id, verb),
        logical_id=change.logical_id,
        type=change.type,
        verb=verb,
        action=change.action,
        identifier=None if creating else change.identifier,
        before=None if creating else change.before,
        after=None if deleting else change.after,
        changed=changed_properties(change.fields) if verb in (Verb.UPDATE, Verb.ADOPT) else frozenset(),
    )


def step_id(logical_id: LogicalId, verb: Verb) -> StepId:
    """``<logical id>:<verb>``."""
    return StepId(f"{logical_id}:{verb.value}")


def _edges(
    step: Step,
    steps: Mapping[StepId, Step],
    changes: Mapping[LogicalId, Change],
    needs: Mapping[LogicalId, frozenset[LogicalId]],
    first_out: set[LogicalId],
) -> Iterable[StepId]:
    name = step.logical_id
    if step.verb is Verb.DELETE:
        for other, its_needs in needs.items():
            if planned_name(name) in its_needs and other != name and other in changes:
                yield from _leaves_first(other, name, steps, first_out)
        if name not in first_out and step_id(name, Verb.CREATE) in steps:
            yield step_id(name, Verb.CREATE)
        return
    for need in needs.get(name, frozenset()):
        for verb in (Verb.CREATE, Verb.UPDATE, Verb.ADOPT):
            if step_id(need, verb) in steps and need != name:
                yield step_id(need, verb)
    if name in first_out and step.verb is Verb.CREATE and step_id(name, Verb.DELETE) in steps:
        yield step_id(name, Verb.DELETE)


def _leaves_first(
    other: LogicalId, name: LogicalId, steps: Mapping[StepId, Step], first_out: set[LogicalId]
) -> Iterable[StepId]:
    """Steps by which ``other`` lets go of ``name`` before that is deleted."""
    if step_id(other, Verb.DELETE) in steps:
        yield step_id(other, Verb.DELETE)
    elif name not in first_out and step_id(other, Verb.UPDATE) in steps:
        yield step_id(other, Verb.UPDATE)


def _exclusive(plan: Plan, change: Change) -> bool:
    schema = schema_for(change.type, plan.target.region)
    after, before = change.after or {}, change.before or {}
    if schema is None:
        return True
    if change.identifier is not None and identifier_of(schema, after) == change.identifier:
        return True
    return any(after[name] == before.get(name) for name in after if _names(schema, name))


def _names(schema: TypeSchema, name: str) -> bool:
    exclusive = name in _EXCLUSIVE or (schema.type_name, name) in _EXCLUSIVE_IN
    own = name.endswith("Name") and (schema.type_name, name) not in _SHARED
    return (own or exclusive) and schema.forces_replacement((name,))
