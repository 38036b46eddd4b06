"""A store that fails under a running reconciler: nothing is changed in the world, the status says why, and once it is
repaired everything goes on from where it was.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.model.audit import AuditEvent
from reconciler.model.contest import Contest
from reconciler.model.errors import StoreError
from reconciler.model.ids import LogicalId, Owner, PlanName, RequestId, RunId
from reconciler.model.lease import Holder, LeaseRow
from reconciler.model.report import PlanState
from reconciler.model.revision import Pin, Revision
from reconciler.store import SqlStore
from reconciler.store.chain import Check
from reconciler.testing.samples import AT, DIGEST, a_full_report, a_receipt, a_record, a_report, a_status, an_entry
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

#: Bytes: small enough to be reached at once, large enough for whatever else this process writes meanwhile.
LIMIT = 128 * 1024

WEB, VPC = PlanName("web"), LogicalId("Vpc")
CONTEST = Contest(WEB, VPC, "/A", DIGEST, 1, AT, AT)
LEASE = LeaseRow(WEB, Holder("h/1", "b", "n", 1, "s", "x", 60.0), 0)

WRITES: dict[str, Callable[[SqlStore], object]] = {
    "ping": lambda store: store.ping(),
    "save_record": lambda store: store.save_record(a_record("db", "New")),
    "move_record": lambda store: store.move_record(a_record("db"), Owner(WEB, VPC)),
    "drop_record": lambda store: store.drop_record(WEB, VPC),
    "write_journal": lambda store: store.write_journal(an_entry("New:create")),
    "take_lease": lambda store: store.take_lease(replace(LEASE, beat=1), LEASE),
    "drop_lease": lambda store: store.drop_lease(LEASE),
    "save_revision": lambda store: store.save_revision(Revision(WEB, 2, DIGEST, AT, RunId("r"), "{}")),
    "save_pin": lambda store: store.save_pin(Pin(WEB, DIGEST, 2, AT)),
    "drop_pin": lambda store: store.drop_pin(WEB),
    "save_contest": lambda store: store.save_contest(replace(CONTEST, times=2)),
    "drop_contest": lambda store: store.drop_contest(CONTEST),
    "audit": lambda store: store.audit(AuditEvent("settle", AT, WEB)),
    "save_run": lambda store: store.save_run(a_report("run-2")),
    "save_status": lambda store: store.save_status(a_status(message="new")),
    "drop_status": lambda store: store.drop_status(WEB),
    "consume_approval": lambda store: store.consume_approval(DIGEST, "bob", "replace", RunId("run-2")),
    "release_approvals": lambda store: store.release_approvals(RunId("open")),
    "save_receipt": lambda store: store.save_receipt(a_receipt(2)),
    "save_exports": lambda store: store.save_exports(WEB, "1", "r", {"VpcId": "vpc-2"}),
}


def fill(store: SqlStore) -> None:
    """Something of everything."""
    store.save_record(a_record())
    store.write_journal(an_entry())
    store.take_lease(LEASE, None)
    store.save_revision(Revision(WEB, 1, DIGEST, AT, RunId("run-1"), "{}"))
    store.save_pin(Pin(WEB, DIGEST, 1, AT))
    store.save_contest(CONTEST)
    store.save_run(a_report())
    store.save_status(a_status())
    store.consume_approval(DIGEST, "bob", "delete", RunId("open"))
    store.save_receipt(a_receipt())
    store.save_exports(WEB, "1", "r", {"VpcId": "vpc-1"})
    store.ping()


def contents(path: Path) -> dict[str, list[Any]]:
    """Every row of every table, apart from the heartbeat."""
    with closing(sqlite3.connect(path)) as raw:
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in sorted(names)}
    return {name: rows for name, rows in found.items() if name not in ("heartbeat", "sqlite_sequence")}


# the ways to fail


@contextmanager
def disk_full(store: SqlStore, path: Path) -> Iterator[SqlStore]:
    """Whatever would grow a file fails, as on a full disk. A reader keeps SQLite from reusing what is written."""
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM heartbeat").fetchall()
    wal = path.with_name(f"{path.name}-wal")
    while wal.stat().st_size < LIMIT:
        store.ping()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield store
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        reader.close()


@contextmanager
def read_only(store: SqlStore, path: Path) -> Iterator[SqlStore]:
    """The file can be read and not written, as after the disk was mounted read-only."""
    opened = SqlStore(f"sqlite:///file:{path}?mode=ro&uri=true")
    yield opened
    opened.close()


@contextmanager
def locked(store: SqlStore, path: Path) -> Iterator[SqlStore]:
    """Another program holds the file and doesn't let go."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    opened = SqlStore(path, busy_timeout=0.01)
    yield opened
    opened.close()
    other.close()


@contextmanager
def all_but_the_header_damaged(store: SqlStore, path: Path) -> Iterator[SqlStore]:
    """The pages of every table are garbage."""
    store.close()
    before = path.read_bytes()
    roots = roots_of(path)
    path.write_bytes(overwritten(before, roots))
    yield store
    store.close()
    path.write_bytes(before)


