"""A warm no-change pass against the floor, side by side in one process and one run.

    python bench/no_change.py [--resources 1000] [--rounds 7] [--latency 0] [--profile]

Both read the same resources from a stand-in that replays an emulator's answers, so that neither the emulator nor the
network is timed. Prints client CPU, calls and wall time, medians and ratios; exits 1 when a ratio is over its limit,
or when a resource changed behind the back is not seen.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from estate import ACCOUNT, plan
from floor import Floor

from reconciler import wiring
from reconciler.model.report import PlanState, RunReport
from reconciler.settings import Settings
from reconciler.status.logs import configure
from reconciler.testing.localaws import outsider

HERE = Path(__file__).resolve().parent
ROLE = "arn:aws:iam::{account}:role/bench"
CPU_LIMIT, CALL_LIMIT = 1.5, 1.1
UPSTREAM = """
import sys, time
from reconciler.testing.localaws import LocalAws
with LocalAws(port=int(sys.argv[1])):
    time.sleep(3600)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server(port: int, *command: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, *command])
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise SystemExit(f"{command} did not start")


def app(directory: Path, endpoint: str, threads: int) -> wiring.App:
    return wiring.build(
        Settings.model_validate(
            {
                "source": {"path": directory / "desired"},
                "policy": {"directory": HERE.parent / "policies"},
                "state_dir": directory / "state",
                "aws": {"endpoint_url": endpoint, "role_pattern": ROLE, "threads": threads, "read_timeout": "120s"},
            }
        )
    )


def one_pass(made: wiring.App) -> RunReport:
    snapshot = made.source.load()
    assert "bench" in snapshot.plans, snapshot.invalid
    return made.cycle.run(snapshot.plans["bench"], (), "bench")


def measured(call: Callable[[], Any], count_url: str) -> tuple[float, int, float, Any]:
    urllib.request.urlopen(count_url).read()
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu, json.load(urllib.request.urlopen(count_url))["calls"], wall, result


def credentials(endpoint: str) -> dict[str, str]:
    import boto3

    with outsider():
        sts = boto3.session.Session().client("sts", region_name="us-east-1", endpoint_url=endpoint)
    answer = sts.assume_role(RoleArn=ROLE.format(account=ACCOUNT), RoleSessionName="floor")["Credentials"]
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }


def still_seen(directory: Path, upstream: str, keys: dict[str, str]) -> bool:
    """Past the replayed answers: one resource is changed, and the next pass must name it."""
    import boto3

    with outsider():
        session = boto3.session.Session(region_name="us-east-1", **keys)
    sqs, logs = session.client("sqs", endpoint_url=upstream), session.client("logs", endpoint_url=upstream)
    logs.put_retention_policy(logGroupName="/bench/3", retentionInDays=14)
    sqs.tag_queue(QueueUrl=sqs.get_queue_url(QueueName="bench-2")["QueueUrl"], Tags={"reconciler:id": "Other"})
    report = one_pass(app(directory, upstream, 8))
    return {change.logical_id for change in report.changes} == {"Logs3", "Queue2"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds added to every answer")
    parser.add_argument("--passes", type=int, default=0, help="afterwards, this many passes to watch the memory")
    parser.add_argument("--profile", action="store_true", help="print where the CPU of one pass goes")
    options = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIALOCALAWS00000000", "AWS_SECRET_ACCESS_KEY": "local"}
    configure("error", "console")
    up, port = free_port(), free_port()
    upstream, endpoint = f"http://127.0.0.1:{up}", f"http://127.0.0.1:{port}"
    servers = [server(up, "-c", UPSTREAM, str(up))]
    servers.append(server(port, str(HERE / "replay.py"), str(port), str(up), str(options.latency)))
    try:
        with tempfile.TemporaryDirectory() as name:
            return run(options, Path(name), upstream, endpoint)
    finally:
        for process in servers:
            process.terminate()
            process.wait()


def run(options: argparse.Namespace, directory: Path, upstream: str, endpoint: str) -> int:
    (directory / "desired").mkdir()
    (directory / "desired" / "bench.json").write_text(plan(options.resources))
    started = time.perf_counter()
    report = one_pass(app(directory, upstream, options.threads))
    if report.state is not PlanState.IN_SYNC:
        raise SystemExit(f"the estate could not be created: {report.message}")
    print(f"created {len(report.steps)} resources in {time.perf_counter() - started:.0f} s (untimed, emulator)")
    keys, mine = credentials(endpoint), app(directory, endpoint, options.threads)
    with outsider():  # bare, that is without the guard
        floor = Floor(endpoint, keys, options.resources, options.threads)
    count_url = f"{endpoint}/__count__"
    floors, passes = [], []
    for turn in range(options.rounds + 2):  # two rounds record and warm up
        a, b = measured(floor.read, count_url), measured(lambda: one_pass(mine), count_url)
        if b[3].changes or b[3].state is not PlanState.IN_SYNC:
            raise SystemExit(f"not in sync: {b[3].message} {b[3].changes[:3]}")
        if turn >= 2:
            floors.append(a)
            passes.append(b)
    over = table(floors, passes, len(report.steps))
    if options.profile:
        profile(mine)
    if options.passes:
        memory(mine, options.passes)
    seen = still_seen(directory, upstream, keys)
    print(f"a changed resource is still seen: {'yes' if seen else 'NO'}")
    return 1 if over or not seen else 0


def table(floors: list[Any], passes: list[Any], resources: int) -> bool:
    print(f"\n{resources} resources, {len(floors)} rounds   client CPU s           calls   wall s")
    rows = {}
    for label, rounds in (("floor (bare boto3)", floors), ("warm no-change pass", passes)):
        cpu, calls, wall = (statistics.median(entry[index] for entry in rounds) for index in range(3))
        low, high = min(entry[0] for entry in rounds), max(entry[0] for entry in rounds)
        rows[label] = (cpu, calls)
        print(f"{label:28}{cpu:8.3f}  ({low:.3f}..{high:.3f}){calls:8.0f}{wall:9.2f}")
    ratio = statistics.median(mine[0] / bare[0] for bare, mine in zip(floors, passes, strict=True))
    calls = rows["warm no-change pass"][1] / rows["floor (bare boto3)"][1]
    print(f"ratio (median of pairs)     {ratio:8.2f}  limit {CPU_LIMIT}{'':8}{calls:6.2f}  limit {CALL_LIMIT}")
    return ratio > CPU_LIMIT or calls > CALL_LIMIT


def profile(mine: wiring.App) -> None:
    import cProfile
    import pstats

    profiler = cProfile.Profile()
    profiler.runcall(one_pass, mine)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


def memory(mine: wiring.App, passes: int) -> None:
    def now() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    marks = []
    for turn in range(1, passes + 1):
        one_pass(mine)
        if turn % max(1, passes // 5) == 0:
            marks.append(f"{turn}: {now():.0f} MB")
    print("memory after passes  " + "  ".join(marks))


if __name__ == "__main__":
    sys.exit(main())
