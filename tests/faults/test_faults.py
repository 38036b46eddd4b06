"""Every mutating call of a plan of twenty-five resources fails in every way, through a proxy that fails as AWS does.

With automatic rollback the account is then as it was before the pass; without, the report says exactly what is done,
what failed and what is left. When the fault is over the next pass ends what was begun, nothing twice.

By default a sample, which ``RECONCILER_SEED`` picks. ``RECONCILER_STRESS=1``: every call × every kind × both ways;
``RECONCILER_ONLY=Bucket``: every kind for the calls whose step or name match.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from reconciler.model.change import Verb
from reconciler.model.ids import StepId
from reconciler.model.report import PlanState, RunReport, StepState
from reconciler.testing.localaws import LocalAws
from reconciler.testing.wire import Call
from tests.crash.plans import Resources, estate, estate_changed
from tests.faults.bench import Bench, Comparable, assert_same, comparable, pinned, told
from tests.faults.kinds import KINDS, Kind
from tests.faults.proxy import Microburst
from tests.parts import real_part

STRESS = os.environ.get("RECONCILER_STRESS") == "1"
SEED = int(os.environ.get("RECONCILER_SEED", "1"))
ONLY = os.environ.get("RECONCILER_ONLY", "")
pytestmark = [pytest.mark.microburst, pytest.mark.timeout(14_400 if STRESS else 600)]

#: Longer than this local AWS takes, shorter than anybody waits for. Seconds.
PATIENCE = 3.0
SERVICES = ("ec2", "s3", "iam", "sqs", "sns", "dynamodb", "logs", "ssm", "kms", "sts")


@dataclass(frozen=True)
class Target:
    """One call of one step; ``first``: the step had called nothing before."""

    step: StepId
    call: Call
    first: bool

    def __str__(self) -> str:
        return f"{self.step} {self.call.name}"


@dataclass(frozen=True)
class Scenario:
    """From one content to another, measured by a pass that nothing disturbs."""

    before: Resources | None
    after: Resources
    start: Comparable
    end: Comparable
    steps: tuple[StepId, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Rig:
    """What a case needs."""

    bench: Bench
    proxy: Microburst
    aws: LocalAws

    def disturbed(self, scenario: Scenario, target: Target, kind: Kind, rollback: str) -> tuple[RunReport, Comparable]:
        """A pass in which the call fails as long as its step lasts; the account as it was when that step began."""
        seen: list[Comparable] = []
        fault = kind.on(target.call, self.proxy, self.aws)

        def begun(step: StepId) -> None:
            if step == target.step:
                seen.append(comparable(self.bench.world()) if rollback == "manual" else {})
                fault.__enter__()

        def ended(step: StepId) -> None:
            if step == target.step:
                fault.__exit__(None, None, None)

        self.proxy.fired()
        self.bench.watch.reset()
        usual = self.bench.watch.begun, self.bench.watch.ended
        self.bench.watch.begun, self.bench.watch.ended = begun, ended
        try:
            report = self.bench.run(scenario.after, rollback=rollback)
        finally:
            self.bench.watch.begun, self.bench.watch.ended = usual
        assert seen, f"{target.step} was not begun: {told(report)}"
        assert kind.fired(target.call, self.proxy), f"nothing failed: {told(report)}"
        return report, seen[0]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    command = real_part("microburst")
    directory = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch, LocalAws(warm=SERVICES) as aws:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        proxy = Microburst(command, aws.endpoint, directory / "log")
        proxy.warm(SERVICES)
        bench = Bench(directory, aws, proxy.endpoint, read_timeout=PATIENCE)
        yield Rig(bench, proxy, aws)
        bench.app.close()
        proxy.stop()


@pytest.fixture(scope="module", params=["create", "change"])
def scenario(request: pytest.FixtureRequest, rig: Rig) -> Scenario:
    bench = rig.bench
    before, after = (None, estate()) if request.param == "create" else (pinned(estate()), estate_changed())
    after = pinned(after)
    bench.begin(before)
    start = comparable(bench.world())
    report = bench.run(after)
    assert report.state is PlanState.IN_SYNC, told(report)
    targets = []
    for step, calls in bench.watch.calls.items():
        assert len({call.name for call in calls}) == len(calls), f"{step} makes a call twice: {calls}"
        targets += [Target(step, call, number == 0) for number, call in enumerate(calls)]
    steps = tuple(step.id for step in report.steps)
    assert {target.step for target in targets} == set(steps)
    return Scenario(before, after, start, comparable(bench.world()), steps, tuple(targets))


def cases(scenario: Scenario, kinds: tuple[Kind, ...], turn: int) -> list[tuple[Target, tuple[Kind, ...]]]:
    """Every call with every kind (the seed shuffles them), or for every other kind a call that the seed chooses.

    The kinds that are left out of one scenario have their turn in the other.
    """
    dice = random.Random(SEED + turn)
    if STRESS or ONLY:
        found = [target for target in scenario.targets if re.search(ONLY, str(target))]
        return [(target, kinds) for target in dice.sample(found, len(found))]
    mine = kinds[turn if scenario.before is None else 1 - turn :: 2]
    return [(dice.choice(scenario.targets), (kind,)) for kind in mine]


class Tally:
    """What the cases came to."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.problems: list[str] = []

    @contextmanager
    def case(self, kind: Kind, target: Target) -> Iterator[None]:
        """One more; what is wrong is kept for the end, so that a run shows all of it."""
        try:
            yield
            self.ended[f"{kind.name}: right"] += 1
        except AssertionError as error:
            self.ended[f"{kind.name}: wrong"] += 1
            self.problems.append(f"{kind.name} at {target}: {error}")
            print(self.problems[-1])

    def judge(self, what: str) -> None:
        """Say how many there were, and fail if any was wrong."""
        print(f"{what}: {sum(self.ended.values())} cases: {dict(sorted(self.ended.items()))}")
        assert not self.problems, "\n\n".join(self.problems)


