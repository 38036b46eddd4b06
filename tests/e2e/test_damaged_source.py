"""A source that is emptied, cut off, unmounted or rewritten under a running daemon deletes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from git import Actor, Repo

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from tests.e2e.conftest import Lab
from tests.e2e.running import Running, plan_text, queue, until

TEMPLATE = """\
Resources:
  Second:
    Type: AWS::SQS::Queue
    Properties: {QueueName: second-jobs}
"""
FIRST = plan_text("first", {"Jobs": queue("first-jobs"), "Mail": queue("first-mail")})


def templated() -> str:
    text = plan_text("second", {})
    return text.replace("  resources: {}\n", "  template: second.cfn.yaml\n")


class Desired:
    """The plans' directory, to be damaged."""

    def __init__(self, root: Path) -> None:
        self.root, self.first = root, root / "first.yaml"
        self.template = root / "second.cfn.yaml"

    def write(self) -> None:
        self.root.mkdir(exist_ok=True)
        self.template.write_text(TEMPLATE)
        self.first.write_text(FIRST)
        (self.root / "second.yaml").write_text(templated())

    def empty(self) -> None:
        for path in self.root.iterdir():
            path.unlink()

    def remove(self) -> None:
        shutil.rmtree(self.root)

    def cut(self, size: int) -> None:
        self.first.write_text(FIRST[:size])

    def replace_by_directory(self) -> None:
        self.first.unlink()
        (self.root / "first.yaml").mkdir()

    def repair(self) -> None:
        shutil.rmtree(self.root / "first.yaml", ignore_errors=True)
        self.write()


DAMAGE: dict[str, Callable[[Desired], object]] = {
    "emptied": Desired.empty,
    "unmounted": Desired.remove,
    "file empty": lambda desired: desired.cut(0),
    "file cut in its first word": lambda desired: desired.cut(6),
    "file cut in its first line": lambda desired: desired.cut(20),
    "file cut half way": lambda desired: desired.cut(len(FIRST) // 2),
    "file cut after one resource": lambda desired: desired.cut(FIRST.index("    Mail:") + 7),
    "file gone": lambda desired: desired.first.unlink(),
    "file now a directory": Desired.replace_by_directory,
    "no resources": lambda desired: desired.first.write_text(plan_text("first", {})),
    "nothing but blanks": lambda desired: desired.first.write_text("\n\n   \n"),
    "zeros": lambda desired: desired.first.write_bytes(b"\0" * 4096),
    "another program's file": lambda desired: desired.first.write_text("services: {web: {image: nginx}}\n"),
    "template gone": lambda desired: desired.template.unlink(),
    "template empty": lambda desired: desired.template.write_text(""),
    "template without resources": lambda desired: desired.template.write_text("Resources: {}\n"),
}

#: What is tried always; with RECONCILER_STRESS everything is.
USUAL = {"emptied", "unmounted", "file cut in its first word", "file cut half way", "file gone", "no resources"}
CHOSEN = [what for what in DAMAGE if what in USUAL or os.environ.get("RECONCILER_STRESS")]


def mutations(lab: Lab) -> dict[str, int]:
    return {name: count for name, count in lab.aws.mutations().items() if name != "sts:AssumeRole"}


def test_whatever_happens_to_the_directory_nothing_is_deleted(lab: Lab) -> None:
    desired = Desired(lab.desired)
    desired.write()
    with Running(lab) as daemon:
        for name in ("first", "second"):
            daemon.reaches(name, PlanState.IN_SYNC)
        lab.aws.reset_calls()
        for what in CHOSEN:
            DAMAGE[what](desired)
            daemon.shell("sync")
            assert mutations(lab) == {}, what
            assert set(lab.app.store.records(PlanName("first"))) == {"Jobs", "Mail"}, what
            desired.repair()
            daemon.shell("sync")
            for name in ("first", "second"):
                status = daemon.reaches(name, PlanState.IN_SYNC)
                assert (status.orphaned, status.problems) == (False, ()), what
        assert mutations(lab) == {}


def test_a_branch_that_is_rewritten_to_nothing_deletes_nothing(lab: Lab, tmp_path: Path) -> None:
    me = Actor("Platform team", "platform@example.com")
    remote = tmp_path / "plans.git"
    Repo.init(remote, bare=True, initial_branch="main").close()
    with Repo.init(tmp_path / "work", initial_branch="main") as work:
        (Path(work.working_dir) / "first.yaml").write_text(FIRST)
        work.index.add(["first.yaml"])
        work.index.commit("feat: first", author=me, committer=me)
        work.create_remote("origin", str(remote))
        work.git.push("origin", "main")
        git = {"RECONCILER_SOURCE__GIT__URL": str(remote), "RECONCILER_SOURCE__GIT__POLL": "100ms"}
        with Running(lab, **git) as daemon:
            daemon.reaches("first", PlanState.IN_SYNC)
            lab.aws.reset_calls()
            work.git.checkout("--orphan", "nothing")
            work.git.rm("-rf", ".")
            work.git.commit("--allow-empty", "-m", "x", "--author", "A <a@example.com>", env=_committer())
            work.git.push("--force", "origin", "nothing:main")
            until(lambda: daemon.said("source not readable"), "the emptied branch to be seen")
            daemon.shell("sync")
            assert mutations(lab) == {}
            assert set(lab.app.store.records(PlanName("first"))) == {"Jobs", "Mail"}


def _committer() -> dict[str, str]:
    return {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}


@pytest.mark.parametrize("spec", [{}, {"prune": True}])
def test_a_plan_without_resources_is_refused_unless_it_says_absent(lab: Lab, spec: dict[str, bool]) -> None:
    lab.write(FIRST)
    assert lab.run("first").state is PlanState.IN_SYNC
    lab.aws.reset_calls()
    lab.write(plan_text("first", {}, **spec))
    snapshot = lab.app.source.load()
    assert "first" in snapshot.invalid
    assert lab.run("first").state is PlanState.IN_SYNC  # the last good version
    assert mutations(lab) == {}
    lab.open()  # after a restart there is none, and so no pass
    assert "first" not in lab.app.source.load().plans
