"""How a pipeline change goes on from pass to pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model.ids import Digest
from reconciler.model.report import BranchInfo, PlanState
from reconciler.status.branches import arrived, is_underway, progressed, published
from reconciler.testing.samples import a_status
from tests.unit.cycle.conftest import NETWORK, make_plan

OPEN = BranchInfo("r", "main", "feature/x", "open", "abc", ("main.tf",), "t", "b", "gh pr create")
SEEN = replace(OPEN, number=7, url="https://x/7", review="open", command="")
MERGED = replace(OPEN, state="merged", command="")
PLAN = make_plan(NETWORK)


def status(**changes: object) -> object:
    return a_status(**{"digest": PLAN.digest, "state": PlanState.PIPELINE_OPEN, **changes})


@pytest.mark.parametrize(
    ("published_now", "previous", "state"),
    [
        (OPEN, status(branch=replace(MERGED, state="deployed"), state=PlanState.IN_SYNC), "open"),
        (MERGED, None, "merged"),
        (MERGED, status(branch=SEEN), "merged"),
        (MERGED, status(branch=MERGED), "merged"),
        (MERGED, status(branch=None, state=PlanState.IN_SYNC), "drifted"),
        (MERGED, status(branch=replace(MERGED, state="deployed"), state=PlanState.IN_SYNC), "drifted"),
        (MERGED, status(branch=replace(MERGED, state="drifted")), "drifted"),
        (MERGED, status(branch=replace(MERGED, state="drifted"), digest=Digest("sha256:other")), "merged"),
        (MERGED, status(branch=replace(MERGED, state="deployed"), state=PlanState.IN_SYNC, rolling_back=3), "merged"),
    ],
)
def test_merged_is_drifted_where_it_was_deployed(published_now: BranchInfo, previous: object, state: str) -> None:
    assert progressed(published_now, PLAN, previous).state == state  # type: ignore[arg-type]  # built by keywords


def test_a_merged_one_keeps_the_number_of_its_pull_request() -> None:
    after = progressed(MERGED, PLAN, status(branch=SEEN))  # type: ignore[arg-type]  # built by keywords
    assert (after.number, after.url) == (7, "https://x/7")


@pytest.mark.parametrize(
    ("found", "known", "state"),
    [
        (None, None, None),
        (None, SEEN, "obsolete"),
        (None, MERGED, "deployed"),
        (None, replace(MERGED, state="drifted"), "deployed"),
        (replace(OPEN, state="obsolete"), SEEN, "obsolete"),
        (replace(OPEN, state="deployed"), SEEN, "deployed"),
        (replace(OPEN, state="obsolete"), MERGED, "deployed"),
        (replace(OPEN, problem="away"), MERGED, "open"),
        (replace(OPEN, state="obsolete"), None, "obsolete"),
    ],
)
def test_the_end_of_a_branch(found: BranchInfo | None, known: BranchInfo | None, state: str | None) -> None:
    after = arrived(found, known)
    assert (after.state if after else None) == state
    if after is not None and found is None:
        assert after.command == ""


def test_who_has_work_to_do() -> None:
    states = ("open", "merged", "drifted", "deployed", "obsolete")
    assert [is_underway(replace(OPEN, state=state)) for state in states] == [True, True, True, False, False]
    assert not is_underway(None)


def test_in_words() -> None:
    assert published(2, OPEN) == "2 changes on branch feature/x, to be reviewed and deployed"
    assert published(1, SEEN) == "1 change on branch feature/x (https://x/7), to be reviewed and deployed"
    closed = replace(SEEN, review="closed")
    assert (
        published(1, closed)
        == "1 change on branch feature/x, whose pull request was closed, to be reviewed and deployed"
    )
    assert published(1, MERGED) == "1 change merged on main, to be deployed"
    assert "deploy again" in published(1, replace(MERGED, state="drifted"))
