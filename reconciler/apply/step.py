"""One step: look again, call, remember; ``ending`` validates.

Before the call the resource is read (or looked for) once more. If it isn't what the diff saw, the step is not taken:
the pass ends as ``stale`` and the next one computes and decides afresh.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from reconciler.apply.act import Actor
from reconciler.apply.attempt import Called
from reconciler.apply.checking import Checks, Stale
from reconciler.apply.describe import command
from reconciler.apply.ending import Ending, Taken, ValidationFailed
from reconciler.apply.looking import when_free
from reconciler.apply.places import Places
from reconciler.live import as_far_as_known, changed_properties, name_for_old, record_of, rejoined, target
from reconciler.model.change import Action, ChangeSet, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, StepId
from reconciler.model.progress import Progress
from reconciler.model.report import StepResult, StepState
from reconciler.model.resource import Observation, Record, Unreadable
from reconciler.model.secrecy import seal
from reconciler.model.values import Properties, reveal
from reconciler.ports import Emptying, ResourceProvider

log = structlog.get_logger(__name__)

__all__ = ["Stale", "StepRunner", "ValidationFailed"]


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Takes the steps of one change set, and sees to them."""

    actor: Actor
    changes: ChangeSet
    places: Places

    def take(self, step: Step, number: int) -> Taken | StepResult:
        """Up to the end of the call: what is to be looked at, or a result if there is nothing more to do.

        Never raises: whatever goes wrong is in the result.
        """
        started = self.actor.clock.monotonic()
        begun = StepResult(step.id, step.logical_id, step.type, step.verb, StepState.RUNNING, command(step))
        taken = Taken(step, number, begun, started, step.identifier or Identifier(""))
        try:
            return self._taken(taken)
        except Exception as error:
            return self._ending.failed(taken, error)

    def look(self, taken: Collection[Taken], turn: int) -> dict[StepId, StepResult]:
        """See ``Ending``: results of what is as it was to be by now; the last turn ends all."""
        return self._ending.look(taken, turn)

    @property
    def _checks(self) -> Checks:
        return Checks(self.actor, self.changes, self.places)

    @property
    def _ending(self) -> Ending:
        return Ending(self.actor, self._checks)

    def _taken(self, taken: Taken) -> Taken | StepResult:
        match taken.step.verb:
            case Verb.CREATE:
                return self._create(taken)
            case Verb.DELETE:
                return self._delete(taken)
            case Verb.UPDATE | Verb.ADOPT:
                return self._update(taken)

    # create

    def _create(self, taken: Taken) -> Taken:
        step = taken.step
        desired = self._checks.desired(step)
        self._rejoin(step)
        existing = self._checks.standing(step, desired)
        if existing is None:
            called = self._call_create(step, desired)
            return replace(
                taken,
                identifier=called.identifier,
                result=f"created {called.identifier}",
                desired=desired,
                open=called.open,
            )
        self._part(step)
        self._keep(step, existing, desired)
        said = f"{existing} was there already, made by this plan"
        return replace(taken, identifier=existing, result=said, desired=desired)

    def _call_create(self, step: Step, desired: Properties) -> Called:
        actor, old = self.actor, self._checks.old_half(step)

        def create(provider: ResourceProvider, token: ClientToken) -> Progress:
            self._part(step)
            return provider.create(actor.scope, reveal(desired), token)

        def perform() -> Called:
            return actor.perform(
                step,
                create,
                before=self.changes.live.get(step.logical_id, {}) if old else {},
                after=desired,
                record=self._record(step, Identifier(""), desired),
                keep=lambda identifier: self._keep(step, identifier, desired),
            )

        try:
            return when_free(actor.clock, perform) if step.deleted_first else perform()
        except Exception:
            self._rejoin(step)
            raise

    def _part(self, step: Step) -> None:
        """Remember the old half under a name of its own before the new one exists: later it has no other.

        After the intent: only with an open journal entry may two records name the same resource.
        """
        old = self._checks.old_half(step)
        if old is None or not any(
            s.verb is Verb.DELETE and s.logical_id == step.logical_id for s in self.changes.steps
        ):
            return
        record = self.actor.records.get(step.logical_id) or self._record(step, old, {})
        name = name_for_old(self.actor.records, step.logical_id, old)
        self.actor.remember(replace(record, logical_id=name, identifier=old, deletion_policy="Delete"))

    def _rejoin(self, step: Step) -> None:
        """Take that back once it is certain that there is no new half."""
        if rejoined(self.actor.records, step.logical_id) and not self._open(step):
            self.actor.rejoin(step.logical_id)

    def _open(self, step: Step) -> bool:
        store, plan = self.actor.store, self.actor.plan.name
        return any(entry.logical_id == step.logical_id for entry in (*store.unfinished(plan), *store.unresolved(plan)))

    # update and adopt

    def _update(self, taken: Taken) -> Taken:
        step = taken.step
        assert step.identifier is not None
        actor, checks = self.actor, self._checks
        desired = checks.desired(step)
        live = actor.read(step, step.identifier, checks.names(step, desired))
        if live is None:
            raise Stale(f"{step.identifier} has gone since the diff")
        actor.snapshots[step.id] = live
        fields = checks.fields(step, desired, live)
        checks.foreseen(step, fields, live)
        changed, identifier = changed_properties(fields), live.identifier
        if changed:
            after = target(checks.schema(step), desired, live.properties, fields)
            identifier = self._call_update(step, live, desired, after, changed)
        else:
            self._keep(step, identifier, desired)
        verb = "adopted" if step.verb is Verb.ADOPT else "updated"
        result = f"{verb} {', '.join(sorted(changed)) or 'nothing to change'}"
        return replace(taken, identifier=identifier, result=result, desired=desired)

    def _call_update(
        self, step: Step, live: Observation, desired: Properties, after: Properties, changed: frozenset[str]
    ) -> Identifier:
        """The identifier: of what AWS doesn't know as a thing of its own it may have changed."""
        scope = self.actor.scope
        return self.actor.perform(
            step,
            lambda provider, _token: provider.update(scope, live.identifier, live.properties, reveal(after), changed),
            before={name: live.properties[name] for name in changed if name in live.properties},
            after={name: after[name] for name in changed if name in after},
            record=self._record(step, live.identifier, desired),
            keep=lambda identifier: self._keep(step, identifier, desired),
        ).identifier

    # delete

    def _delete(self, taken: Taken) -> Taken | StepResult:
        step = taken.step
        assert step.identifier is not None
        actor, checks = self.actor, self._checks
        names = frozenset(step.before or {}) | frozenset(self.changes.live.get(step.logical_id, {}))
        live = self._whole(step, step.identifier, names)
        if live is None:
            self._ending.forget(step, step.identifier)
            return self._ending.result(taken, f"{step.identifier} was gone already")
        actor.snapshots[step.id] = live
        checks.unmoved(step, self._steady(step, names), live)
        actor.perform(
            step,
            lambda provider, _token: self._call_delete(step, provider, live.identifier),
            before=live.properties,
            after={},
        )
        return replace(taken, identifier=live.identifier, result=f"deleted {step.identifier}")

    def _call_delete(self, step: Step, provider: ResourceProvider, identifier: Identifier) -> Progress:
        """Delete; with all that is in it where the plan said so when it was last applied."""
        scope, record = self.actor.scope, self.actor.records.get(step.logical_id)
        if isinstance(provider, Emptying) and record is not None and _was_true(record.applied.get(provider.emptied_by)):
            return provider.delete_whole(scope, identifier)
        return provider.delete(scope, identifier)

    def _steady(self, step: Step, names: frozenset[str]) -> frozenset[str]:
        """Which of the properties must be as the diff saw them for a resource to be deleted.

        What the plan doesn't manage the pass itself may have changed: of a replacement's old half, and of a resource
        on which others hung that have just been deleted (a security group's rules).
        """
        if step.action is not Action.DELETE:
            return frozenset(step.before or {})
        record = self.actor.records.get(step.logical_id)
        return names.intersection(record.applied) if step.needs and record is not None else names

    def _whole(self, step: Step, identifier: Identifier, names: frozenset[str]) -> Observation | None:
        """Everything there is to read of a resource, so that an undo can make it again just as it was.

        What may not be read stands in the way only if a failure is to be undone by itself.
        """
        actor = self.actor
        found = as_far_as_known(partial(actor.answer, step, identifier), names, actor.provider(step).supported)
        if not isinstance(found, Unreadable):
            return found
        if found.kind is not FaultKind.ACCESS_DENIED or actor.plan.rollback.mode == "automatic":
            raise AwsFault(found.kind, found.message)
        return actor.read(step, identifier, names)

    # remembering

    def _keep(self, step: Step, identifier: Identifier, desired: Properties) -> None:
        """Remember what was applied; what moves here from another plan stops being that one's at the same moment."""
        self.actor.remember(self._record(step, identifier, desired), self._former(step))

    def _former(self, step: Step) -> Owner | None:
        changes = (change for change in self.changes.changes if change.logical_id == step.logical_id)
        return next((change.moved_from for change in changes), None) if step.verb is Verb.ADOPT else None

    def _record(self, step: Step, identifier: Identifier, desired: Properties) -> Record:
        actor = self.actor
        old = actor.records.get(step.logical_id)
        adopted = step.verb is Verb.ADOPT or (step.verb is not Verb.CREATE and old is not None and old.adopted)
        now = actor.clock.now()
        return record_of(actor.plan, step.logical_id, identifier, desired, actor.scope, now, adopted=adopted)


def _was_true(applied: Any) -> bool:
    """Of a property of which the store may hold a digest alone."""
    return applied in (True, "true", seal(True), seal("true"))
