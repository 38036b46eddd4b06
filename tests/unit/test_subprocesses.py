"""Programs that we start don't see AWS credentials, nor what our own settings hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.model.errors import PipelineError, PolicyUnavailable
from reconciler.pipeline.repository import Repository
from reconciler.policy.binary import check_strictly
from reconciler.source import GitSource
from reconciler.subprocesses import environment, withhold, without_secrets
from reconciler.testing.memory import FakeClock

HELD = {
    "AWS_ACCESS_KEY_ID": "canary-1",
    "AWS_SECRET_ACCESS_KEY": "canary-2",
    "AWS_SESSION_TOKEN": "canary-3",
    "AWS_PROFILE": "canary-4",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "canary-5",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary-6",
    "RECONCILER_HTTP__TOKEN": "canary-7",
}


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HELD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEPT", "kept")


@pytest.fixture
def spy(tmp_path: Path) -> tuple[Path, Path]:
    """A program that writes down its environment and fails, and where it writes."""
    seen, program = tmp_path / "seen", tmp_path / "spy"
    program.write_text(f"#!/bin/sh\nenv >> {seen}\nexit 1\n")
    program.chmod(0o755)
    return program, seen


def test_an_environment_without_credentials() -> None:
    assert environment()["KEPT"] == "kept"
    assert not set(environment()) & set(HELD)
    assert environment({"AWS_PROFILE": "x", "LANG": "C"}) == {"LANG": "C"}


def test_a_command_that_unsets_them() -> None:
    told = subprocess.run(without_secrets(["env"]), capture_output=True, text=True, check=True).stdout
    assert "KEPT=kept" in told
    assert "canary" not in told
    assert "canary" not in " ".join(without_secrets(["env"]))  # names alone are in the process table


def test_a_command_stays_as_it_is_where_there_is_nothing_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"KEPT": "kept"})
    assert without_secrets(["git", "status"]) == ["git", "status"]


def check(seen: Path) -> None:
    text = seen.read_text()
    assert "KEPT=kept" in text
    assert "canary" not in text


def test_git_of_the_source_and_what_it_starts(
    spy: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, seen = spy
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    source = GitSource(
        "ssh://git@host.invalid/plans.git", "main", tmp_path / "checkout", allowed_signers=None, clock=FakeClock()
    )
    assert not source.load().healthy
    check(seen)


def test_git_of_the_pipeline_and_what_it_starts(
    spy: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, seen = spy
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    repository = Repository("ssh://git@host.invalid/iac.git", tmp_path / "cache", 20)
    with repository.exclusively(), pytest.raises(PipelineError, match="failed"):
        repository.heads()
    check(seen)


def test_a_machine_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(tmp_path))
    repository = Repository("ssh://git@host.invalid/iac.git", tmp_path / "cache", 20)
    with repository.exclusively(), pytest.raises(PipelineError, match="git isn't installed"):
        repository.heads()


def test_the_opa_command(spy: tuple[Path, Path], tmp_path: Path) -> None:
    program, seen = spy
    with pytest.raises(PolicyUnavailable):
        check_strictly(program, tmp_path)
    check(seen)


def test_a_variable_that_the_configuration_calls_a_token_is_withheld_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.subprocesses._named", set())
    monkeypatch.setenv("INFRA_TOKEN", "canary-8")
    assert "INFRA_TOKEN" in environment()
    withhold("INFRA_TOKEN")
    assert "INFRA_TOKEN" not in environment()
    assert "INFRA_TOKEN" in without_secrets(["git"])
