"""Two daemons on one store, plans that change all the time, and one daemon after the other killed without warning.

RECONCILER_STRESS=1 makes it the long one: 50 plans, five minutes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState, RunReport
from tests.databases import a_database
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import COMMAND, REGION, Running, Shell, plan_text, queue, until, vpc

FULL = os.environ.get("RECONCILER_STRESS") == "1"
PLANS, SECONDS = (50, 300.0) if FULL else (6, 10.0)
#: Seconds between two edits, between two kills of daemons that have begun to work, and for everything to come to rest.
EDITS, KILLS, REST = (0.0, 0.4), (0.2, 6.0), 300.0 if FULL else 120.0
MOST_VPCS = 5


def resources(name: str, version: int) -> dict[str, Any]:
    """A plan's content: VPCs, more of them with time, which AWS would gladly create twice; a subnet; a queue."""
    found: dict[str, Any] = {"Jobs": queue(f"{name}-jobs", DelaySeconds=version % 900)}
    for number in range(vpcs_at(version)):
        found[f"Vpc{number}"] = vpc(f"10.{number}.0.0/16")
        found[f"Vpc{number}"]["Properties"]["Tags"] = [{"Key": "Version", "Value": str(version)}]
    properties = {"VpcId": {"Ref": "Vpc0"}, "CidrBlock": "10.0.1.0/24"}
    found["Subnet"] = {"Type": "AWS::EC2::Subnet", "Properties": properties}
    return found


def vpcs_at(version: int) -> int:
    return min(1 + version // 2, MOST_VPCS)


@dataclass
class Editor:
    """Writes new versions of random plans."""

    lab: Lab
    versions: dict[str, int]
    random: random.Random = field(default_factory=lambda: random.Random(1))

    def write(self, name: str) -> None:
        """Replace the file at once, as a careful editor does."""
        path = self.lab.desired / f"{name}.yaml"
        fresh = self.lab.directory / f"{name}.new"
        fresh.write_text(plan_text(name, resources(name, self.versions[name])))
        fresh.replace(path)

    def work(self, until_then: float) -> None:
        while time.monotonic() < until_then:
            name = self.random.choice(sorted(self.versions))
            self.versions[name] += 1
            self.write(name)
            time.sleep(self.random.uniform(*EDITS))


class Victim:
    """A daemon with a state directory of its own, started again as often as it is killed."""

    def __init__(self, lab: Lab, store: str, name: str) -> None:
        self.state = lab.directory / f"state-{name}"
        self._running = Running(
            lab,
            RECONCILER_STATE_DIR=str(self.state),
            RECONCILER_STORE__URL=store,
            # Between two of its lives, another connection may take a port that was free once.
            RECONCILER_HTTP__PORT="0",
            RECONCILER_DAEMON__POLL="5s",
            RECONCILER_DAEMON__INTERVAL="20s",
        )
        self._log = lab.directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._born = 0
        self.killed: set[int] = set()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._born = log.tell()
            environment = {**os.environ, **self._running.environment}
            self._process = subprocess.Popen((*COMMAND, "run"), env=environment, stderr=log)

    def works(self) -> bool:
        """Whether it has got as far as making passes, in this life."""
        return b"daemon started" in self._log.read_bytes()[self._born :]

    def kill(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended by itself:\n{self._log.read_text()[-3000:]}"
        self._process.kill()
        self._process.wait()
        self.killed.add(self._process.pid)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(60) == 0, f"it did not end well:\n{self._log.read_text()[-3000:]}"

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def said(self) -> list[dict[str, Any]]:
        """Every whole line of its log."""
        found = []
        for line in self._log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}"):
                found.append(json.loads(line))
        return found


@contextmanager
def two_daemons(lab: Lab, store: str) -> Iterator[tuple[Victim, Victim]]:
    victims = (Victim(lab, store, "left"), Victim(lab, store, "right"))
    try:
        for victim in victims:
            victim.start()
        yield victims
    finally:
        for victim in victims:
            victim.close()


def kill_in_turns(lab: Lab, victims: tuple[Victim, Victim], until_then: float) -> int:
    """Kill one after a random while; every other time just after AWS was asked to change something."""
    chance, killed = random.Random(2), 0
    while time.monotonic() < until_then:
        time.sleep(chance.uniform(*KILLS))
        victim = chance.choice(until(lambda: [each for each in victims if each.works()], "a daemon to start"))
        if killed % 2:
            before, patience = lab.aws.mutations(), time.monotonic() + KILLS[1]
            while lab.aws.mutations() == before and time.monotonic() < patience:
                time.sleep(0.001)
        victim.kill()
        victim.start()
        killed += 1
    return killed


def at_rest(lab: Lab, names: list[str]) -> bool:
    """Whether every plan is in sync with the file that there is now, and nothing is being done."""
    plans = lab.app.source.load().plans
    for name in names:
        status = lab.app.store.status(PlanName(name))
        if status is None or status.state is not PlanState.IN_SYNC or status.digest != plans[PlanName(name)].digest:
            return False
    return True


def reports(lab: Lab, names: list[str]) -> dict[str, list[RunReport]]:
    return {name: list(lab.app.store.history(PlanName(name), 1000)) for name in names}


def check_world(lab: Lab, versions: dict[str, int]) -> None:
    """Every plan's resources as its last version says, each exactly once."""
    ec2 = lab.aws.client("ec2", account=SANDBOX, region=REGION)
    sqs = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    pages = ec2.get_paginator("describe_vpcs").paginate()
    tags = [{tag["Key"]: tag["Value"] for tag in item.get("Tags", [])} for page in pages for item in page["Vpcs"]]
    found = Counter((of["reconciler:plan"], of["reconciler:id"], of["Version"]) for of in tags if "reconciler:id" in of)
    wanted = Counter(
        {
            (name, f"Vpc{number}", str(version)): 1
            for name, version in versions.items()
            for number in range(vpcs_at(version))
        }
    )
    assert found == wanted
    subnets = [page["Subnets"] for page in ec2.get_paginator("describe_subnets").paginate()]
    owners = [{tag["Key"]: tag["Value"] for tag in item.get("Tags", [])} for page in subnets for item in page]
    assert Counter(of["reconciler:plan"] for of in owners if "reconciler:plan" in of) == dict.fromkeys(versions, 1)
    for name, version in versions.items():
        url = f"{lab.aws.endpoint}/{SANDBOX}/{name}-jobs"
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
        assert answer["Attributes"]["DelaySeconds"] == str(version % 900), name


def check_store(lab: Lab, versions: dict[str, int], killed: set[int]) -> None:
    """Nothing open, nothing forgotten, nothing held but by the killed: their leases wait for the plan's next pass."""
    store = lab.app.store
    for name, version in versions.items():
        plan = PlanName(name)
        assert list(store.unfinished(plan)) == []
        assert list(store.unresolved(plan)) == []
        lease = store.lease(plan)
        assert lease is None or lease.holder.pid in killed
        assert len(store.records(plan)) == vpcs_at(version) + 2


def check_apart(made: dict[str, list[RunReport]]) -> None:
    """No two passes over one plan at the same time, whoever made them."""
    for runs in made.values():
        in_order = sorted(runs, key=lambda run: run.started_at)
        for one, next_one in pairwise(in_order):
            assert one.finished_at <= next_one.started_at, (one, next_one)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, lab: Lab) -> str:
    """The URL of the store that both daemons use."""
    if request.param == "sqlite":
        return f"sqlite:///{lab.directory / 'shared.db'}"
    return a_database(request.getfixturevalue("postgresql"))


