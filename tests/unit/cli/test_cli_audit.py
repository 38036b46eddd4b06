"""audit verify and audit export: what they say, and that they need nothing but the store or a file."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reconciler.cli import runtime
from reconciler.cli.app import app as commands
from reconciler.model.audit import AuditEvent
from reconciler.model.ids import PlanName, RunId
from reconciler.store import SqlStore
from reconciler.testing.samples import AT, a_report


class Audit:
    """The command over a store of its own; ``cli("verify")`` gives the result of the command."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "var" / "reconciler.db"
        self.store = SqlStore(self.path, keep_audit=20)

    def fill(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            plan = PlanName("web" if number % 3 else "db")
            self.store.audit(AuditEvent("decision", AT, plan, RunId("run-1"), {"n": number, "text": "ä😀"}))

    def edit(self, statement: str) -> None:
        with sqlite3.connect(self.path) as raw:
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            raw.execute(statement)

    def __call__(self, *arguments: str) -> Any:
        done = CliRunner().invoke(commands, ["audit", *arguments], env={"COLUMNS": "80", "TERM": "dumb"})
        lines = [line for line in done.output.splitlines() if not line.startswith(("{", "Error: "))]
        assert max(map(len, lines), default=0) <= 80, done.output
        return done

    def head(self) -> str:
        return self.store.audit_head()[1]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    def build(*_: object, **__: object) -> None:
        raise AssertionError("only the store is needed")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runtime, "build", build)
    made = Audit(tmp_path)
    made.fill(1, 9)
    return made


def test_a_whole_trail_is_counted_and_its_head_shown(audit: Audit) -> None:
    done = audit("verify")
    assert (done.exit_code, done.stdout) == (
        0,
        f"9 entries, from 1 to 9: none was changed, removed or put in.\nHead: {audit.head()}\n",
    )


def test_an_empty_trail_is_fine(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    assert (audit("verify").exit_code, audit("verify").stdout) == (0, "The audit trail is empty.\n")
    assert (audit("export").exit_code, audit("export").stdout) == (0, "")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET plan = 'x' WHERE seq = 4", "Broken at entry 4: it was changed"),
        ("DELETE FROM audit WHERE seq = 4", "Broken at entry 4: it is missing"),
        ("DELETE FROM audit WHERE seq > 6", "Broken at entry 7: it is missing, and so is everything up to 9"),
        ("DELETE FROM audit", "Broken at entry 1: it is missing"),
        ("UPDATE audit SET facts = 'x' WHERE seq = 4", "the audit entry 4 can't be read"),
        ("UPDATE audit_head SET hash = 'x'", "Broken at entry 9: it isn't the newest entry"),
    ],
)
def test_a_broken_trail_fails_with_the_first_number_and_why(audit: Audit, statement: str, said: str) -> None:
    audit.edit(statement)
    done = audit("verify")
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stdout == ""


def test_a_head_noted_before_is_found_or_missed(audit: Audit) -> None:
    noted = audit.head()
    audit.fill(10, 12)
    done = audit("verify", "--head", noted)
    assert done.exit_code == 0
    assert "The head noted before is entry 9." in done.stdout


def test_an_end_cut_off_with_its_head_is_seen_by_a_noted_head(audit: Audit) -> None:
    noted = audit.head()
    audit.edit("DELETE FROM audit WHERE seq > 6")
    audit.edit("UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)")
    assert audit("verify").exit_code == 0
    done = audit("verify", "--head", noted)
    assert done.exit_code == 1
    assert "isn't in the trail: entries were removed or replaced" in done.stderr


def exported(audit: Audit, path: Path, *arguments: str) -> list[dict[str, Any]]:
    done = audit("export", *arguments)
    assert done.exit_code == 0
    path.write_text(done.stdout)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_export_has_all_and_can_be_verified_without_the_store(audit: Audit, tmp_path: Path) -> None:
    file, head = tmp_path / "trail.jsonl", audit.head()
    lines = exported(audit, file)
    assert [line["facts"]["n"] for line in lines] == list(range(1, 10))
    assert lines[-1]["hash"] == head
    audit.store.close()
    audit.path.unlink()
    done = audit("verify", str(file), "--head", head)
    assert done.exit_code == 0
    assert done.stdout.startswith("9 entries, from 1 to 9: none was")
    assert f"Head: {head}" in done.stdout


