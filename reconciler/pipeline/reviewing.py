"""One pull request for a plan's branch: opened, kept in line, commented on, closed. What people do to it stands."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from reconciler.model.decision import Decision
from reconciler.model.errors import PipelineError
from reconciler.model.pullrequest import Proposal, PullRequest, unmarked
from reconciler.model.report import BranchInfo
from reconciler.ports import Clock, Forge, Forges

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What pull requests get. ``draft``: until the checklist is green. ``refresh``: seconds for which what was seen of
    a pull request is believed while nothing of ours changes, because services count requests."""

    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    draft: bool = True
    refresh: float = 900.0


class Reviews:
    """The pull requests of all plans. Thread-safe. Whatever fails is a ``problem``: the branch is there anyway."""

    def __init__(self, forges: Forges | None, clock: Clock, options: ReviewOptions) -> None:
        self._forges, self._clock, self._options = forges, clock, options
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], tuple[PullRequest | None, float]] = {}

    def proposed(
        self, address: str, info: BranchInfo, decision: Decision, content: str, news: Sequence[str]
    ) -> BranchInfo:
        """``info`` with its pull request as it should be.

        ``content`` stands for the files; where it has changed, ``news`` is said on the pull request.
        """
        green = all(item.ok for item in decision.checklist.values())
        proposal = Proposal(
            info.branch,
            info.base,
            info.title,
            info.body,
            content=content,
            draft=self._options.draft and not green,
            labels=self._options.labels,
            reviewers=self._options.reviewers,
        )
        try:
            forge = self._forge(address)
            if forge is None:
                return info
            pull, notes = self._in_line(forge, address, proposal, news)
        except PipelineError as error:
            log.warning("pull request not in line", branch=info.branch, error=str(error))
            return replace(info, problem=f"branch {info.branch} is pushed, its pull request isn't in line: {error}")
        return replace(shown(info, pull), notes=(*info.notes, *notes), command="")

    def seen(self, address: str, info: BranchInfo) -> BranchInfo:
        """``info`` with its pull request as it is."""
        try:
            forge = self._forge(address)
            pull = self._newest(forge, address, info.branch) if forge is not None else None
        except PipelineError as error:
            log.info("pull request not seen", branch=info.branch, error=str(error))
            return info
        return shown(info, pull) if pull is not None else info

    def closed(self, address: str, branch: str, why: str) -> PullRequest | None:
        """Close a branch's pull request if it is open, and say why there. Raises PipelineError."""
        forge = self._forge(address)
        if forge is None:
            return None
        pull = forge.newest(branch)
        if pull is not None and pull.state == "open":
            forge.comment(pull.number, why)
            forge.close(pull.number)
            pull = replace(pull, state="closed", body=unmarked(pull.body))
            log.info("pull request closed", branch=branch, number=pull.number)
        self._remember(address, branch, pull)
        return pull

    def _in_line(
        self, forge: Forge, address: str, proposal: Proposal, news: Sequence[str]
    ) -> tuple[PullRequest, Sequence[str]]:
        pull = self._newest(forge, address, proposal.branch, proposal.mark)
        notes: Sequence[str] = ()
        if pull is not None and pull.state == "closed" and pull.content == proposal.content:
            return pull, (
                f"pull request {pull.number} was closed without being merged, so it isn't opened again for the same "
                "change: reopen it, or change or withdraw the plan",
            )
        if pull is None or pull.state != "open":
            pull, notes = forge.open(proposal)
            log.info("pull request opened", branch=proposal.branch, number=pull.number)
        elif pull.mark != proposal.mark:
            former = pull
            pull, notes = forge.update(pull.number, proposal)
            self._remember(address, proposal.branch, pull)
            log.info("pull request updated", branch=proposal.branch, number=pull.number)
            if former.content not in ("", proposal.content):
                forge.comment(pull.number, "\n".join(news))
        self._remember(address, proposal.branch, pull)
        return pull, notes

    def _newest(self, forge: Forge, address: str, branch: str, mark: str = "") -> PullRequest | None:
        """What was seen lately, if it is in line; else what is."""
        with self._lock:
            found = self._seen.get((address, branch))
        recent = found is not None and self._clock.monotonic() - found[1] < self._options.refresh
        if found is not None and recent and (not mark or (found[0] is not None and found[0].mark == mark)):
            return found[0]
        pull = forge.newest(branch)
        self._remember(address, branch, pull)
        return pull

    def _remember(self, address: str, branch: str, pull: PullRequest | None) -> None:
        with self._lock:
            self._seen[address, branch] = (pull, self._clock.monotonic())

    def _forge(self, address: str) -> Forge | None:
        return self._forges.at(address) if self._forges is not None else None


def shown(info: BranchInfo, pull: PullRequest) -> BranchInfo:
    """``info`` with its pull request."""
    review = "draft" if pull.draft and pull.state == "open" else pull.state
    return replace(info, number=pull.number, url=pull.url, review=review)
