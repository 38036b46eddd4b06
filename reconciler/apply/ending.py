"""How steps end: what their calls have brought about is looked at, several at a time, until it is as it was to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from reconciler.apply.act import Actor
from reconciler.apply.attempt import Attempt
from reconciler.apply.checking import Checks
from reconciler.apply.looking import SETTLE
from reconciler.live import changed_properties, compare, has_secret, old_names
from reconciler.model.change import FieldChange, Step
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, StepId, TypeName
from reconciler.model.report import StepResult, StepState
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.model.secrecy import scrub
from reconciler.model.values import Properties, Sensitive, mask

log = structlog.get_logger(__name__)


class ValidationFailed(ReconcilerError):
    """The call succeeded but live state is not as wanted afterwards."""

    reason = "validation"


@dataclass(frozen=True, slots=True)
class Taken:
    """A step whose call has taken effect and has yet to be seen to.

    ``desired``: what is to be there by now; None: nothing. ``open``: see ``Called``.
    """

    step: Step
    number: int
    begun: StepResult
    started: float
    identifier: Identifier
    result: str = ""
    desired: Properties | None = None
    open: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends the steps of one change set."""

    actor: Actor
    checks: Checks

    def look(self, taken: Collection[Taken], turn: int) -> dict[StepId, StepResult]:
        """Look at what steps have brought about, for the ``turn``-th time: results of those that have ended.

        In as few calls as AWS allows. The last turn ends all. Never raises: see ``take``.
        """
        if SETTLE[turn]:
            self.actor.clock.sleep(SETTLE[turn])
        alike: dict[TypeName, list[Taken]] = defaultdict(list)
        for one in taken:
            alike[one.step.type].append(one)
        last = turn == len(SETTLE) - 1
        return {name: result for some in alike.values() for name, result in self._looked(some, last).items()}

    def _looked(self, taken: Sequence[Taken], last: bool) -> dict[StepId, StepResult]:
        try:
            found = self.actor.read_all([(one.step, self._wanted(one)) for one in taken])
            seen = [one for one in taken if isinstance(found[one.step.id], Observation)]
            self.actor.close(one.open for one in seen if one.open is not None)
        except Exception as error:
            if len(taken) == 1:
                return {taken[0].step.id: self.failed(taken[0], error)}
            return {name: result for one in taken for name, result in self._looked([one], last).items()}
        results = {one.step.id: self._judged(one, found[one.step.id], last) for one in taken}
        return {name: result for name, result in results.items() if result is not None}

    def _judged(self, taken: Taken, live: Observation | Unreadable | None, last: bool) -> StepResult | None:
        """How a step ended, of which ``live`` is to be seen now; None if it may only take longer."""
        try:
            if isinstance(live, Unreadable):
                raise AwsFault(live.kind, live.message)
            difference = self._difference(taken, live)
            if difference and last:
                raise ValidationFailed(f"{taken.identifier}{difference}")
            return None if difference else self._done(taken, live)
        except Exception as error:
            return self.failed(taken, error)

    def _done(self, taken: Taken, live: Observation | None) -> StepResult:
        """``live``: what is there now; None after a delete."""
        if live is None:
            self.forget(taken.step, taken.identifier)
        else:
            self._see(taken.step, live)
        return self.result(taken, taken.result)

    def result(self, taken: Taken, result: str) -> StepResult:
        done, identifier = StepState.DONE, taken.identifier
        ended = replace(taken.begun, state=done, result=result, validation="passed", identifier=identifier)
        return replace(ended, seconds=self.actor.clock.monotonic() - taken.started)

    def failed(self, taken: Taken, error: Exception) -> StepResult:
        step, failed = taken.step, StepState.FAILED
        if not isinstance(error, ReconcilerError):
            log.exception("step failed unexpectedly", step=step.id)
        doubt = self.actor.doubts.get(step.id, "")
        ended = _failed(replace(taken.begun, state=failed, identifier=step.identifier), error, doubt)
        return replace(ended, seconds=self.actor.clock.monotonic() - taken.started)

    def forget(self, step: Step, identifier: Identifier) -> None:
        """Drop the record; the old half of a replacement has one of its own, and the new one keeps its own."""
        actor, name = self.actor, step.logical_id
        halves = [half for half in old_names(actor.notes.halves, name) if actor.records[half].identifier == identifier]
        for half in halves:
            actor.forget(half)
        own = actor.records.get(name)
        if own is None or own.identifier == identifier:
            actor.forget(name)
            if name in actor.view.seen:
                actor.view.seen[name].live = None

    def _see(self, step: Step, live: Observation) -> None:
        """Let later steps refer to what is there now."""
        entry = self.actor.view.seen[step.logical_id]
        entry.identifier, entry.live = live.identifier, live
        self.actor.view.changing.discard(step.logical_id)

    def _wanted(self, taken: Taken) -> Wanted:
        """What to read of a resource after its step: what it was to be, and what others refer to."""
        if taken.desired is None:
            return Wanted(taken.identifier, frozenset())
        referred = self.actor.attributes.get(taken.step.logical_id, frozenset())
        return Wanted(taken.identifier, self.checks.names(taken.step, taken.desired) | referred)

    def _difference(self, taken: Taken, live: Observation | None) -> str:
        """In what live state after a step isn't as it was to be; empty if it is."""
        if taken.desired is None:
            return "" if live is None else " is still there after its deletion"
        if live is None:
            return f": {taken.identifier} can't be found after the call"
        step = taken.step
        fields = compare(self.checks.schema(step), taken.desired, live.properties, None, self.checks.ignored(step))
        told = (f"{one.path} is {mask(_before(step, one))!r}, wanted {mask(one.after)!r}" for one in fields)
        return ": " + "; ".join(told) if fields else ""


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


def _before(step: Step, field: FieldChange) -> Any:
    """The live value of a field after the step; where a secret was before it, that may still be what AWS shows."""
    former = [(step.before or {}).get(name) for name in changed_properties([field])]
    return Sensitive(field.before) if field.before is not None and has_secret(former) else field.before
