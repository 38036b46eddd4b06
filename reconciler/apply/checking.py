"""Checks around the call of a step: is live state still what the diff saw, is it as wanted afterwards, whose is it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.apply.act import Actor
from reconciler.apply.looking import look_until, looks
from reconciler.live import changed_properties, choose, compare, desired_of, foreign, has_secret, old_names
from reconciler.model.change import Action, ChangeSet, FieldChange, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, Owner, StepId
from reconciler.model.resource import Observation
from reconciler.model.values import Properties, Sensitive, has_unknown, mask, reveal
from reconciler.schema import TypeSchema, canonical, schema_for


class Stale(ReconcilerError):
    """Live state is no longer what the diff saw."""

    reason = "stale"


class ValidationFailed(ReconcilerError):
    """The call succeeded but live state is not as wanted afterwards."""

    reason = "validation"


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks for the steps of one change set."""

    actor: Actor
    changes: ChangeSet

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
        records, old = self.actor.records, self.old_half(step)
        left = {records[name].identifier for name in old_names(records, step.logical_id)}
        return frozenset(left | {old} if old is not None else left)

    def standing(self, step: Step, desired: Properties) -> Identifier | None:
        """A resource already standing where this one would go: ours (then it is taken), or a conflict."""
        actor, owner = self.actor, Owner(self.actor.plan.name, step.logical_id)
        located = actor.provider(step).locate(actor.scope, reveal(desired), owner)
        found = choose(located, owner, self.old_halves(step))
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
        return compare(self.schema(step), desired, live.properties, applied, self._ignored(step))

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

    def validated(self, step: Step, identifier: Identifier, desired: Properties) -> Observation:
        """Live state, once it is as wanted. Raises ValidationFailed when it doesn't get there."""
        difference = f"{identifier} can't be found after the call"
        names = self.names(step, desired) | self.actor.attributes.get(step.logical_id, frozenset())
        for _ in looks(self.actor.clock):
            live = self.actor.read(step, identifier, names)
            if live is None:
                continue
            fields = compare(self.schema(step), desired, live.properties, None, self._ignored(step))
            if not fields:
                return live
            difference = "; ".join(
                f"{field.path} is {mask(_before(step, field))!r}, wanted {mask(field.after)!r}" for field in fields
            )
        raise ValidationFailed(f"{identifier}: {difference}")

    def validated_gone(self, step: Step, identifier: Identifier) -> None:
        """Wait until it is gone. Raises ValidationFailed when it stays."""
        read = self.actor.read
        if look_until(self.actor.clock, lambda: read(step, identifier, frozenset()) is None or None) is None:
            raise ValidationFailed(f"{identifier} is still there after its deletion")

    def _moved(self, step: Step, names: frozenset[str], live: Observation) -> set[str]:
        schema, before = self.schema(step), self.changes.live.get(step.logical_id, {})
        return {
            f"/{name}"
            for name in names
            if canonical(schema, (name,), live.properties.get(name)) != canonical(schema, (name,), before.get(name))
        }

    def _ignored(self, step: Step) -> tuple[str, ...]:
        return tuple(rule.path for rule in self.actor.plan.ignore if rule.resource == step.logical_id)


def _covered(path: str, known: set[str]) -> bool:
    return any(path == one or path.startswith(one + "/") or one.startswith(path + "/") for one in known)


def _before(step: Step, field: FieldChange) -> Any:
    """The live value of a field after the step; where a secret was before it, that may still be what AWS shows."""
    former = [(step.before or {}).get(name) for name in changed_properties([field])]
    return Sensitive(field.before) if field.before is not None and has_secret(former) else field.before
