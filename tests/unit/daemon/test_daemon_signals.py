"""Real signals to a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
Lines = list[dict[str, Any]]


class Target:
    """The process, and what it logged so far."""

    def __init__(self, root: Path, mode: str) -> None:
        env = {**os.environ, "PYTHONPATH": f"{HERE.parents[2]}{os.pathsep}{HERE}", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "signal_target.py"), str(root), mode],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
        )
        self.lines: Lines = []
        self.other: list[str] = []
        self._new = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._new:
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    self.other.append(line)
                self._new.notify_all()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_for(self, wanted: Callable[[Lines], bool], seconds: float = 20) -> Lines:
        with self._new:
            assert self._new.wait_for(lambda: wanted(self.lines), seconds), (self.lines[-20:], self.other)
            return list(self.lines)

    def wait_for_event(self, event: str, count: int = 1) -> Lines:
        lines = self.wait_for(lambda lines: sum(line["event"] == event for line in lines) >= count)
        return [line for line in lines if line["event"] == event]

    def exit_code(self, seconds: float = 20) -> int:
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Target]]:
    targets: list[Target] = []

    def make(mode: str) -> Target:
        targets.append(Target(tmp_path, mode))
        targets[-1].wait_for_event("daemon started")
        return targets[-1]

    yield make
    for target in targets:
        target.process.kill()
        target.process.wait()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_forced_resync_gets_a_receipt_in_the_log(start: Callable[[str], Target], number: signal.Signals) -> None:
    target = start("quick")
    target.send(number)
    acknowledged = target.wait_for_event("signals acknowledged")[0]
    answered = target.wait_for_event("resync answered")[0]
    assert acknowledged["signal"] == number.name
    assert answered["request"] == acknowledged["request"]
    assert answered["outcomes"] == {"a": "in_sync", "b": "in_sync"}
    if number is signal.SIGHUP:
        assert target.wait_for_event("configuration reloaded")


def test_sigusr2_writes_the_state(start: Callable[[str], Target]) -> None:
    target = start("quick")
    target.send(signal.SIGUSR2)
    state = target.wait_for_event("state")[0]
    assert set(state["plans"]) == {"a", "b"}
    assert "queue_depth" in state


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_graceful_stop_finishes_what_is_in_hand(start: Callable[[str], Target], number: signal.Signals) -> None:
    target = start("slow")
    target.send(number)
    assert target.exit_code() == 0
    assert [line["event"] for line in target.lines][-3:] == ["stopping", "stopped", "totals"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_second_one_stops_at_once(start: Callable[[str], Target], number: signal.Signals, code: int) -> None:
    target = start("hang")
    target.send(number)
    target.wait_for_event("stopping")
    began = time.monotonic()
    target.send(number)
    assert target.exit_code() == code
    assert time.monotonic() - began < 5
    assert target.lines[-1]["event"] == "stopped at once"


def test_a_pass_that_does_not_end_in_the_grace_period_makes_the_stop_unclean(start: Callable[[str], Target]) -> None:
    target = start("stuck")
    target.send(signal.SIGTERM)
    assert target.exit_code() == 1
    assert any(line["event"] == "grace period over" for line in target.lines)


def test_a_storm_of_signals_under_load_coalesces_and_is_acknowledged(start: Callable[[str], Target]) -> None:
    target = start("load")
    for _ in range(1000):
        target.send(signal.SIGUSR1)
    # The last signal may have been merged with one already acknowledged; this one certainly comes after it.
    target.send(signal.SIGHUP)
    target.wait_for(lambda lines: any(line.get("signal") == "SIGHUP" for line in lines))
    target.wait_for(_all_answered)
    target.send(signal.SIGTERM)
    assert target.exit_code() == 0
    acknowledged = [line for line in target.lines if line["event"] == "signals acknowledged"]
    assert sum(line["signals"] for line in acknowledged if line["signal"] == "SIGUSR1") <= 1000
    totals = target.lines[-1]
    assert totals["overlaps"] == []
    assert totals["passes"] <= 2 * (len(acknowledged) + 1), "at most one pass of each plan for each receipt"
    assert not target.other


def test_signals_during_the_start_are_requests_too(tmp_path: Path) -> None:
    target = Target(tmp_path, "quick")
    try:
        target.wait_for(lambda _lines: _catches_signals(target.process.pid))
        target.send(signal.SIGUSR1)
        assert target.wait_for_event("resync answered")
        target.send(signal.SIGTERM)
        assert target.exit_code() == 0
    finally:
        target.process.kill()
        target.process.wait()


def _all_answered(lines: Lines) -> bool:
    requested = {line["request"] for line in lines if line["event"] == "signals acknowledged"}
    answered = {line["request"] for line in lines if line["event"] == "resync answered"}
    return requested <= answered


def _catches_signals(pid: int) -> bool:
    """Whether the process has installed its handlers: SigCgt has the bit of SIGUSR1."""
    text = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in text.splitlines() if line.startswith("SigCgt")).split()[1]
    return bool(int(mask, 16) >> (signal.SIGUSR1 - 1) & 1)
