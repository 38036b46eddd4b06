"""Drift of a stack as CloudFormation detects it: resources that somebody has changed behind its back. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.iac import stacks
from reconciler.iac.stacks import STACK_TYPE, Stack
from reconciler.model.change import ResourceState
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.resource import SyncState
from reconciler.ports import Clock, Scope

#: Between two questions whether the detection is through, and for how long it may take. Seconds.
_PAUSE, _PATIENCE = 3.0, 900.0
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Drift:
    """The state of every resource that CloudFormation can check, and those that it can't. ``at``: when it looked."""

    states: tuple[ResourceState, ...]
    unchecked: tuple[LogicalId, ...]
    at: datetime


@dataclass(slots=True)
class Drifts:
    """Detects drift, at most once in ``every`` seconds for the same state of a stack. Thread-safe enough: a race asks
    twice. ``every`` None: never, because somebody has configured it so.
    """

    clock: Clock
    every: float | None
    _known: dict[tuple[str, str], tuple[float, Drift]] = field(default_factory=dict)

    def of(self, scope: Scope, stack: Stack, *, logical_id: LogicalId) -> Drift | None:
        """The drift of a stack; None where it isn't looked for. What can't be told is an unknown state."""
        if self.every is None:
            return None
        key = (stack.id, stack.updated)
        known = self._known.get(key)
        now = self.clock.monotonic()
        if known is not None and now - known[0] < self.every:
            return known[1]
        at = self.clock.now()
        try:
            found = _detect(scope, self.clock, stack, at)
        except AwsFault as fault:
            text = f"whether somebody has changed its resources can't be told: {fault}"
            state = ResourceState(logical_id, STACK_TYPE, SyncState.UNKNOWN, stack.id, text, None)
            return Drift((state,), (), at)
        self._known = {each: value for each, value in self._known.items() if each[0] != stack.id}
        self._known[key] = (now, found)
        return found

    def forget(self, stack: Identifier) -> None:
        """Look again next time."""
        self._known = {each: value for each, value in self._known.items() if each[0] != stack}


def _detect(scope: Scope, clock: Clock, stack: Stack, at: datetime) -> Drift:
    detection = scope.call("cloudformation", "detect_stack_drift", StackName=stack.id)["StackDriftDetectionId"]
    deadline = clock.monotonic() + _PATIENCE
    while True:
        answer = scope.call("cloudformation", "describe_stack_drift_detection_status", StackDriftDetectionId=detection)
        if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        if clock.monotonic() >= deadline:
            raise AwsFault(FaultKind.TIMEOUT, f"the drift detection of {stack.name} isn't through yet")
        clock.sleep(_PAUSE)
    told = scope.pages("cloudformation", "describe_stack_resource_drifts", "StackResourceDrifts", StackName=stack.id)
    known = {LogicalId(one["LogicalResourceId"]): one for one in told}
    failed = answer.get("DetectionStatusReason") or "" if answer["DetectionStatus"] == "DETECTION_FAILED" else ""
    states = list(_states(stacks.resources_of(scope, stack), known, failed, at))
    unchecked = tuple(state.logical_id for state in states if state.state is SyncState.UNKNOWN and not failed)
    kept = tuple(state for state in states if failed or state.state is not SyncState.UNKNOWN)
    return Drift(kept, unchecked, at)


def _states(
    resources: Mapping[LogicalId, tuple[TypeName, Identifier]],
    told: Mapping[LogicalId, Mapping[str, Any]],
    failed: str,
    at: datetime,
) -> Iterator[ResourceState]:
    for name, (kind, identifier) in resources.items():
        status = told.get(name, {}).get("StackResourceDriftStatus", "NOT_CHECKED")
        match status:
            case "IN_SYNC":
                yield ResourceState(name, kind, SyncState.IN_SYNC, identifier, "", at)
            case "DELETED":
                text = "deleted outside of the plan; CloudFormation doesn't make it again by itself"
                yield ResourceState(name, kind, SyncState.MISSING, identifier, text, at)
            case "MODIFIED":
                yield ResourceState(name, kind, SyncState.DRIFTED, identifier, _differences(told[name]), at)
            case _:
                yield ResourceState(name, kind, SyncState.UNKNOWN, identifier, failed or "not checked", None)


def _differences(told: Mapping[str, Any]) -> str:
    """Which properties differ. Not how: any of the values may be a secret."""
    paths = [one.get("PropertyPath", "") for one in told.get("PropertyDifferences") or ()]
    if not paths:
        sides = [_document(told.get(side)) for side in ("ExpectedProperties", "ActualProperties")]
        names = sorted(sides[0].keys() | sides[1].keys())
        paths = [f"/{name}" for name in names if sides[0].get(name) != sides[1].get(name)]
    shown = ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
    return f"changed outside of the plan: {shown or 'which property AWS does not say'}"


def _document(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
