"""What only a store on disk has: durability, permissions, migrations, and everything that can be wrong with it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, inspect

from reconciler.model.change import ResourceState
from reconciler.model.errors import ConfigurationError, StoreError
from reconciler.model.ids import LogicalId, PlanName, RunId, TypeName
from reconciler.model.journal import JournalState
from reconciler.model.report import PlanState, PlanStatus
from reconciler.model.resource import Record, SyncState
from reconciler.model.values import Sensitive
from reconciler.store import SqlStore, tables
from reconciler.testing.memory import START
from reconciler.testing.samples import a_record, a_report, a_status, an_entry

WEB = PlanName("web")
SECRET = "hunter2-never-on-disk"


def record(logical_id: str = "Vpc", **applied: object) -> Record:
    return a_record(logical_id=logical_id, applied=applied)


def status(message: str = "in sync", resources: int = 0) -> PlanStatus:
    states = tuple(
        ResourceState(LogicalId(f"R{n}"), TypeName("AWS::EC2::VPC"), SyncState.IN_SYNC, f"vpc-{n:017}", "", START)
        for n in range(resources)
    )
    return a_status(state=PlanState.IN_SYNC, message=message, resources=states)


def reopened(path: Path) -> SqlStore:
    return SqlStore(path, busy_timeout=0.2)


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "directories" / "state.db"
    first = SqlStore(path)
    first.save_record(record(A=1))
    first.save_status(status())
    first.close()
    second = reopened(path)
    assert second.records(WEB) == {"Vpc": record(A=1)}
    assert second.status(WEB) == status()
    second.close()


@pytest.mark.parametrize("form", ["path", "string", "url"])
def test_a_path_a_string_and_a_url_name_the_same_store(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a b%20c.db"
    SqlStore(path).save_status(status())
    url = {"path": path, "string": str(path), "url": f"sqlite:///{quote(str(path))}"}[form]
    assert SqlStore(url).status(WEB) == status()


def test_the_files_are_private_even_under_an_open_umask_and_when_they_were_not(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    before = os.umask(0)
    try:
        path.touch(0o666)
        store = SqlStore(path)
        store.save_status(status())
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_durability_settings_hold_on_every_connection(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "state.db", busy_timeout=1.5)
    settings = set()
    barrier = threading.Barrier(4)

    def look() -> None:
        with store._db.read() as connection:
            barrier.wait()
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            settings.add(tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert settings == {("wal", 2, 1, 1500)}


def test_no_secret_reaches_the_disk(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "state.db")
    store.save_record(record(Password=Sensitive(SECRET)))
    store.save_exports(WEB, "1", "r", {"Secret": Sensitive(SECRET)})
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"Password" in written
    assert SECRET.encode() not in written


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    SqlStore(tmp_path / "state.db").close()
    migrated, declared = create_engine(f"sqlite:///{tmp_path / 'state.db'}"), create_engine("sqlite://")
    tables.metadata.create_all(declared)

    def shape(engine: object) -> dict[str, object]:
        look = inspect(engine)
        return {
            name: (
                sorted((column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(name)),
                look.get_pk_constraint(name)["constrained_columns"],
                sorted((i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in look.get_indexes(name)),
            )
            for name in look.get_table_names()
            if name not in ("alembic_version", "sqlite_sequence")
        }

    assert shape(migrated) == shape(declared)
    assert "journal" in shape(migrated)


def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    code = f"from reconciler.store import SqlStore; SqlStore({str(path)!r}).ping()"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    answers = [(process.communicate()[1].decode(), process.returncode) for process in processes]
    assert answers == [("", 0)] * 3
    SqlStore(path).ping()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    SqlStore(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"state\.db: .*newer version .*9999"):
        SqlStore(path)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is not a database, however long it may be" * 100)
    with pytest.raises(StoreError, match=r"state\.db: file is not a database.*move it away"):
        SqlStore(path)


def test_damage_in_the_middle_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqlStore(path)
    for number in range(300):
        store.save_record(record(f"R{number}", A="x" * 300))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"malformed.*move it away"):
        SqlStore(path).records(WEB)


def test_an_edited_value_is_an_error_and_not_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqlStore(path)
    store.save_record(record())
    store.save_status(status())
    with sqlite3.connect(path) as raw:
        raw.execute("""UPDATE records SET body = '{"plan": 7}'""")
        raw.execute("UPDATE statuses SET body = x'00ff'")
    with pytest.raises(StoreError, match=r"state\.db: a stored Record can't be read"):
        store.records(WEB)
    with pytest.raises(StoreError, match="a stored PlanStatus can't be read"):
        store.statuses()


def test_a_read_only_store_can_be_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    SqlStore(path).save_status(status())
    store = SqlStore(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert store.status(WEB) == status()
    for write in (store.ping, lambda: store.save_status(status("new"))):
        with pytest.raises(StoreError, match=r"readonly.*write permission"):
            write()
    assert SqlStore(path).status(WEB) == status()


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code = f"""
import os
from reconciler.store import SqlStore
from reconciler.model.errors import StoreError
if os.geteuid() == 0:  # root may write everywhere
    os.seteuid(65534)
