"""The audit trail in the database: what it refuses, what a check of the chain finds, and where old entries go."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.model.audit import AuditEntry, AuditEvent
from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName, RunId
from reconciler.model.journal import JournalState
from reconciler.model.values import Sensitive
from reconciler.store import SqlStore
from reconciler.store.archive import read_lines
from reconciler.store.chain import Break, Check, chained, document, entry_of
from reconciler.testing.samples import AT, a_report, an_entry

WEB, RUN = PlanName("web"), RunId("run-1")
SECRET = "hunter2-never-on-disk"


def event(number: int = 0, plan: str = "web") -> AuditEvent:
    return AuditEvent("decision", AT, PlanName(plan), RUN, {"n": number})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(path)
    for number in range(1, 6):
        opened.audit(event(number))
    yield opened
    opened.close()


def edit(path: Path, *statements: str, fences: bool = False) -> None:
    """Change the database behind the store's back; without ``fences``, as somebody who took the triggers away."""
    with sqlite3.connect(path) as raw:
        if not fences:
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)


def whole(store: SqlStore) -> list[AuditEntry]:
    return list(store.audit_entries(0, 10**9))


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE audit SET facts = '{}' WHERE seq = 2", "append-only"),
        ("UPDATE audit SET seq = 9 WHERE seq = 5", "append-only"),
        ("DELETE FROM audit WHERE seq = 5", "append-only"),
        ("DELETE FROM audit", "append-only"),
        ("INSERT OR REPLACE INTO audit SELECT seq, at, kind, plan, run, '{}', previous, hash FROM audit", "follow"),
        ("INSERT INTO audit SELECT 9, at, kind, plan, run, facts, previous, hash FROM audit LIMIT 1", "follow"),
        ("DELETE FROM audit_head", "must stay"),
        ("UPDATE audit_head SET seq = 4", "only grows"),
        ("UPDATE audit_head SET archived_seq = 9", "only grows"),
    ],
)
def test_the_database_itself_refuses_every_change_of_the_trail(
    store: SqlStore, path: Path, statement: str, refusal: str
) -> None:
    before = whole(store)
    with pytest.raises(sqlite3.IntegrityError, match=refusal):
        edit(path, statement, fences=True)
    assert whole(store) == before


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("""UPDATE audit SET facts = '{"n":9}' WHERE seq = 3""", Break(3, "it was changed")),
        ("UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 3", Break(3, "it was changed")),
        ("UPDATE audit SET kind = 'settle' WHERE seq = 3", Break(3, "it was changed")),
        ("UPDATE audit SET plan = 'db' WHERE seq = 3", Break(3, "it was changed")),
        ("UPDATE audit SET run = '' WHERE seq = 3", Break(3, "it was changed")),
        ("UPDATE audit SET previous = hash WHERE seq = 3", Break(3, "it was changed")),
        ("UPDATE audit SET hash = previous WHERE seq = 3", Break(3, "it was changed")),
        ("DELETE FROM audit WHERE seq = 3", Break(3, "it is missing")),
        ("DELETE FROM audit WHERE seq < 3", Break(1, "it is missing")),
        ("UPDATE audit SET seq = 0 WHERE seq = 1", Break(0, "it stands where entry 1 belongs")),
    ],
)
def test_a_change_by_somebody_who_took_the_fences_away_is_found_and_named(
    store: SqlStore, path: Path, statement: str, broken: Break
) -> None:
    assert Check().read(whole(store)) is None
    edit(path, statement)
    found = Check().read(list(store.audit_entries(-1, 100)))
    assert found is not None and found.seq == broken.seq and found.reason.startswith(broken.reason), found


def test_an_entry_replaced_with_a_fitting_hash_breaks_the_link_after_it(store: SqlStore, path: Path) -> None:
    third = whole(store)[2]
    forged = chained(event(99), 3, third.previous)
    edit(path, f"""UPDATE audit SET facts = '{{"n":99}}', hash = '{forged.hash}' WHERE seq = 3""")
    found = Check().read(whole(store))
    assert found == Break(4, "it isn't linked to the one before, either was replaced")


def test_an_entry_that_is_no_json_any_more_is_named(store: SqlStore, path: Path) -> None:
    edit(path, "UPDATE audit SET facts = '{' WHERE seq = 4")
    with pytest.raises(StoreError, match=r"state\.db: the audit entry 4 can't be read .*was edited"):
        store.audit_entries()


def test_the_end_of_the_trail_cut_off_is_seen_by_its_head(store: SqlStore, path: Path) -> None:
    edit(path, "DELETE FROM audit WHERE seq > 3")
    assert Check().read(whole(store)) is None
    assert store.audit_head()[0] == 5


