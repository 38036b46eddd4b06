"""Killed in the middle of writing, the store has every entry it acknowledged, and is whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from reconciler.model.ids import PlanName, RunId
from reconciler.model.journal import JournalState
from reconciler.store import SqlStore

WRITER = """
import sys, threading
from dataclasses import replace
from reconciler.model.journal import JournalState
from reconciler.store import SqlStore
from reconciler.testing.samples import an_entry

store = SqlStore(sys.argv[1])
say = threading.Lock()

def write(worker):
    number = 0
    while True:
        entry = an_entry(f"R{worker}x{number}:create", run=sys.argv[2], before={"Filler": "x" * 2000})
        store.write_journal(entry)
        store.write_journal(replace(entry, state=JournalState.DONE))
        with say:
            print(entry.step, flush=True)  # an acknowledgement: the caller has been told that both are durable
        number += 1

for worker in range(3):
    threading.Thread(target=write, args=(worker,)).start()
"""


def test_every_acknowledged_journal_entry_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for round_number, after in enumerate((1, 40, 97)):
        run = f"run-{round_number}"
        acknowledged = _write_until_killed(path, run, after)
        assert len(acknowledged) >= after
        store = SqlStore(path)
        states = {entry.step: entry.state for entry in store.journal(RunId(run))}
        assert {step: states.get(step) for step in acknowledged} == dict.fromkeys(acknowledged, JournalState.DONE)
        # At most the one entry that each thread had in hand is unfinished, and it is there to be resumed.
        unfinished = [entry for entry in store.unfinished(PlanName("web")) if entry.run == run]
        assert len(unfinished) <= 3
        assert len(states) <= len(acknowledged) + 3 * 2
        store.close()
        with sqlite3.connect(path) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _write_until_killed(path: Path, run: str, after: int) -> list[str]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), run], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(after)]
    process.kill()
    rest, _ = process.communicate()
    complete = rest.splitlines(keepends=True)
    return acknowledged + [line.strip() for line in complete if line.endswith("\n")]
