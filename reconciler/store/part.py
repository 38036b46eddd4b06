"""What the parts of the store have in common: one database and one audit trail."""

from __future__ import annotations

from reconciler.store.database import Database
from reconciler.store.trail import Trail


class Part:
    """A group of tables and the methods of ``ports.Store`` on them; ``SqlStore`` is all of them together."""

    _db: Database
    _trail: Trail
