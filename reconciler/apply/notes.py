"""What the store holds of a plan, shared by the steps of a run that are taken at the same time."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from reconciler.model.ids import LogicalId
from reconciler.model.resource import Record


class Notes:
    """Records by logical id. Each change makes a new mapping, so that none changes under whoever goes through it."""

    def __init__(self, records: Mapping[LogicalId, Record] | None = None) -> None:
        self._records: Mapping[LogicalId, Record] = dict(records or {})
        self._lock = threading.Lock()

    @property
    def records(self) -> Mapping[LogicalId, Record]:
        """All of them as they are now; later changes don't show in it."""
        return self._records

    def put(self, record: Record) -> None:
        """Keep a record in place of the one of the same name."""
        with self._lock:
            self._records = {**self._records, record.logical_id: record}

    def drop(self, name: LogicalId) -> None:
        """Forget a record; there need not be one."""
        with self._lock:
            self._records = {key: record for key, record in self._records.items() if key != name}
