"""Circuit breakers: when to leave a plan or a field alone instead of hammering it.

A plan that keeps failing is held, and tried again after growing pauses. A field, or a whole resource, that was put
right several times and came back changed is left alone for a while, and shown as drifted with whoever changes it.
All that is remembered is in the store, so a restart forgets no hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from reconciler.live import compare
from reconciler.model.change import Action, Change, ChangeSet, FieldChange, ResourceState, Verb
from reconciler.model.contest import WHOLE, Contest
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind, PipelineError, StoreError, Undecidable
from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import IgnoreRule, Plan
from reconciler.model.report import PlanState, PlanStatus, StepState
from reconciler.model.resource import SyncState
from reconciler.model.values import mask
from reconciler.ports import Clock, Scope, Store
from reconciler.schema import schema_for
from reconciler.status.outcome import Outcome

log = structlog.get_logger(__name__)

#: Who wrote to a resource last, since when: ``providers.trail.last_writer``.
LastWriter = Callable[[Scope, Identifier, datetime], str]

#: Passes by itself, or waits for somebody elsewhere; a pass that ends so has only read, and backing off is enough.
_NOT_THE_PLANS = frozenset(
    {
        FaultKind.ALREADY_EXISTS,
        FaultKind.CREDENTIALS,
        FaultKind.THROTTLED,
        FaultKind.TIMEOUT,
        FaultKind.UNAVAILABLE,
    }
)
#: Longest text of a wanted value in a message. Characters.
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """As in the settings; times in seconds."""

    failures: int = 5
    cooldown: float = 1800.0
    cooldown_max: float = 14400.0
    flips: int = 3
    window: float = 21600.0
    hold: float = 3600.0

    def pause(self, strikes: int) -> timedelta:
        """How long a plan is held after so many failures in a row, ``failures`` or more."""
        return timedelta(seconds=min(self.cooldown_max, self.cooldown * 2.0 ** min(strikes - self.failures, 30)))


class Breakers:
    """The breakers of plans and of their fields. Thread-safe: all that it remembers is in the store."""

    def __init__(self, limits: BreakerLimits, store: Store, clock: Clock, last_writer: LastWriter) -> None:
        self._limits, self._store, self._clock, self._last_writer = limits, store, clock, last_writer

    # plans

    def held(self, plan: Plan, previous: PlanStatus | None, *, asked: bool) -> Outcome | None:
        """The outcome of a pass that isn't made because the plan keeps failing; None: make it.

        ``asked``: a person asked for this pass, which then is the trial. So is the first one after the cooldown, and
        one over changed content.
        """
        if previous is None or previous.held_until is None or previous.state is not PlanState.FAILED:
            return None
        if asked or previous.digest != plan.digest or self._clock.now() >= previous.held_until:
            return None
        return Outcome(previous.state, previous.message, held_until=previous.held_until, skipped=True)

    def tripped(self, plan: Plan, outcome: Outcome, previous: PlanStatus | None) -> Outcome:
        """The outcome with its count of failures, held from now on if this was one too many. Never raises."""
        if outcome.skipped:
            return outcome
        before = previous.strikes if previous is not None and previous.digest == plan.digest else 0
        if not _failed(outcome):
            return replace(outcome, strikes=before if _undecided(outcome) else 0)
        strikes = before + 1
        if strikes < self._limits.failures:
            return replace(outcome, strikes=strikes)
        until = self._clock.now() + self._limits.pause(strikes)
        log.warning("plan held", plan=plan.name, failures=strikes, until=until.isoformat(), error=outcome.message)
        message = (
            f"{outcome.message}; failed {strikes} times in a row, so it is left alone until {_time(until)}: "
            f"`reconciler sync {plan.name}`, or an edit of the plan, tries at once"
        )
        return replace(outcome, message=message, strikes=strikes, held_until=until)

    # fields

    def sparing(self, plan: Plan, *, asked: bool = False) -> Plan:
        """The plan without what is left alone: ignore rules for fields, ``left_alone`` for resources.

        ``asked``: a person asked for this pass: every fight begins anew. Raises StoreError.
        """
        contests = self._store.contests(plan.name)
        if asked:
            for contest in contests:
                self._store.drop_contest(contest)
            return plan
        spared = [contest for contest in contests if self._spares(plan, contest)]
        rules = tuple(IgnoreRule(one.logical_id, one.path) for one in spared if one.path != WHOLE)
        left = frozenset(one.logical_id for one in spared if one.path == WHOLE)
        return replace(plan, ignore=plan.ignore + rules, left_alone=left) if spared else plan

    def shown(self, plan: Plan, changes: ChangeSet, outcome: Outcome) -> Outcome:
        """The outcome of a preview with what is left alone; remembers nothing. Raises StoreError."""
        known = self._store.contests(plan.name)
        left = [(self._held(contest), field) for contest, field in self._left(plan, changes, known)]
        return _with_held(plan, outcome, changes, left)

    def settled(self, plan: Plan, scope: Scope, changes: ChangeSet, outcome: Outcome) -> Outcome:
        """The outcome with what the breakers make of it: fields newly or still left alone.

        ``plan`` as ``sparing`` gave it. Remembers the drift that was put right. Raises StoreError.
        """
        known = self._store.contests(plan.name)
        contests = {(one.logical_id, one.path): one for one in known}
        left = [(self._hold(plan, scope, contest), field) for contest, field in self._left(plan, changes, known)]
        for contest in contests.values():
            if not self._spares(plan, contest) and self._over(plan, contest, changes):
                self._store.drop_contest(contest)
        for name, path in _put_right(changes, outcome):
            self._count(plan, name, path, contests.get((name, path)))
        return _with_held(plan, outcome, changes, left)

    def _left(
        self, plan: Plan, changes: ChangeSet, known: Collection[Contest]
    ) -> Iterator[tuple[Contest, FieldChange]]:
        """What is left alone and differs from the plan now, and how."""
        for contest in known:
            if self._spares(plan, contest) and (field := _drift(plan, changes, contest)) is not None:
                yield contest, field

    def _spares(self, plan: Plan, contest: Contest) -> bool:
        """Whether a field is not to be touched: held, or put right so often that the next time is too many."""
        now = self._clock.now()
        if contest.digest != plan.digest or contest.logical_id not in plan.resources:
            return False
        if contest.held_until is not None:
            return now < contest.held_until
        return contest.times >= self._limits.flips and not self._stale(contest, now)

    def _stale(self, contest: Contest, now: datetime) -> bool:
        return (now - contest.last_at).total_seconds() > self._limits.window

    def _over(self, plan: Plan, contest: Contest, changes: ChangeSet) -> bool:
        """Whether a fight has ended: other content, long quiet, or nothing to put right after the hold."""
        if contest.digest != plan.digest or self._stale(contest, self._clock.now()):
            return True
        drifted = {(change.logical_id, path) for change in changes.changes for path in _drifted(change)}
        return contest.held_until is not None and (contest.logical_id, contest.path) not in drifted

    def _held(self, contest: Contest) -> Contest:
        """The contest, held from now on if it isn't yet."""
        until = self._clock.now() + timedelta(seconds=self._limits.hold)
        return contest if contest.held_until is not None else replace(contest, held_until=until)

    def _hold(self, plan: Plan, scope: Scope, contest: Contest) -> Contest:
        """Remember that it is held; whoever is at the other end is asked for until CloudTrail has an answer."""
        actor = contest.actor
        record = self._store.records(plan.name).get(contest.logical_id)
        if not actor and record is not None:
            actor = self._last_writer(scope, record.identifier, contest.last_at)
        kept = replace(self._held(contest), actor=actor)
        if kept != contest:
            self._store.save_contest(kept)
        if contest.held_until is None:
            log.warning(
                "field left alone",
                plan=plan.name,
                resource=contest.logical_id,
                path=contest.path,
                times=contest.times,
                until=str(kept.held_until),
                actor=actor,
            )
        return kept

    def _count(self, plan: Plan, name: LogicalId, path: str, known: Contest | None) -> None:
        now = self._clock.now()
        if known is None or self._anew(plan, known, now):
            self._store.save_contest(Contest(plan.name, name, path, plan.digest, 1, now, now))
            return
        # After a hold this was the trial: the count stays, so that the next drift is held at once.
        self._store.save_contest(replace(known, times=known.times + 1, last_at=now, held_until=None, actor=""))

    def _anew(self, plan: Plan, known: Contest, now: datetime) -> bool:
        slow = known.held_until is None and (now - known.first_at).total_seconds() > self._limits.window
        return slow or known.digest != plan.digest or self._stale(known, now)


