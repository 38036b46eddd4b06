"""The worker process: killed, looping, shared by threads, orphaned. Nothing of that may hurt who asks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.model.decision import Facts, Mode
from reconciler.model.errors import PolicyUnavailable
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Guardrail, Origin, Plan, RollbackPolicy, Target
from reconciler.policy import EmbeddedEngine
from reconciler.policy.bundle import Module, load
from reconciler.policy.machine import Machine
from reconciler.policy.testing import _OWN_HARNESS, _tests
from reconciler.testing.memory import CountingTelemetry, FakeClock

SHIPPED = Path(__file__).resolve().parents[3] / "policies"
#: Two billion steps, were they taken; the embedded engine takes a few hundred thousand a second.
SLOW = Module(
    "slow.rego",
    "package p\n\nslow := count([1 | some a in input.n; some b in input.n; some c in input.n])\n\nquick := 1\n",
)
PLAN = Plan(
    PlanName("web"),
    "alice@example.com",
    Target("sandbox", "111111111111", "eu-central-1"),
    Guardrail("passed"),
    RollbackPolicy("automatic"),
    Digest("sha256:" + "0" * 64),
    Origin("web.yaml"),
)
FACTS = Facts(now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "policies"))


@pytest.fixture
def engine(policies: Path) -> Iterator[EmbeddedEngine]:
    made = EmbeddedEngine(policies, CountingTelemetry(), FakeClock())
    yield made
    made.close()


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine([SLOW], {}, ["p/slow", "p/quick"], timeout=0.4)
    yield made
    made.close()


def cause(job: Callable[[], object]) -> str:
    with pytest.raises(PolicyUnavailable) as raised:
        job()
    return raised.value.cause


def alive(pid: int | None) -> bool:
    """Whether it runs (a zombie that nobody reaped yet doesn't)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_slow_policy_is_cut_off_and_the_next_question_works(machine: Machine) -> None:
    before = machine.pid
    assert cause(lambda: machine.ask("p/slow", {"n": list(range(1300))})) == "timeout"
    assert not alive(before)
    assert machine.ask("p/quick", {}) == 1
    assert machine.pid != before


def test_killed_while_it_thinks(machine: Machine) -> None:
    patient = Machine([SLOW], {}, ["p/slow", "p/quick"], timeout=30)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(patient.ask, "p/slow", {"n": list(range(1300))})
        time.sleep(0.1)
        os.kill(patient.pid or 0, signal.SIGKILL)
        assert cause(lambda: asked.result(10)) == "crashed"
    assert patient.ask("p/quick", {}) == 1
    patient.close()


def test_killed_between_questions(engine: EmbeddedEngine) -> None:
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY
    os.kill(engine.pid or 0, signal.SIGKILL)
    assert cause(lambda: engine.admit(PLAN, FACTS)) == "crashed"
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY


def test_signals_for_the_daemon_dont_end_it(engine: EmbeddedEngine) -> None:
    engine.admit(PLAN, FACTS)
    pid = engine.pid or 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        os.kill(pid, number)
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY
    assert engine.pid == pid
    assert os.getsid(pid) != os.getsid(0)


def test_nothing_is_started_before_it_is_needed_or_after_close(engine: EmbeddedEngine) -> None:
    assert engine.pid is None
    engine.admit(PLAN, FACTS)
    pid = engine.pid
    assert alive(pid)
    engine.close()
    assert not alive(pid)
    assert cause(lambda: engine.admit(PLAN, FACTS)) == "unreachable"
    assert not engine.reload()


def test_a_dropped_engine_leaves_no_process(policies: Path) -> None:
    engine = EmbeddedEngine(policies, CountingTelemetry(), FakeClock())
    engine.admit(PLAN, FACTS)
    pid = engine.pid
    del engine
    assert until(lambda: not alive(pid))


def test_no_orphan_after_the_parent_is_killed() -> None:
    script = (
        "import threading\nfrom reconciler.policy.bundle import Module\nfrom reconciler.policy.machine import Machine\n"
        f"m = Machine([Module('m.rego', {SLOW.source!r})], {{}}, ['p/slow'], timeout=60)\n"
        "print(m.pid, flush=True)\nm.ask('p/slow', {'n': list(range(1300))})\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert alive(worker)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert until(lambda: not alive(worker))


def test_policies_that_crash_the_engine_are_refused() -> None:
    # The test files compiled as one: regopy 1.5.2 dies of it.
    tests = [module for module in load(SHIPPED).tests if module.name != "harness_test.rego"]
    paths = [path for module in tests for path in _tests(module)]
    assert cause(lambda: Machine([*tests, _OWN_HARNESS], load(SHIPPED).data, paths)) == "crashed"


def test_eight_threads(engine: EmbeddedEngine) -> None:
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda _: engine.admit(PLAN, FACTS), range(80)))
    assert {decision.mode for decision in decisions} == {Mode.APPLY}


def test_a_warm_decision_is_quick(engine: EmbeddedEngine) -> None:
    engine.admit(PLAN, FACTS)
    taken = []
    for _ in range(20):
        started = time.perf_counter()
        engine.admit(PLAN, FACTS)
        taken.append(time.perf_counter() - started)
    assert sorted(taken)[5] < 0.015


def test_an_unknown_time_zone_is_refused(engine: EmbeddedEngine, policies: Path) -> None:
    before = engine.admit(PLAN, FACTS)
    data = policies / "data.yaml"
    closed = 'windows: {sandbox: [{from: "00:00", to: "24:00", timezone: Europe/Atlantis}]}'
    data.write_text(data.read_text().replace("windows: {}", closed))
    assert engine.admit(PLAN, FACTS) == before
    assert "Europe/Atlantis" in engine.problem
    fresh = EmbeddedEngine(policies, CountingTelemetry(), FakeClock())
    assert cause(lambda: fresh.admit(PLAN, FACTS)) == "compile"


def test_allowing_everything_in_the_wrong_shape_allows_nothing(policies: Path) -> None:
    for path in policies.iterdir():
        path.unlink()
    (policies / "all.rego").write_text(
        'package reconciler\n\ndecision := {"mode": "apply", "actions": {}, "reasons": [], "checklist": {}}\n'
    )
    engine = EmbeddedEngine(policies, CountingTelemetry(), FakeClock())
    assert cause(lambda: engine.admit(PLAN, FACTS)) == "contradictory"
