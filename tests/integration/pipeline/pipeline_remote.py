"""Real bare repositories and a small wrapper around the git command line, independent of the code under test."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

from reconciler.pipeline import Author

US = Author("Reconciler", "reconciler@example.com")


class FixedClock:
    """Time that stands still unless it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(0)


class Remote:
    """A bare repository with a main branch, and people who push to it."""

    def __init__(self, root: Path) -> None:
        self.path = root / "infra.git"
        self.work = root / "people"
        git(root, "init", "-q", "--bare", "-b", "main", str(self.path))
        git(root, "clone", "-q", str(self.path), str(self.work))
        git(self.work, "checkout", "-q", "-B", "main")
        self.push("main", {"README.md": "infrastructure\n", "infrastructure/prod-web/backend.tf": "# by hand\n"})

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def push(self, branch: str, files: dict[str, str], *, author: str = "Eve <eve@example.com>") -> str:
        """Somebody commits on a branch as it is on the remote and pushes."""
        git(self.work, "fetch", "-q", "origin")
        if branch in self.heads():
            git(self.work, "checkout", "-q", "-B", branch, f"origin/{branch}")
        for name, content in files.items():
            file = self.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            git(self.work, "add", name)
        git(self.work, "commit", "-q", "-m", "By hand", "--author", author)
        git(self.work, "push", "-q", "origin", f"HEAD:{branch}")
        return git(self.work, "rev-parse", "HEAD")

    def merge(self, branch: str, *, squash: bool = False) -> None:
        git(self.work, "fetch", "-q", "origin")
        git(self.work, "checkout", "-q", "-B", "main", "origin/main")
        git(self.work, "merge", "-q", *(["--squash"] if squash else ["--no-ff", "-m", "Merge"]), f"origin/{branch}")
        if squash:
            git(self.work, "commit", "-q", "-m", "Squashed")
        git(self.work, "push", "-q", "origin", "main")

    def heads(self) -> dict[str, str]:
        lines = git(self.path, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        return dict(line.split(" ") for line in lines)

    def log(self, selection: str) -> list[str]:
        return git(self.path, "log", "--format=%H", selection).splitlines()

    def show(self, revision: str, path: str) -> str:
        return git(self.path, "show", f"{revision}:{path}")

    def files(self, revision: str) -> list[str]:
        return git(self.path, "ls-tree", "-r", "--name-only", revision).splitlines()

    def message(self, revision: str) -> str:
        return git(self.path, "log", "-1", "--format=%B", revision)


def git(where: Path, *arguments: str) -> str:
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_COMMITTER_NAME": "Eve",
        "GIT_COMMITTER_EMAIL": "eve@example.com",
        "GIT_AUTHOR_NAME": "Eve",
        "GIT_AUTHOR_EMAIL": "eve@example.com",
    }
    done = subprocess.run(["git", *arguments], cwd=where, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")
