"""The Git source against real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.source import GitSource
from reconciler.testing.memory import FakeClock

PLAN = """\
apiVersion: reconciler/v1
kind: Plan
metadata: {name: dev-web, author: alice@example.com}
spec:
  target: {environment: development, account: "123456789012", region: eu-central-1}
  guardrail: {status: passed}
  rollback: automatic
  resources: {Queue: {Type: AWS::SQS::Queue}}
"""


class Remote:
    """A bare repository, and a working copy that pushes to it."""

    def __init__(self, root: Path) -> None:
        self.url = str(root / "remote.git")
        self.work = root / "work"
        self.run("init", "-q", "--bare", "-b", "main", self.url, at=root)
        self.run("init", "-q", "-b", "main", str(self.work), at=root)
        self.run("remote", "add", "origin", self.url)

    def run(self, *command: str, at: Path | None = None) -> str:
        settings = ["user.name=Alice", "user.email=alice@example.com", "gpg.format=ssh"]
        options = [part for setting in settings for part in ("-c", setting)]
        done = subprocess.run(
            ["git", *options, *command], cwd=at or self.work, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    def push(self, *options: str, **files: str | None) -> str:
        for name, content in files.items():
            path = self.work / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if content is None else path.write_text(content)
        self.run("add", "-A")
        self.run(*(part for option in options for part in ("-c", option)), "commit", "-q", "--allow-empty", "-m", "x")
        self.run("push", "-q", "--force", "origin", "main")
        return self.run("rev-parse", "HEAD")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


def git_source(remote: Remote, tmp_path: Path, **options: Any) -> GitSource:
    given: dict[str, Any] = {"allowed_signers": None, "clock": FakeClock(), "cache": tmp_path / "cache", **options}
    return GitSource(given.pop("url", remote.url), "main", tmp_path / "checkout", **given)


def test_plans_follow_the_branch(remote: Remote, tmp_path: Path) -> None:
    first = remote.push(**{"web.yaml": PLAN})
    source = git_source(remote, tmp_path)
    snapshot = source.load()
    assert (snapshot.healthy, snapshot.revision) == (True, first)
    assert snapshot.plans["dev-web"].origin.revision == first
    second = remote.push(**{"web.yaml": PLAN.replace("automatic", "manual"), "b.yaml": PLAN.replace("dev-web", "b")})
    snapshot = source.load()
    assert snapshot.revision == second
    assert snapshot.plans["dev-web"].rollback.mode == "manual"
    assert set(snapshot.plans) == {"dev-web", "b"}
    remote.push(**{"b.yaml": None})
    assert set(source.load().plans) == {"dev-web"}


def test_only_the_subdirectory_counts(remote: Remote, tmp_path: Path) -> None:
    remote.push(desired__web=PLAN, **{"desired/web.yaml": PLAN, "other.yaml": "x: y: z"})
    snapshot = git_source(remote, tmp_path, subdirectory="desired").load()
    assert (set(snapshot.plans), dict(snapshot.invalid)) == ({"dev-web"}, {})


def test_a_rewritten_branch_and_a_dirty_checkout(remote: Remote, tmp_path: Path) -> None:
    remote.push(**{"web.yaml": PLAN})
    source = git_source(remote, tmp_path)
    source.load()
    (tmp_path / "checkout" / "web.yaml").write_text("tampered")
    (tmp_path / "checkout" / "stray.yaml").write_text(PLAN.replace("dev-web", "stray"))
    remote.run("checkout", "-q", "--orphan", "again")
    remote.run("branch", "-q", "-D", "main")
    remote.run("branch", "-q", "-m", "main")
    head = remote.push(**{"web.yaml": PLAN.replace("automatic", "manual")})
    snapshot = source.load()
    assert (snapshot.revision, set(snapshot.plans)) == (head, {"dev-web"})
    assert snapshot.plans["dev-web"].rollback.mode == "manual"


def test_a_remote_that_is_gone_keeps_the_last_snapshot(remote: Remote, tmp_path: Path) -> None:
    head = remote.push(**{"web.yaml": PLAN})
    source = git_source(remote, tmp_path)
    before = source.load()
    Path(remote.url).rename(tmp_path / "moved.git")
    after = source.load()
    assert (after.healthy, after.plans, after.revision) == (False, before.plans, head)
    assert after.problem.startswith("Git: ")
    (tmp_path / "moved.git").rename(remote.url)
    assert source.load().healthy


def test_after_a_restart_the_checkout_serves_while_the_remote_is_gone(remote: Remote, tmp_path: Path) -> None:
    head = remote.push(**{"web.yaml": PLAN})
    git_source(remote, tmp_path).load()
    Path(remote.url).rename(tmp_path / "moved.git")
    snapshot = git_source(remote, tmp_path).load()
    assert (snapshot.healthy, snapshot.revision, set(snapshot.plans)) == (False, head, {"dev-web"})


def test_an_emptied_branch_keeps_the_last_snapshot(remote: Remote, tmp_path: Path) -> None:
    remote.push(**{"web.yaml": PLAN})
    source = git_source(remote, tmp_path)
    source.load()
    remote.push(**{"web.yaml": None})
    snapshot = source.load()
    assert (snapshot.healthy, set(snapshot.plans)) == (False, {"dev-web"})


@pytest.mark.parametrize("url", ["ext::sh -c touch% pwned", "--upload-pack=touch pwned", "fd::17"])
def test_urls_that_are_commands_are_refused(remote: Remote, tmp_path: Path, url: str) -> None:
    snapshot = git_source(remote, tmp_path, url=url).load()
    assert (snapshot.healthy, dict(snapshot.plans)) == (False, {})
    assert "not a plain Git URL" in snapshot.problem
    assert not list(tmp_path.rglob("pwned"))


def test_credentials_in_the_url_are_not_told(remote: Remote, tmp_path: Path) -> None:
    snapshot = git_source(remote, tmp_path, url="https://me:hunter2@127.0.0.1:9/x.git").load()
    assert not snapshot.healthy
    assert "hunter2" not in snapshot.problem


def test_a_directory_that_is_someone_elses_is_left_alone(remote: Remote, tmp_path: Path) -> None:
    remote.push(**{"web.yaml": PLAN})
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "precious.txt").write_text("mine")
    snapshot = git_source(remote, tmp_path).load()
    assert not snapshot.healthy
    assert [path.name for path in (tmp_path / "checkout").iterdir()] == ["precious.txt"]


def test_hooks_in_the_checkout_do_not_run(remote: Remote, tmp_path: Path) -> None:
    remote.push(**{"web.yaml": PLAN})
    source = git_source(remote, tmp_path)
    source.load()
    hook = tmp_path / "checkout" / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    hook.chmod(0o755)
    remote.push(**{"b.yaml": PLAN.replace("dev-web", "b")})
    assert set(source.load().plans) == {"dev-web", "b"}
    assert not (tmp_path / "pwned").exists()


class TestSignedCommits:
    @pytest.fixture
    def key(self, tmp_path: Path) -> Path:
        path = tmp_path / "alice"
        made = subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", str(path)],
            capture_output=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        (tmp_path / "allowed").write_text(f'alice@example.com namespaces="git" {path.with_suffix(".pub").read_text()}')
        return path

    def signing(self, key: Path) -> tuple[str, ...]:
        return f"user.signingkey={key}", "commit.gpgsign=true"

    def test_a_signed_head_counts_and_an_unsigned_one_does_not(self, remote: Remote, tmp_path: Path, key: Path) -> None:
        signed = remote.push(*self.signing(key), **{"web.yaml": PLAN})
        source = git_source(remote, tmp_path, require_signed=True, allowed_signers=tmp_path / "allowed")
        snapshot = source.load()
        assert (snapshot.healthy, snapshot.revision) == (True, signed), snapshot.problem
        remote.push(**{"web.yaml": PLAN.replace("automatic", "manual")})
        snapshot = source.load()
        assert (snapshot.healthy, snapshot.revision) == (False, signed)
        assert "is not signed" in snapshot.problem
        assert snapshot.plans["dev-web"].rollback.mode == "automatic"

    def test_a_stranger_does_not_count(self, remote: Remote, tmp_path: Path, key: Path) -> None:
        remote.push(*self.signing(key), **{"web.yaml": PLAN})
        (tmp_path / "allowed").write_text("# nobody\n")
        source = git_source(remote, tmp_path, require_signed=True, allowed_signers=tmp_path / "allowed")
        snapshot = source.load()
        assert (snapshot.healthy, dict(snapshot.plans)) == (False, {})
        assert "is not in allowed_signers" in snapshot.problem