def test_automatic(rig: Rig, scenario: Scenario) -> None:
    """Whatever fails, and however: the account is as before, or as it was to be.

    A pass that was taken back is followed by one in which the same call fails otherwise, the last by one that succeeds.
    """
    tally = Tally()
    for target, kinds in cases(scenario, KINDS, 0):
        fresh = True
        for kind in kinds:
            with tally.case(kind, target):
                if fresh:
                    rig.bench.begin(scenario.before)
                fresh = True
                report, _ = rig.disturbed(scenario, target, kind, "automatic")
                undone_or_done(rig, scenario, target, kind, report)
                fresh = report.state is not PlanState.FAILED or kind is kinds[-1]
                if fresh:
                    rig.bench.settled(scenario.after, scenario.end)
    tally.judge("automatic")


def undone_or_done(rig: Rig, scenario: Scenario, target: Target, kind: Kind, report: RunReport) -> None:
    """As it was to be if the pass succeeded, else as it was."""
    bench = rig.bench
    expected = {True: PlanState.IN_SYNC, False: PlanState.FAILED}.get(kind.passes, report.state)
    assert report.state is expected, told(report)
    if report.state is PlanState.FAILED:
        assert report.message.startswith(f"{target.step} failed: "), told(report)
        assert report.message.endswith("; rolled back"), told(report)
        number = scenario.steps.index(target.step)
        states = [step.state for step in report.steps]
        assert states[:number] == [StepState.ROLLED_BACK] * number, told(report)
        assert states[number:] == [StepState.FAILED] + [StepState.PENDING] * (len(states) - number - 1), told(report)
        assert_same(comparable(bench.world()), scenario.start, told(report))
        assert sorted(bench.app.store.records(bench.plan)) == sorted(scenario.before or ())
    assert not bench.app.store.unfinished(bench.plan), told(report)
    assert not bench.app.store.unresolved(bench.plan), told(report)


def test_manual(rig: Rig, scenario: Scenario) -> None:
    """What is reported done is there, what is pending was never called, and what failed changed nothing else."""
    tally = Tally()
    for target, kinds in cases(scenario, tuple(kind for kind in KINDS if not kind.passes), 1):
        for kind in kinds:
            with tally.case(kind, target):
                rig.bench.begin(scenario.before)
                report, standing = rig.disturbed(scenario, target, kind, "manual")
                as_reported(rig, scenario, target, kind, report, standing)
                rig.bench.settled(scenario.after, scenario.end)
    tally.judge("manual")


def as_reported(
    rig: Rig, scenario: Scenario, target: Target, kind: Kind, report: RunReport, standing: Comparable
) -> None:
    """``standing``: the account when the step began that failed."""
    if report.state is PlanState.IN_SYNC:
        return
    number, total = scenario.steps.index(target.step), len(scenario.steps)
    states = [step.state for step in report.steps]
    expected = [StepState.DONE] * number + [StepState.FAILED] + [StepState.PENDING] * (total - number - 1)
    assert states == expected, told(report)
    partial = next(one for one in report.explanations if one.kind == "partial_failure")
    assert [_number(text) for text in partial.completed] == list(range(1, number + 1))
    assert [_number(text) for text in partial.failed] == [number + 1]
    assert [_number(text) for text in partial.pending] == list(range(number + 2, total + 1))
    world = rig.bench.world()
    text = json.dumps(world, default=str)
    for step in report.steps[:number]:
        parts = [part for part in str(step.identifier).split("|") if part != "IGW"]
        if step.verb is Verb.DELETE:  # its name may be the beginning of another's
            assert not all(json.dumps(part) in text for part in parts), f"{step.id} {step.identifier}: {told(report)}"
        else:
            assert all(part in text for part in parts), f"{step.id} {step.identifier}: {told(report)}"
    now = comparable(world)
    touched = {kind for kind in now.keys() | standing.keys() if now.get(kind) != standing.get(kind)}
    assert not touched or not target.first or kind.applied, f"{touched} changed: {told(report)}"
    assert len(touched) <= 1, f"{touched} changed: {told(report)}"


def _number(text: str) -> int:
    found = re.match(r"Step (\d+): ", text)
    assert found, text
    return int(found[1])