@contextmanager
def removed(store: SqlStore, path: Path) -> Iterator[SqlStore]:
    """Somebody moved the file away under the running process."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    yield store
    aside.rename(path)


FAILURES: dict[str, tuple[Callable[[SqlStore, Path], AbstractContextManager[SqlStore]], str]] = {
    "disk full": (disk_full, "free space"),
    "read-only": (read_only, "write permission"),
    "locked": (locked, "another process holds the database"),
    "damaged": (all_but_the_header_damaged, "move it away and restart"),
    "removed": (removed, "restart"),
}


def roots_of(path: Path) -> dict[str, int]:
    """Each table's first page."""
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: page for name, page in rows if name != "alembic_version"}


def overwritten(content: bytes, pages: dict[str, int]) -> bytes:
    """The file with these pages full of garbage; pages count from 1 and are 4096 bytes long."""
    changed = bytearray(content)
    for page in pages.values():
        changed[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    return bytes(changed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.mark.parametrize("failure", FAILURES)
def test_every_write_fails_with_advice_and_leaves_everything_as_it_was(path: Path, failure: str) -> None:
    store = SqlStore(path)
    fill(store)
    before = contents(path)
    happen, advice = FAILURES[failure]
    with happen(store, path) as failing:
        for name, write in WRITES.items():
            said = error_of(write, failing)
            assert "state store" in said, name
            assert "state.db" in said, name
            assert advice in said, name
    assert contents(path) == before
    for write in WRITES.values():
        write(store)
    assert Check().read(store.audit_entries()) is None
    store.close()


def error_of(write: Callable[[SqlStore], object], store: SqlStore) -> str:
    try:
        write(store)
    except StoreError as error:
        return str(error)
    return "no error"


def test_every_method_that_writes_is_among_them() -> None:
    """Reads open a transaction that only reads; whatever takes the other kind belongs into the table."""
    reads = {
        "records", "identifiers", "owner_of", "records_in", "recorded_plans", "unfinished", "unresolved", "lost",
        "journal", "lease", "revisions", "pin", "contests", "audit_entries", "audit_head", "last_audited", "run",
        "history", "status", "statuses", "consumed_approvals", "receipt", "receipts", "export", "close",
    }  # fmt: skip
    methods = {name for name in dir(SqlStore) if not name.startswith("_")}
    assert methods - reads == set(WRITES)


# a pass over it


def rig_over(path: Path) -> Rig:
    rig = Rig()
    with_store(rig, SqlStore(path))
    return rig


def with_store(rig: Rig, store: Any) -> None:
    rig.store = store
    rig.restart()


def world_of(rig: Rig) -> dict[str, int]:
    """How many live resources there are of each type."""
    counts: dict[str, int] = {}
    for type_name, _ in rig.world.resources:
        counts[type_name] = counts.get(type_name, 0) + 1
    return counts


ONE_OF_EACH = {resource["Type"]: 1 for resource in NETWORK.values()}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_pass_changes_nothing_says_why_and_goes_on_when_it_is_repaired(path: Path, failure: str) -> None:
    rig, plan = rig_over(path), make_plan(NETWORK)
    store, (happen, advice) = sql(rig), FAILURES[failure]
    first = {name: NETWORK[name] for name in ("Vpc",)}
    rig.run(make_plan(first))
    before = rig.world.snapshot()
    with happen(store, path) as failing:
        with_store(rig, failing)
        report = rig.run(plan)
        assert rig.world.log == []
        assert rig.world.snapshot() == before
        assert (report.state, report.error_reason) == (PlanState.FAILED, "store")
        assert advice in report.message
        (_, status) = rig.recorded.reports[-1]
        assert status.state is PlanState.FAILED
        assert advice in status.message
    with_store(rig, store)
    assert rig.run(plan).state is PlanState.IN_SYNC
    assert world_of(rig) == ONE_OF_EACH
    assert set(rig.store.records(PlanName("demo"))) == set(NETWORK)
    assert Check().read(rig.store.audit_entries()) is None
    sql(rig).close()


@pytest.mark.parametrize(
    "table",
    ["records", "journal", "audit", "audit_head", "consumed_approvals", "runs", "revisions", "pins", "contests"],
)
def test_damage_to_any_table_that_a_change_needs_stops_it(path: Path, table: str) -> None:
    rig = rig_over(path)
    rig.run(make_plan({"Vpc": NETWORK["Vpc"]}))
    sql(rig).close()
    content, page = path.read_bytes(), roots_of(path)[table]
    path.write_bytes(overwritten(content, {table: page}))
    report = rig.run(make_plan(NETWORK))
    assert rig.world.log == []
    assert (report.state, report.error_reason) == (PlanState.FAILED, "store")
    assert "malformed" in report.message
    assert "move it away and restart" in report.message
    sql(rig).close()


def test_a_damaged_header_stops_the_start(path: Path) -> None:
    rig = rig_over(path)
    rig.run(make_plan(NETWORK))
    sql(rig).close()
    content = path.read_bytes()
    path.write_bytes(b"\xa5" * 100 + content[100:])
    with pytest.raises(StoreError, match=r"state\.db: file is not a database.*move it away and restart"):
        SqlStore(path)
    path.write_bytes(content)
    assert set(SqlStore(path).records(PlanName("demo"))) == set(NETWORK)


def test_a_file_cut_off_in_the_middle_is_damage(path: Path) -> None:
    rig = rig_over(path)
    rig.run(make_plan({"Vpc": NETWORK["Vpc"]}))
    sql(rig).close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 8192 * 4096])
    report = None
    try:
        with_store(rig, SqlStore(path))
        report = rig.run(make_plan(NETWORK))
    except StoreError as error:
        assert "move it away and restart" in str(error)
    assert rig.world.log == [] or report is None
    assert report is None or report.error_reason == "store"


