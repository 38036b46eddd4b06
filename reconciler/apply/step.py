"""One step: look again, call, remember, validate.

Before the call the resource is read (or looked for) once more. If it isn't what the diff saw, the step is not taken:
the pass ends as ``stale`` and the next one computes and decides afresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.apply.act import Actor
from reconciler.apply.describe import command
from reconciler.live import changed_properties, compare, desired_of, foreign, record_of, target
from reconciler.model.change import Action, ChangeSet, FieldChange, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.report import StepResult, StepState
from reconciler.model.resource import Observation, Record
from reconciler.model.values import Properties, has_unknown, mask, reveal
from reconciler.schema import TypeSchema, canonical, schema_for

#: AWS is eventually consistent: a resource just written may read old or absent for a while. Seconds between looks.
SETTLE = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Stale(ReconcilerError):
    """Live state is no longer what the diff saw."""

    reason = "stale"


class ValidationFailed(ReconcilerError):
    """The call succeeded but live state is not as wanted afterwards."""

    reason = "validation"


def replaced(logical_id: LogicalId) -> LogicalId:
    """The name under which the old half of a replacement is remembered until it is deleted."""
    return LogicalId(f"{logical_id}#replaced")


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs the steps of one change set."""

    actor: Actor
    changes: ChangeSet

    def run(self, step: Step) -> StepResult:
        """Take the step. Never raises: whatever goes wrong is in the result."""
        started = self.actor.clock.monotonic()
        try:
            identifier, result = self._take(step)
        except Exception as error:
            return self._failed(step, error, started)
        return StepResult(
            step.id,
            step.logical_id,
            step.type,
            step.verb,
            StepState.DONE,
            command(step),
            result,
            "passed",
            identifier,
            seconds=self.actor.clock.monotonic() - started,
        )

    def _failed(self, step: Step, error: Exception, started: float) -> StepResult:
        kind = error.kind.value if isinstance(error, AwsFault) else getattr(error, "reason", FaultKind.INTERNAL.value)
        text = str(error) if isinstance(error, ReconcilerError) else f"{type(error).__name__}: {error}"
        return StepResult(
            step.id,
            step.logical_id,
            step.type,
            step.verb,
            StepState.FAILED,
            command(step),
            validation="failed" if isinstance(error, ValidationFailed) else "",
            identifier=step.identifier,
            error=text,
            error_kind=kind,
            seconds=self.actor.clock.monotonic() - started,
        )

    def _take(self, step: Step) -> tuple[Identifier | None, str]:
        match step.verb:
            case Verb.CREATE:
                return self._create(step)
            case Verb.DELETE:
                return self._delete(step)
            case Verb.UPDATE | Verb.ADOPT:
                return self._update(step)

    # create

    def _create(self, step: Step) -> tuple[Identifier, str]:
        desired = self._desired(step)
        before = self._old_half(step)
        existing = self._standing(step, desired, before)
        if existing is None:
            if before is not None:
                self._remember_old_half(step, before)
            existing = self._call_create(step, desired)
            result = f"created {existing}"
        else:
            result = f"{existing} was there already, made by this plan"
        live = self._validated(step, existing, desired)
        self._remember(step, live, desired, adopted=False)
        return existing, result

    def _call_create(self, step: Step, desired: Properties) -> Identifier:
        try:
            return self.actor.perform(
                step,
                lambda provider, token: provider.create(self.actor.scope, reveal(desired), token),
                before={},
                after=desired,
            )
        except AwsFault as fault:
            found = self._standing(step, desired, self._old_half(step)) if fault.ambiguous else None
            if found is None:
                raise
            return found

    def _standing(self, step: Step, desired: Properties, old: Identifier | None) -> Identifier | None:
        """A resource already standing where this one would go: ours (then it is taken), or a conflict."""
        actor = self.actor
        provider = actor.provider(step)
        found = provider.locate(actor.scope, reveal(desired), Owner(actor.plan.name, step.logical_id))
        if found is None or found.identifier == old:
            return None
        problem = foreign(
            actor.view, actor.plan, step.logical_id, found.identifier, found.owner, actor.scope, actor.store
        )
        if problem:
            raise AwsFault(FaultKind.ALREADY_EXISTS, problem)
        return found.identifier

    def _old_half(self, step: Step) -> Identifier | None:
        return self.changes.identifiers.get(step.logical_id) if step.action is Action.REPLACE else None

    def _remember_old_half(self, step: Step, old: Identifier) -> None:
        """Before the new half exists: from then on the old one is an orphan that a later pass would prune."""
        delete = next(
            (s for s in self.changes.steps if s.verb is Verb.DELETE and s.logical_id == step.logical_id), None
        )
        if delete is None or delete.id in step.needs:
            return
        record = self.actor.records.get(step.logical_id) or self._record(step, old, {}, adopted=False)
        self.actor.remember(
            replace(record, logical_id=replaced(step.logical_id), identifier=old, deletion_policy="Delete")
        )

    # update and adopt

    def _update(self, step: Step) -> tuple[Identifier, str]:
        assert step.identifier is not None
        actor, schema = self.actor, self._schema(step)
        desired = self._desired(step)
        live = actor.read(step, step.identifier, self._names(step, desired))
        if live is None:
            raise Stale(f"{step.identifier} has gone since the diff")
        fields = self._fields(step, desired, live)
        unforeseen = self._unforeseen(step, fields, live)
        if unforeseen:
            raise Stale(f"{step.identifier} has changed since the diff: {', '.join(unforeseen)}")
        changed = changed_properties(fields)
        if changed:
            after = target(schema, desired, live.properties, fields)
            actor.perform(
                step,
                lambda provider, _token: provider.update(
                    actor.scope, live.identifier, live.properties, reveal(after), changed
                ),
                before={name: live.properties[name] for name in changed if name in live.properties},
                after={name: after[name] for name in changed if name in after},
            )
        seen = self._validated(step, live.identifier, desired)
        self._remember(step, seen, desired, adopted=step.verb is Verb.ADOPT)
        verb = "adopted" if step.verb is Verb.ADOPT else "updated"
        return live.identifier, f"{verb} {', '.join(sorted(changed)) or 'nothing to change'}"

    def _unforeseen(self, step: Step, fields: Sequence[FieldChange], live: Observation) -> list[str]:
        """Fields that policy was not asked about, or that hold other values than it was shown."""
        change = next(change for change in self.changes.changes if change.logical_id == step.logical_id)
        foreseen = {field.path: field for field in change.fields}
        moved = [field.path for field in fields if not _foreseen(field.path, foreseen)]
        forcing = [field.path for field in fields if field.forces_replacement]
        schema, before = self._schema(step), self.changes.live.get(step.logical_id, {})
        other = [
            f"/{name}"
            for name in changed_properties(fields)
            if canonical(schema, (name,), live.properties.get(name)) != canonical(schema, (name,), before.get(name))
        ]
        return sorted({*moved, *forcing, *other})

    # delete

    def _delete(self, step: Step) -> tuple[Identifier | None, str]:
        assert step.identifier is not None
        actor, schema = self.actor, self._schema(step)
        seen = self.changes.live.get(step.logical_id, {})
        record_name = self._record_name(step)
        names = frozenset(step.before or {}) | frozenset(seen)
        live = actor.read(step, step.identifier, names)
        if live is not None:
            moved = [
                f"/{name}"
                for name in names
                if canonical(schema, (name,), live.properties.get(name)) != canonical(schema, (name,), seen.get(name))
            ]
            if moved and step.action is Action.DELETE:
                raise Stale(f"{step.identifier} has changed since the diff: {', '.join(sorted(moved))}")
            actor.perform(
                step,
                lambda provider, _token: provider.delete(actor.scope, live.identifier),
                before=live.properties,
                after={},
            )
            self._validated_gone(step, live.identifier)
        actor.forget(record_name)
        if record_name == step.logical_id and step.logical_id in actor.view.seen:
            actor.view.seen[step.logical_id].live = None
        return step.identifier, f"deleted {step.identifier}" if live else f"{step.identifier} was gone already"

    def _record_name(self, step: Step) -> LogicalId:
        """Create-first replacements keep the old half under a name of its own."""
        old = replaced(step.logical_id)
        return old if old in self.actor.records else step.logical_id

    def _validated_gone(self, step: Step, identifier: Identifier) -> None:
        for pause in SETTLE:
            if pause:
                self.actor.clock.sleep(pause)
            if self.actor.read(step, identifier, frozenset()) is None:
                return
        raise ValidationFailed(f"{identifier} is still there after its deletion")

    # shared

    def _schema(self, step: Step) -> TypeSchema | None:
        return schema_for(step.type, self.actor.plan.target.region)

    def _desired(self, step: Step) -> Properties:
        planned = self.actor.plan.resources[step.logical_id]
        desired = desired_of(planned, self.actor.view)
        if has_unknown(desired):
            raise AwsFault(FaultKind.INTERNAL, f"{step.logical_id} refers to values that are still unknown")
        return desired

    def _names(self, step: Step, desired: Properties) -> frozenset[str]:
        return frozenset(desired) | step.changed | frozenset(self.changes.live.get(step.logical_id, {}))

    def _fields(self, step: Step, desired: Properties, live: Observation) -> tuple[FieldChange, ...]:
        record = self.actor.records.get(step.logical_id)
        return compare(
            self._schema(step), desired, live.properties, record.applied if record else None, self._ignored(step)
        )

    def _ignored(self, step: Step) -> tuple[str, ...]:
        return tuple(rule.path for rule in self.actor.plan.ignore if rule.resource == step.logical_id)

    def _validated(self, step: Step, identifier: Identifier, desired: Properties) -> Observation:
        """Live state, once it is as wanted. Raises ValidationFailed when it doesn't get there."""
        difference = f"{identifier} can't be found after the call"
        names = self._names(step, desired)
        for pause in SETTLE:
            if pause:
                self.actor.clock.sleep(pause)
            live = self.actor.read(step, identifier, names)
            if live is None:
                continue
            fields = compare(self._schema(step), desired, live.properties, None, self._ignored(step))
            if not fields:
                return live
            difference = "; ".join(
                f"{field.path} is {mask(field.before)!r}, wanted {mask(field.after)!r}" for field in fields
            )
        raise ValidationFailed(f"{identifier}: {difference}")

    def _remember(self, step: Step, live: Observation, desired: Properties, *, adopted: bool) -> None:
        actor = self.actor
        old = actor.records.get(step.logical_id)
        actor.remember(self._record(step, live.identifier, desired, adopted=adopted or bool(old and old.adopted)))
        entry = actor.view.seen[step.logical_id]
        entry.identifier, entry.live = live.identifier, live
        actor.view.changing.discard(step.logical_id)

    def _record(self, step: Step, identifier: Identifier, desired: Properties, *, adopted: bool) -> Record:
        actor = self.actor
        return record_of(
            actor.plan, step.logical_id, identifier, desired, actor.scope, actor.clock.now(), adopted=adopted
        )


def _foreseen(path: str, foreseen: dict[str, FieldChange]) -> bool:
    return any(path == known or path.startswith(known + "/") or known.startswith(path + "/") for known in foreseen)
