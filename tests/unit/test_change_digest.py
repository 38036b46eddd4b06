"""The digest that an approval of an exact change binds to: the same for the same change, another for any other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff import build
from reconciler.live import View, with_ownership
from reconciler.live.view import Seen
from reconciler.model import secrecy
from reconciler.model.change import ChangeSet
from reconciler.model.ids import Digest, Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.plan import IgnoreRule, Plan
from reconciler.model.resource import Observation, Record
from reconciler.model.values import Sensitive
from reconciler.review import exact
from reconciler.testing.world import NoOutside
from tests.unit.cycle.conftest import ACCOUNT, Rig, make_plan

EXAMPLES = 4000 if os.environ.get("RECONCILER_STRESS") else 150
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
QUEUE, VPC = TypeName("AWS::SQS::Queue"), TypeName("AWS::EC2::VPC")
KEY = b"k" * 32


@pytest.fixture(autouse=True)
def one_key() -> None:
    secrecy.use_key(KEY)


@dataclass(frozen=True)
class Situation:
    """All that an approval of the change binds to: a queue to update, a network to replace, a queue to delete."""

    content: str = "a"
    environment: str = "development"
    account: str = ACCOUNT
    region: str = "us-east-1"
    revision: str = "r1"
    rolling_back: int | None = None
    wanted_delay: int = 5
    live_delay: int = 1
    kept_retention: int = 60
    wanted_secret: str = "wanted-secret-1"
    live_secret: str = "live-secret-1"
    wanted_range: str = "10.1.0.0/16"
    live_range: str = "10.0.0.0/16"
    live_dns: bool = True
    old_delay: int = 0
    old_tag: str = "x"
    old_queue: str = "https://sqs/old"
    new_name: str = "events"
    keeps_old_network: bool = False


@dataclass(frozen=True)
class Noise:
    """What doesn't count: order, spelling, time, what AWS alone writes, what isn't the plan's."""

    backwards: bool = False
    as_text: bool = False
    read_only: str = "acl-1"
    foreign_tag: str = ""
    seconds: int = 0
    ignored: int = 1


SITUATIONS = st.builds(
    Situation,
    content=st.sampled_from("abc"),
    environment=st.sampled_from(["development", "sandbox"]),
    account=st.sampled_from([ACCOUNT, "222222222222"]),
    region=st.sampled_from(["us-east-1", "eu-central-1"]),
    revision=st.sampled_from(["r1", "r2"]),
    rolling_back=st.sampled_from([None, 1, 2]),
    wanted_delay=st.integers(5, 8),
    live_delay=st.integers(1, 4),
    kept_retention=st.sampled_from([60, 120]),
    wanted_secret=st.sampled_from(["wanted-secret-1", "wanted-secret-2"]),
    live_secret=st.sampled_from(["live-secret-1", "live-secret-2"]),
    wanted_range=st.sampled_from(["10.1.0.0/16", "10.2.0.0/16"]),
    live_range=st.sampled_from(["10.0.0.0/16", "10.8.0.0/16"]),
    live_dns=st.booleans(),
    old_delay=st.integers(0, 2),
    old_tag=st.sampled_from(["x", "y"]),
    old_queue=st.sampled_from(["https://sqs/old", "https://sqs/older"]),
    new_name=st.sampled_from(["events", "event"]),
    keeps_old_network=st.booleans(),
)
NOISES = st.builds(
    Noise,
    backwards=st.booleans(),
    as_text=st.booleans(),
    read_only=st.sampled_from(["acl-1", "acl-2"]),
    foreign_tag=st.sampled_from(["", "a", "zz"]),
    seconds=st.integers(0, 10**6),
    ignored=st.integers(1, 5),
)


