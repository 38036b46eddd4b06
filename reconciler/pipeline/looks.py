"""What a look at a remote showed, shared for a moment by the plans of one pass over all, and what followed from it.

A look that isn't new may show that nothing has to be done. It never leads to a push: that takes another look.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.pipeline.repository import Repository
from reconciler.ports import Clock

#: How many findings are remembered; one a plan is enough.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Look:
    """The remote's branches. ``fresh``: as they are now, not a moment ago."""

    heads: Mapping[str, str]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a change stands given the commits of base and branch: true for ever, because commits don't change."""

    commit: str
    state: str


class Looks:
    """Looks at remotes and findings about them. Thread-safe."""

    def __init__(self, clock: Clock, freshness: float) -> None:
        """``freshness``: for how many seconds a look is shared."""
        self._clock, self._freshness = clock, freshness
        self._lock = threading.Lock()
        self._seen: dict[Repository, tuple[Mapping[str, str], float]] = {}
        self._findings: OrderedDict[tuple[str, ...], Finding] = OrderedDict()

    def at(self, repository: Repository, *, fresh: bool) -> Look:
        """A look, shared if it may be. Raises PipelineError when the remote can't be reached."""
        with self._lock:
            found = self._seen.get(repository)
        if not fresh and found is not None and self._clock.monotonic() - found[1] < self._freshness:
            return Look(found[0], fresh=False)
        begun = self._clock.monotonic()  # before it: what is seen is at least that new
        heads = repository.heads()
        with self._lock:
            self._seen[repository] = (heads, begun)
        return Look(heads, fresh=True)

    def moved(self, repository: Repository, branch: str, commit: str | None) -> None:
        """We have just set a branch, or deleted it."""
        with self._lock:
            if repository in self._seen:
                heads, at = self._seen[repository]
                kept = {name: sha for name, sha in heads.items() if name != branch}
                self._seen[repository] = ({**kept, branch: commit} if commit else kept, at)

    def finding(self, *key: str) -> Finding | None:
        """What was found before about the same commits and files."""
        with self._lock:
            return self._findings.get(key)

    def found(self, finding: Finding, *key: str) -> Finding:
        """Remember a finding."""
        with self._lock:
            self._findings[key] = finding
            while len(self._findings) > _MOST:
                self._findings.popitem(last=False)
        return finding
