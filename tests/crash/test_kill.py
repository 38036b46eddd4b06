"""Killed with -9 at every boundary and at random instants: the next process brings the world to the plan.

By default a plan of eight and a sample of the instants. ``RECONCILER_STRESS=1``: twenty-five resources, every boundary
of every scenario, and 300 random instants; ``RECONCILER_SAMPLE=20``: of these only so many each.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from reconciler.testing.localaws import LocalAws
from tests.crash import plans
from tests.crash.harness import Crashes
from tests.crash.plans import Resources
from tests.world import counts

STRESS = os.environ.get("RECONCILER_STRESS") == "1"
pytestmark = pytest.mark.timeout(36_000 if STRESS else 900)  # a machine may be slow
BEFORE, AFTER = (plans.estate, plans.estate_changed) if STRESS else (plans.small, plans.small_changed)
SAMPLE = int(os.environ.get("RECONCILER_SAMPLE", "0"))
SEED = int(os.environ.get("RECONCILER_SEED", "1"))


@dataclass(frozen=True)
class Scenario:
    """From one content of the plan to another; ``boundaries``: how many instants the whole pass has."""

    before: Resources | None
    after: Resources
    spec: dict[str, str]
    expected: dict[str, int]
    names: list[str]
    boundaries: int
    seconds: float


@pytest.fixture(scope="module")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with LocalAws() as aws:
        made = Crashes(tmp_path_factory.mktemp("crash"), aws)
        yield made
        made.close()


@pytest.fixture(scope="module", params=["create", "change", "absent"])
def scenario(request: pytest.FixtureRequest, crashes: Crashes) -> Scenario:
    """Measured by a pass that nothing disturbs."""
    before = None if request.param == "create" else BEFORE()
    after = BEFORE() if request.param != "change" else AFTER()
    spec = {"state": "absent"} if request.param == "absent" else {}
    begin(crashes, before)
    crashes.write(after, **spec)

    started = time.monotonic()
    ended = crashes.passes(1)
    seconds = time.monotonic() - started
    assert ended.get("states") == ["in_sync"], ended
    expected = counts(crashes.world())
    names = [] if spec else sorted(after)
    assert ended["records"] == names
    return Scenario(before, after, spec, expected, names, ended["boundaries"], seconds)


def begin(crashes: Crashes, before: Resources | None) -> None:
    """A world in which the former content is in force."""
    crashes.fresh()
    if before is not None:
        crashes.write(before)
        assert crashes.passes(1)["states"] == ["in_sync"]


def test_killed_at_boundaries(crashes: Crashes, scenario: Scenario) -> None:
    wanted = SAMPLE or (scenario.boundaries if STRESS else 4)
    step = max(1, scenario.boundaries // wanted)
    first = 1 + SEED * 7 % step
    tried = range(first, scenario.boundaries + 1, step)
    killed, failures = 0, []
    for at in tried:
        begin(crashes, scenario.before)
        crashes.write(scenario.after, **scenario.spec)
        ended = crashes.passes(1, at=at)
        killed += ended.get("signal") == 9  # how many there are varies a little: it was over before
        failures += not_recovered(crashes, scenario, f"killed at boundary {at} of {scenario.boundaries}")
    print(f"killed at {killed} of {scenario.boundaries} boundaries, {len(failures)} not recovered from")
    assert not failures
    assert killed >= len(tried) * 0.75


def test_killed_at_random_instants(crashes: Crashes, scenario: Scenario) -> None:
    dice = random.Random(SEED)
    runs = SAMPLE or (100 if STRESS else 1)
    failures = []
    for number in range(runs):
        begin(crashes, scenario.before)
        crashes.write(scenario.after, **scenario.spec)
        kills = [dice.uniform(0.0, scenario.seconds) for _ in range(dice.choice([1, 1, 2, 3]))]
        for after in kills:
            crashes.passes(1, after=after)
        failures += not_recovered(crashes, scenario, f"run {number}, killed after {kills} s")
    print(f"{runs} runs killed at random instants, {len(failures)} not recovered from")
    assert not failures


def not_recovered(crashes: Crashes, scenario: Scenario, what: str) -> list[str]:
    """What is wrong after a new process has taken over, said at once, because a long run has many cases after it."""
    try:
        crashes.recovered(scenario.expected, scenario.names)
    except AssertionError as error:
        text = f"{what}: {error}"
        print(text, flush=True)
        return [text]
    return []