@pytest.mark.timeout(900 if FULL else 240)
def test_two_daemons_on_one_store_under_fire(lab: Lab, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    lab.open(store={"url": store})
    names = [f"plan-{number:02}" for number in range(PLANS)]
    editor = Editor(lab, dict.fromkeys(names, 1))
    for name in names:
        editor.write(name)
    with two_daemons(lab, store) as victims:
        until(lambda: all(victim.works() for victim in victims), "both daemons to start")
        began = time.monotonic()
        editing = threading.Thread(target=editor.work, args=(began + SECONDS,))
        editing.start()
        killed = kill_in_turns(lab, victims, began + SECONDS)
        editing.join()
        shot = time.monotonic()
        until(lambda: at_rest(lab, names), "every plan to be in sync with its last version", REST)
        rested = time.monotonic() - shot
        for victim in victims:
            victim.stop()
        said = Counter(line["event"] for victim in victims for line in victim.said())
    versions, asked = editor.versions, lab.aws.mutations(SANDBOX)
    check_world(lab, versions)
    check_store(lab, versions, victims[0].killed | victims[1].killed)
    made = reports(lab, names)
    check_apart(made)
    vpc_count = sum(vpcs_at(version) for version in versions.values())
    creates = [asked[name] for name in ("ec2:CreateVpc", "ec2:CreateSubnet", "sqs:CreateQueue")]
    assert creates == [vpc_count, PLANS, PLANS]
    assert said["plan is worked on elsewhere"]
    assert Shell(lab, RECONCILER_STORE__URL=store)("audit", "verify").code == 0
    with capsys.disabled():
        print(
            f"\n{store.split(':')[0]}: {PLANS} plans, {sum(versions.values())} versions, {killed} kills,"
            f" {SECONDS:.0f} s,"
            f" at rest {rested:.1f} s later; {sum(map(len, made.values()))} passes kept;"
            f" created {creates}; leases abandoned {said['lease abandoned']}, steps settled"
            f" {said['interrupted step settled']}, worked on elsewhere {said['plan is worked on elsewhere']},"
            f" lease lost {said['lease lost']}"
        )
