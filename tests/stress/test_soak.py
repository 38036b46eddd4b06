"""A daemon for a long time, while plans, policies and live state keep changing: nothing grows.

A pass is due every half second instead of every five minutes, so a minute of this is ten hours of a daemon's life.
RECONCILER_STRESS=1: ten minutes, which are a hundred hours.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from reconciler.model.report import PlanState
from tests.e2e.conftest import ROOT, SANDBOX, Lab
from tests.e2e.running import HURRIED, TOKEN, Running, plan_text, queue, until, vpc

FULL = os.environ.get("RECONCILER_STRESS") == "1"
PLANS, SECONDS = (12, 600.0) if FULL else (5, 15.0)
INTERVAL, USUAL_INTERVAL = 0.5, 300.0
#: A settled daemon may still fill caches and pools. Shares of what was there after the first third.
MEMORY, STORE = 1.12, 1.5
#: Megabytes, files, threads that come and go.
SLACK_MEMORY, SLACK_FILES, SLACK_THREADS, SLACK_STORE = 12.0, 12, 6, 2.0


@dataclass(frozen=True)
class Sample:
    """What the daemon takes."""

    seconds: float
    memory: float
    files: int
    threads: int
    store: float

    @classmethod
    def of(cls, process: int, state: Path, seconds: float) -> Sample:
        """Of a running process. Megabytes; the store with its write-ahead log."""
        status = Path(f"/proc/{process}/status").read_text()
        facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        store = sum(file.stat().st_size for file in state.glob("reconciler.db*"))
        return cls(
            seconds,
            int(facts["VmRSS"].split()[0]) / 1024,
            len(list(Path(f"/proc/{process}/fd").iterdir())),
            int(facts["Threads"]),
            store / 2**20,
        )


class Life:
    """What goes on around a daemon: everything that people and AWS do to it."""

    def __init__(self, lab: Lab, daemon: Running) -> None:
        self.lab, self.daemon, self.dice = lab, daemon, random.Random(7)
        self.versions = {f"plan-{number}": 0 for number in range(PLANS)}
        self.done: dict[str, int] = {}
        self._sqs = lab.aws.client("sqs", account=SANDBOX)

    def write(self, name: str) -> None:
        """A version of a plan; now and then it loses a resource, or gains one."""
        version = self.versions[name]
        resources = {"Jobs": queue(f"{name}-jobs", DelaySeconds=version % 900)}
        resources |= {f"More{number}": queue(f"{name}-{number}") for number in range(version % 4)}
        if name.endswith("0"):
            resources["Vpc"] = vpc()
        fresh = self.lab.directory / "fresh"
        fresh.write_text(plan_text(name, resources))
        fresh.replace(self.lab.desired / f"{name}.yaml")

    def edit(self, name: str) -> None:
        self.versions[name] += 1
        self.write(name)

    def break_plan(self, name: str) -> None:
        (self.lab.desired / f"{name}.yaml").write_text("kind: Plan\n  nonsense: [")

    def remove_plan(self, name: str) -> None:
        (self.lab.desired / f"{name}.yaml").unlink(missing_ok=True)

    def drift(self, name: str) -> None:
        with contextlib.suppress(ClientError):
            url = self._sqs.get_queue_url(QueueName=f"{name}-jobs")["QueueUrl"]
            self._sqs.set_queue_attributes(
                QueueUrl=url, Attributes={"VisibilityTimeout": str(self.dice.randint(1, 900))}
            )
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": str(self.dice.randint(1, 900))})

    def delete(self, name: str) -> None:
        with contextlib.suppress(ClientError):
            self._sqs.delete_queue(QueueUrl=self._sqs.get_queue_url(QueueName=f"{name}-jobs")["QueueUrl"])

    def edit_policy(self, _name: str) -> None:
        data = (ROOT / "policies" / "data.yaml").read_text()
        (self.lab.policies / "data.yaml").write_text(f"{data}\n# {self.dice.random()}\n")

    def break_policy(self, _name: str) -> None:
        (self.lab.policies / "broken.rego").write_text("package reconciler\n\nnonsense {{{\n")

    def mend_policy(self, _name: str) -> None:
        (self.lab.policies / "broken.rego").unlink(missing_ok=True)

    def fault(self, _name: str) -> None:
        self.lab.aws.fail("sqs", "*", "ServiceUnavailable", times=3, status=503)

    def throttle(self, _name: str) -> None:
        self.lab.aws.fail("sqs", "*", "Throttling", times=2)

    def ask(self, name: str) -> None:
        self.daemon.get(f"/api/v1/plans/{name}/sync", post=True, token=TOKEN)

    def look(self, _name: str) -> None:
        for path in ("/metrics", "/", "/api/v1/plans"):
            self.daemon.get(path)

    def reload(self, _name: str) -> None:
        self.daemon.signal(signal.SIGHUP)

    def go_on(self) -> None:
        """One thing of all that can happen."""
        name = self.dice.choice(sorted(self.versions))
        often: list[Callable[[str], None]] = [self.edit, self.edit, self.drift, self.drift, self.ask, self.look]
        seldom: list[Callable[[str], None]] = [
            self.break_plan,
            self.remove_plan,
            self.delete,
            self.edit_policy,
            self.break_policy,
            self.mend_policy,
            self.mend_policy,
            self.fault,
            self.throttle,
            self.reload,
        ]
        event = self.dice.choice(often if self.dice.random() < 0.7 else seldom)
        event(name)
        self.done[event.__name__] = self.done.get(event.__name__, 0) + 1

    def settle(self) -> None:
        """Everything good again, and left alone."""
        self.lab.aws.clear_faults()
        shutil.rmtree(self.lab.policies)
        shutil.copytree(ROOT / "policies", self.lab.policies)
        for name in self.versions:
            self.write(name)
        self.daemon.signal(signal.SIGHUP)


def test_nothing_grows(lab: Lab) -> None:
    state = lab.directory / "state"
    quick = {
        "RECONCILER_DAEMON__INTERVAL": f"{INTERVAL}s",
        "RECONCILER_DAEMON__POLL": "2s",
        "RECONCILER_BREAKER__COOLDOWN": "2s",
        "RECONCILER_BREAKER__COOLDOWN_MAX": "4s",
        "RECONCILER_BREAKER__HOLD": "5s",
    }
    with Running(lab, HURRIED, **quick) as daemon:
        life = Life(lab, daemon)
        for name in life.versions:
            life.write(name)
        started, samples = time.monotonic(), []
        while (passed := time.monotonic() - started) < SECONDS:
            life.go_on()
            time.sleep(0.05)
            if not samples or passed - samples[-1].seconds >= SECONDS / 30:
                samples.append(Sample.of(daemon.process.pid, state, passed))
        life.settle()
        for name in life.versions:
            until(lambda name=name: settled(daemon, name), f"{name} to be in sync", 90)
        report(samples, life, daemon)
        steady(samples)


def settled(daemon: Running, name: str) -> bool:
    status = daemon.status(name)
    return status is not None and status.state is PlanState.IN_SYNC and not status.problems


def report(samples: list[Sample], life: Life, daemon: Running) -> None:
    """The numbers, for whoever runs this with -s."""
    for sample in samples[:: max(1, len(samples) // 10)]:
        print(
            f"{sample.seconds:6.0f} s  {sample.memory:6.1f} MB  {sample.files} files  {sample.threads} threads  "
            f"{sample.store:.2f} MB store"
        )
    passes = sum(daemon.metric("reconciler_reconcile_total", plan=name) for name in life.versions)
    hours = passes / len(life.versions) * USUAL_INTERVAL / 3600
    print(f"{passes:.0f} passes over {len(life.versions)} plans: {hours:.1f} hours of daemon time; {life.done}")


def steady(samples: list[Sample]) -> None:
    """The last third takes no more than the middle one did, but for what comes and goes."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    assert middle, samples

    def most(of: list[Sample], name: str) -> float:
        return max(float(getattr(sample, name)) for sample in of)

    assert most(last, "memory") <= most(middle, "memory") * MEMORY + SLACK_MEMORY
    assert most(last, "files") <= most(middle, "files") + SLACK_FILES
    assert most(last, "threads") <= most(middle, "threads") + SLACK_THREADS
    assert most(last, "store") <= most(middle, "store") * STORE + SLACK_STORE
