"""A request to merge a branch on a hosting service (a pull request on GitHub, a merge request on GitLab)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

_MARK = re.compile(r"<!-- reconciler: ([0-9a-f]{16}) ([0-9a-f]*) -->")


def unmarked(body: str) -> str:
    """``body`` without our mark: the same change may be proposed again, as it may not after people closed it."""
    return _MARK.sub("", body).rstrip() + "\n"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a pull request is to say.

    ``content``: a digest of what the branch holds, in hexadecimal digits. ``reviewers``: user names, or ``team:NAME``
    where the service has teams.
    """

    branch: str
    base: str
    title: str
    body: str
    content: str = ""
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What is the same for the same proposal, and only then."""
        parts = (self.base, self.title, self.body, self.draft, self.labels, self.reviewers)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def marked_body(self) -> str:
        """The body with the mark in a comment that nobody sees: what people edit is left alone until we change ours."""
        return f"{self.body.rstrip()}\n\n<!-- reconciler: {self.mark} {self.content} -->\n"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the service has it. ``state``: open, merged or closed."""

    number: int
    url: str
    state: str
    draft: bool = False
    body: str = ""

    @property
    def mark(self) -> str:
        """The mark of the proposal that it was last brought in line with; empty if it isn't ours, or was rewritten."""
        return self._marks()[0]

    @property
    def content(self) -> str:
        """The digest of what the branch held then."""
        return self._marks()[1]

    def _marks(self) -> tuple[str, str]:
        found = _MARK.findall(self.body)
        return found[-1] if found else ("", "")
