"""Undo a failed run: every completed step in reverse, back to the live state it started from, each validated.

The failed step is looked at too: it may have taken effect in part. What AWS can't undo is named in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.apply.act import Actor
from reconciler.apply.step import SETTLE, replaced
from reconciler.live import compare, desired_of, foreign
from reconciler.model.change import ChangeSet, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, LogicalId, Owner, StepId
from reconciler.model.report import StepResult, StepState
from reconciler.model.resource import Observation, Record
from reconciler.model.values import Properties, reveal
from reconciler.schema import schema_for

_UNDO = ":undo"


@dataclass(frozen=True, slots=True)
class Undoer:
    """Undoes the steps of one run. ``records``: what the store knew before the run began."""

    actor: Actor
    changes: ChangeSet
    records: Mapping[LogicalId, Record]

    def undo_all(self, results: Sequence[StepResult]) -> tuple[StepResult, ...]:
        """The results with every undone step marked so; one that couldn't be undone says why in ``error``."""
        outcome = {result.id: result for result in results}
        called = {entry.step for entry in self.actor.store.journal(self.actor.run)}
        steps = {step.id: step for step in self.changes.steps if step.id in called}
        for result in reversed(_in_order_taken(results, steps)):
            outcome[result.id] = self._undo(steps[result.id], result)
        return tuple(outcome[result.id] for result in results)

    def _undo(self, step: Step, result: StepResult) -> StepResult:
        try:
            undone = self._reverse(step, result)
        except ReconcilerError as error:
            text = f"{result.error}; rollback failed: {error}" if result.error else f"rollback failed: {error}"
            return replace(result, state=StepState.FAILED, error=text)
        if result.state is StepState.FAILED:
            return replace(result, result=undone)
        return replace(result, state=StepState.ROLLED_BACK, result=f"{result.result}; {undone}")

    def _reverse(self, step: Step, result: StepResult) -> str:
        match step.verb:
            case Verb.CREATE:
                return self._uncreate(step, result)
            case Verb.DELETE:
                return self._undelete(step, result)
            case Verb.UPDATE | Verb.ADOPT:
                return self._revert(step)

    def _uncreate(self, step: Step, result: StepResult) -> str:
        actor = self.actor
        identifier = result.identifier or self._half_made(step)
        if identifier is None:
            return "nothing was created"
        if actor.read(step, identifier, frozenset()) is not None:
            actor.perform(
                step,
                lambda provider, _token: provider.delete(actor.scope, identifier),
                before={},
                after={},
                suffix=_UNDO,
            )
            self._gone(step, identifier)
        self._restore_record(step)
        actor.forget(replaced(step.logical_id))
        return f"deleted {identifier} again"

    def _half_made(self, step: Step) -> Identifier | None:
        """What a failed create left behind, if it is ours and was not there before."""
        actor, planned = self.actor, self.actor.plan.resources[step.logical_id]
        desired = reveal(desired_of(planned, actor.view))
        found = actor.provider(step).locate(actor.scope, desired, Owner(actor.plan.name, step.logical_id))
        if found is None or found.identifier == self.changes.identifiers.get(step.logical_id):
            return None
        problem = foreign(
            actor.view, actor.plan, step.logical_id, found.identifier, found.owner, actor.scope, actor.store
        )
        return None if problem else found.identifier

    def _revert(self, step: Step) -> str:
        assert step.identifier is not None
        actor, identifier = self.actor, step.identifier
        before = self.changes.live.get(step.logical_id, {})
        names = step.changed | frozenset(before)
        live = actor.read(step, identifier, names)
        if live is None:
            raise AwsFault(FaultKind.NOT_FOUND, f"{identifier} has gone; it can't be put back as it was")
        changed = frozenset(name for name in step.changed if live.properties.get(name) != before.get(name))
        if changed:
            after = {name: before[name] for name in before if name in names}
            actor.perform(
                step,
                lambda provider, _token: provider.update(actor.scope, identifier, live.properties, after, changed),
                before=live.properties,
                after=after,
                suffix=_UNDO,
            )
            self._as_before(step, identifier, {name: before[name] for name in changed if name in before})
        self._restore_record(step)
        return f"put {', '.join(sorted(changed)) or 'nothing'} back"

    def _undelete(self, step: Step, result: StepResult) -> str:
        """Make a deleted resource again from what was read of it. Its identifier may be new, its data is lost."""
        actor = self.actor
        unsure = result.state is StepState.FAILED and step.identifier is not None
        if unsure and actor.read(step, step.identifier or Identifier(""), frozenset()) is not None:
            return "it was not deleted"
        schema = schema_for(step.type, actor.plan.target.region)
        read_only = schema.read_only if schema else frozenset()
        before: Properties = {
            name: value
            for name, value in self.changes.live.get(step.logical_id, {}).items()
            if (name,) not in read_only
        }
        identifier = actor.perform(
            step,
            lambda provider, token: provider.create(actor.scope, before, token),
            before={},
            after=before,
            suffix=_UNDO,
        )
        self._as_before(step, identifier, before)
        record = self.records.get(step.logical_id)
        if record is not None:
            actor.remember(replace(record, identifier=identifier))
        return f"made again as {identifier}; what it held is lost"

    def _restore_record(self, step: Step) -> None:
        record = self.records.get(step.logical_id)
        if record is None:
            self.actor.forget(step.logical_id)
        else:
            self.actor.remember(record)

    def _gone(self, step: Step, identifier: Identifier) -> None:
        if not self._settles(lambda: self.actor.read(step, identifier, frozenset()) is None):
            raise AwsFault(FaultKind.CONFLICT, f"{identifier} is still there after its deletion")

    def _as_before(self, step: Step, identifier: Identifier, before: Properties) -> None:
        schema = schema_for(step.type, self.actor.plan.target.region)

        def equal() -> bool:
            live = self.actor.read(step, identifier, frozenset(before))
            return isinstance(live, Observation) and not compare(schema, before, live.properties)

        if not self._settles(equal):
            raise AwsFault(FaultKind.CONFLICT, f"{identifier} is not as it was before")

    def _settles(self, reached: Callable[[], bool]) -> bool:
        for pause in SETTLE:
            if pause:
                self.actor.clock.sleep(pause)
            if reached():
                return True
        return False


def _in_order_taken(results: Sequence[StepResult], steps: Mapping[StepId, Step]) -> list[StepResult]:
    """Results of steps that may have taken effect, in the order of the change set (which is topological)."""
    return [result for result in results if result.state in (StepState.DONE, StepState.FAILED) and result.id in steps]
