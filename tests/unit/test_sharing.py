"""Shared reads: who may use what, that each resource is read once, and that nothing is kept when nobody needs it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, TypeName
from reconciler.model.plan import Guardrail, Origin, Plan, PlannedResource, RollbackPolicy, Target
from reconciler.model.resource import Observation, Record, Unreadable, Wanted
from reconciler.ports import Reads, Turn
from reconciler.sharing import Sharing, Writes
from reconciler.testing.memory import FakeClock, MemoryStore
from reconciler.testing.world import FakeScope, World

ACCOUNT, REGION = "111111111111", "us-east-1"
TARGET = Target("sandbox", ACCOUNT, REGION)
QUEUE = TypeName("AWS::SQS::Queue")
NAMES = frozenset({"QueueName", "Tags"})


class Aws:
    """A provider that remembers which identifiers each read was for."""

    type_name = QUEUE
    supported = NAMES

    def __init__(self) -> None:
        self.reads: list[list[str]] = []
        self.values: dict[str, str] = {}
        self.unreadable: set[str] = set()
        self.during: Callable[[], None] = lambda: None
        self.fault: Exception | None = None
        self.lock = threading.Lock()

    def get(self, type_name: TypeName) -> Any:
        return self

    def read_many(self, scope: Any, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        with self.lock:
            self.reads.append(sorted(item.identifier for item in wanted))
            found = {item.identifier: self._one(item) for item in wanted if item.identifier in self.values}
        self.during()
        if self.fault is not None and len(wanted) > 1:
            raise self.fault
        return found

    def _one(self, item: Wanted) -> Observation | Unreadable:
        if item.identifier in self.unreadable:
            return Unreadable(item.identifier, FaultKind.ACCESS_DENIED, "no")
        return Observation(item.identifier, {"QueueName": self.values[item.identifier]})

    @property
    def most(self) -> int:
        """How often the resource that was read most was read."""
        return max(Counter(name for read in self.reads for name in read).values())


class Rig:
    """Plans with one queue each, all asked for unless ``asked`` says otherwise."""

    def __init__(self, *names: str) -> None:
        self.aws, self.store, self.clock = Aws(), MemoryStore(), FakeClock()
        self.writes = Writes(self.clock)
        self.sharing = Sharing(self.aws, self.store, self.clock, self.writes)
        self.plans: dict[str, Plan] = {}
        self.asked: dict[str, float] = {}
        self.scope = FakeScope(World(ACCOUNT), TARGET)
        for name in names:
            self.add(name)

    def add(self, name: str, target: Target = TARGET) -> None:
        queue = PlannedResource(LogicalId("Queue"), QUEUE, {"QueueName": name})
        self.plans[name] = Plan(
            PlanName(name),
            "alice@example.com",
            target,
            Guardrail("passed"),
            RollbackPolicy("automatic"),
            Digest("sha256:0"),
            Origin("plan.yaml"),
            resources={queue.logical_id: queue},
        )
        self.asked[name] = self.clock.monotonic()
        self.aws.values[name] = "first"
        self.store.save_record(
            Record(PlanName(name), queue.logical_id, QUEUE, Identifier(name), target.account, target.region)
        )

    def ask(self, *names: str) -> None:
        for name in names or self.plans:
            self.asked[name] = self.clock.monotonic()

    def turn(self, name: str) -> Turn:
        return Turn(self.asked[name], lambda: [(self.plans[each], since) for each, since in self.asked.items()])

    def begin(self, name: str) -> Reads:
        return self.sharing.reads(self.plans[name], self.turn(name))

    def look(self, name: str, properties: frozenset[str] = NAMES) -> Any:
        """The first look of a pass: the value of its queue."""
        turn, reads = self.turn(name), self.begin(name)
        answer = reads.read(self.scope, QUEUE, [Wanted(Identifier(name), properties)]).get(Identifier(name))
        reads.close()
        self.sharing.ended(self.plans[name].name, turn)
        if self.asked.get(name) == turn.since:
            del self.asked[name]
        return answer.properties["QueueName"] if isinstance(answer, Observation) else answer


def test_the_first_pass_reads_for_all_that_wait() -> None:
    rig = Rig("a", "b", "c")
    assert [rig.look(name) for name in "abc"] == ["first"] * 3
    assert rig.aws.reads == [["a", "b", "c"]]


def test_nothing_is_read_for_plans_that_nobody_asked_for() -> None:
    rig = Rig("a", "b", "c")
    del rig.asked["b"]
    rig.look("a")
    assert rig.aws.reads == [["a", "c"]]


def test_a_pass_without_a_turn_reads_for_itself() -> None:
    rig = Rig("a", "b")
    rig.sharing.reads(rig.plans["a"], None).read(rig.scope, QUEUE, [Wanted(Identifier("a"))])
    assert rig.aws.reads == [["a"]]


def test_no_pass_uses_a_read_that_began_before_it_was_asked_for() -> None:
    rig = Rig("a", "b", "c")
    rig.look("a")
    rig.clock.sleep(1.0)
    rig.ask("b")
    rig.aws.values |= {"b": "second", "c": "second"}
    assert (rig.look("b"), rig.look("c")) == ("second", "first")
    assert rig.aws.reads == [["a", "b", "c"], ["b"]], "what serves the one that was asked for before isn't read again"


def test_a_pass_asked_for_while_the_read_was_under_way_does_not_use_it() -> None:
    rig = Rig("a", "b")

    def ask_again() -> None:
        rig.aws.during = lambda: None
        rig.clock.sleep(0.1)
        rig.ask("b")
        rig.aws.values["b"] = "second"

    rig.aws.during = ask_again
    rig.look("a")
    assert rig.look("b") == "second"


def test_a_read_begun_in_the_moment_of_the_request_will_do() -> None:
    rig = Rig("a", "b")
    rig.look("a")
    rig.ask("b")  # the clock stands still
    assert rig.look("b") == "first"
    assert len(rig.aws.reads) == 1


def test_a_write_voids_what_was_read_before_it_ended_also_while_it_was_read() -> None:
    rig = Rig("a", "b", "c")

    def somebody_writes() -> None:
        rig.aws.during = lambda: None
        rig.clock.sleep(1.0)
        rig.aws.values |= {"b": "second", "c": "second"}
        rig.writes.ended(ACCOUNT)
        rig.clock.sleep(1.0)

    rig.aws.during = somebody_writes
    rig.look("a")
    assert (rig.look("b"), rig.look("c")) == ("second", "second")
    assert rig.aws.reads[-1] == ["b", "c"], "one more read serves all that are left"


def test_a_write_in_another_account_voids_nothing() -> None:
    rig = Rig("a", "b")
    rig.look("a")
    rig.writes.ended("999999999999")
    rig.look("b")
    assert rig.aws.reads == [["a", "b"]]


def test_many_writers_do_not_make_each_pass_read_for_all() -> None:
    names = [f"plan-{number:02}" for number in range(40)]
    rig = Rig(*names)
    for name in names:
        assert rig.look(name) == "first"
        rig.clock.sleep(1.0)
        rig.writes.ended(ACCOUNT)
        rig.clock.sleep(1.0)
    assert sum(map(len, rig.aws.reads)) < 5 * len(names)


@pytest.mark.parametrize(
    "other",
    [
        replace(TARGET, environment="development"),
        replace(TARGET, profile="somebody"),
        replace(TARGET, role_arn=f"arn:aws:iam::{ACCOUNT}:role/other"),
        replace(TARGET, external_id="x"),
        replace(TARGET, region="eu-central-1"),
    ],
)
def test_only_the_very_same_target_is_shared(other: Target) -> None:
    rig = Rig("a")
    rig.add("b", other)
    rig.look("a")
    assert rig.aws.reads == [["a"]]


def test_an_answer_that_covers_too_little_is_not_used() -> None:
    rig = Rig("a", "b")
    rig.look("a")
    rig.look("b", NAMES | {"RedrivePolicy"})
    assert rig.aws.reads == [["a", "b"], ["b"]]


def test_what_is_not_there_is_an_answer() -> None:
    rig = Rig("a", "b")
    del rig.aws.values["b"]
    assert (rig.look("a"), rig.look("b")) == ("first", None)
    assert rig.aws.reads == [["a", "b"]]


def test_one_that_cannot_be_read_spoils_no_other_and_is_asked_for_by_its_own_pass() -> None:
    rig = Rig("a", "b", "c")
    rig.aws.unreadable.add("b")
    assert (rig.look("a"), rig.look("c")) == ("first", "first")
    answer = rig.look("b")
    assert isinstance(answer, Unreadable)
    assert rig.aws.reads == [["a", "b", "c"], ["b"]]


@pytest.mark.parametrize("fault", [AwsFault(FaultKind.INVALID_REQUEST, "bad batch"), ValueError("a defect")])
def test_when_the_shared_read_fails_each_reads_for_itself(fault: Exception) -> None:
    rig = Rig("a", "b", "c")
    rig.aws.fault = fault
    assert [rig.look(name) for name in "abc"] == ["first"] * 3
    assert rig.aws.reads == [["a", "b", "c"], ["a"], ["b"], ["c"]], "and nobody tries for all again"


def test_a_plan_whose_pass_did_not_come_to_look_is_not_read_for_again() -> None:
    rig = Rig("a", "denied")
    rig.sharing.ended(PlanName("denied"), rig.turn("denied"))
    rig.look("a")
    assert rig.aws.reads == [["a"]]


def test_it_is_known_when_the_oldest_read_began() -> None:
    rig = Rig("a", "b")
    begun = rig.clock.now()
    rig.aws.during = lambda: rig.clock.sleep(5.0)
    rig.look("a")
    reads = rig.begin("b")
    assert reads.since is None
    reads.read(rig.scope, QUEUE, [Wanted(Identifier("b"), NAMES)])
    assert reads.since == begun


def test_nothing_is_kept_when_the_resync_is_over() -> None:
    rig = Rig("a", "b", "c", "gone")
    rig.look("a")
    assert rig.sharing.kept() == 3
    rig.look("b")
    assert rig.sharing.kept() == 2, "an answer is handed out once"
    del rig.asked["gone"]
    rig.look("c")
    assert rig.sharing.kept() == 0


def test_large_types_are_read_in_parts_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.sharing._MOST", 4)
    names = [f"plan-{number}" for number in range(10)]
    rig = Rig(*names)
    kept = 0
    for name in names:
        assert rig.look(name) == "first"
        kept = max(kept, rig.sharing.kept())
    assert rig.aws.most == 1
    assert len(rig.aws.reads) == 3
    assert kept <= 4


def test_threads_that_come_at_once_wait_for_one_read() -> None:
    names = [f"plan-{number:02}" for number in range(24)]
    rig = Rig(*names)
    begun = threading.Event()
    rig.aws.during = lambda: begun.wait(0.05) and None
    answers: dict[str, Any] = {}
    looks = {name: rig.begin(name) for name in names}

    def look(name: str) -> None:
        wanted = [Wanted(Identifier(name), NAMES)]
        answers[name] = looks[name].read(rig.scope, QUEUE, wanted)[Identifier(name)]
        looks[name].close()

    threads = [threading.Thread(target=look, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers.keys() == set(names)
    assert rig.aws.reads == [names]


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_in_whatever_order_no_pass_sees_a_value_older_than_its_request(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"plan-{number}" for number in range(6)]
    rig = Rig(*names)
    changed: dict[str, list[tuple[float, str]]] = {name: [(0.0, "first")] for name in names}
    for step in range(120):
        rig.clock.sleep(chance.choice([0.0, 0.5]))
        name = chance.choice(names)
        match chance.choice(["ask", "ask", "change", "write", "look", "look"]):
            case "ask":
                rig.ask(name)
            case "change":
                rig.aws.values[name] = str(step)
                changed[name].append((rig.clock.monotonic(), str(step)))
            case "write":
                rig.writes.ended(ACCOUNT)
            case "look" if name in rig.asked:
                since, seen = rig.asked[name], rig.look(name)
                # the value that stood when it was made, or any later one (what happens in one moment has no order)
                allowed = [value for at, value in changed[name] if at >= since]
                allowed += [value for at, value in changed[name] if at < since][-1:]
                assert seen in allowed
    rig.asked.clear()
    rig.add("last")
    rig.look("last")
    assert rig.sharing.kept() == 0
