"""Passes in processes that die: orders for the zygote, and a directory of its own for each case."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]


class World(Protocol):
    """The local AWS that the processes work in."""

    @property
    def endpoint(self) -> str: ...

    def environment(self) -> Mapping[str, str]: ...

    def reset(self) -> None: ...


class Dying:
    """Makes passes in processes that die. One instance serves many cases; each begins with ``fresh``."""

    def __init__(self, directory: Path, aws: World, threads: int) -> None:
        self._directory, self._world, self._threads = directory, aws, threads
        self._lint = directory / "lint"
        self._lint.mkdir()
        self._cases = 0
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote"],
            cwd=ROOT,
            env={**os.environ, **aws.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """No more orders."""
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        self._zygote.wait(30)

    def fresh(self) -> None:
        """An empty world, and an empty store."""
        self._world.reset()
        self._cases += 1
        self.case = self._directory / f"case-{self._cases}"
        shutil.rmtree(self._directory / f"case-{self._cases - 1}", ignore_errors=True)
        (self.case / "desired").mkdir(parents=True)
        (self.case / "state").mkdir()
        (self.case / "state" / "lint").symlink_to(self._lint)

    def passes(self, number: int = 1, *, at: int = 0, after: float | None = None) -> dict[str, Any]:
        """Make passes in a new process; it dies at boundary ``at`` or ``after`` so many seconds."""
        order = {
            "settings": self._settings(),
            "result": str(self.case / "result.json"),
            "passes": number,
            "at": at,
            "after": after,
        }
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return answer

    def _settings(self) -> dict[str, Any]:
        return {
            "source": {"path": str(self.case / "desired")},
            "policy": {"directory": str(ROOT / "policies")},
            "state_dir": str(self.case / "state"),
            "aws": {
                "endpoint_url": self._world.endpoint,
                "role_pattern": "arn:aws:iam::{account}:role/reconciler",
                "threads": self._threads,
            },
        }
