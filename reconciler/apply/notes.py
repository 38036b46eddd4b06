"""What the store holds of a plan, shared by the steps of a run that are taken at the same time."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from reconciler.live import halves_in
from reconciler.model.ids import LogicalId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.resource import Record


class Notes:
    """Records and lost creates by logical id. A change makes new ones, so that none changes under whoever uses it."""

    def __init__(
        self, records: Mapping[LogicalId, Record] | None = None, lost: Mapping[LogicalId, JournalEntry] | None = None
    ) -> None:
        self._records: Mapping[LogicalId, Record] = dict(records or {})
        self._halves = halves_in(self._records)
        self._lost: Mapping[LogicalId, JournalEntry] = dict(lost or {})
        self._lock = threading.Lock()

    @property
    def records(self) -> Mapping[LogicalId, Record]:
        """All of them as they are now; later changes don't show in it."""
        return self._records

    @property
    def halves(self) -> frozenset[LogicalId]:
        """The names of the records that stand for old halves."""
        return self._halves

    @property
    def lost(self) -> Mapping[LogicalId, JournalEntry]:
        """The newest journal entries of resources, where nothing can be seen of what was called."""
        return self._lost

    def put(self, record: Record) -> None:
        """Keep a record in place of the one of the same name."""
        name = record.logical_id
        with self._lock:
            self._records = {**self._records, name: record}
            self._halves |= halves_in([name])

    def drop(self, name: LogicalId) -> None:
        """Forget a record; there need not be one."""
        with self._lock:
            self._records = {key: record for key, record in self._records.items() if key != name}
            self._halves -= {name}

    def journalled(self, *entries: JournalEntry) -> None:
        """Take notice of what the journal says now."""
        with self._lock:
            for entry in entries:
                rest = {name: one for name, one in self._lost.items() if name != entry.logical_id}
                self._lost = {**rest, entry.logical_id: entry} if entry.state is JournalState.LOST else rest
