"""Orders for the zygote, and what must hold whenever a process was killed and another one has come."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from reconciler.testing.localaws import LocalAws
from tests.crash.plans import ACCOUNT, Resources, plan_text
from tests.world import World, counts, world_of

ROOT = Path(__file__).resolve().parents[2]


class Crashes:
    """Makes passes in processes that die. One instance serves many cases; each begins with ``fresh``."""

    def __init__(self, directory: Path, aws: LocalAws) -> None:
        self._directory, self._aws = directory, aws
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
        self._aws.reset()
        self._cases += 1
        case = self._directory / f"case-{self._cases}"
        shutil.rmtree(self._directory / f"case-{self._cases - 1}", ignore_errors=True)
        (case / "desired").mkdir(parents=True)
        (case / "state").mkdir()
        (case / "state" / "lint").symlink_to(self._lint)
        self._case = case

    def write(self, resources: Resources, **spec: Any) -> None:
        """Put this content of the plan in place."""
        (self._case / "desired" / "estate.yaml").write_text(plan_text(resources, **spec))

    def passes(self, number: int = 1, *, at: int = 0, after: float | None = None) -> dict[str, Any]:
        """Make passes in a new process; it dies at boundary ``at`` or ``after`` so many seconds."""
        order = {
            "settings": self._settings(),
            "result": str(self._case / "result.json"),
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

    def world(self) -> World:
        """What is in the account."""
        return world_of(self._aws, ACCOUNT)

    def recovered(self, expected: dict[str, int], names: list[str]) -> None:
        """A new process brings the world to the plan by itself: nothing twice, nothing forgotten, nothing to do."""
        ended = self.passes(6)
        assert ended.get("states", [""])[-1] == "in_sync", ended
        assert ended["open"] == 0, ended
        assert ended["records"] == sorted(names), ended
        assert counts(self.world()) == expected, ended
        self._aws.reset_calls()
        again = self.passes(1)
        assert again["states"] == ["in_sync"], again
        assert not self._aws.mutations(), self._aws.mutations()

    def _settings(self) -> dict[str, Any]:
        return {
            "source": {"path": str(self._case / "desired")},
            "policy": {"directory": str(ROOT / "policies")},
            "state_dir": str(self._case / "state"),
            "aws": {
                "endpoint_url": self._aws.endpoint,
                "role_pattern": "arn:aws:iam::{account}:role/reconciler",
                "threads": 4,
            },
        }
