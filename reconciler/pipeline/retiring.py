"""What becomes of a branch that has done its work: its pull request is closed; if it was only ours, it is deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from reconciler.model.errors import PipelineError
from reconciler.model.ids import PlanName
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.model.pullrequest import PullRequest
from reconciler.model.report import BranchInfo
from reconciler.pipeline import refs
from reconciler.pipeline.looks import Looks
from reconciler.pipeline.repository import Commit, PushRejected, Repository
from reconciler.pipeline.reviewing import Reviews

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retired:
    """What was found and done. ``merged``: the base holds it. ``problem``: why it has to be tried again."""

    branch: str
    commit: str = ""
    pull: PullRequest | None = None
    merged: bool = False
    deleted: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Retiring:
    """Retires branches. ``made``: whether a commit was made by us for a plan. ``collect``: whether to delete any."""

    looks: Looks
    reviews: Reviews
    made: Callable[[Commit, PlanName], bool]
    collect: bool

    def of(
        self,
        repository: Repository,
        address: str,
        plan: Plan,
        target: PipelineTarget,
        word: str,
        heads: Mapping[str, str],
        why: str,
        known: BranchInfo | None = None,
    ) -> Retired | None:
        """As ``branch``, of the branch that a plan has for an action (``refs.ACTIONS``); ``known``: from its status."""
        name, base = refs.branch_name(target.branch, plan, word), refs.base_name(target.base, plan)
        directory = refs.directory(target.path, plan, word)
        former = known.commit if known is not None and known.branch == name else ""
        return self.branch(repository, address, plan.name, base, name, directory, heads, why, former)

    def branch(
        self,
        repository: Repository,
        address: str,
        plan: PlanName,
        base: str,
        name: str,
        directory: Sequence[str],
        heads: Mapping[str, str],
        why: str,
        former: str = "",
    ) -> Retired | None:
        """Retire a branch; None if there is none, or it is somebody else's. Raises PipelineError.

        ``former``: the commit that it was last known to be at, if it was known.
        """
        if name == base or base not in heads:
            return None
        if name not in heads:
            pull = self.reviews.closed(address, name, why)
            merged = (pull is not None and pull.state == "merged") or _taken(repository, base, directory, former)
            return Retired(name, former, pull, merged, deleted=True) if merged else None
        repository.fetch(base, name)
        onto, head = repository.resolve(), repository.resolve(branch=True)
        beyond = self._beyond(repository, plan, base, onto, head)
        if not self.made(beyond[0] if beyond else repository.describe(head), plan):
            return None
        merged = not beyond or repository.entries(onto, directory) == repository.entries(head, directory)
        try:
            pull = self.reviews.closed(address, name, why)
        except PipelineError as error:
            return Retired(name, head, merged=merged, problem=f"the pull request of {name} can't be closed: {error}")
        merged = merged or (pull is not None and pull.state == "merged")
        ours = all(self.made(commit, plan) for commit in beyond)
        return Retired(name, head, pull, merged, self.collect and ours and self._deleted(repository, name, head))

    def _beyond(self, repository: Repository, plan: PlanName, base: str, onto: str, head: str) -> Sequence[Commit]:
        """The branch's own commits; where that can't be told from the history at hand, from all of it."""
        beyond = repository.commits(onto, head)
        doubtful = repository.cut_off(beyond) or not all(self.made(commit, plan) for commit in beyond)
        if doubtful and repository.deepen(base):
            beyond = repository.commits(onto, head)
        return beyond

    def _deleted(self, repository: Repository, name: str, head: str) -> bool:
        try:
            repository.delete(name, head)
        except PushRejected:
            return False  # somebody works on it: it is looked at again
        self.looks.moved(repository, name, None)
        log.info("branch deleted", branch=name, commit=head)
        return True


def _taken(repository: Repository, base: str, directory: Sequence[str], commit: str) -> bool:
    """Whether the base holds what a commit of ours, which was on a branch that is gone, had in the plan's directory."""
    if not commit or not repository.holds(commit):
        return False
    repository.fetch(base, None)
    return repository.entries(repository.resolve(), directory) == repository.entries(commit, directory)
