"""The OPA of deploy/compose.yaml, started with the arguments written there, takes and answers what the daemon asks."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from reconciler.clock import SystemClock
from reconciler.policy import OpaEngine
from reconciler.status.metrics import Metrics

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.opa


def test_it_starts_as_written_and_takes_the_shipped_policies(opa: Path, tmp_path: Path) -> None:
    written = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["opa"]["command"]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [part.replace("0.0.0.0:8181", place) for part in written]
    assert command != written
    with subprocess.Popen([opa, *command], cwd=tmp_path) as process:
        try:
            engine = OpaEngine(f"http://{place}", ROOT / "policies", Metrics(), SystemClock(), timeout=10)
            deadline = time.monotonic() + 30
            while not engine.reload():
                assert process.poll() is None, "OPA ended: it does not know one of its arguments"
                assert time.monotonic() < deadline, engine.problem
                time.sleep(0.1)
            assert engine.problem == ""
            assert engine.revision
        finally:
            process.terminate()