@pytest.mark.parametrize("readable", ["file", "directory"])
def test_a_store_that_may_not_be_written_at_the_start_says_so(path: Path, readable: str) -> None:
    store = SqlStore(path)
    fill(store)
    store.close()
    before = contents(path)
    path.parent.chmod(0o755 if readable == "file" else 0o555)
    path.chmod(0o444 if readable == "file" else 0o666)
    code = f"""
import os
from reconciler.store import SqlStore
from reconciler.model.errors import StoreError
if os.geteuid() == 0:  # root may write everywhere
    for parent in {[str(parent) for parent in path.parents][1:3]!r}:
        os.chmod(parent, 0o755)
    os.seteuid(65534)
try:
    SqlStore({str(path)!r}).ping()
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    path.parent.chmod(0o700)
    path.chmod(0o600)
    assert "state store" in done.stdout and "permission" in done.stdout.lower(), done.stdout + done.stderr
    assert contents(path) == before


def sql(rig: Rig) -> SqlStore:
    return cast(SqlStore, rig.store)


class FailsFrom:
    """Lets a store's database take so many writes and then no more, as a disk that fills up in the middle."""

    def __init__(self, store: SqlStore, writes: int) -> None:
        self._left, self._real = writes, store._db.write
        self._store = store
        store._db.write = self._write  # type: ignore[method-assign]

    @contextmanager
    def _write(self) -> Iterator[Any]:
        self._left -= 1
        if self._left < 0:
            raise StoreError("state store: disk full; free space")
        with self._real() as connection:
            yield connection

    def repair(self) -> bool:
        """Let it write again. Whether any write had failed."""
        self._store._db.write = self._real  # type: ignore[method-assign]
        return self._left < 0


STEP = 1 if os.environ.get("RECONCILER_STRESS") else 3


@pytest.mark.parametrize("offset", range(STEP))
def test_a_store_that_fails_at_any_write_of_a_pass_loses_and_doubles_nothing(tmp_path: Path, offset: int) -> None:
    failed, writes = True, offset
    while failed:
        rig = rig_over(tmp_path / f"{writes}.db")
        disk = FailsFrom(sql(rig), writes)
        report = rig.run(make_plan(NETWORK))
        failed = disk.repair()
        assert failed or report.state is PlanState.IN_SYNC
        entries = [entry.event.facts for entry in rig.store.audit_entries() if entry.event.kind == "call"]
        assert len(rig.world.log) <= len(entries), "a call that the trail doesn't know"
        rig.restart()
        again = rig.run(make_plan(NETWORK))
        assert again.state is PlanState.IN_SYNC, (writes, again.message)
        assert world_of(rig) == ONE_OF_EACH, writes
        assert set(rig.store.records(PlanName("demo"))) == set(NETWORK)
        assert rig.store.unfinished(PlanName("demo")) == []
        assert Check().read(rig.store.audit_entries()) is None
        sql(rig).close()
        writes += STEP
    assert writes > len(NETWORK) * 3


def test_an_approval_is_used_up_even_if_the_report_of_its_pass_cannot_be_stored(path: Path) -> None:
    store = SqlStore(path)
    store.consume_approval(DIGEST, "bob", "delete", RunId("run-1"))
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TRIGGER broken BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no reports'); END")
    with pytest.raises(StoreError, match="no reports"):
        store.save_run(replace(a_full_report(), run=RunId("run-1")))
    assert set(store.consumed_approvals(DIGEST)) == {("bob", "delete")}


def test_a_receipt_that_was_acknowledged_is_there_after_the_disk_was_full(path: Path) -> None:
    store = SqlStore(path)
    store.save_receipt(a_receipt(1))
    with disk_full(store, path), pytest.raises(StoreError):
        store.save_receipt(a_receipt(2))
    assert store.receipt(RequestId("req-1")) is not None
    assert store.receipt(RequestId("req-2")) is None
