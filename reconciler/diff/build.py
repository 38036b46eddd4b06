"""Build: a view of what is, against the plan, becomes a change set. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.diff.digest import change_digest
from reconciler.diff.order import steps_of
from reconciler.diff.waves import waves
from reconciler.live.compare import compare
from reconciler.live.desired import desired_of, veil
from reconciler.live.finding import planned_name
from reconciler.live.loss import loss_of
from reconciler.live.merge import target
from reconciler.live.ownership import owner_in
from reconciler.live.records import outdated
from reconciler.live.view import Seen, View
from reconciler.model.change import Action, Change, ChangeSet, Conflict, FieldChange, ResourceState
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.resource import Observation, SyncState, Unreadable
from reconciler.model.values import Properties, Unknown, has_unknown, leaves
from reconciler.schema import TypeSchema, schema_for
from reconciler.template.exchange import imported_names

_KEEPS = frozenset({"Retain", "Snapshot"})


@dataclass(slots=True)
class _Draft:
    """The change set in the making."""

    plan: Plan
    view: View
    at: datetime
    changes: list[Change] = field(default_factory=list)
    states: list[ResourceState] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    desired: dict[LogicalId, Properties] = field(default_factory=dict)
    gone: set[LogicalId] = field(default_factory=set)
    unknown: set[LogicalId] = field(default_factory=set)
    outdated: set[LogicalId] = field(default_factory=set)
    left: set[LogicalId] = field(default_factory=set)
    waiting: set[LogicalId] = field(default_factory=set)

    def state(self, name: LogicalId, state: SyncState, message: str = "") -> None:
        entry = self.view.seen[name]
        if state is SyncState.UNKNOWN:
            self.unknown.add(name)
        self.states.append(ResourceState(name, entry.type, state, entry.identifier, message, self.at))

    def conflict(self, name: LogicalId, message: str) -> None:
        entry = self.view.seen[name]
        self.conflicts.append(Conflict(name, entry.type, entry.identifier or Identifier(""), message))
        self.state(name, SyncState.DRIFTED, message)


def build(plan: Plan, view: View, at: datetime) -> ChangeSet:
    """The change set of ``plan`` (ownership included) against ``view``, which was read at ``at``."""
    draft = _Draft(plan, view, at)
    needs = {name: resource.needs for name, resource in plan.resources.items()}
    for name in (name for wave in waves(needs) for name in wave):
        if plan.absent:
            _remove(draft, name)
        else:
            _planned(draft, plan.resources[name])
    for name in view.seen.keys() - plan.resources.keys():
        _remove(draft, name)
    return _finished(draft)


def _planned(draft: _Draft, planned: PlannedResource) -> None:
    name = planned.logical_id
    entry = draft.view.seen[name]
    desired = desired_of(planned, draft.view)
    draft.desired[name] = desired
    unread = _need_among(draft.unknown, desired)
    if isinstance(entry.live, Unreadable):
        draft.state(name, SyncState.UNKNOWN, entry.live.message)
    elif entry.record is not None and entry.record.type != planned.type:
        draft.conflict(name, f"the type of {name} can't change from {entry.record.type}: use another logical id")
    elif entry.foreign:
        draft.conflict(name, entry.foreign)
    elif unread:
        draft.waiting |= {name} if unread in draft.waiting else set()
        what = "waits" if unread in draft.waiting else "could not be read"
        draft.state(name, SyncState.UNKNOWN, f"refers to {unread}, which {what}")
    elif waits := _awaited(planned, desired, draft.view):
        draft.waiting.add(name)
        draft.state(name, SyncState.UNKNOWN, waits)
    elif left := _need_among(draft.left, desired):
        draft.left.add(name)
        draft.state(name, SyncState.DRIFTED, f"refers to {left}, which is left alone")
    elif entry.live is None:
        _missing(draft, planned, entry, desired)
    else:
        _existing(draft, planned, entry, entry.live, desired)


def _need_among(names: set[LogicalId], desired: Properties) -> str:
    """One of ``names`` that ``desired`` refers to and that isn't there for it: then it can't be judged either."""
    for leaf in leaves(desired) if names else ():
        if isinstance(leaf, Unknown) and (name := leaf.expression.split(".")[0]) in names:
            return name
    return ""


def _awaited(planned: PlannedResource, desired: Properties, view: View) -> str:
    """What a resource waits for: a value that another plan has yet to export."""
    if not has_unknown(desired):
        return ""
    for name in imported_names(planned.properties):
        if isinstance(view.imported(name), Unknown):
            exporter = view.exporter(name)
            if exporter:
                return f"waits for plan {exporter}, which exports {name}"
            if view.strangers:
                continue
            return f"imports {name}, which no plan in this account and region exports"
    return ""


def _missing(draft: _Draft, planned: PlannedResource, entry: Seen, desired: Properties) -> None:
    if entry.adopting:
        draft.conflict(planned.logical_id, f"{entry.identifier} is to be adopted but does not exist")
        return
    deleted = entry.record is not None
    reason = "deleted outside of the plan" if deleted else "not there yet"
    if deleted and planned.logical_id in draft.plan.left_alone:
        draft.left.add(planned.logical_id)
        draft.state(planned.logical_id, SyncState.MISSING, f"{reason} again and again")
        return
    draft.state(planned.logical_id, SyncState.MISSING, reason)
    fields = tuple(
        FieldChange(f"/{name}", None, value, reason="drift" if deleted else "plan") for name, value in desired.items()
    )
    draft.changes.append(
        Change(planned.logical_id, planned.type, Action.CREATE, None, None, desired, fields, reason=reason)
    )


def _existing(draft: _Draft, planned: PlannedResource, entry: Seen, live: Observation, desired: Properties) -> None:
    name, schema = planned.logical_id, schema_for(planned.type, draft.plan.target.region)
    ignore = tuple(rule.path for rule in draft.plan.ignore if rule.resource == name)
    applied = entry.record.applied if entry.record else None
    fields = compare(schema, desired, live.properties, applied, ignore)
    former = None if entry.moved is None else Owner(entry.moved.plan, entry.moved.logical_id)
    adopting = entry.record is None and (entry.adopting or former is not None)
    if adopting and (problem := _adoption_problem(draft, planned, live, schema, fields, former)):
        draft.conflict(name, problem)
        return
    if not fields and not adopting:
        draft.state(name, SyncState.IN_SYNC)
        if entry.record is not None and outdated(entry.record, planned, desired):
            draft.outdated.add(name)
        return
    action = Action.ADOPT if adopting else Action.UPDATE
    if any(change.forces_replacement for change in fields):
        action = Action.REPLACE
        draft.view.changing.add(name)
    reason = _reason(action, fields, former)
    draft.state(name, SyncState.DRIFTED, reason)
    after = desired if action is Action.REPLACE else target(schema, desired, live.properties, fields)
    shown = after.keys() | _tops(fields)
    before = veil(schema, {key: live.properties[key] for key in shown if key in live.properties}, applied or {}, after)
    loss = loss_of(schema, planned.type, live.properties, applied) if action is Action.REPLACE else ()
    draft.changes.append(
        Change(name, planned.type, action, live.identifier, before, after, fields, reason, loss, former)
    )


def _adoption_problem(
    draft: _Draft,
    planned: PlannedResource,
    live: Observation,
    schema: TypeSchema | None,
    fields: tuple[FieldChange, ...],
    former: Owner | None,
) -> str:
    owner = owner_in(live.properties, schema.tag_property if schema else None)
    if owner is not None and owner not in (former, Owner(draft.plan.name, planned.logical_id)):
        return f"{live.identifier} belongs to plan {owner.plan} ({owner.logical_id})"
    forcing = ", ".join(change.path for change in fields if change.forces_replacement)
    if forcing and former is not None:
        return (
            f"{live.identifier} can't be taken over from plan {former.plan} ({former.logical_id}): {forcing} would "
            "force a replacement; correct that, or use another logical id for a new resource"
        )
    if forcing:
        return f"{live.identifier} can't be adopted as it is: {forcing} would force a replacement"
    return ""


def _reason(action: Action, fields: tuple[FieldChange, ...], former: Owner | None) -> str:
    if action is Action.REPLACE:
        forcing = ", ".join(change.path for change in fields if change.forces_replacement)
        return f"{forcing} can't be changed in place"
    if action is Action.ADOPT and former is not None:
        return f"moves here from plan {former.plan} ({former.logical_id}); nothing is deleted"
    if action is Action.ADOPT:
        return "exists already and is adopted"
    reasons = {change.reason for change in fields}
    return "changed outside of the plan" if reasons == {"drift"} else "the plan changed"


def _tops(fields: tuple[FieldChange, ...]) -> set[str]:
    return {change.path.split("/", 2)[1] for change in fields}


def _remove(draft: _Draft, name: LogicalId) -> None:
    """A resource that the plan has dropped, or all of them when the plan is to be absent."""
    plan, entry = draft.plan, draft.view.seen[name]
    planned = plan.resources.get(name)
    policy = planned.deletion_policy if planned else entry.record.deletion_policy if entry.record else "Retain"
    if entry.live is None or entry.foreign:
        if entry.record is not None:
            draft.gone.add(name)
    elif isinstance(entry.live, Unreadable):
        draft.state(name, SyncState.UNKNOWN, entry.live.message)
    elif entry.kept:
        draft.state(name, SyncState.ORPHANED, entry.kept)
    elif policy in _KEEPS:
        draft.gone.add(name)
        draft.state(name, SyncState.ORPHANED, f"kept: DeletionPolicy is {policy}")
    elif not plan.prune and not plan.absent and planned_name(name) == name:
        draft.state(name, SyncState.ORPHANED, "no longer in the plan; kept because prune is false")
    else:
        reason = "the plan is to be absent" if plan.absent else "no longer in the plan"
        draft.state(name, SyncState.DRIFTED, reason)
        applied = entry.record.applied if entry.record else {}
        schema = schema_for(entry.type, plan.target.region)
        before = veil(schema, entry.live.properties, applied)
        loss = loss_of(schema, entry.type, entry.live.properties, applied)
        identifier = entry.live.identifier
        draft.changes.append(Change(name, entry.type, Action.DELETE, identifier, before, None, (), reason, loss))


def _finished(draft: _Draft) -> ChangeSet:
    plan, view = draft.plan, draft.view
    needs = {name: entry.record.needs for name, entry in view.seen.items() if entry.record is not None}
    needs |= {name: resource.needs | needs.get(name, frozenset()) for name, resource in plan.resources.items()}
    live = {
        name: entry.live.properties
        for name, entry in view.seen.items()
        if isinstance(entry.live, Observation) and not entry.foreign
    }
    changes = ChangeSet(
        plan=plan,
        changes=tuple(draft.changes),
        steps=steps_of(plan, draft.changes, needs),
        resources=tuple(draft.states),
        conflicts=tuple(draft.conflicts),
        desired=draft.desired,
        live=live,
        identifiers=view.identifiers(),
        gone=frozenset(draft.gone),
        found=frozenset(name for name, entry in view.seen.items() if entry.located and not entry.foreign)
        | draft.outdated,
        waiting=frozenset(draft.waiting),
    )
    return replace(changes, digest=change_digest(changes))
