"""Bringing a database to the newest schema; safe to run at every start and by several processes at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection

from reconciler.model.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
#: Any number will do as long as every replica asks for the same PostgreSQL advisory lock.
_LOCK = 7_263_548_190


def upgrade(engine: Engine, name: str) -> None:
    """Run the missing migrations in one transaction. ``name`` is the database's in messages.

    Raises StoreError if a newer version wrote it.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    with engine.connect().execution_options(reading=True) as connection:
        if _revision(connection) == newest:
            return
    with engine.begin() as connection:
        _lock(connection)
        current = _revision(connection)  # another process may have been faster
        if current is not None:
            _check_known(script, current, name)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(script: ScriptDirectory, revision: str, name: str) -> None:
    try:
        script.get_revision(revision)
    except CommandError as error:
        raise StoreError(
            f"state store {name}: written by a newer version of reconciler (schema {revision}); "
            "run that version, or point this one at another store"
        ) from error


def _lock(connection: Connection) -> None:
    # SQLite is locked already: every writing transaction begins IMMEDIATE.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
