"""Durable memory on SQLAlchemy: journal, records, runs, status, receipts, exports.

Read ``sql`` first (the port), then ``engine`` (how a database is opened and how it fails) and ``migrate``.
"""

from reconciler.store.sql import SqlStore

__all__ = ["SqlStore"]
