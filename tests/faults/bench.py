"""One account, one installation, many cases: a plan goes from one content to another while AWS misbehaves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.core.base_backend import BackendDict

from reconciler import wiring
from reconciler.clock import SystemClock
from reconciler.model.events import Event, StepFinished, StepStarted
from reconciler.model.ids import PlanName, StepId
from reconciler.model.report import PlanState, RunReport
from reconciler.settings import Settings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.wire import Call
from reconciler.wiring import application
from tests.crash.plans import ACCOUNT, Resources, plan_text
from tests.world import World, world_of

ROOT = Path(__file__).resolve().parents[2]

#: What AWS gives anew to what is made again, beside what it names after it.
_NEW = frozenset(
    {
        "PublicIp",
        "PrivateIp",
        "PrivateIpAddress",
        "NetworkInterfaceId",
        "SecurityGroupRuleId",
        "AssociationId",
        "RouteTableAssociationId",
    }
)
_ID = re.compile(
    r"\b(?:(?:vpc|subnet|igw|rtb|nat|sg|eipalloc|rtbassoc|sgr|acl|dopt)-[0-9a-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
)
#: A plan's name is a case's own; names that the product chooses are made of it and of a run.
_PLAN = re.compile(r"\bestate-case-\d+(-\w+-)?[0-9a-f]*\b")

#: The world with the identifiers that AWS chooses replaced by whose they are: equal if nothing is more, less or other.
Comparable = dict[str, list[str]]


class Watch:
    """An EventSink: which mutating calls each step makes, and what a test wants done when a step begins or ends.

    Steps come one at a time here.
    """

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.calls: dict[StepId, list[Call]] = {}
        self.begun: Callable[[StepId], None] = lambda _step: None
        self.ended: Callable[[StepId], None] = lambda _step: None

    def emit(self, event: Event) -> None:
        """Called by the pass."""
        if isinstance(event, StepStarted):
            self._aws.reset_calls()
            self.begun(event.step.id)
        if isinstance(event, StepFinished):
            self.calls[event.step.id] = [call for call in self._aws.last_requests if call.mutating]
            self.ended(event.step.id)


class Hurried(SystemClock):
    """Real time, as leases need it, but nobody waits for an AWS that shows at once what was written."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.001))


class Bench:
    """Cases follow each other in one account with one set of clients; each has a plan name of its own."""

    def __init__(self, directory: Path, aws: LocalAws, endpoint: str = "", **aws_settings: Any) -> None:
        self.aws, self.watch = aws, Watch(aws)
        self._file, self._cases = directory / "desired" / "estate.yaml", 0
        self._file.parent.mkdir()
        settings = {
            "source": {"path": self._file.parent},
            "policy": {"directory": ROOT / "policies"},
            "state_dir": directory / "state",
            "aws": {
                "endpoint_url": endpoint or aws.endpoint,
                "role_pattern": "arn:aws:iam::{account}:role/reconciler",
                "threads": 4,
                **aws_settings,
            },
            "breaker": {"failures": 10_000, "throttles": 10_000},
        }
        parallel, application.PARALLEL_STEPS = application.PARALLEL_STEPS, 1
        try:
            self.app = wiring.build(Settings.model_validate(settings), events=self.watch, clock=Hurried())
        finally:
            application.PARALLEL_STEPS = parallel

    def begin(self, resources: Resources | None = None) -> None:
        """An empty account and a plan that nobody knows yet; ``resources`` are brought into being."""
        self.aws.clear_faults()
        if self._cases:
            for name in self.app.store.records(self.plan):
                self.app.store.drop_record(self.plan, name)
        _empty()
        self._cases += 1
        self.plan = PlanName(f"estate-case-{self._cases}")
        if resources is not None:
            assert self.run(resources).state is PlanState.IN_SYNC
        self.aws.reset_calls()
        self.watch.reset()

    def run(self, resources: Resources, **spec: Any) -> RunReport:
        """One pass with this content of the plan."""
        self._file.write_text(plan_text(resources, **spec).replace("name: estate", f"name: {self.plan}", 1))
        snapshot = self.app.source.load()
        assert self.plan in snapshot.plans, snapshot.invalid
        return self.app.cycle.run(snapshot.plans[self.plan], (), "test")

    def world(self) -> World:
        """What is in the account, by its real names."""
        return world_of(self.aws, ACCOUNT)

    def settled(self, resources: Resources, expected: Comparable) -> None:
        """The fault is over: the next pass brings about just what an undisturbed one does, and forgets nothing."""
        self.watch.reset()
        report = self.run(resources)
        assert report.state is PlanState.IN_SYNC, told(report)
        assert_same(comparable(self.world()), expected, told(report))
        assert sorted(self.app.store.records(self.plan)) == sorted(resources)
        assert not self.app.store.unfinished(self.plan)
        assert not self.app.store.unresolved(self.plan)


def pinned(resources: Resources) -> Resources:
    """With availability zones, which AWS would choose otherwise."""
    for name, zone in {"A": "us-east-1a", "B": "us-east-1c"}.items():
        resources[name]["Properties"].setdefault("AvailabilityZone", zone)
    return resources


def _empty() -> None:
    """Forget every resource of every account; the roles that clients have assumed stay assumed."""
    for backends in BackendDict._instances:  # type: ignore[misc]
        if backends.service_name == "sts":
            continue
        for of_account in backends.values():
            for backend in of_account.values():
                keys = getattr(backend, "access_keys", None)
                backend.reset()
                if keys is not None:
                    backend.access_keys = keys


def comparable(world: World) -> Comparable:
    """The world with chosen identifiers replaced by whose they are."""
    names = {
        key: f"<{logical}>"
        for items in world.values()
        for key, item in items.items()
        if (logical := _tagged(item)) is not None
    }

    def text(value: str) -> str:
        return _PLAN.sub(r"estate\1", _ID.sub(lambda found: names.get(found[0], found[0].split("-")[0]), value))

    def steady(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: steady(item) for key, item in value.items() if key not in _NEW and "Time" not in key}
        if isinstance(value, list):
            return sorted((steady(item) for item in value), key=json.dumps)
        return text(value) if isinstance(value, str) else value

    found = {
        kind: sorted(json.dumps([text(key), steady(item)], sort_keys=True) for key, item in items.items())
        for kind, items in world.items()
    }
    found["key"] = [item for item in found.get("key", ()) if "Default master key" not in item]  # the emulator's own
    return {kind: items for kind, items in found.items() if items}


def _tagged(item: Any) -> str | None:
    """The logical id that a resource whose identifier AWS chooses carries."""
    tags = item.get("Tags", item.get("tags", ())) if isinstance(item, dict) else ()
    for tag in tags if isinstance(tags, list) else ():
        if tag.get("Key", tag.get("TagKey")) == "reconciler:id":
            return str(tag.get("Value", tag.get("TagValue")))
    return None


def assert_same(found: Comparable, expected: Comparable, where: str = "") -> None:
    """Kind by kind, so that a difference can be read."""
    for kind in expected.keys() | found.keys():
        assert found.get(kind) == expected.get(kind), f"{kind} {where}"


def told(report: RunReport) -> str:
    """What a report says of each step."""
    steps = [f"{step.id}: {step.state} {step.result} {step.error}" for step in report.steps]
    return "\n".join([report.message, *steps])
