"""Leases, revisions, contests, approvals that count from the end of their pass, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_GENESIS = "0" * 64

#: What a trigger refuses, as (name, statement, condition, message).
_FENCES = (
    ("audit_no_update", "UPDATE ON audit", "", "the audit trail is append-only"),
    (
        "audit_no_delete",
        "DELETE ON audit",
        "OLD.seq > (SELECT archived_seq FROM audit_head)",
        "the audit trail is append-only",
    ),
    (
        # A REPLACE would remove the old row without the trigger for deletes.
        "audit_in_order",
        "INSERT ON audit",
        "NEW.seq <> (SELECT seq + 1 FROM audit_head)",
        "an audit entry must follow the newest one",
    ),
    ("audit_head_stays", "DELETE ON audit_head", "", "the head of the audit trail must stay"),
    (
        "audit_head_grows",
        "UPDATE ON audit_head",
        "NEW.seq < OLD.seq OR NEW.archived_seq < OLD.archived_seq OR NEW.archived_seq > NEW.seq",
        "the audit trail only grows",
    ),
)


def upgrade() -> None:
    _widen()
    _create_standing()
    _create_audit()
    if op.get_bind().dialect.name == "sqlite":
        _fence_sqlite()
    else:
        _fence_postgresql()


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary_key, nullable=False)


def _widen() -> None:
    op.create_index("records_by_place", "records", ["account", "region"])
    op.add_column("journal", sa.Column("logical_id", sa.Text, nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE journal SET logical_id = COALESCE(json_extract(body, '$.logical_id'), '')")
    else:
        op.execute("UPDATE journal SET logical_id = COALESCE(body::json ->> 'logical_id', '')")
    op.create_index("journal_by_resource", "journal", ["plan", "logical_id", "seq"])
    # Whether the pass behind an old row ended isn't known any more: then the approval counts as used up.
    op.add_column("consumed_approvals", sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index("consumed_by_run", "consumed_approvals", ["run"])


def _create_standing() -> None:
    op.create_table("leases", _text("plan", primary_key=True), _text("body"))
    op.create_table(
        "revisions",
        _text("plan", primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "pins",
        _text("plan", primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        _text("body"),
    )
    op.create_table(
        "contests",
        *(_text(name, primary_key=True) for name in ("plan", "logical_id", "path")),
        _text("body"),
    )


def _create_audit() -> None:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "audit",
        sa.Column("seq", kind, primary_key=True, autoincrement=False),
        *(_text(name) for name in ("at", "kind", "plan", "run", "facts", "previous", "hash")),
    )
    op.create_index("audit_by_plan", "audit", ["plan", "kind", "seq"])
    op.create_index("audit_by_run", "audit", ["run", "seq"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _text("hash"),
        sa.Column("archived_seq", sa.BigInteger, nullable=False),
        _text("archived_hash"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": _GENESIS, "archived_seq": 0, "archived_hash": _GENESIS}])


def _fence_sqlite() -> None:
    for name, statement, condition, message in _FENCES:
        when = f"WHEN {condition} " if condition else ""
        op.execute(f"CREATE TRIGGER {name} BEFORE {statement} {when}BEGIN SELECT RAISE(ABORT, '{message}'); END")


def _fence_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
    )
    for name, statement, condition, message in _FENCES:
        # A WHEN of PostgreSQL can't look into another table, so the condition is the function's.
        test = f"IF {condition} THEN RAISE EXCEPTION '{message}'; END IF;" if condition else ""
        refuse = test or f"RAISE EXCEPTION '{message}';"
        result = "OLD" if statement.startswith("DELETE") else "NEW"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse} RETURN {result}; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {statement} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in ("audit", "audit_head"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            "EXECUTE FUNCTION audit_refuse('the audit trail is append-only')"
        )
