"""One open database: short transactions, upserts, and every failure turned into a StoreError."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from reconciler.model.codec import from_json, to_json
from reconciler.model.errors import StoreError
from reconciler.store import migrate
from reconciler.store.engine import SQLITE, display, explain, open_engine, parse_url

T = TypeVar("T")


class Database:
    """A database at the newest schema. Thread-safe. Every method raises StoreError.

    ``busy_timeout``: seconds to wait for another process that is writing. ``file``: None if it isn't a plain file.
    """

    def __init__(self, url: str | Path, *, busy_timeout: float) -> None:
        self._url = parse_url(url)
        self._engine = open_engine(self._url, busy_timeout=busy_timeout)
        sqlite = self._engine.dialect.name == SQLITE
        # SQLite has one writer anyway; queueing here is fair and quicker than its own waiting by polling.
        self._writing: AbstractContextManager[Any] = threading.Lock() if sqlite else nullcontext()
        self._insert: Any = sqlite_insert if sqlite else postgresql_insert
        self._reading = self._engine.execution_options(reading=True)
        self._single = self._engine.execution_options(single=True)
        self._upserts: dict[tuple[Any, ...], Any] = {}
        try:
            migrate.upgrade(self._engine, display(self._url))
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise explain(self._url, error) from error
        self.file = Path(str(self._url.database)) if sqlite and not self._url.query else None
        self._inode = self.file.stat().st_ino if self.file else 0

    def __str__(self) -> str:
        return f"state store {display(self._url)}"

    def beside(self, ending: str) -> Path:
        """A path beside the database file, which must be one, named after it."""
        assert self.file is not None
        return self.file.with_name(f"{self.file.name}-{ending}")

    def close(self) -> None:
        """Close the connections; what was written is in the database file alone afterwards."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        try:
            with self._reading.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise explain(self._url, error) from error

    def rows(self, query: Select[Any], **given: Any) -> Sequence[Any]:
        """The rows of one query. ``given``: the values of its parameters.

        Queries that every pass makes are made once, with parameters: putting one together takes longer than SQLite
        takes to answer it.
        """
        try:
            with self._single.connect() as connection:
                return connection.execute(query, given).all()
        except SQLAlchemyError as error:
            raise explain(self._url, error) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block has ended, or not at all."""
        try:
            with self._writing:
                self._check_file()
                with self._engine.begin() as connection:
                    yield connection
        except SQLAlchemyError as error:
            raise explain(self._url, error) from error

    def upsert(self, connection: Connection, table: Table, keys: tuple[str, ...], *rows: Mapping[str, Any]) -> None:
        """Insert rows of the same columns, each in place of the one with the same ``keys`` if there is one."""
        columns = tuple(rows[0])
        known = (table.name, columns, keys)
        statement = self._upserts.get(known)
        if statement is None:  # making one takes longer than executing it
            bare = self._insert(table)
            rest = {name: bare.excluded[name] for name in columns if name not in keys}
            statement = self._upserts[known] = bare.on_conflict_do_update(index_elements=keys, set_=rest)
        connection.execute(statement, rows)

    def insert_once(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert ``row`` unless one with its primary key is there. Whether it was inserted.

        Told by the row that comes back: the count of an insert isn't kept by every driver.
        """
        statement = self._insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key.columns)
        return connection.execute(statement).first() is not None

    def values(self, kind: type[T], query: Select[tuple[Any]], **given: Any) -> list[T]:
        """The decoded bodies that ``query`` selects, with these values of its parameters."""
        return [self.decode(kind, body) for (body,) in self.rows(query, **given)]

    def first(self, kind: type[T], query: Select[tuple[Any]], **given: Any) -> T | None:
        """The first decoded body that ``query`` selects, which are few."""
        return next((self.decode(kind, body) for (body,) in self.rows(query, **given)), None)

    def encode(self, value: Any) -> str:
        """``value`` as the JSON that is stored."""
        try:
            return to_json(value)
        except ValueError as error:
            raise StoreError(f"{self}: {error}") from error

    def pack(self, value: Any) -> bytes:
        """As ``encode``, compressed: for reports, which name every resource of a plan."""
        return zlib.compress(self.encode(value).encode(), level=1)

    def decode(self, kind: type[T], body: str | bytes) -> T:
        """The value that ``encode`` or ``pack`` made ``body`` from."""
        try:
            return from_json(kind, zlib.decompress(body) if isinstance(body, bytes) else body)
        except (ValueError, zlib.error) as error:
            summary = " ".join(str(error).split())[:200]
            raise StoreError(
                f"{self}: a stored {kind.__name__} can't be read ({summary}); "
                "the database is damaged or was edited: move it away and restart, "
                "what plans manage is found again by ownership tags"
            ) from error

    def _check_file(self) -> None:
        """A deleted database file takes writes without complaint and loses them all when the process ends."""
        if self.file is None:
            return
        try:
            same = self.file.stat().st_ino == self._inode
        except OSError:
            same = False
        if not same:
            raise StoreError(
                f"state store {self.file}: the file was removed or replaced while in use; "
                "nothing can be recorded in it any more: restart reconciler"
            )
