"""What the HTTP API asks of the daemon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.daemon.daemon import Daemon
from reconciler.daemon.passes import initial_status
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.report import PlanState, PlanStatus, Receipt, RunReport


class Backend:
    """Answers from the store, except for plans so new that it holds nothing of them. Raises ReconcilerError."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def statuses(self) -> Sequence[PlanStatus]:
        stored = {status.plan: status for status in self._daemon.app.store.statuses()}
        new = {name: self._first(name) for name in self._daemon.registry.snapshot.plans if name not in stored}
        return [status for _, status in sorted({**stored, **new}.items()) if status is not None]

    def status(self, name: PlanName) -> PlanStatus | None:
        return self._daemon.app.store.status(name) or self._first(name)

    def history(self, name: PlanName, limit: int) -> Sequence[RunReport]:
        return self._daemon.app.store.history(name, limit)

    def run(self, run: RunId) -> RunReport | None:
        return self._daemon.app.store.run(run)

    def receipt(self, request: RequestId) -> Receipt | None:
        return self._daemon.receipts.find(request) or self._daemon.app.store.receipt(request)

    def request_sync(self, plans: tuple[PlanName, ...] | None, trigger: str) -> Receipt:
        return self._daemon.request_sync(plans, trigger)

    def ready(self) -> Mapping[str, str]:
        return self._daemon.readiness()

    def _first(self, name: PlanName) -> PlanStatus | None:
        found = self._daemon.registry.plan(name)
        if found is None:
            return None
        return replace(initial_status(found[0]), state=PlanState.DRIFTED, message="waits for its first pass")
