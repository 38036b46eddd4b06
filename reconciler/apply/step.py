"""One step: look again, call, remember, validate.

Before the call the resource is read (or looked for) once more. If it isn't what the diff saw, the step is not taken:
the pass ends as ``stale`` and the next one computes and decides afresh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from reconciler.apply.act import Actor
from reconciler.apply.checking import Checks, Stale, ValidationFailed
from reconciler.apply.describe import command
from reconciler.apply.looking import when_free
from reconciler.live import changed_properties, name_for_old, old_names, record_of, rejoined, target
from reconciler.model.change import Action, ChangeSet, Step, Verb
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import ClientToken, Identifier, Owner
from reconciler.model.progress import Progress
from reconciler.model.report import StepResult, StepState
from reconciler.model.resource import Observation, Record
from reconciler.model.secrecy import scrub
from reconciler.model.values import Properties, reveal
from reconciler.ports import ResourceProvider

log = structlog.get_logger(__name__)

__all__ = ["Stale", "StepRunner", "ValidationFailed"]


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs the steps of one change set."""

    actor: Actor
    changes: ChangeSet

    def run(self, step: Step) -> StepResult:
        """Take the step. Never raises: whatever goes wrong is in the result."""
        started = self.actor.clock.monotonic()
        begun = StepResult(step.id, step.logical_id, step.type, step.verb, StepState.RUNNING, command(step))
        try:
            identifier, result = self._take(step)
            ended = replace(begun, state=StepState.DONE, result=result, validation="passed", identifier=identifier)
        except Exception as error:
            if not isinstance(error, ReconcilerError):
                log.exception("step failed unexpectedly", step=step.id)
            doubt = self.actor.doubts.get(step.id, "")
            ended = _failed(replace(begun, state=StepState.FAILED, identifier=step.identifier), error, doubt)
        return replace(ended, seconds=self.actor.clock.monotonic() - started)

    @property
    def _checks(self) -> Checks:
        return Checks(self.actor, self.changes)

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
        desired = self._checks.desired(step)
        self._rejoin(step)
        existing = self._checks.standing(step, desired)
        if existing is None:
            existing, result = self._call_create(step, desired), "created"
        else:
            self._part(step)
            self._keep(step, existing, desired)
            result = "was there already, made by this plan"
        self._see(step, self._checks.validated(step, existing, desired))
        return existing, f"created {existing}" if result == "created" else f"{existing} {result}"

    def _call_create(self, step: Step, desired: Properties) -> Identifier:
        actor, old = self.actor, self._checks.old_half(step)

        def create(provider: ResourceProvider, token: ClientToken) -> Progress:
            self._part(step)
            return provider.create(actor.scope, reveal(desired), token)

        def perform() -> Identifier:
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

    def _update(self, step: Step) -> tuple[Identifier, str]:
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
        self._see(step, checks.validated(step, identifier, desired))
        verb = "adopted" if step.verb is Verb.ADOPT else "updated"
        return identifier, f"{verb} {', '.join(sorted(changed)) or 'nothing to change'}"

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
        )

    # delete

    def _delete(self, step: Step) -> tuple[Identifier | None, str]:
        assert step.identifier is not None
        actor, checks = self.actor, self._checks
        names = frozenset(step.before or {}) | frozenset(self.changes.live.get(step.logical_id, {}))
        live = self._whole(step, step.identifier, names)
        if live is not None:
            actor.snapshots[step.id] = live
            checks.unmoved(step, self._steady(step, names), live)
            actor.perform(
                step,
                lambda provider, _token: provider.delete(actor.scope, live.identifier),
                before=live.properties,
                after={},
            )
            checks.validated_gone(step, live.identifier)
        self._forget(step, step.identifier)
        return step.identifier, f"deleted {step.identifier}" if live else f"{step.identifier} was gone already"

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
        try:
            return self.actor.read(step, identifier, names | self.actor.provider(step).supported)
        except AwsFault as fault:
            if fault.kind is not FaultKind.ACCESS_DENIED or self.actor.plan.rollback.mode == "automatic":
                raise
            return self.actor.read(step, identifier, names)

    def _forget(self, step: Step, identifier: Identifier) -> None:
        """Drop the record; the old half of a replacement has one of its own, and the new one keeps its own."""
        actor, name = self.actor, step.logical_id
        halves = [half for half in old_names(actor.records, name) if actor.records[half].identifier == identifier]
        for half in halves:
            actor.forget(half)
        own = actor.records.get(name)
        if own is None or own.identifier == identifier:
            actor.forget(name)
            if name in actor.view.seen:
                actor.view.seen[name].live = None

    # remembering

    def _keep(self, step: Step, identifier: Identifier, desired: Properties) -> None:
        """Remember what was applied; what moves here from another plan stops being that one's at the same moment."""
        self.actor.remember(self._record(step, identifier, desired), self._former(step))

    def _former(self, step: Step) -> Owner | None:
        changes = (change for change in self.changes.changes if change.logical_id == step.logical_id)
        return next((change.moved_from for change in changes), None) if step.verb is Verb.ADOPT else None

    def _see(self, step: Step, live: Observation) -> None:
        """Let later steps refer to what is there now."""
        entry = self.actor.view.seen[step.logical_id]
        entry.identifier, entry.live = live.identifier, live
        self.actor.view.changing.discard(step.logical_id)

    def _record(self, step: Step, identifier: Identifier, desired: Properties) -> Record:
        actor = self.actor
        old = actor.records.get(step.logical_id)
        adopted = step.verb is Verb.ADOPT or (step.verb is not Verb.CREATE and old is not None and old.adopted)
        now = actor.clock.now()
        return record_of(actor.plan, step.logical_id, identifier, desired, actor.scope, now, adopted=adopted)


def _failed(result: StepResult, error: Exception, doubt: str) -> StepResult:
    """``doubt``: what had happened to the call, if its effect is not as it was to be."""
    kind = error.kind.value if isinstance(error, AwsFault) else getattr(error, "reason", FaultKind.INTERNAL.value)
    text = str(error) if isinstance(error, ReconcilerError) else scrub(f"{type(error).__name__}: {error}")
    text = f"{text}, after {doubt}" if doubt else text
    result = replace(
        result, validation="failed" if isinstance(error, ValidationFailed) else "", error=text, error_kind=kind
    )
    if not isinstance(error, AwsFault):
        return result
    return replace(
        result,
        service=error.service,
        operation=error.operation,
        code=error.code,
        permission=error.permission,
        resource=error.resource,
    )
