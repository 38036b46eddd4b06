"""Durable memory on SQLAlchemy: journal, leases, records, the audit trail, revisions, runs, status, receipts, exports.

Read ``sql`` first (the port, put together from ``managed``, ``journals`` and ``standing``), then ``trail`` and
``chain`` (the audit trail), ``engine`` (how a database is opened and how it fails) and ``migrate``.
"""

from reconciler.store.sql import SqlStore

__all__ = ["SqlStore"]