def _failed(outcome: Outcome) -> bool:
    """Whether trying again would do the same to AWS again: what passes by itself, or only read, doesn't count."""
    if outcome.state is not PlanState.FAILED:
        return False
    if isinstance(outcome.error, AwsFault):
        return outcome.error.kind not in _NOT_THE_PLANS
    if isinstance(outcome.error, DeploymentError):
        return not outcome.error.passing
    return not isinstance(outcome.error, StoreError | PipelineError | Undecidable)


def _undecided(outcome: Outcome) -> bool:
    """Whether a pass says nothing of the plan itself: then earlier failures count on."""
    return outcome.error is not None or (outcome.state is PlanState.DRIFTED and bool(outcome.steps))


def _drifted(change: Change) -> list[str]:
    """The paths of a change that somebody else made necessary."""
    if change.action is Action.CREATE:
        return [WHOLE] if change.fields and all(field.reason == "drift" for field in change.fields) else []
    if change.action is Action.DELETE:
        return []
    return [field.path for field in change.fields if field.reason == "drift"]


def _put_right(changes: ChangeSet, outcome: Outcome) -> list[tuple[LogicalId, str]]:
    done = {step.logical_id for step in outcome.steps if step.state is StepState.DONE and step.verb is not Verb.DELETE}
    return [
        (change.logical_id, path)
        for change in changes.changes
        if change.logical_id in done
        for path in _drifted(change)
    ]


