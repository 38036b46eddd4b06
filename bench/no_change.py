"""A warm full resync without changes against the floor, side by side in one process and one run.

    python bench/no_change.py [--resources 1000] [--plans 1] [--rounds 7] [--latency 0] [--profile]

A running daemon is asked for a pass of every plan, as ``reconciler sync`` does; bare boto3 reads the same resources.
Both read from a stand-in that replays an emulator's answers, so that neither the emulator nor the network is timed.
Prints client CPU (the policy worker's included), calls, wall time and memory, medians and ratios; exits 1 when a figure
is over its limit, or when a resource changed behind the back is not seen. With several plans a fifth of them is
resynced, too, to see whether the CPU per resource grows with their number.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from estate import plans
from floor import Floor
from rig import HERE, Figures, Resyncs, application, credentials, measured, servers

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState, RunReport
from reconciler.status.logs import configure
from reconciler.testing.outsiders import outsider

#: A daemon that resyncs; prints its memory five times on the way, then the most that it had. MB.
WATCHED = """
import sys
from pathlib import Path
from rig import Resyncs
from reconciler.status.logs import configure

def now(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) // 1024

configure("error", "console")
mine, passes = Resyncs(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])), int(sys.argv[4])
for turn in range(1, passes + 1):
    mine.resync()
    if turn % max(1, passes // 5) == 0:
        print(now("VmRSS"))
mine.close()
print(now("VmHWM"))
"""
CPU_LIMIT, CALL_LIMIT, WALL_LIMIT, GROWTH_LIMIT, MEMORY_LIMIT = 1.25, 1.0, 1.2, 1.15, 400


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--plans", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds added to every answer")
    parser.add_argument("--passes", type=int, default=0, help="afterwards, this many resyncs to watch the memory")
    parser.add_argument("--profile", action="store_true", help="print where the CPU of one resync goes")
    options = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIALOCALAWS00000000", "AWS_SECRET_ACCESS_KEY": "local"}
    configure("error", "console")
    with servers(options.latency) as (upstream, endpoint), tempfile.TemporaryDirectory() as name:
        return run(options, Path(name), upstream, endpoint)


def run(options: argparse.Namespace, directory: Path, upstream: str, endpoint: str) -> int:
    (directory / "desired").mkdir()
    for name, text in plans(options.resources, options.plans).items():
        (directory / "desired" / f"{name}.json").write_text(text)
    started = time.perf_counter()
    created = create(directory, upstream, options.threads)
    print(f"created {created} resources in {time.perf_counter() - started:.0f} s (untimed, emulator)")
    keys, mine = credentials(endpoint), Resyncs(directory, endpoint, options.threads)
    with outsider():  # bare, that is without the guard
        floor = Floor(endpoint, keys, options.resources, options.threads)
    fifth = [f"bench-{part}" for part in range(options.plans // 5)]
    floors, resyncs, parts = [], [], []
    for turn in range(options.rounds + 1):  # the first round records and warms up
        bare = measured(floor.read, endpoint)
        full = measured(mine.resync, endpoint, mine.policy_cpu)
        part = measured(lambda: mine.resync(fifth), endpoint, mine.policy_cpu) if fifth else full
        if turn:
            floors.append(bare)
            resyncs.append(full)
            parts.append(part)
    over = table(floors, resyncs, created, options)
    over |= growth(resyncs, parts, created, created * len(fifth) // options.plans) if fifth else False
    over |= memory(directory, endpoint, options)
    mine.close()
    if options.profile:
        profile(directory, endpoint, options.threads)
    seen = still_seen(directory, upstream, keys)
    print(f"a changed resource is still seen: {'yes' if seen else 'NO'}")
    return 1 if over or not seen else 0


def create(directory: Path, upstream: str, threads: int) -> int:
    """Make the estate; how many resources it has."""
    app = application(directory, upstream, threads)
    steps = 0
    for name in app.source.load().plans:
        report = one_pass(app, name)
        if report.state is not PlanState.IN_SYNC:
            raise SystemExit(f"the estate could not be created: {report.message}")
        steps += len(report.steps)
    app.close()
    return steps


def one_pass(app: Any, name: str) -> RunReport:
    report: RunReport = app.cycle.run(app.source.load().plans[PlanName(name)], (), "bench")
    return report


def table(floors: Sequence[Figures], resyncs: Sequence[Figures], resources: int, options: argparse.Namespace) -> bool:
    what = f"{resources} resources, {options.plans} plans, {len(floors)} rounds"
    print(f"\n{what:44}client CPU s           calls   wall s")
    for label, rounds in (("floor (bare boto3)", floors), ("warm full resync", resyncs)):
        cpu, wall = median(rounds, lambda one: one.cpu), median(rounds, lambda one: one.wall)
        low, high = min(one.cpu for one in rounds), max(one.cpu for one in rounds)
        print(f"{label:44}{cpu:8.3f}  ({low:.3f}..{high:.3f}){median(rounds, lambda one: one.calls):8.0f}{wall:9.2f}")
    pairs = list(zip(floors, resyncs, strict=True))
    cpu = statistics.median(mine.cpu / bare.cpu for bare, mine in pairs)
    calls = statistics.median(mine.calls / bare.calls for bare, mine in pairs)
    wall = statistics.median(mine.wall / bare.wall for bare, mine in pairs)
    print(f"ratio (median of pairs): CPU {cpu:.2f}  calls {calls:.2f}  wall {wall:.2f}")
    print(f"limits:                  CPU {CPU_LIMIT}  calls {CALL_LIMIT}  wall {WALL_LIMIT} (with latency only)")
    return cpu > CPU_LIMIT or calls > CALL_LIMIT or (options.latency > 0 and wall > WALL_LIMIT)


def growth(full: Sequence[Figures], part: Sequence[Figures], resources: int, some: int) -> bool:
    """Whether a resource costs more among many."""
    ratio = statistics.median(a.cpu / resources / (b.cpu / some) for a, b in zip(full, part, strict=True))
    print(f"CPU per resource among {resources} against {some}: {ratio:.2f}  limit {GROWTH_LIMIT}")
    return ratio > GROWTH_LIMIT


def median(rounds: Sequence[Figures], value: Callable[[Figures], float]) -> float:
    return statistics.median(value(one) for one in rounds)


def memory(directory: Path, endpoint: str, options: argparse.Namespace) -> bool:
    """The most that a daemon uses which only resyncs: in a process of its own, because the floor has clients, too.

    It has a copy of the store, because the daemon of the other figures still runs.
    """
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "desired").symlink_to(directory / "desired")
        shutil.copytree(directory / "state", Path(name) / "state")
        command = [sys.executable, "-c", WATCHED, name, endpoint, str(options.threads), str(max(3, options.passes))]
        path = os.pathsep.join([str(HERE), str(HERE.parent)])
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    *marks, most = done.stdout.split()
    print(f"memory after {max(3, options.passes)} resyncs, in fifths: {' '.join(marks)} MB; at most {most} MB", end="")
    print(f"  limit {MEMORY_LIMIT} MB")
    return float(most) > MEMORY_LIMIT


def profile(directory: Path, endpoint: str, threads: int) -> None:
    """Where the CPU of a start and a resync goes, over all threads."""
    profilers: list[cProfile.Profile] = []
    plain = threading.Thread.run

    def profiled(thread: threading.Thread) -> None:
        profilers.append(cProfile.Profile(time.thread_time))
        profilers[-1].runcall(plain, thread)

    threading.Thread.run = profiled  # type: ignore[method-assign]  # for the time of the profile
    mine = Resyncs(directory, endpoint, threads)
    mine.resync()
    mine.close()
    threading.Thread.run = plain  # type: ignore[method-assign]
    stats = pstats.Stats()
    for each in profilers:
        if each.getstats():
            stats.add(each)
    stats.sort_stats("cumulative").print_stats("reconciler|botocore", 45)


def still_seen(directory: Path, upstream: str, keys: dict[str, str]) -> bool:
    """Past the replayed answers: one resource is changed, and the next pass must name it."""
    import boto3

    with outsider():
        session = boto3.session.Session(region_name="us-east-1", **keys)
    sqs, logs = session.client("sqs", endpoint_url=upstream), session.client("logs", endpoint_url=upstream)
    logs.put_retention_policy(logGroupName="/bench/3", retentionInDays=14)
    sqs.tag_queue(QueueUrl=sqs.get_queue_url(QueueName="bench-2")["QueueUrl"], Tags={"reconciler:id": "Other"})
    app = application(directory, upstream, 8)
    report = one_pass(app, "bench-0")
    app.close()
    return {change.logical_id for change in report.changes} == {"Logs3", "Queue2"}


if __name__ == "__main__":
    sys.exit(main())
