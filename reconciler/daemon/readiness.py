"""Whether the daemon can do its work, check by check: what ``/readyz`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Readiness:
    """``checks`` maps a check to what is wrong; an empty text means that it passed."""

    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether every check passed."""
        return not any(self.checks.values())