def _drift(plan: Plan, changes: ChangeSet, contest: Contest) -> FieldChange | None:
    """How a field that is left alone differs from the plan now; None: it doesn't."""
    name = contest.logical_id
    if contest.path == WHOLE:
        return None if name in changes.live else FieldChange(WHOLE, None, None)
    if name not in changes.live or name not in changes.desired:
        return None
    schema = schema_for(plan.resources[name].type, plan.target.region)
    fields = compare(schema, changes.desired[name], changes.live[name])
    return next((field for field in fields if field.path == contest.path), None)


def _left_alone(plan: Plan, contest: Contest, field: FieldChange) -> str:
    assert contest.held_until is not None
    what = f"{contest.logical_id}{contest.path}" if contest.path != WHOLE else contest.logical_id
    done = "changed again" if contest.path != WHOLE else "deleted again"
    wanted = f"; the plan wants {_short(mask(field.after))}" if contest.path != WHOLE else ""
    return (
        f"{what} was put right {contest.times} times since {_time(contest.first_at)} and {done}"
        f"{f' by {contest.actor}' if contest.actor else ''}: left alone until {_time(contest.held_until)}{wanted}; "
        f"`reconciler sync {plan.name}` puts it right at once"
    )


def _with_held(
    plan: Plan, outcome: Outcome, changes: ChangeSet, left: Sequence[tuple[Contest, FieldChange]]
) -> Outcome:
    """What is left alone is drifted, and so is a plan that would be in sync otherwise."""
    if not left:
        return outcome
    held: dict[LogicalId, list[str]] = {}
    for contest, field in left:
        held.setdefault(contest.logical_id, []).append(_left_alone(plan, contest, field))
    texts = tuple(text for found in held.values() for text in found)
    resources = tuple(_marked(state, held.get(state.logical_id, [])) for state in changes.resources)
    outcome = replace(outcome, held=texts, changes=replace(changes, resources=resources))
    if outcome.state is not PlanState.IN_SYNC:
        return outcome
    return replace(outcome, state=PlanState.DRIFTED, message="; ".join(texts))


def _marked(state: ResourceState, texts: list[str]) -> ResourceState:
    if not texts:
        return state
    kind = SyncState.DRIFTED if state.state is SyncState.IN_SYNC else state.state
    return replace(state, state=kind, message="; ".join(texts))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
