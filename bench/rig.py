"""What the measurements share: servers on loopback, an application, a daemon to resync, and the taking of figures."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estate import ACCOUNT

from reconciler import wiring
from reconciler.daemon.daemon import Daemon
from reconciler.model.events import Event, PassFinished
from reconciler.model.report import PlanState, RunReport
from reconciler.settings import Settings
from reconciler.testing.outsiders import outsider

HERE = Path(__file__).resolve().parent
ROLE = "arn:aws:iam::{account}:role/bench"
UPSTREAM = """
import sys, time
from reconciler.testing.localaws import LocalAws
with LocalAws(port=int(sys.argv[1])):
    time.sleep(36000)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of something took. ``cpu``: client seconds, the policy worker's included; ``calls``: to AWS."""

    cpu: float
    calls: int
    wall: float


class Finished:
    """An event sink that hands on the reports of passes as they end."""

    def __init__(self) -> None:
        self.reports: queue.SimpleQueue[RunReport] = queue.SimpleQueue()

    def emit(self, event: Event) -> None:
        if isinstance(event, PassFinished):
            self.reports.put(event.report)


class Resyncs:
    """A running daemon over the plans of a directory, and full resyncs of it."""

    def __init__(self, directory: Path, endpoint: str, threads: int) -> None:
        self._finished = Finished()
        self.app = application(directory, endpoint, threads, self._finished)
        self._daemon = Daemon(self.app)
        self._daemon.start()
        self._take(len(self._daemon.registry.snapshot.plans))

    def resync(self, plans: Collection[str] | None = None) -> list[RunReport]:
        """Ask for a pass of ``plans`` (None: of all) as ``reconciler sync`` does, and wait for all of them."""
        return self._take(len(self._daemon.request_sync(plans, "bench").plans))

    def policy_cpu(self) -> float:
        """Seconds of CPU that the policy worker has used so far."""
        fields = Path(f"/proc/{self.app.policy.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._daemon.shut_down()
        self.app.close()

    def _take(self, number: int) -> list[RunReport]:
        reports = [self._finished.reports.get(timeout=3600) for _ in range(number)]
        for report in reports:
            if report.state is not PlanState.IN_SYNC:
                raise SystemExit(f"{report.plan} is {report.state}: {report.message} {report.changes[:3]}")
        return reports


def application(directory: Path, endpoint: str, threads: int, events: Any = None) -> wiring.App:
    """The application over ``directory``, whose passes come only when they are asked for."""
    settings = {
        "source": {"path": directory / "desired"},
        "policy": {"directory": HERE.parent / "policies"},
        "state_dir": directory / "state",
        "daemon": {"interval": "24h"},
        "aws": {"endpoint_url": endpoint, "role_pattern": ROLE, "threads": threads, "read_timeout": "120s"},
    }
    return wiring.build(Settings.model_validate(settings), events=events)


@contextmanager
def servers(latency: float) -> Iterator[tuple[str, str]]:
    """An emulator and the stand-in that replays its answers: their endpoints. ``latency``: milliseconds."""
    up, port = free_port(), free_port()
    started = []
    try:
        started.append(_server(up, "-c", UPSTREAM, str(up)))
        started.append(_server(port, str(HERE / "replay.py"), str(port), str(up), str(latency)))
        yield f"http://127.0.0.1:{up}", f"http://127.0.0.1:{port}"
    finally:
        for process in started:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measured(call: Callable[[], Any], endpoint: str, others: Callable[[], float] = lambda: 0.0) -> Figures:
    """What ``call`` takes. ``others``: CPU that other processes have used on its behalf so far."""
    count = f"{endpoint}/__count__"
    urllib.request.urlopen(count).read()
    wall, cpu = time.perf_counter(), time.process_time() + others()
    call()
    cpu, wall = time.process_time() + others() - cpu, time.perf_counter() - wall
    return Figures(cpu, json.load(urllib.request.urlopen(count))["calls"], wall)


def credentials(endpoint: str) -> dict[str, str]:
    """Keys of the estate's account, for bare boto3."""
    import boto3

    with outsider():
        sts = boto3.session.Session().client("sts", region_name="us-east-1", endpoint_url=endpoint)
    answer = sts.assume_role(RoleArn=ROLE.format(account=ACCOUNT), RoleSessionName="floor")["Credentials"]
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }


def _server(port: int, *command: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, *command])
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise SystemExit(f"{command} did not start")