def plan_of(it: Situation) -> Plan:
    resources: dict[str, Any] = {
        "Jobs": {
            "Type": QUEUE,
            "Properties": {"QueueName": "jobs", "DelaySeconds": it.wanted_delay, "KmsMasterKeyId": "x"},
        },
        "Net": {
            "Type": VPC,
            "UpdateReplacePolicy": "Retain" if it.keeps_old_network else "Delete",
            "Properties": {"CidrBlock": it.wanted_range},
        },
        "Events": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": it.new_name}},
    }
    made = make_plan(resources, it.environment, digest=Digest(f"sha256:{it.content}"), rolling_back=it.rolling_back)
    jobs = made.resources[LogicalId("Jobs")]
    jobs = replace(jobs, properties={**jobs.properties, "KmsMasterKeyId": Sensitive(it.wanted_secret)})
    return replace(
        made,
        target=replace(made.target, account=it.account, region=it.region),
        resources={**made.resources, LogicalId("Jobs"): jobs},
        ignore=(IgnoreRule("Old", "/VisibilityTimeout"), IgnoreRule("Net", "/InstanceTenancy")),
    )


def change_set(it: Situation, noise: Noise = Noise()) -> ChangeSet:
    plan = with_ownership(plan_of(it))

    def tags(name: str, **more: str) -> list[dict[str, str]]:
        found = [{"Key": "reconciler:plan", "Value": plan.name}, {"Key": "reconciler:id", "Value": name}]
        found += [{"Key": key, "Value": value} for key, value in more.items() if value]
        return found[::-1] if noise.backwards else found

    def number(value: int) -> Any:
        return str(value) if noise.as_text else value

    def seen(name: str, kind: TypeName, identifier: str, live: dict[str, Any]) -> Seen:
        record = Record(
            plan.name, LogicalId(name), kind, Identifier(identifier), it.account, it.region, {"DelaySeconds": 0}
        )
        ordered = dict(reversed(live.items())) if noise.backwards else live
        return Seen(kind, Identifier(identifier), record, Observation(Identifier(identifier), ordered))

    jobs = {
        "QueueName": "jobs",
        "DelaySeconds": number(it.live_delay),
        "KmsMasterKeyId": it.live_secret,
        "Tags": tags("Jobs", team=noise.foreign_tag),
    }
    net = {
        "CidrBlock": it.live_range,
        "EnableDnsSupport": ("true" if it.live_dns else "false") if noise.as_text else it.live_dns,
        "DefaultNetworkAcl": noise.read_only,
        "InstanceTenancy": f"t{noise.ignored}",
        "Tags": tags("Net"),
    }
    old = {
        "QueueName": "old",
        "DelaySeconds": number(it.old_delay),
        "MessageRetentionPeriod": number(it.kept_retention),
        "VisibilityTimeout": noise.ignored,
        "Arn": f"arn:{noise.read_only}",
        "Tags": tags("Old", owner=it.old_tag),
    }
    entries = {
        LogicalId("Jobs"): seen("Jobs", QUEUE, "https://sqs/jobs", jobs),
        LogicalId("Net"): seen("Net", VPC, "vpc-1", net),
        LogicalId("Old"): seen("Old", QUEUE, it.old_queue, old),
        LogicalId("Events"): Seen(TypeName("AWS::SNS::Topic")),
    }
    if noise.backwards:
        entries = dict(reversed(entries.items()))
        plan = replace(plan, resources=dict(reversed(list(plan.resources.items()))))
    return build(plan, View(it.region, NoOutside(), entries), AT + timedelta(seconds=noise.seconds))


def digest(it: Situation, noise: Noise = Noise()) -> Digest:
    return exact(change_set(it, noise), it.revision)


def test_every_kind_of_change_is_in_the_example() -> None:
    found = {change.logical_id: change.action.value for change in change_set(Situation()).changes}
    assert found == {"Jobs": "update", "Net": "replace", "Old": "delete", "Events": "create"}


