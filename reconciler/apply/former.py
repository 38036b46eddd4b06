"""What was before a run: the state that an undo returns a resource to, and how far live state is from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.apply.act import Actor
from reconciler.apply.attempt import Keep
from reconciler.apply.looking import looks
from reconciler.apply.renames import Renames
from reconciler.apply.settling import UNDO
from reconciler.live import changed_properties, compare, target, veil
from reconciler.model.change import ChangeSet, FieldChange, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, StepId
from reconciler.model.resource import Observation, Record
from reconciler.model.values import Properties, reveal
from reconciler.schema import TypeSchema, canonical, schema_for


@dataclass(frozen=True, slots=True)
class Former:
    """The state before a run. ``records``: what the store knew then. ``renames``: what has another name since."""

    actor: Actor
    changes: ChangeSet
    records: Mapping[LogicalId, Record]
    renames: Renames

    def schema(self, step: Step) -> TypeSchema | None:
        """The schema of a step's type."""
        return schema_for(step.type, self.actor.plan.target.region)

    def snapshot(self, step: Step) -> Observation:
        """The resource as it was just before its step; as the diff saw it if the step didn't come so far."""
        known = self.actor.snapshots.get(step.id)
        return known or Observation(step.identifier or Identifier(""), self.changes.live.get(step.logical_id, {}))

    def record(self, step: Step) -> Record | None:
        """What was known of the resource that a step acted upon, under its present names."""
        own = self.records.get(step.logical_id)
        named = (record for record in self.records.values() if record.identifier == step.identifier)
        return self.renamed(own if own is not None else next(named, None))

    def renamed(self, record: Record | None) -> Record | None:
        """A record with the present names in it."""
        if record is None:
            return None
        return replace(record, identifier=self.renames.place(record.identifier), applied=self.renames(record.applied))

    def veiled(self, step: Step, properties: Properties, also: Properties | None = None) -> dict[str, Any]:
        """``properties`` with those hidden that held a secret, before or in the step."""
        record = self.records.get(step.logical_id)
        return veil(self.schema(step), properties, record.applied if record else {}, also or {})

    def restored(
        self,
        step: Step,
        identifier: Identifier,
        wanted: Properties,
        applied: Properties,
        *,
        given: bool = False,
        record: Record | None = None,
        keep: Keep | None = None,
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Bring what ``wanted`` and ``applied`` name back to ``wanted``, and see to it.

        ``applied``: what the step set: taken back where ``wanted`` doesn't have it; what others set stays.
        ``given``: what AWS chose before, has chosen anew, and lets nobody change, may stay as it is.
        ``record``, ``keep``: as for ``Actor.perform``. The properties that changed, and those that stay as given.
        Raises AwsFault if it can't be brought there.
        """
        names = frozenset(wanted) | frozenset(applied)
        live = self.actor.read(step, identifier, names)
        if live is None:
            raise AwsFault(FaultKind.NOT_FOUND, f"{identifier} has gone; it can't be put back as it was")
        fields = self._fields(step, wanted, live, applied)
        stay = self._given(step, fields) if given else frozenset()
        if stay:
            wanted = {name: value for name, value in wanted.items() if name not in stay}
            fields = self._fields(step, wanted, live, applied)
        self._possible(step, identifier, fields, applied, live)
        changed = changed_properties(fields)
        if changed:
            identifier = self._update(step, live, wanted, applied, fields, record, keep)
            self._validated(step, identifier, wanted, applied)
        return changed, stay

    def _given(self, step: Step, fields: Collection[FieldChange]) -> frozenset[str]:
        """What can't be changed in place and no plan had set."""
        record = self.record(step)
        fixed = changed_properties([field for field in fields if field.forces_replacement])
        return fixed - record.applied.keys() if record is not None else frozenset()

    def _update(
        self,
        step: Step,
        live: Observation,
        wanted: Properties,
        applied: Properties,
        fields: tuple[FieldChange, ...],
        record: Record | None,
        keep: Keep | None,
    ) -> Identifier:
        changed, scope = changed_properties(fields), self.actor.scope
        schema = self.schema(step)
        aim = target(schema, wanted, live.properties, fields)
        exact = {name: wanted[name] for name in aim if name in wanted and _same(schema, name, aim[name], wanted[name])}
        rest = {name: value for name, value in live.properties.items() if name not in changed}
        after = self.veiled(step, {**rest, **aim, **exact}, applied)
        called = self.actor.perform(
            step,
            lambda provider, _token: provider.update(scope, live.identifier, live.properties, reveal(after), changed),
            before={name: live.properties[name] for name in changed if name in live.properties},
            after={name: after[name] for name in changed if name in after},
            suffix=UNDO,
            identifier=live.identifier,
            record=record,
            keep=keep,
        )
        return self.actor.seen(step, called)

    def _possible(
        self,
        step: Step,
        identifier: Identifier,
        fields: Collection[FieldChange],
        applied: Properties,
        live: Observation,
    ) -> None:
        """Raise AwsFault for what AWS never lets be put back."""
        schema = self.schema(step)
        hidden = sorted(
            name for name in applied if schema is not None and schema.is_secret((name,)) and name not in live.properties
        )
        if hidden:
            text = f"{identifier} keeps its new {', '.join(hidden)}: AWS never tells what the former value was"
            raise AwsFault(FaultKind.INVALID_REQUEST, text)
        if fixed := sorted(field.path for field in fields if field.forces_replacement):
            text = f"{identifier}: {', '.join(fixed)} can't be put back without a replacement"
            raise AwsFault(FaultKind.INVALID_REQUEST, text)

    def _validated(self, step: Step, identifier: Identifier, wanted: Properties, applied: Properties) -> None:
        difference = "it can't be found"
        for _ in looks(self.actor.clock):
            live = self.actor.read(step, identifier, frozenset(wanted) | frozenset(applied))
            if live is None:
                continue
            fields = self._fields(step, wanted, live, applied)
            if not fields:
                return
            difference = ", ".join(sorted(field.path for field in fields))
        raise AwsFault(FaultKind.CONFLICT, f"{identifier} is not as it was before: {difference}")

    def _fields(
        self, step: Step, wanted: Properties, live: Observation, applied: Properties
    ) -> tuple[FieldChange, ...]:
        return compare(self.schema(step), wanted, live.properties, applied)


def _same(schema: TypeSchema | None, name: str, left: Any, right: Any) -> bool:
    return bool(canonical(schema, (name,), left) == canonical(schema, (name,), right))


def beside(step: Step, word: str, identifier: Identifier) -> Step:
    """A step of an undo that the change set doesn't have: an update, journalled under ``word``."""
    return replace(step, id=StepId(f"{step.logical_id}:{word}"), verb=Verb.UPDATE, identifier=identifier)
