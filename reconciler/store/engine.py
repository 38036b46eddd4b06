"""Opening a database, and what its failures mean to a person."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from reconciler.model.errors import ConfigurationError, StoreError

SQLITE = "sqlite"

#: A fragment of the database's own message → what to do about it.
_ADVICE = (
    ("readonly", "the file or its directory is read-only: give this user write permission"),
    ("read-only", "the file or its directory is read-only: give this user write permission"),
    ("disk is full", "the disk is full: free space; nothing is changed in AWS until the store can be written"),
    ("locked", "another process holds the database: stop the second reconciler or the tool that has it open"),
    ("malformed", "the file is damaged"),
    ("not a database", "the file is not a SQLite database"),
    ("unable to open", "the file can't be opened: check that its directory exists and this user may write to it"),
    ("disk i/o error", "the disk reports an error: check its health and free space"),
)
_DAMAGED = ("malformed", "not a database")
_RECOVER = "move it away and restart: what plans manage is found again by ownership tags, the history is lost"


def parse_url(url: str | Path) -> URL:
    """A database URL from a URL or a plain file path. Raises ConfigurationError."""
    if isinstance(url, Path) or "://" not in url:
        return URL.create(SQLITE, database=str(Path(url).expanduser().absolute()))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "store: not a database URL; use a file path, sqlite:///PATH or postgresql://…"
        ) from error
    if parsed.get_backend_name() == SQLITE and parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("store: an in-memory database would lose the journal in a crash; give a file path")
    if parsed.get_backend_name() == SQLITE and not _is_uri(parsed):
        return parsed.set(database=str(Path(str(parsed.database)).absolute()))
    return parsed


def display(url: URL) -> str:
    """The URL or path as shown to people, password hidden."""
    if url.get_backend_name() == SQLITE:
        return str(url.database)
    return url.render_as_string(hide_password=True)


def open_engine(url: URL, *, busy_timeout: float) -> Engine:
    """An engine for ``url``; ``busy_timeout`` is in seconds. Connects lazily.

    Raises ConfigurationError for a database whose driver isn't there, StoreError if the file can't be made.
    """
    try:
        if url.get_backend_name() == SQLITE:
            _prepare_file(url)
            engine = create_engine(url, pool_size=8, max_overflow=24, connect_args={"timeout": busy_timeout})
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(url, pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"store {display(url)}: the database driver is missing: {error}; install it (pip install psycopg[binary]), "
            "or name another in the URL (postgresql+psycopg2://…)"
        ) from error


def explain(url: URL, error: Exception) -> StoreError:
    """A StoreError that says which store, what is wrong with it and what to do."""
    cause = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split())
    lowered = text.lower()
    advice = next((hint for fragment, hint in _ADVICE if fragment in lowered), "")
    if any(fragment in lowered for fragment in _DAMAGED):
        advice = f"{advice}: {_RECOVER}"
    return StoreError(f"state store {display(url)}: {text}{'; ' + advice if advice else ''}")


def _is_uri(url: URL) -> bool:
    return "uri" in url.query


def _prepare_file(url: URL) -> None:
    """Make the file private before SQLite does; its -wal and -shm files inherit the permissions."""
    if _is_uri(url):
        return  # the query says how to open it (mode=ro), so it is opened exactly so
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"state store {path}: can't be opened for writing ({error.strerror}); "
            "check the path, its permissions and the free space"
        ) from error


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin transactions by itself, and too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads and then writes must not find out at the write that it came too late.
    # A single statement is a transaction by itself.
    options = connection.get_execution_options()
    if not options.get("single", False):
        connection.exec_driver_sql("BEGIN" if options.get("reading", False) else "BEGIN IMMEDIATE")
