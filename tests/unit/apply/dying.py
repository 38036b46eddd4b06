"""A process that dies at the n-th boundary: before or after any write to the store or any call that changes AWS."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.plan import Plan
from reconciler.model.report import PlanState
from reconciler.testing.memory import MemoryStore
from tests.unit.cycle.conftest import Rig

_WRITES = (
    "save_record",
    "drop_record",
    "move_record",
    "write_journal",
    "save_run",
    "save_status",
    "save_revision",
    "consume_approval",
    "release_approvals",
    "audit",
)


class Killed(BaseException):
    """The process is gone: nothing catches it, as nothing catches kill -9."""


class Death:
    """Counts boundaries and kills at the n-th one; from then on every boundary kills, as all threads are dead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.spare()

    def spare(self) -> None:
        """Live on: a new process."""
        self.moments: list[str] = []
        self.at: int | None = None
        self.after = ""
        self.dead = False

    def boundary(self, moment: str) -> None:
        with self._lock:
            if self.dead:
                raise Killed
            self.moments.append(moment)
            due = self.at is not None and len(self.moments) > self.at
            if due or moment == self.after:
                self.dead = True
                raise Killed(moment)


class DyingStore(MemoryStore):
    """A store in memory whose writer may die before or after each write."""

    def __init__(self, death: Death) -> None:
        super().__init__()
        self.death = death

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        return functools.partial(self._around, name, method) if name in _WRITES else method

    def _around(self, name: str, method: Callable[..., Any], *args: Any) -> Any:
        about = getattr(args[0], "step", None) or getattr(args[0], "logical_id", "")
        self.death.boundary(f"before {name} {about}")
        answer = method(*args)
        self.death.boundary(f"after {name} {about}")
        return answer


class Mortal(Rig):
    """A rig whose process can be killed."""

    def __init__(self, **world: Any) -> None:
        super().__init__()
        self.death = Death()
        self.store = DyingStore(self.death)
        for name, value in world.items():
            setattr(self.world, name, value)
        self.world.boundary = self.death.boundary
        self.restart()

    def dies(self, plan: Plan, at: int) -> bool:
        """Make a pass that is killed at boundary ``at``; whether it got that far."""
        self.death.moments.clear()
        self.death.at = at
        try:
            self.run(plan)
        except Killed:
            return True
        finally:
            self.moment = self.death.moments[-1] if self.death.moments else ""
            self.death.spare()
            self.restart()
        return False

    def dies_after(self, plan: Plan, moment: str) -> bool:
        """Make a pass that is killed right after ``moment``; whether it got that far."""
        self.death.after = moment
        return self.dies(plan, 10**6)

    def converges(self, plan: Plan) -> None:
        """Passes until nothing is left to do, as the queue would make them; the world is then as the plan says."""
        for _ in range(4):
            report = self.run(plan)
            if report.state is PlanState.IN_SYNC and not report.steps:
                break
        assert report.state is PlanState.IN_SYNC, report.message
        assert self.world.log == []
        self.is_as(plan)

    def is_as(self, plan: Plan) -> None:
        """The world has the plan's resources, each once, and nothing else; the store knows all of them."""
        planned = {} if plan.absent else plan.resources
        records = self.store.records(plan.name)
        assert set(records) == set(planned)
        assert {(record.type, record.identifier) for record in records.values()} == set(self.world.resources)
        for name, resource in planned.items():
            live = self.world.resources[resource.type, records[name].identifier]
            for key, value in resource.properties.items():
                if _plain(value) and key != "Tags":
                    assert live[key] == value, (name, key)
        assert not self.store.unfinished(plan.name)
        assert not self.store.unresolved(plan.name)


def _plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_plain(item) for item in value.values())
    return isinstance(value, str | int | bool) or (isinstance(value, list) and all(_plain(item) for item in value))
