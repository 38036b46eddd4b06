"""How a change set's steps are walked: what is begun when, and what is looked at together."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from reconciler.apply.walk import TOGETHER, walk
from reconciler.model.change import Action, Step, Verb
from reconciler.model.ids import Identifier, LogicalId, StepId, TypeName
from reconciler.model.report import PlanState, StepResult, StepState
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

QUEUE, TABLE = TypeName("AWS::SQS::Queue"), TypeName("AWS::DynamoDB::Table")


def step(name: str, *needs: str, kind: TypeName = QUEUE) -> Step:
    needed = frozenset(StepId(need) for need in needs)
    return Step(StepId(name), LogicalId(name), kind, Verb.CREATE, Action.CREATE, needs=needed)


class Works:
    """Takes every step at once; ``late``: at which turn a step is as it was to be; ``broken``: what fails then."""

    def __init__(self, late: Mapping[str, int] | None = None, broken: frozenset[str] = frozenset()) -> None:
        self.late, self.broken, self.lock = late or {}, broken, threading.Lock()
        self.begun: list[str] = []
        self.looks: list[tuple[int, list[str]]] = []

    def take(self, step: Step, number: int) -> Step | StepResult:
        with self.lock:
            self.begun.append(step.id)
        return step

    def look(self, taken: Mapping[StepId, Step], turn: int) -> dict[StepId, StepResult]:
        with self.lock:
            self.looks.append((turn, list(taken)))
        return {name: self._result(one) for name, one in taken.items() if self.late.get(name, 0) <= turn}

    def _result(self, step: Step) -> StepResult:
        state = StepState.FAILED if step.id in self.broken else StepState.DONE
        return StepResult(step.id, step.logical_id, step.type, step.verb, state, identifier=Identifier(step.id))


def states(results: tuple[StepResult, ...]) -> dict[str, str]:
    return {result.id: result.state.value for result in results}


def go(steps: list[Step], works: Works, parallel: int = 2) -> dict[str, str]:
    return states(walk(steps, works, parallel=parallel, stopping=lambda: False))


def test_what_needs_nothing_of_each_other_is_looked_at_together() -> None:
    works = Works()
    names = [f"q{number}" for number in range(3 * TOGETHER)]
    assert set(go([step(name) for name in names], works).values()) == {"done"}
    assert sorted(name for _, some in works.looks for name in some) == sorted(names)
    assert len(works.looks) < len(names) / 10


def test_a_step_begins_only_when_what_it_needs_has_been_seen() -> None:
    works = Works(late={"a": 2})
    assert go([step("a"), step("b", "a")], works) == {"a": "done", "b": "done"}
    assert works.looks == [(0, ["a"]), (1, ["a"]), (2, ["a"]), (0, ["b"])]


def test_only_those_that_were_not_seen_are_looked_at_again() -> None:
    works = Works(late={"b": 1})
    assert go([step("a"), step("b")], works, parallel=1) == {"a": "done", "b": "done"}
    assert [some for turn, some in works.looks if turn == 1] == [["b"]]


def test_nothing_begins_after_a_failure_and_what_was_begun_is_seen_to() -> None:
    works = Works(broken=frozenset({"a"}))
    found = go([step("a"), step("b", "a"), step("c")], works)
    assert found == {"a": "failed", "b": "pending", "c": "done"}


def test_steps_of_one_type_are_begun_one_after_the_other() -> None:
    works = Works()
    go([step("q1"), step("t1", kind=TABLE), step("q2"), step("t2", kind=TABLE)], works)
    assert set(works.begun[:2]) == {"q1", "q2"}


def test_one_at_a_time_is_seen_to_before_the_next_begins() -> None:
    works = Works(late={"q1": 1}, broken=frozenset({"t1"}))
    found = go([step("q1"), step("t1", kind=TABLE), step("q2")], works, parallel=1)
    assert found == {"q1": "done", "t1": "failed", "q2": "pending"}
    assert works.looks == [(0, ["q1"]), (1, ["q1"]), (0, ["t1"])]


def test_only_so_many_are_begun_without_having_been_seen_to() -> None:
    works, most = Works(), 0
    ended, look = set[str](), works.look

    def looked(taken: Mapping[StepId, Step], turn: int) -> dict[StepId, StepResult]:
        nonlocal most
        most = max(most, len(works.begun) - len(ended))
        ended.update(taken)
        return look(taken, turn)

    works.look = looked  # type: ignore[method-assign]
    go([step(f"q{number}") for number in range(5 * TOGETHER)], works)
    assert 10 < most <= TOGETHER + 2


def test_many_resources_are_validated_by_few_reads() -> None:
    rig, count = Rig(), 30
    queues = {f"Queue{n}": {"Type": QUEUE, "Properties": {"QueueName": f"jobs-{n}"}} for n in range(count)}
    report = rig.run(make_plan(queues))
    assert report.state is PlanState.IN_SYNC
    assert len(rig.world.of(QUEUE)) == count
    assert all(result.validation == "passed" for result in report.steps)
    assert rig.world.reads < count


def test_a_create_is_journalled_as_done_once_though_it_is_seen_to_late() -> None:
    rig = Rig()
    rig.world.lag = 2
    report = rig.run(make_plan({"Queue": NETWORK["Queue"]}))
    assert report.state is PlanState.IN_SYNC
    assert [entry.event.kind for entry in rig.store.audit_entries()].count("outcome") == 1


def test_what_others_refer_to_is_asked_for_after_a_create() -> None:
    rig = Rig()
    rig.world.hidden = frozenset({"Arn"})
    dead_letters = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5}
    resources = {
        "Dead": {"Type": QUEUE, "Properties": {"QueueName": "dead"}},
        "Jobs": {"Type": QUEUE, "Properties": {"QueueName": "jobs", "RedrivePolicy": dead_letters}},
    }
    report = rig.run(make_plan(resources))
    assert report.state is PlanState.IN_SYNC, report.message
    live = {queue["QueueName"]: queue for queue in rig.world.of(QUEUE).values()}
    assert live["jobs"]["RedrivePolicy"]["deadLetterTargetArn"] == live["dead"]["Arn"]