try:
    SqlStore({str(tmp_path / "state.db")!r})
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    tmp_path.chmod(0o700)
    assert "state.db: can't be opened for writing (Permission denied)" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "state.db"):
        with pytest.raises(StoreError, match="can't be opened for writing"):
            SqlStore(path)


def test_a_full_disk_fails_the_write_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqlStore(path)
    store.save_status(status("before"))
    store.close()
    code = f"""
import resource, signal
from reconciler.store import SqlStore
from reconciler.model.errors import StoreError
from reconciler.testing.samples import a_record, a_status
store = SqlStore({str(path)!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
try:
    for number in range(100):
        store.save_record(a_record(applied={{"A": "x" * 50_000}}))
        store.save_status(a_status(message=str(number)))
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "state.db: " in done.stdout and "free space" in done.stdout
    after = reopened(path).status(WEB)
    assert after is not None and after.message in {"before", *map(str, range(100))}
    reopened(path).ping()


def test_a_database_that_may_not_grow_is_reported_as_full(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "state.db")
    with store._db.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match=r"state\.db: database or disk is full; the disk is full: free space"):
        for number in range(50):
            store.save_record(record(f"R{number}", A="x" * 9000))
    assert all(len(record.applied["A"]) == 9000 for record in store.records(WEB).values())


def test_a_locked_store_fails_in_time_and_works_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = reopened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"locked.*another process"):
        store.ping()
    assert time.monotonic() - started < 2
    other.execute("ROLLBACK")
    store.ping()


def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqlStore(path, busy_timeout=5)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
    release.start()
    store.save_status(status())
    release.join()
    assert store.status(WEB) == status()


@pytest.mark.parametrize("replacement", [False, True])
def test_a_file_removed_while_in_use_takes_no_more_writes(tmp_path: Path, replacement: bool) -> None:
    path = tmp_path / "state.db"
    store = SqlStore(path)
    path.rename(tmp_path / "moved.db")
    if replacement:
        path.touch()
    for write in (store.ping, lambda: store.save_record(record())):
        with pytest.raises(StoreError, match=r"removed or replaced.*restart"):
            write()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense://host/db", "://", "mysql://u:pw@h/db"])
def test_a_url_that_cannot_keep_the_journal_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="store") as caught:
        SqlStore(url)
    assert "pw@" not in str(caught.value)


def test_the_settled_journal_of_a_forgotten_run_goes_with_it(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "state.db", keep_runs=2)
    store.write_journal(an_entry("A:create", run="run-0", state=JournalState.DONE))
    store.write_journal(an_entry("B:create", run="run-0", state=JournalState.UNDECIDABLE))
    store.write_journal(an_entry("C:create", run="run-0", state=JournalState.PENDING))
    for number in range(3):
        store.save_run(a_report(f"run-{number}"))
    assert [entry.step for entry in store.journal(RunId("run-0"))] == ["B:create", "C:create"]


def test_of_several_entries_none_is_written_when_one_cannot_be(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "state.db")
    with pytest.raises(StoreError):
        store.write_journal(an_entry("A:create"), an_entry("B:create", after={"P": object()}))
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute(
        "CREATE TRIGGER no BEFORE INSERT ON journal WHEN NEW.step = 'B:create' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StoreError):
        store.write_journal(an_entry("A:create"), an_entry("B:create"))
    assert list(store.journal(RunId("run-1"))) == []
    assert list(store.audit_entries()) == []


def test_saving_a_pass_over_a_thousand_resources_is_quick(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "state.db")
    saved = status(resources=1000)
    best = min(_save_pass(store, saved, number) for number in range(10))
    assert best < 0.02, f"{best * 1000:.1f} ms"
    run = store.run(RunId("run-9"))
    assert run is not None and len(run.resources) == 1000


def _save_pass(store: SqlStore, saved: PlanStatus, number: int) -> float:
    started = time.thread_time()  # the machine may be busy with other things
    store.save_status(saved)
    store.save_run(a_report(f"run-{number}", resources=saved.resources))
    return time.thread_time() - started
