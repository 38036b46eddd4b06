from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName
from reconciler.store.locks import PlanLocks
from reconciler.testing.memory import FakeClock

PLAN = PlanName("demo")


def _hold_for_ever(directory: Path, ready: multiprocessing.synchronize.Event) -> None:
    with PlanLocks(directory, SystemClock()).hold(PLAN):
        ready.set()
        signal.pause()


def test_a_process_that_holds_a_plan_keeps_others_out_until_it_dies(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    holder = spawn.Process(target=_hold_for_ever, args=(tmp_path, ready))
    holder.start()
    try:
        assert ready.wait(30)
        clock = FakeClock()
        with pytest.raises(StoreError, match="another process"), PlanLocks(tmp_path, clock).hold(PLAN):
            pass
        assert clock.monotonic() == pytest.approx(60, abs=1)
        with PlanLocks(tmp_path, clock).hold(PlanName("other")):
            pass
    finally:
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
    with PlanLocks(tmp_path, FakeClock()).hold(PLAN):
        pass


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    locks = PlanLocks(tmp_path, FakeClock())
    with pytest.raises(RuntimeError), locks.hold(PLAN):
        raise RuntimeError
    with locks.hold(PLAN):
        pass


def test_a_directory_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't lock demo"), PlanLocks(tmp_path / "file", FakeClock()).hold(PLAN):
        pass
