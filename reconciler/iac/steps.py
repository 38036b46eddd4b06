"""The steps of a deployment that another tool carries out: as they begin, go on and end, for people and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reconciler.model.change import DESTRUCTIVE, Action, Change, ChangeSet, Step, Verb
from reconciler.model.denial import denial_in
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.events import ApplyStarted, StepFinished, StepProgress, StepStarted
from reconciler.model.ids import Identifier, LogicalId, RunId, StepId
from reconciler.model.plan import Plan
from reconciler.model.report import Context, StepResult, StepState
from reconciler.model.secrecy import scrub
from reconciler.ports import Clock, EventSink

_VERBS = {Action.CREATE: Verb.CREATE, Action.DELETE: Verb.DELETE, Action.ADOPT: Verb.ADOPT}
_ENDED = frozenset({StepState.DONE, StepState.FAILED, StepState.ROLLED_BACK})
#: What is told of an error. Characters.
_LONGEST = 4000
#: The kind of error of a step that wasn't taken because what was decided on has changed.
STALE = "stale"


def steps_of(changes: Sequence[Change]) -> tuple[Step, ...]:
    """One step a change; in which order they run is the tool's business."""
    return tuple(
        Step(
            StepId(f"{change.logical_id}:{_VERBS.get(change.action, Verb.UPDATE).value}"),
            change.logical_id,
            change.type,
            _VERBS.get(change.action, Verb.UPDATE),
            change.action,
            change.identifier,
            change.before,
            change.after,
        )
        for change in changes
    )