def test_an_export_may_begin_later(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    assert [line["seq"] for line in exported(audit, file, "--since", "6")] == [6, 7, 8, 9]
    done = audit("verify", str(file))
    assert done.exit_code == 0
    assert "4 entries, from 6 to 9" in done.stdout
    assert "What came before 6 was not checked." in done.stdout
    assert exported(audit, file, "--since", "10") == []
    assert "no audit entry in it" in audit("verify", str(file)).stderr


def test_an_export_of_one_plan_has_gaps_that_must_be_allowed(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    assert [line["seq"] for line in exported(audit, file, "--plan", "db")] == [3, 6, 9]
    assert "Broken at entry 4: it is missing" in audit("verify", str(file)).stderr
    done = audit("verify", str(file), "--partial")
    assert done.exit_code == 0
    assert "Links were checked only between entries that follow each other." in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"n":5', '"n":6', "Broken at entry 5: it was changed"),
        ('"seq":5', '"seq":55', "Broken at entry 5: it is missing"),
        ('"seq":5', '"sex":5', "trail.jsonl:5: not an audit entry"),
        ('{"at"', "", "trail.jsonl:1: not an audit entry"),
    ],
)
def test_a_changed_export_fails(audit: Audit, tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "trail.jsonl"
    exported(audit, file)
    file.write_text(file.read_text().replace(old, new))
    done = audit("verify", str(file.relative_to(tmp_path)))
    assert done.exit_code == 1
    assert said in done.stderr


def test_a_line_taken_out_of_an_export_or_its_beginning_forged_is_found(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    exported(audit, file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:3] + lines[4:]))
    assert "Broken at entry 4: it is missing" in audit("verify", str(file)).stderr
    file.write_text("\n".join([lines[1].replace('"seq":2', '"seq":1')]))
    assert audit("verify", str(file)).exit_code == 1


def test_a_file_that_is_not_there_says_so(audit: Audit) -> None:
    done = audit("verify", "nowhere.jsonl")
    assert done.exit_code == 1
    assert "nowhere.jsonl: can't be read (No such file or directory)" in done.stderr


def test_archived_entries_are_verified_and_exported_too(audit: Audit, tmp_path: Path) -> None:
    audit.fill(10, 24)
    for _ in range(3):
        audit.store.save_run(a_report())
    archives = sorted((tmp_path / "var" / "reconciler.db-audit").iterdir())
    assert len(archives) == 2
    assert "24 entries, from 1 to 24" in audit("verify").stdout
    assert [line["seq"] for line in exported(audit, tmp_path / "all.jsonl")] == list(range(1, 25))
    assert "2 entries, from 3 to 4" in audit("verify", str(archives[1])).stdout
    archives[0].unlink()
    assert "Broken at entry 1: it is missing" in audit("verify").stderr
    done = audit("verify", "--since", "3")
    assert "22 entries, from 3 to 24" in done.stdout
    archives[1].write_bytes(gzip.compress(b"{}\n"))
    assert re.search(r"jsonl\.gz:1: not an audit entry", audit("verify", "--since", "3").stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--partial",), "--partial is for a FILE"),
        (("x.jsonl", "--since", "2"), "--since is for the store"),
        (("--since", "0"), "Invalid value"),
    ],
)
def test_options_that_do_not_go_together_are_refused(audit: Audit, arguments: tuple[str, ...], said: str) -> None:
    done = audit("verify", *arguments)
    assert done.exit_code == 1
    assert said in done.stderr


def test_entries_written_while_it_reads_do_not_disturb(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.cli.commands import audit as command

    monkeypatch.setattr(command, "_PAGE", 2)
    read = SqlStore.audit_entries

    def reading(self: SqlStore, after: int = 0, limit: int = 1000) -> Any:
        audit.fill(100, 101)
        return read(self, after, limit)

    monkeypatch.setattr(SqlStore, "audit_entries", reading)
    assert "9 entries, from 1 to 9" in audit("verify").stdout
