"""A check without changes by Cloud Custodian and by this program, the same types in one run: CPU of processes, calls.

    python -m venv /tmp/c7n && /tmp/c7n/bin/pip install c7n
    python bench/custodian.py --custodian /tmp/c7n/bin/custodian [--resources 1000] [--rounds 3]

Nine of the ten types: Custodian can't be led to an emulator for queues. Custodian starts, reads everything that the
policies of ``custodian.yml`` ask about, and ends; so does this program (a process that starts, makes a pass over every
plan, and ends). A resync of a running daemon is shown beside them. All read from the stand-in that replays answers.
Exits 1 when a process of this program takes more than half of the CPU of Custodian's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from estate import plans
from no_change import create
from rig import HERE, Figures, Resyncs, credentials, measured, servers

from reconciler.status.logs import configure

LIMIT = 0.5
ONE_PASS = """
import sys
from pathlib import Path
from no_change import one_pass
from rig import application
from reconciler.status.logs import configure
configure("error", "console")
app = application(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
for name in app.source.load().plans:
    assert one_pass(app, name).state.value == "in_sync", name
app.close()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--custodian", type=Path, required=True)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIALOCALAWS00000000", "AWS_SECRET_ACCESS_KEY": "local"}
    configure("error", "console")
    with servers(0) as (upstream, endpoint), tempfile.TemporaryDirectory() as name:
        return run(options, Path(name), upstream, endpoint)


def run(options: argparse.Namespace, directory: Path, upstream: str, endpoint: str) -> int:
    (directory / "desired").mkdir()
    for name, text in plans(options.resources).items():
        (directory / "desired" / f"{name}.json").write_text(without_queues(text))
    created = create(directory, upstream, options.threads)
    keys = {name.upper(): value for name, value in credentials(upstream).items()}
    mine = Resyncs(directory, endpoint, options.threads)
    rows: dict[str, list[Figures]] = {"custodian": [], "a process of ours": [], "resync of a daemon": []}
    for turn in range(options.rounds + 1):  # the first round records
        taken = (
            child(lambda: custodian(options.custodian, endpoint, keys), endpoint),
            child(lambda: ours(directory, endpoint, options.threads), endpoint),
            measured(mine.resync, endpoint, mine.policy_cpu),
        )
        for row, figures in zip(rows.values(), taken if turn else (), strict=False):
            row.append(figures)
    mine.close()
    print(f"{created} resources, {options.rounds} rounds       CPU s    calls   wall s")
    middle = {label: statistics.median(one.cpu for one in row) for label, row in rows.items()}
    for label, row in rows.items():
        wall = statistics.median(one.wall for one in row)
        print(f"{label:30}{middle[label]:10.2f}{row[-1].calls:9}{wall:9.1f}")
    if rows["custodian"][-1].calls < created:
        raise SystemExit("custodian has not read the estate")
    ratio = middle["a process of ours"] / middle["custodian"]
    print(f"ratio to Custodian: {ratio:.2f}   limit {LIMIT}")
    return 1 if ratio > LIMIT else 0


def without_queues(text: str) -> str:
    plan = json.loads(text)
    resources = plan["spec"]["resources"]
    plan["spec"]["resources"] = {name: one for name, one in resources.items() if one["Type"] != "AWS::SQS::Queue"}
    return json.dumps(plan)


def child(call: Callable[[], None], endpoint: str) -> Figures:
    """What a call takes that is nothing but a child process."""
    count = f"{endpoint}/__count__"
    urllib.request.urlopen(count).read()
    wall, cpu = time.perf_counter(), children()
    call()
    calls = json.load(urllib.request.urlopen(count))["calls"]
    return Figures(children() - cpu, calls, time.perf_counter() - wall)


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def custodian(program: Path, endpoint: str, keys: Mapping[str, str]) -> None:
    place = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "C7N_TRACE": "0"}
    with tempfile.TemporaryDirectory() as output:
        command = [
            "run",
            "--dryrun",
            "--region",
            "us-east-1",
            "--cache-period",
            "0",
            "-s",
            output,
            HERE / "custodian.yml",
        ]
        done = subprocess.run([program, *command], env={**os.environ, **place, **keys}, capture_output=True, text=True)
        found = [path.parent.name for path in Path(output).glob("*/resources.json") if json.loads(path.read_text())]
    if done.returncode or found:
        raise SystemExit(f"custodian ended with {done.returncode}, found {found}: {done.stderr[-2000:]}")


def ours(directory: Path, endpoint: str, threads: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        (state / "desired").symlink_to(directory / "desired")
        shutil.copytree(directory / "state", state / "state")
        command = [sys.executable, "-c", ONE_PASS, str(state), endpoint, str(threads)]
        path = os.pathsep.join([str(HERE), str(HERE.parent)])
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path})


if __name__ == "__main__":
    sys.exit(main())
