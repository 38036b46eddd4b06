"""What must hold whenever a process was killed and another one has come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.testing.localaws import LocalAws
from tests.crash.dying import Dying
from tests.crash.plans import ACCOUNT, Resources, plan_text
from tests.world import World, counts, world_of


class Crashes(Dying):
    """Passes over one plan of resources."""

    def __init__(self, directory: Path, aws: LocalAws) -> None:
        super().__init__(directory, aws, threads=4)
        self._aws = aws

    def write(self, resources: Resources, **spec: Any) -> None:
        """Put this content of the plan in place."""
        (self.case / "desired" / "estate.yaml").write_text(plan_text(resources, **spec))

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
