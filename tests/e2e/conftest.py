"""The real thing over a local AWS: settings, wiring, source, policies, providers, store and Git as in production."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from git import Actor, Repo

from reconciler import wiring
from reconciler.model.ids import PlanName
from reconciler.model.report import RunReport
from reconciler.settings import Settings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import EventLog

SANDBOX, DEVELOPMENT, STAGING, PRODUCTION = "111111111111", "222222222222", "333333333333", "444444444444"
ROOT = Path(__file__).resolve().parents[2]
ESTATE = Path(__file__).with_name("estate.yaml")


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


class Lab:
    """One installation: plans in ``desired``, policies, a bare repository, a store; as many applications as wanted."""

    def __init__(self, directory: Path, aws: LocalAws) -> None:
        self.directory, self.aws = directory, aws
        self.desired, self.policies = directory / "desired", directory / "policies"
        self.repository = directory / "infrastructure.git"
        self.desired.mkdir()
        shutil.copytree(ROOT / "policies", self.policies)
        with Repo.init(self.repository, bare=True, initial_branch="main") as repo:
            me = Actor("Platform team", "platform@example.com")
            repo.index.commit("chore: begin", author=me, committer=me)
        self.events = EventLog()
        self._apps: list[wiring.App] = []
        self.app = self.open()

    def settings(self, **more: Any) -> Settings:
        return Settings.model_validate(
            {
                "source": {"path": self.desired},
                "policy": {"directory": self.policies},
                "state_dir": self.directory / "state",
                "aws": {
                    "endpoint_url": self.aws.endpoint,
                    "role_pattern": "arn:aws:iam::{account}:role/reconciler",
                    "threads": 8,
                },
                "pipeline": {"repository": str(self.repository), "freshness": "0s"},
                "http": {"port": 0, "token": "test"},
                **more,
            }
        )

    def open(self, **more: Any) -> wiring.App:
        """A fresh application over the same state."""
        self.app = wiring.build(self.settings(**more), events=self.events)
        self._apps.append(self.app)
        return self.app

    def write(self, text: str, name: str = "plan.yaml") -> Path:
        """Drop a plan file."""
        path = self.desired / name
        path.write_text(text)
        return path

    def run(self, plan: str) -> RunReport:
        """One pass, as the daemon would make it."""
        snapshot = self.app.source.load()
        name = PlanName(plan)
        assert name in snapshot.plans, snapshot.invalid
        return self.app.cycle.run(snapshot.plans[name], tuple(snapshot.approvals.get(name, ())), "test")

    def preview(self, plan: str) -> Any:
        """What a pass would do."""
        snapshot = self.app.source.load()
        name = PlanName(plan)
        return self.app.cycle.preview(snapshot.plans[name], tuple(snapshot.approvals.get(name, ())))

    def close(self) -> None:
        for app in self._apps:
            app.close()


@pytest.fixture
def lab(tmp_path: Path, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    local_aws.reset()
    local_aws.reset_calls()
    for key, value in local_aws.environment().items():
        monkeypatch.setenv(key, value)
    made = Lab(tmp_path, local_aws)
    yield made
    made.close()