def test_several_stores_append_to_one_chain(path: Path) -> None:
    stores = [SqlStore(path, busy_timeout=30) for _ in range(3)]

    def work(number: int) -> None:
        for step in range(10):
            entry = an_entry(f"R{step}:create", run=f"run-{number}")
            stores[number % 3].write_journal(entry)
            stores[number % 3].audit(event(number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    entries = whole(stores[0])
    assert [entry.seq for entry in entries] == list(range(1, 121))
    assert Check().read(entries) is None
    for opened in stores:
        opened.close()


@pytest.mark.parametrize(
    "damage", ["DROP TABLE audit", "DELETE FROM audit_head", "INSERT INTO audit VALUES (7, '', '', '', '', '', '', '')"]
)
def test_what_cannot_be_recorded_is_not_begun(store: SqlStore, path: Path, damage: str) -> None:
    """A call whose audit entry fails has no journal entry either, and so is never made."""
    store.write_journal(an_entry("Old:create"))
    before = list(store.journal(RUN))
    edit(path, damage)
    with pytest.raises(StoreError):
        store.write_journal(an_entry())
    with pytest.raises(StoreError):
        store.consume_approval("sha256:0", "bob", "delete", RUN)
    with pytest.raises(StoreError):
        store.audit(event())
    assert list(store.journal(RUN)) == before
    store.save_run(a_report())
    assert set(store.consumed_approvals("sha256:0")) == set()


def test_what_cannot_be_journalled_is_not_in_the_trail(store: SqlStore, path: Path) -> None:
    before = whole(store)
    edit(path, "DROP TABLE journal")
    with pytest.raises(StoreError):
        store.write_journal(an_entry())
    assert whole(store) == before


def test_a_repeated_call_and_its_outcome_are_recorded_again(path: Path) -> None:
    store = SqlStore(path)
    for state in (JournalState.INTENT, JournalState.LOST, JournalState.INTENT, JournalState.DONE):
        store.write_journal(an_entry(state=state))
    assert [(each.event.kind, each.event.facts.get("state")) for each in whole(store)] == [
        ("call", None),
        ("outcome", "lost"),
        ("call", None),
        ("outcome", "done"),
    ]


def test_no_secret_is_in_the_trail(path: Path) -> None:
    store = SqlStore(path)
    hidden = Sensitive(SECRET)
    store.audit(AuditEvent("decision", AT, WEB, RUN, {"deep": [{"x": hidden}], "text": f"said {SECRET}"}))
    store.write_journal(an_entry(before={"P": hidden}, after={"P": hidden}, state=JournalState.FAILED, error=SECRET))
    store.close()
    assert SECRET.encode() not in path.read_bytes()
    assert b"(sensitive)" in path.read_bytes()


def test_facts_that_are_no_json_are_refused_before_anything_is_written(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="can't be written as JSON"):
        store.audit(AuditEvent("decision", AT, WEB, RUN, {"x": object()}))
    assert store.audit_head()[0] == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("hash"),
        lambda d: d.update(extra=1),
        lambda d: d.update(seq="1"),
        lambda d: d.update(seq=True),
        lambda d: d.update(facts=[]),
        lambda d: d.update(plan=None),
        lambda d: d.update(at="yesterday"),
        lambda d: d.update(at="2026-01-01T00:00:00"),
    ],
)
def test_only_a_whole_entry_is_read_as_one(change: Callable[[dict[str, object]], object]) -> None:
    good = document(chained(event(), 1, "0" * 64))
    assert document(entry_of(good)) == good
    change(good)
    with pytest.raises(ValueError, match=r"its (fields|time)|another type|isoformat"):
        entry_of(good)


# what is archived


def filled(path: Path, entries: int = 64, keep: int = 40) -> SqlStore:
    store = SqlStore(path, keep_audit=keep)
    for number in range(1, entries + 1):
        store.audit(event(number, "web" if number > 2 else "old"))
    for _ in range(1 + (entries - keep) // (keep // 10)):
        store.save_run(a_report("run-x"))
    return store


def archived(path: Path) -> list[Path]:
    return sorted(path.with_name("state.db-audit").glob("*.jsonl.gz"))


def rows(path: Path) -> list[int]:
    with sqlite3.connect(path) as raw:
        return [seq for (seq,) in raw.execute("SELECT seq FROM audit ORDER BY seq")]


def test_the_table_stays_small_and_the_trail_stays_whole(path: Path) -> None:
    store = filled(path)
    assert rows(path) == list(range(25, 65))
    assert [file.name.split("-")[0:2] for file in archived(path)] == [
        [f"{first:012}", f"{first + 3:012}"] for first in range(1, 25, 4)
    ]
    entries = whole(store)
    assert [entry.event.facts["n"] for entry in entries] == list(range(1, 65))
    assert Check().read(entries) is None
    assert [entry.seq for entry in store.audit_entries(22, 4)] == [23, 24, 25, 26]
    assert [entry.seq for entry in store.audit_entries(2, 3)] == [3, 4, 5]
    assert {file.stat().st_mode & 0o777 for file in archived(path)} == {0o600}
    store.audit(event(65))
    assert store.audit_head()[0] == 65


def test_what_is_archived_may_go_from_the_table_and_nothing_else(path: Path) -> None:
    filled(path).close()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        edit(path, "DELETE FROM audit WHERE seq = 25", fences=True)


def test_a_changed_archive_is_found(path: Path) -> None:
    store = filled(path)
    target = archived(path)[2]
    lines = gzip.decompress(target.read_bytes()).decode().splitlines()
    changed = {**json.loads(lines[1]), "plan": "other"}
    target.write_bytes(gzip.compress("\n".join([lines[0], json.dumps(changed), *lines[2:]]).encode()))
    assert Check().read(whole(store)) == Break(10, "it was changed: its content and its hash differ")


@pytest.mark.parametrize("number", [0, 3, 5])
def test_an_archive_taken_away_leaves_a_gap_that_is_found(path: Path, number: int) -> None:
    store = filled(path)
    archived(path)[number].unlink()
    assert Check().read(whole(store)) == Break(1, "it is missing")
    after = (number + 1) * 4
    assert Check(after, None).read(store.audit_entries(after, 1000)) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", gzip.compress(b"{}"), gzip.compress(b"x" * 5000)[:20]],
    ids=["empty", "no archive", "no entries", "cut off"],
)
def test_a_damaged_archive_is_named(path: Path, content: bytes) -> None:
    store = filled(path)
    archived(path)[3].write_bytes(content)
    if not content:
        assert Check().read(whole(store)) == Break(1, "it is missing")
        return
    with pytest.raises(StoreError, match=r"state\.db-audit/.*\.jsonl\.gz"):
        whole(store)


