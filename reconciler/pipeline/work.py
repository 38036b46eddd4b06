"""One publication: what is to be on the branch, and how Git is to be worked with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.change import ChangeSet
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.pipeline import ours
from reconciler.pipeline.credentials import Credentials
from reconciler.pipeline.repository import Author
from reconciler.pipeline.signing import Signing

DEFAULT_AUTHOR = Author("reconciler", "reconciler@localhost")


@dataclass(frozen=True, slots=True)
class Work:
    """Everything about one publication that doesn't depend on the remote's state."""

    changes: ChangeSet
    target: PipelineTarget
    address: str
    base: str
    branch: str
    directory: tuple[str, ...]
    files: Mapping[str, str]  # by name in the directory, or from the root where it begins with a slash

    @property
    def plan(self) -> Plan:
        return self.changes.plan

    @property
    def paths(self) -> Mapping[str, str]:
        """The files by their paths in the repository."""
        return {ours.full(self.directory, name): content for name, content in self.files.items()}

    @property
    def content(self) -> str:
        """A digest of the files."""
        return hashlib.sha256(json.dumps(sorted(self.paths.items())).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class GitOptions:
    """How Git is worked with. ``author``: whose commits are ours, with our trailer: no others are ever replaced.

    ``timeout``: seconds for each Git command. ``attempts``: how often a lost race for a branch is run again.
    ``freshness``: for how many seconds a look at a remote is shared by plans that turn out unchanged. ``collect``:
    whether branches that have done their work are deleted, if all commits on them are ours.
    """

    author: Author = DEFAULT_AUTHOR
    timeout: float = 120.0
    attempts: int = 4
    freshness: float = 0.0
    collect: bool = True
    credentials: Credentials = Credentials()
    signing: Signing | None = None
