"""What renderers produce, and how a message names the place that can't be rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.model.errors import PipelineError


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file of the rendered state; ``path`` is relative to the plan's directory in the repository."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: ``Vpc/Tags/0/Value``. ``schema_path`` has ``*`` for array items."""

    root: str
    path: tuple[str, ...] = ()
    schema_path: tuple[str, ...] = ()

    def key(self, name: str) -> Place:
        """The place of a member of the mapping here."""
        return Place(self.root, (*self.path, name), (*self.schema_path, name))

    def item(self, index: int) -> Place:
        """The place of an item of the list here."""
        return Place(self.root, (*self.path, str(index)), (*self.schema_path, "*"))

    def __str__(self) -> str:
        return "/".join((self.root, *self.path))

    def refuse(self, why: str) -> PipelineError:
        """An error that says what can't be rendered here, for the caller to raise."""
        error = PipelineError(f"{self}: {why}")
        error.retryable = False
        return error


def is_list(value: Any) -> bool:
    """Whether a value is a JSON array."""
    return isinstance(value, list | tuple)