@given(
    first=SITUATIONS,
    other=SITUATIONS,
    names=st.sets(st.sampled_from(sorted(Situation.__dataclass_fields__)), max_size=2),
    noise=NOISES,
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_equal_digests_mean_equal_situations(first: Situation, other: Situation, names: set[str], noise: Noise) -> None:
    second = replace(first, **{name: getattr(other, name) for name in names})
    assert (digest(first) == digest(second, noise)) is (first == second)


@given(first=NOISES, second=NOISES, it=SITUATIONS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_noise_doesnt_count(first: Noise, second: Noise, it: Situation) -> None:
    assert digest(it, first) == digest(it, second)


OTHER: dict[str, Any] = {
    "content": "b",
    "environment": "sandbox",
    "account": "222222222222",
    "region": "eu-central-1",
    "revision": "r2",
    "rolling_back": 1,
    "wanted_delay": 6,
    "live_delay": 2,
    "kept_retention": 120,
    "wanted_secret": "wanted-secret-2",
    "live_secret": "live-secret-2",
    "wanted_range": "10.2.0.0/16",
    "live_range": "10.8.0.0/16",
    "live_dns": False,
    "old_delay": 1,
    "old_tag": "y",
    "old_queue": "https://sqs/older",
    "new_name": "event",
    "keeps_old_network": True,
}


@pytest.mark.parametrize("name", OTHER)
def test_each_single_difference_counts(name: str) -> None:
    assert digest(replace(Situation(), **{name: OTHER[name]})) != digest(Situation())
    assert set(OTHER) == set(Situation.__dataclass_fields__)


def test_no_secret_goes_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hashed holds a keyed digest: who has all else can't try out secrets without the key."""
    from reconciler.diff import digest as module

    hashed: list[str] = []
    text: Callable[[Any], str] = module._text

    def listening(value: Any) -> str:
        hashed.append(text(value))
        return hashed[-1]

    monkeypatch.setattr(module, "_text", listening)
    it = Situation()
    first = digest(it)
    assert hashed
    assert not any("secret-1" in each for each in hashed)
    secrecy.use_key(b"l" * 32)
    assert digest(it) != first


def test_a_secret_that_is_about_to_be_destroyed() -> None:
    """The plan no longer sets it, the store knows that it was one."""

    def having(value: str) -> ChangeSet:
        plan = make_plan({"Events": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "events"}}})
        live = {"QueueName": "old", "KmsMasterKeyId": value}
        applied = {"KmsMasterKeyId": secrecy.seal("whatever")}
        record = Record(
            plan.name, LogicalId("Old"), QUEUE, Identifier("u"), ACCOUNT, "us-east-1", applied, needs=frozenset()
        )
        seen = {
            LogicalId("Old"): Seen(QUEUE, Identifier("u"), record, Observation(Identifier("u"), live)),
            LogicalId("Events"): Seen(TypeName("AWS::SNS::Topic")),
        }
        return build(with_ownership(plan), View("us-east-1", NoOutside(), seen), AT)

    one = having("canary-1").digest
    assert one == having("canary-1").digest != having("canary-2").digest
    secrecy.use_key(b"l" * 32)
    assert having("canary-1").digest != one


def test_who_gives_a_resource_up_counts() -> None:
    changes = change_set(Situation())
    moved = [replace(change, moved_from=Owner(PlanName("other"), LogicalId("Net"))) for change in changes.changes]
    from reconciler.diff import change_digest

    assert change_digest(replace(changes, changes=tuple(moved))) != change_digest(changes)


def test_a_hundred_times_and_after_a_restart() -> None:
    rig = Rig()
    resources = {
        name: {"Type": QUEUE, "Properties": {"QueueName": name.lower(), "DelaySeconds": 5}} for name in ("A", "B", "C")
    }
    rig.run(make_plan(resources))
    wanted = {"A": resources["A"], "B": {"Type": QUEUE, "Properties": {"QueueName": "bb", "DelaySeconds": 6}}}
    plan = make_plan({**wanted, "New": {"Type": VPC, "Properties": {"CidrBlock": "10.0.0.0/16"}}})
    found = set()
    for turn in range(100):
        rig.clock.advance(977)
        rig.world.resources = dict(reversed(rig.world.resources.items()))
        if turn % 10 == 9:
            rig.restart()
        changes = rig.cycle.preview(plan, ()).changes
        assert changes is not None
        assert len(changes.changes) == 3
        found.add(changes.digest)
    assert len(found) == 1


def test_in_other_processes() -> None:
    """Sets are walked in another order there."""
    here = digest(Situation())
    code = f"import tests.unit.test_change_digest as t; t.secrecy.use_key({KEY!r}); print(t.digest(t.Situation()))"
    root = Path(__file__).resolve().parents[2]
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here
