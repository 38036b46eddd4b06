"""The tables. Keys are columns; everything else of a value is its JSON in ``body``.

What the newest migration makes must equal this; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

#: A growing number that keeps the order of insertion. SQLite only autoincrements a plain INTEGER.
_SERIAL = BigInteger().with_variant(Integer, "sqlite")

records = Table(
    "records",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("logical_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("records_by_identifier", "type", "identifier", "account", "region"),
    Index("records_by_place", "account", "region"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("run", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("logical_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("journal_by_step", "run", "step", unique=True),
    Index("journal_by_state", "plan", "state"),
    Index("journal_by_resource", "plan", "logical_id", "seq"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("run", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("quiet", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("runs_by_run", "run", unique=True),
    Index("runs_by_plan", "plan", "quiet", "seq"),
    sqlite_autoincrement=True,
)

statuses = Table(
    "statuses",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

consumed_approvals = Table(
    "consumed_approvals",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("approval", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("run", Text, nullable=False),
    Column("ended", Boolean, nullable=False),
    Index("consumed_by_run", "run"),
)

leases = Table(
    "leases",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

pins = Table(
    "pins",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

contests = Table(
    "contests",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("logical_id", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

#: The audit trail. Triggers refuse every change of a row, and every removal of one that hasn't been archived.
audit = Table(
    "audit",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_by_plan", "plan", "kind", "seq"),
    Index("audit_by_run", "run", "seq"),
)

#: One row: the newest entry of the trail, and the newest that was moved to the archive. Appends lock it.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("archived_seq", BigInteger, nullable=False),
    Column("archived_hash", Text, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("receipts_by_id", "id", unique=True),
    sqlite_autoincrement=True,
)

exports = Table(
    "exports",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("exports_by_name", "account", "region", "name", "plan", unique=True),
    sqlite_autoincrement=True,
)

#: One row, rewritten by every ping: proof that the store can be written, not only opened.
heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beats", BigInteger, nullable=False),
)
