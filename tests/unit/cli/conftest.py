from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_fakes import FakeApp
from typer.testing import CliRunner

from reconciler.cli import runtime
from reconciler.cli.app import app as commands


class Cli:
    """Runs commands against a fake application."""

    def __init__(self, app: FakeApp) -> None:
        self.app = app

    def __call__(self, *arguments: str) -> Any:
        return CliRunner().invoke(commands, list(arguments), env={"COLUMNS": "80", "TERM": "dumb"})


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    app = FakeApp("web", "api")

    def build(_settings: object, events: Any = None) -> FakeApp:
        app.cycle.sink = events
        return app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runtime, "build", build)
    return Cli(app)
