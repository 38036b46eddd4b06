"""Following an operation of CloudFormation to its end, event by event, and what became of each resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.iac import stacks
from reconciler.iac.stacks import STACK_TYPE, Stack
from reconciler.iac.steps import Progress
from reconciler.model.errors import AwsFault
from reconciler.model.ids import Identifier, LogicalId
from reconciler.ports import Clock, Scope

#: Between two looks. Seconds.
_PAUSE = 3.0
#: In a row, before the following itself is given up: the operation goes on at AWS all the same.
_FAILED_LOOKS = 20
_STARTS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_CANCELLED = "cancelled"
#: Events are paged through no further back than this.
_PAGES = 100


@dataclass(frozen=True, slots=True)
class Ended:
    """How an operation ended. ``status``: the stack's; empty: it is gone. ``reasons``: what failed and why."""

    status: str
    reasons: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the stack is as it was to be."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")

    @property
    def rolled_back(self) -> bool | None:
        """Whether CloudFormation took back what it had done; None: it didn't try."""
        if self.status in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"):
            return True
        return False if self.status.endswith("ROLLBACK_FAILED") else None


@dataclass(slots=True)
class Follower:
    """Follows one stack. ``heard``: events that were there before, and those told already."""

    scope: Scope
    clock: Clock
    stack: Identifier
    progress: Progress | None = None
    heard: set[str] = field(default_factory=set)
    failures: dict[LogicalId, str] = field(default_factory=dict)

    def skip_past(self) -> None:
        """Whatever has happened so far is no part of what is followed. Raises AwsFault."""
        self.heard |= {event["EventId"] for event in self._events(all_of_them=True)}

    def follow(self, deadline: float, stopping: Callable[[], bool], *, gone_is_end: bool = False) -> Ended | None:
        """Until the operation ends; None: it still goes on, but the deadline has passed or we are to stop.

        ``gone_is_end``: the stack is being deleted. Raises AwsFault if AWS can't be asked for long.
        """
        failed = 0
        while True:
            try:
                stack = stacks.read(self.scope, self.stack)
                self._tell()
                failed = 0
            except AwsFault as fault:
                failed += 1
                if not fault.retryable or failed >= _FAILED_LOOKS:
                    raise
                stack = None
            else:
                if stack is None:
                    return Ended("", self._reasons())
                if not stack.busy and not stack.empty and not (gone_is_end and "DELETE" not in stack.status):
                    return Ended(stack.status, self._reasons())
            if stopping() or self.clock.monotonic() >= deadline:
                return None
            self.clock.sleep(_PAUSE)

    def _tell(self) -> None:
        for event in reversed(self._events()):
            if event["EventId"] not in self.heard:
                self.heard.add(event["EventId"])
                self._hear(event)

    def _hear(self, event: Mapping[str, Any]) -> None:
        name, status = LogicalId(event["LogicalResourceId"]), event.get("ResourceStatus") or ""
        reason = event.get("ResourceStatusReason") or ""
        own = event.get("PhysicalResourceId") == event.get("StackId") and event.get("ResourceType") == STACK_TYPE
        if status.endswith("_FAILED") and not own and _CANCELLED not in reason.lower():
            self.failures.setdefault(name, reason or status)
        if self.progress is not None:
            self._progressed(self.progress, name, status, reason, event.get("PhysicalResourceId") or "", own=own)

    def _progressed(
        self, progress: Progress, name: LogicalId, status: str, reason: str, physical: str, *, own: bool
    ) -> None:
        """An event in terms of steps. What a rollback does to a resource is no step of its own."""
        text = f"{name} {status}{f': {reason}' if reason else ''}"
        if own:
            progress.say(name, text)
        elif status.endswith("_FAILED") and "ROLLBACK" not in status and _CANCELLED not in reason.lower():
            progress.failed(name, reason or status)
        elif status in _STARTS:
            progress.running(name)
            progress.say(name, text)
        elif status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
            progress.done(name, Identifier(physical) if physical else None, status)
        elif status in ("DELETE_COMPLETE", "DELETE_SKIPPED") and self._is_deletion(progress, name):
            progress.done(name, None, status)
        else:
            progress.say(name, text)

    def _is_deletion(self, progress: Progress, name: LogicalId) -> bool:
        result = progress.result_of(name)
        return result is not None and result.verb.value == "delete"

    def _reasons(self) -> tuple[str, ...]:
        return tuple(f"{name}: {reason}" for name, reason in self.failures.items())

    def _events(self, *, all_of_them: bool = False) -> list[Mapping[str, Any]]:
        """Newest first, as far back as there are unheard ones."""
        found: list[Mapping[str, Any]] = []
        arguments: dict[str, Any] = {"StackName": self.stack}
        for _ in range(_PAGES):
            try:
                answer = self.scope.call("cloudformation", "describe_stack_events", **arguments)
            except AwsFault as fault:
                if stacks.is_absent(fault):
                    return found
                raise
            page = answer.get("StackEvents") or []
            found += page
            known = any(event["EventId"] in self.heard for event in page)
            if not answer.get("NextToken") or (known and not all_of_them):
                return found
            arguments["NextToken"] = answer["NextToken"]
        return found


def since_the_start(follower: Follower) -> None:
    """Hear only the newest operation: for one that an earlier process began. Raises AwsFault."""
    events = follower._events()
    for number, event in enumerate(events):
        own = event.get("PhysicalResourceId") == event.get("StackId")
        if own and event.get("ResourceStatus") in _STARTS:
            follower.heard |= {older["EventId"] for older in events[number + 1 :]}
            return


def still_going(stack: Stack | None) -> bool:
    """Whether there is something to follow."""
    return stack is not None and stack.busy
