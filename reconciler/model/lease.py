"""Who works on a plan. A lease is a row that its holder keeps changing; one that stands still has been abandoned."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.ids import PlanName


@dataclass(frozen=True, slots=True)
class Holder:
    """One hold of one process.

    ``host`` is ``hostname/machine id``. ``boot`` tells two lives of a machine apart, ``started`` two of a process id.
    ``namespace`` is that of the process ids: only within it can another process be looked up. Empty: not known here.
    ``nonce`` tells two holds by the same process apart. ``ttl``: seconds without a renewal after which the holder
    works no more; nobody may think it gone before that, whatever his own configuration says.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str
    nonce: str
    ttl: float = 0.0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host.partition('/')[0]}"


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The lease on a plan as stored. ``beat`` grows with every renewal: no wall clock is compared."""

    plan: PlanName
    holder: Holder
    beat: int
