"""The plans in force, and how a new snapshot differs from them. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.model.errors import Problem
from reconciler.model.ids import PlanName
from reconciler.model.plan import Approval, Plan, Snapshot


@dataclass(frozen=True, slots=True)
class Difference:
    """What a snapshot changed.

    ``changed``: plans that are new, have another content, or other approvals. ``vanished``: names known before that
    are neither in force nor invalid now. ``rejected``: invalid content that was not seen before. ``mended``: names
    that were invalid and no longer are.
    """

    changed: tuple[PlanName, ...] = ()
    vanished: tuple[PlanName, ...] = ()
    rejected: Mapping[str, tuple[Problem, ...]] | None = None
    mended: tuple[str, ...] = ()


class Registry:
    """What the last snapshot said. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot = Snapshot()
        self.loaded = False

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot in force."""
        with self._lock:
            return self._snapshot

    def plan(self, name: str) -> tuple[Plan, tuple[Approval, ...]] | None:
        """A plan in force with its approvals."""
        snapshot = self.snapshot
        plan = snapshot.plans.get(PlanName(name))
        return None if plan is None else (plan, snapshot.approvals.get(plan.name, ()))

    def by_place(self, names: Iterable[PlanName]) -> list[PlanName]:
        """Plans in the order in which to make their passes: place by place, because those of one share their reads."""
        plans = self.snapshot.plans

        def place(name: PlanName) -> tuple[str, str, str]:
            plan = plans.get(name)
            return ("", "", name) if plan is None else (plan.target.account, plan.target.region, name)

        return sorted(names, key=place)

    def problems(self, name: str) -> tuple[Problem, ...]:
        """What is wrong with the newest content of ``name``; empty: nothing."""
        return self.snapshot.invalid.get(name, ())

    def take(self, snapshot: Snapshot, known: Mapping[PlanName, str]) -> Difference:
        """Put ``snapshot`` in force.

        ``known``: names remembered from an earlier life, with the file each came from. An unhealthy snapshot makes
        nothing vanish.
        """
        with self._lock:
            before, self._snapshot = self._snapshot, snapshot
            self.loaded = self.loaded or snapshot.healthy
        return Difference(
            changed=tuple(name for name in sorted(snapshot.plans) if _differs(name, before, snapshot)),
            vanished=_vanished(before, snapshot, known) if snapshot.healthy else (),
            rejected={name: found for name, found in snapshot.invalid.items() if before.invalid.get(name) != found},
            mended=tuple(sorted(before.invalid.keys() - snapshot.invalid.keys())),
        )


def _differs(name: PlanName, before: Snapshot, after: Snapshot) -> bool:
    old, new = before.plans.get(name), after.plans[name]
    return (
        old is None
        or old.digest != new.digest
        or old.origin.file != new.origin.file
        or before.approvals.get(name, ()) != after.approvals.get(name, ())
    )


def _vanished(before: Snapshot, after: Snapshot, known: Mapping[PlanName, str]) -> tuple[PlanName, ...]:
    """A remembered plan whose file is there but can't be read is invalid, not vanished."""
    former = {PlanName(name) for name in (*before.plans, *before.invalid)}
    remembered = {name for name, file in known.items() if file not in after.invalid}
    return tuple(sorted(name for name in former | remembered if name not in after.plans and name not in after.invalid))
