"""Checks around the call of a step: is live state still what the diff saw, is it as wanted afterwards, whose is it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.apply.act import Actor
from reconciler.apply.places import Places
from reconciler.live import changed_properties, choose, compare, desired_of, foreign, old_names
from reconciler.model.change import Action, ChangeSet, FieldChange, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, Owner, StepId
from reconciler.model.resource import Observation
from reconciler.model.values import Properties, has_unknown
from reconciler.schema import TypeSchema, canonical, schema_for


class Stale(ReconcilerError):
    """Live state is no longer what the diff saw."""

    reason = "stale"


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks for the steps of one change set."""

    actor: Actor
    changes: ChangeSet
    places: Places

    def schema(self, step: Step) -> TypeSchema | None:
        """The schema of a step's type."""
        return schema_for(step.type, self.actor.plan.target.region)

    def desired(self, step: Step) -> Properties:
        """What the resource is to be, fully known by now. Raises AwsFault INTERNAL if it isn't."""
        planned = self.actor.plan.resources[step.logical_id]
        desired = desired_of(planned, self.actor.view)
        if has_unknown(desired):
            raise AwsFault(FaultKind.INTERNAL, f"{step.logical_id} refers to values that are still unknown")
        return desired

    def names(self, step: Step, desired: Properties) -> frozenset[str]:
        """The properties to read of a resource that is to be ``desired``."""
        return frozenset(desired) | step.changed | frozenset(self.changes.live.get(step.logical_id, {}))

    def old_half(self, step: Step) -> Identifier | None:
        """What a create step replaces and stands beside."""
        if step.action is not Action.REPLACE or StepId(f"{step.logical_id}:{Verb.DELETE.value}") in step.needs:
            return None
        return self.changes.identifiers.get(step.logical_id)

    def old_halves(self, step: Step) -> frozenset[Identifier]:
        """What a create step must not take for the resource: what it replaces, what replacements before it left."""
        notes, old = self.actor.notes, self.old_half(step)
        left = {notes.records[name].identifier for name in old_names(notes.halves, step.logical_id)}
        return frozenset(left | {old} if old is not None else left)

    def standing(self, step: Step, desired: Properties) -> Identifier | None:
        """A resource already standing where this one would go: ours (then it is taken), or a conflict."""
        actor, owner = self.actor, Owner(self.actor.plan.name, step.logical_id)
        found = choose(self.places.located(step, desired), owner, self.old_halves(step))
        if found is None:
            return None
        problem = foreign(
            actor.view, actor.plan, step.logical_id, found.identifier, found.owner, actor.scope, actor.store
        )
        if problem:
            raise AwsFault(FaultKind.ALREADY_EXISTS, problem)
        return found.identifier

    def fields(self, step: Step, desired: Properties, live: Observation) -> tuple[FieldChange, ...]:
        """What differs now from what is wanted."""
        record = self.actor.records.get(step.logical_id)
        applied = record.applied if record else None
        return compare(self.schema(step), desired, live.properties, applied, self.ignored(step))

    def foreseen(self, step: Step, fields: Sequence[FieldChange], live: Observation) -> None:
        """Raise Stale for fields that policy was not asked about, or that hold other values than it was shown."""
        change = next(change for change in self.changes.changes if change.logical_id == step.logical_id)
        known = {field.path for field in change.fields}
        moved = {field.path for field in fields if not _covered(field.path, known)}
        forcing = {field.path for field in fields if field.forces_replacement}
        other = self._moved(step, changed_properties(fields), live)
        if unforeseen := sorted({*moved, *forcing, *other}):
            raise Stale(f"{live.identifier} has changed since the diff: {', '.join(unforeseen)}")

    def unmoved(self, step: Step, names: frozenset[str], live: Observation) -> None:
        """Raise Stale if any of the named properties holds another value than the diff saw."""
        if moved := self._moved(step, names, live):
            raise Stale(f"{live.identifier} has changed since the diff: {', '.join(sorted(moved))}")

    def _moved(self, step: Step, names: frozenset[str], live: Observation) -> set[str]:
        schema, before = self.schema(step), self.changes.live.get(step.logical_id, {})
        record = self.actor.records.get(step.logical_id)
        # others that hung on what is deleted now have been deleted already, and with them what they were within it
        applied = record.applied if record is not None and step.action is Action.DELETE and step.needs else {}

        def meaning(properties: Properties, name: str) -> Any:
            return canonical(schema, (name,), managed_part(properties.get(name), applied.get(name)))

        return {f"/{name}" for name in names if meaning(live.properties, name) != meaning(before, name)}

    def ignored(self, step: Step) -> tuple[str, ...]:
        return tuple(rule.path for rule in self.actor.plan.ignore if rule.resource == step.logical_id)


def managed_part(value: Any, applied: Any) -> Any:
    """What of a value a plan has set: of an object the keys that it applied, at whatever depth."""
    if not isinstance(value, Mapping) or not isinstance(applied, Mapping):
        return value
    return {key: managed_part(item, applied[key]) for key, item in value.items() if key in applied}


def _covered(path: str, known: set[str]) -> bool:
    return any(path == one or path.startswith(one + "/") or one.startswith(path + "/") for one in known)