def test_an_archive_that_cannot_be_written_loses_nothing_and_is_made_up_for(path: Path) -> None:
    blocked = path.with_name("state.db-audit")
    blocked.write_text("in the way")
    store = filled(path)
    assert rows(path) == list(range(1, 65))
    blocked.unlink()
    for _ in range(20):
        store.save_run(a_report("run-x"))
    assert rows(path)[0] > 20
    assert Check().read(whole(store)) is None


def test_a_broken_part_of_the_trail_is_not_archived_over(path: Path) -> None:
    filled(path, entries=43).close()
    edit(path, "UPDATE audit SET plan = 'forged' WHERE seq = 2")
    store = SqlStore(path, keep_audit=40)
    for number in range(44, 60):
        store.audit(event(number))
        store.save_run(a_report("run-x"))
    assert rows(path) == list(range(1, 60))
    assert archived(path) == []


def test_a_new_store_beside_old_archives_writes_none_of_them_over(path: Path) -> None:
    first = filled(path)
    before = {file: file.read_bytes() for file in archived(path)}
    first.close()
    for file in path.parent.glob("state.db*"):
        if file.is_file():
            file.unlink()
    second = SqlStore(path, keep_audit=40)
    for number in range(1000, 1064):
        second.audit(event(number))
    for _ in before:
        second.save_run(a_report("run-x"))
    assert Check().read(whole(second)) is None
    assert whole(second)[0].event.facts == {"n": 1000}
    assert {file: file.read_bytes() for file in before} == before
    assert len(archived(path)) == 2 * len(before)


def test_several_stores_archive_each_entry_once(path: Path) -> None:
    stores = [SqlStore(path, keep_audit=20, busy_timeout=30) for _ in range(3)]

    def work(number: int) -> None:
        for step in range(20):
            stores[number].audit(event(step))
            stores[number].save_run(a_report(f"run-{number}"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    entries = whole(stores[0])
    assert [entry.seq for entry in entries] == list(range(1, 61))
    assert Check().read(entries) is None
    kept = [entry.seq for file in archived(path) for entry in read_lines(file)]
    assert kept == list(range(1, kept[-1] + 1))
    assert rows(path) == list(range(kept[-1] + 1, 61))
    assert len(rows(path)) < 40


def test_the_last_decision_is_asked_of_the_table_alone(path: Path) -> None:
    store = filled(path)
    assert store.last_audited(PlanName("old"), "decision") is None
    last = store.last_audited(WEB, "decision")
    assert last is not None and last.seq == 64


def test_an_old_store_is_upgraded_with_all_it_holds(path: Path) -> None:
    make_first_version(path)
    store = SqlStore(path)
    assert [entry.step for entry in store.unfinished(WEB)] == ["Vpc:create"]
    store.write_journal(an_entry(state=JournalState.LOST))
    assert store.lost(WEB) == {}, "the newer entry, of the old version, counts too"
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "delete")}
    with pytest.raises(StoreError, match="used up"):
        store.consume_approval("sha256:0", "bob", "delete", RUN)
    assert [entry.event.kind for entry in whole(store)] == ["outcome"]


def make_first_version(path: Path) -> None:
    """A store as the first schema had it, with an open entry, a settled one and a used-up approval."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from reconciler.model.codec import to_json
    from reconciler.store.migrate import MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for entry in (an_entry(), an_entry(run="run-2", state=JournalState.DONE)):
            connection.exec_driver_sql(
                "INSERT INTO journal (run, step, plan, state, body) VALUES (?, ?, ?, ?, ?)",
                (entry.run, entry.step, entry.plan, entry.state.value, to_json(entry)),
            )
        connection.exec_driver_sql("INSERT INTO consumed_approvals VALUES ('sha256:0', 'bob', 'delete', 'run-2')")
    engine.dispose()
