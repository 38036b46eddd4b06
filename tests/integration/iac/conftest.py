"""A whole installation for plans that other tools carry out: real settings, wiring, policies, store and Git."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from git import Actor, Repo

from reconciler import wiring
from reconciler.cycle import Preview
from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan
from reconciler.model.report import RunReport
from reconciler.ports import Clock
from reconciler.settings import Settings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import EventLog
from tests.ministack import Ministack
from tests.parts import real_part

ROOT = Path(__file__).resolve().parents[3]
ACCOUNTS = {
    "sandbox": "111111111111",
    "development": "222222222222",
    "staging": "333333333333",
    "production": "444444444444",
}
REGION = "us-east-1"


class Bench:
    """Plans in ``desired``, policies, a bare repository, a store. ``tools``: the configuration's section ``iac``."""

    def __init__(self, directory: Path, endpoint: str, tools: Mapping[str, Any] | None = None) -> None:
        self.directory, self.endpoint, self.tools = directory, endpoint, dict(tools or {})
        self.desired, self.policies = directory / "desired", directory / "policies"
        self.repository = directory / "infrastructure.git"
        self.desired.mkdir()
        shutil.copytree(ROOT / "policies", self.policies)
        with Repo.init(self.repository, bare=True, initial_branch="main") as repo:
            me = Actor("Platform team", "platform@example.com")
            repo.index.commit("chore: begin", author=me, committer=me)
        self.events = EventLog()
        self.app = self.open()

    def open(self, *, clock: Clock | None = None, **more: Any) -> wiring.App:
        """A fresh application over the same state."""
        if hasattr(self, "app"):
            self.app.close()
        self.app = wiring.build(Settings.model_validate(self.settings(**more)), events=self.events, clock=clock)
        return self.app

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "source": {"path": str(self.desired)},
            "policy": {"directory": str(self.policies)},
            "state_dir": str(self.directory / "state"),
            "aws": {
                "endpoint_url": self.endpoint,
                "role_pattern": "arn:aws:iam::{account}:role/reconciler",
                "threads": 2,
            },
            "pipeline": {"repository": str(self.repository)},
            "iac": self.tools,
            **more,
        }

    def plan(self, name: str, environment: str = "sandbox", **spec: Any) -> None:
        """Drop a plan file."""
        document = {
            "apiVersion": "reconciler/v1",
            "kind": "Plan",
            "metadata": {"name": name, "author": "alice@example.com"},
            "spec": {
                "target": {"environment": environment, "account": ACCOUNTS[environment], "region": REGION},
                "guardrail": {"status": "passed", "reference": "https://ci.example.com/1"},
                "rollback": "automatic",
                **spec,
            },
        }
        (self.desired / f"{name}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    def file(self, name: str, content: Any) -> Path:
        """Put a file beside the plans; what is no text is written as YAML."""
        path = self.desired / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    def loaded(self, name: str) -> Plan:
        snapshot = self.app.source.load()
        assert PlanName(name) in snapshot.plans, snapshot.invalid
        return snapshot.plans[PlanName(name)]

    def run(self, name: str, trigger: str = "test") -> RunReport:
        """One pass, as the daemon would make it."""
        plan = self.loaded(name)
        self.app.cycle.recover(plan)
        snapshot = self.app.source.load()
        return self.app.cycle.run(plan, snapshot.approvals.get(plan.name, ()), trigger)

    def preview(self, name: str) -> Preview:
        plan = self.loaded(name)
        snapshot = self.app.source.load()
        return self.app.cycle.preview(plan, snapshot.approvals.get(plan.name, ()))

    def branches(self) -> dict[str, list[str]]:
        """Every branch beside main, and the files on it."""
        found = {}
        with Repo(self.repository) as repo:
            for head in repo.heads:
                if head.name != "main":
                    listed = subprocess.run(
                        ["git", "-C", str(self.repository), "ls-tree", "-r", "--name-only", head.name],
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    found[head.name] = listed.stdout.split()
        return found

    def blob(self, branch: str, path: str) -> str:
        shown = subprocess.run(
            ["git", "-C", str(self.repository), "show", f"{branch}:{path}"], capture_output=True, text=True, check=True
        )
        return shown.stdout


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    running = Ministack(real_part("ministack"), tmp_path_factory.mktemp("ministack") / "log")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def moto() -> Iterator[LocalAws]:
    with LocalAws(warm=["cloudformation"]) as aws:
        yield aws


def _environment(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bench(tmp_path: Path, ministack: Ministack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """On ministack: asynchronous stacks, whole change sets, drift detection."""
    ministack.reset()
    _environment(monkeypatch, ministack.environment())
    made = Bench(tmp_path, ministack.endpoint)
    yield made
    made.app.close()


@pytest.fixture
def moto_bench(tmp_path: Path, moto: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """On moto, which counts every call."""
    moto.reset()
    _environment(monkeypatch, moto.environment())
    made = Bench(tmp_path, moto.endpoint)
    yield made
    made.app.close()
