"""Many plans against one big repository: what a pass over all of them costs in Git.

    python bench/pipeline.py [--plans 1000] [--megabytes 100] [--freshness 2]

Prints seconds in all and per publication: the first ones (a branch each), unchanged ones (warm, and by a new process
over the same cache), changed ones (a commit each), and unchanged ones of which the base has moved (a commit each).
Exits 1 if a branch is missing or has more commits than it should.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.model.change import Action, Change, ChangeSet
from reconciler.model.decision import Decision, Mode
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Guardrail, Origin, PipelineTarget, Plan, RollbackPolicy, Target
from reconciler.pipeline import GitOptions, GitPipeline
from reconciler.pipeline.repository import Repository
from reconciler.status.logs import configure
from reconciler.template import load_template

FILE_SIZE = 20_000


def git(where: Path, *words: str, stdin: bytes = b"") -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *words], cwd=where, env=env, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def repository(root: Path, megabytes: int) -> Path:
    """A bare repository with that much of incompressible content in small files, in three commits."""
    path = root / "infra.git"
    git(root, "init", "-q", "--bare", "-b", "main", str(path))
    git(path, "config", "uploadpack.allowFilter", "true")
    git(path, "config", "receive.autogc", "false")  # a server's clearing up isn't what is measured
    number = megabytes * 1_000_000 // FILE_SIZE
    stream = bytearray()
    for part in range(3):
        stream += b"commit refs/heads/main\ncommitter Platform <p@example.com> 1790000000 +0000\ndata 5\nbuild\n"
        for index in range(part, number, 3):
            stream += f"M 100644 inline services/team-{index % 50}/{index}.bin\ndata {FILE_SIZE}\n".encode()
            stream += os.urandom(FILE_SIZE) + b"\n"
    git(path, "fast-import", "--quiet", stdin=bytes(stream))
    return path


def push(path: Path) -> None:
    """Somebody commits to main."""
    head = git(path, "rev-parse", "main")
    text = f"commit refs/heads/main\ncommitter P <p@example.com> 1790000100 +0000\ndata 4\nmore\nfrom {head}\n"
    text += "M 100644 inline other.txt\ndata 4\nmore\n"
    git(path, "fast-import", "--quiet", stdin=text.encode())


def change(name: str, url: str, timeout: int) -> ChangeSet:
    target = Target("production", "444444444444", "eu-central-1")
    resources = {"Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, "VisibilityTimeout": timeout}}}
    loaded = load_template(
        {"Resources": resources}, parameters={}, target=target, plan_name=name, locate=lambda _path: ("bench.yaml", 1)
    )
    plan = Plan(
        PlanName(name),
        "bench@example.com",
        target,
        Guardrail("passed"),
        RollbackPolicy("automatic"),
        Digest(f"sha256:{timeout:064d}"),
        Origin("bench.yaml"),
        resources=loaded.resources,
        pipeline=PipelineTarget(url),
    )
    return ChangeSet(plan, tuple(Change(one.logical_id, one.type, Action.CREATE) for one in plan.resources.values()))


class Counted:
    """Counts looks at the remote."""

    def __init__(self) -> None:
        self.looks = 0
        heads, outer = Repository.heads, self

        def counted(repository: Repository) -> object:
            outer.looks += 1
            return heads(repository)

        Repository.heads = counted  # type: ignore[method-assign,assignment]  # for the life of the process


def measured(
    what: str, pipeline: GitPipeline, changes: Sequence[ChangeSet], counted: Counted, freshness: float
) -> None:
    time.sleep(freshness)
    counted.looks, begun = 0, time.perf_counter()
    for each in changes:
        pipeline.publish(each, Decision(Mode.PIPELINE))
    spent = time.perf_counter() - begun
    print(f"{what:<44}{spent:9.1f} s{1000 * spent / len(changes):9.1f} ms each{counted.looks:7} looks", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--freshness", type=float, default=2.0)
    options = parser.parse_args()
    configure("error", "console")
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-") as scratch:
        root = Path(scratch)
        path = repository(root, options.megabytes)
        names = [f"plan-{index:04d}" for index in range(options.plans)]
        first = [change(name, f"file://{path}", 60) for name in names]
        second = [change(name, f"file://{path}", 90) for name in names]
        counted = Counted()

        def pipeline() -> GitPipeline:
            return GitPipeline(root / "cache", clock=SystemClock(), options=GitOptions(freshness=options.freshness))

        print(f"{options.plans} plans, one repository of {options.megabytes} MB")
        one = pipeline()
        measured("first publication", one, first, counted, options.freshness)
        measured("unchanged", one, first, counted, options.freshness)
        measured("unchanged, new process", pipeline(), first, counted, options.freshness)
        measured("changed", one, second, counted, options.freshness)
        push(path)
        measured("unchanged, base moved", one, second, counted, options.freshness)
        measured("unchanged again", one, second, counted, options.freshness)
        size = sum(file.stat().st_size for file in (root / "cache").rglob("*") if file.is_file())
        print(f"cache: {size / 1e6:.1f} MB")
        branches = git(path, "for-each-ref", "--format=%(refname:short)", "refs/heads/feature").split()
        ahead = {git(path, "rev-list", "--count", f"main..{name}") for name in branches[:20]}
        if len(branches) != options.plans or ahead != {"1"}:
            raise SystemExit(f"{len(branches)} branches, {ahead} commits ahead")


if __name__ == "__main__":
    main()
