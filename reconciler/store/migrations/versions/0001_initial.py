"""The first schema. Written out, not taken from ``tables``: a migration must not change when the tables do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _serial() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("seq", kind, primary_key=True, autoincrement=True)


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary_key, nullable=False)


def upgrade() -> None:
    _create_managed()
    _create_journal()
    _create_reports()
    _create_requests()
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
    )


def _create_managed() -> None:
    op.create_table(
        "records",
        _text("plan", primary_key=True),
        _text("logical_id", primary_key=True),
        *(_text(name) for name in ("type", "identifier", "account", "region", "body")),
    )
    op.create_index("records_by_identifier", "records", ["type", "identifier", "account", "region"])
    op.create_table(
        "exports",
        _serial(),
        *(_text(name) for name in ("account", "region", "name", "plan", "body")),
        sqlite_autoincrement=True,
    )
    op.create_index("exports_by_name", "exports", ["account", "region", "name", "plan"], unique=True)


def _create_journal() -> None:
    op.create_table(
        "journal",
        _serial(),
        *(_text(name) for name in ("run", "step", "plan", "state", "body")),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_by_step", "journal", ["run", "step"], unique=True)
    op.create_index("journal_by_state", "journal", ["plan", "state"])


def _create_reports() -> None:
    op.create_table(
        "runs",
        _serial(),
        _text("run"),
        _text("plan"),
        sa.Column("quiet", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_by_run", "runs", ["run"], unique=True)
    op.create_index("runs_by_plan", "runs", ["plan", "quiet", "seq"])
    op.create_table(
        "statuses",
        _text("plan", primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def _create_requests() -> None:
    op.create_table(
        "consumed_approvals",
        *(_text(name, primary_key=True) for name in ("digest", "approval", "scope")),
        _text("run"),
    )
    op.create_table("receipts", _serial(), _text("id"), _text("body"), sqlite_autoincrement=True)
    op.create_index("receipts_by_id", "receipts", ["id"], unique=True)