@dataclass(slots=True)
class Progress:
    """The results so far. ``told``: what was said of a step last, so that nothing is said twice.

    ``prefix``: of the steps' names that this is about: those of one stack of several (``part``).
    """

    run: RunId
    plan: Plan
    changes: ChangeSet
    clock: Clock
    events: EventSink
    tool: str
    results: dict[LogicalId, StepResult] = field(default_factory=dict)
    begun: dict[LogicalId, float] = field(default_factory=dict)
    told: dict[LogicalId, str] = field(default_factory=dict)
    prefix: str = ""

    def part(self, prefix: str) -> Progress:
        """The same progress, by the names that one stack gives its resources."""
        return replace(self, prefix=prefix)

    def start(self, context: Context) -> None:
        """Restate the context and the steps."""
        self.events.emit(ApplyStarted(self.run, context, self.changes.steps))
        for step in self.changes.steps:
            self.results[step.logical_id] = StepResult(
                step.id, step.logical_id, step.type, step.verb, StepState.PENDING, identifier=step.identifier
            )

    def result_of(self, name: LogicalId) -> StepResult | None:
        """How a step stands; None if there is no such step."""
        return self.results.get(self._full(name))

    def running(self, name: LogicalId) -> None:
        """A step has begun."""
        name = self._full(name)
        found = self._step(name)
        if found is None or self.results[name].state is not StepState.PENDING:
            return
        number, step = found
        command = _command(self.tool, step)
        self.begun[name] = self.clock.monotonic()
        self.results[name] = replace(self.results[name], state=StepState.RUNNING, command=command)
        total = len(self.changes.steps)
        self.events.emit(StepStarted(self.run, self.plan.name, step, number, total, command))

    def say(self, name: LogicalId, message: str) -> None:
        """Something to tell while a step goes on; what is about none of them is told of the first."""
        name = self._full(name)
        found = self._step(name) or next(iter(enumerate(self.changes.steps, 1)), None)
        if found is not None and message and self.told.get(name) != message:
            self.told[name] = message
            self.events.emit(StepProgress(self.run, self.plan.name, found[1], scrub(message)))

    def done(self, name: LogicalId, identifier: Identifier | None, result: str = "") -> None:
        """A step is complete, and the tool has seen that it is."""
        self._end(name, StepState.DONE, identifier, result=result or "complete", validation="passed")

    def failed(self, name: LogicalId, error: str, kind: str = "", identifier: Identifier | None = None) -> None:
        """A step failed."""
        self._end(name, StepState.FAILED, identifier, error=scrub(error)[:_LONGEST], error_kind=kind or kind_of(error))

    def finish_all(self) -> None:
        """Everything that hasn't ended otherwise is done: the tool says that the whole is."""
        for name in self._open():
            self.done(name, None)

    def fail_first(self, error: ReconcilerError | str, kind: str = "") -> None:
        """The whole failed before any step was known to: the first that hasn't ended stands for it."""
        name = next(iter(self._open()), None)
        if name is None:
            return
        self.failed(name, str(error), kind or (error.kind.value if isinstance(error, AwsFault) else ""))
        if isinstance(error, AwsFault):
            full = self._full(name)
            self.results[full] = replace(
                self.results[full],
                service=error.service,
                operation=error.operation,
                code=error.code,
                permission=error.permission,
                resource=error.resource,
            )

    def rolled_back(self) -> None:
        """What was done has been taken back."""
        for name, result in self.results.items():
            if result.state is StepState.DONE and name.startswith(self.prefix):
                self.results[name] = replace(result, state=StepState.ROLLED_BACK)

    @property
    def any_failed(self) -> bool:
        """Whether a step has failed."""
        return any(
            result.state is StepState.FAILED for name, result in self.results.items() if name.startswith(self.prefix)
        )

    def ended(self) -> tuple[StepResult, ...]:
        """The results in the order of the steps; what was begun and isn't known to have ended is pending."""
        found = (self.results[step.logical_id] for step in self.changes.steps)
        return tuple(
            replace(result, state=StepState.PENDING) if result.state is StepState.RUNNING else result
            for result in found
        )

    def _open(self) -> list[LogicalId]:
        """The steps that haven't ended, without their prefix."""
        return [
            LogicalId(name.removeprefix(self.prefix))
            for name, result in self.results.items()
            if name.startswith(self.prefix) and result.state not in _ENDED
        ]

    def _full(self, name: LogicalId) -> LogicalId:
        return LogicalId(self.prefix + name)

    def _end(self, name: LogicalId, state: StepState, identifier: Identifier | None, **facts: str) -> None:
        short, name = name, self._full(name)
        found = self._step(name)
        if found is None or self.results[name].state in _ENDED:
            return
        self.running(short)
        number, step = found
        seconds = max(0.0, self.clock.monotonic() - self.begun.get(name, self.clock.monotonic()))
        known = self.results[name]
        result = replace(known, state=state, identifier=identifier or known.identifier, seconds=seconds)
        self.results[name] = result = replace(
            result,
            result=facts.get("result", ""),
            validation=facts.get("validation", ""),
            error=facts.get("error", ""),
            error_kind=facts.get("error_kind", ""),
        )
        total = len(self.changes.steps)
        self.events.emit(StepFinished(self.run, self.plan.name, step, number, total, result))

    def _step(self, name: LogicalId) -> tuple[int, Step] | None:
        found = ((number, step) for number, step in enumerate(self.changes.steps, 1) if step.logical_id == name)
        return next(found, None)


def _command(tool: str, step: Step) -> str:
    note = " (destroys it)" if step.action in DESTRUCTIVE else ""
    return f"{tool}: {step.action.value} {step.type} {step.logical_id}{note}"


def kind_of(text: str) -> str:
    """What kind of failure a tool's words are about, as far as they tell."""
    lowered = text.lower()
    if denial_in(text).permission or "accessdenied" in lowered or "access denied" in lowered:
        return FaultKind.ACCESS_DENIED.value
    if "limitexceeded" in lowered or "quota" in lowered or "limit exceeded" in lowered:
        return FaultKind.QUOTA.value
    if "already exists" in lowered or "alreadyexists" in lowered:
        return FaultKind.ALREADY_EXISTS.value
    if "throttl" in lowered or "rate exceeded" in lowered:
        return FaultKind.THROTTLED.value
    return "deployment"
