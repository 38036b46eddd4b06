"""After a pass of a plan whose exports changed, the plans that import them get a pass."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import structlog

from reconciler.daemon.app import AppLike
from reconciler.daemon.registry import Registry
from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan, Snapshot
from reconciler.queue import WorkQueue
from reconciler.template.exchange import Place, exports_of, importers

log = structlog.get_logger(__name__)


class Importers:
    """Knows who imports what in the snapshot in force. Thread-safe."""

    def __init__(self, registry: Registry, queue: WorkQueue) -> None:
        self._registry = registry
        self._queue = queue
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._importers: Mapping[Place, list[PlanName]] = {}

    def exported(self, app: AppLike, plan: Plan) -> dict[Place, Any]:
        """The values that a plan exports now, as far as somebody imports them; none if the store can't be read."""
        wanted = self._current()
        try:
            return {place: app.store.export(*place) for place in exports_of(plan) if wanted.get(place)}
        except StoreError as error:
            log.error("store not readable", error=str(error))
            return {}

    def wake(self, app: AppLike, plan: Plan, before: Mapping[Place, Any]) -> None:
        """Ask for a pass of every plan that imports something which isn't as it was ``before`` the pass."""
        wanted = self._current()
        changed = {place for place, value in self.exported(app, plan).items() if before.get(place) != value}
        names = sorted({name for place in changed for name in wanted.get(place, ()) if name != plan.name})
        for name in names:
            self._queue.add(name, "import")
        if names:
            log.info("importers asked for", plan=plan.name, importers=names)

    def _current(self) -> Mapping[Place, list[PlanName]]:
        with self._lock:
            snapshot = self._registry.snapshot
            if snapshot is not self._snapshot:
                self._snapshot, self._importers = snapshot, importers(snapshot.plans)
            return self._importers
