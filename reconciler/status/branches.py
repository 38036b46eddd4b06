"""How a pipeline change goes on from pass to pass: open, merged, deployed; drifted once it was; obsolete. Pure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.plan import Plan
from reconciler.model.report import BranchInfo, PlanState, PlanStatus

_LIVE = ("deployed", "drifted")


def progressed(branch: BranchInfo, plan: Plan, previous: PlanStatus | None) -> BranchInfo:
    """A branch that a change was just published on. One that is merged was perhaps deployed before, by ``previous``."""
    if branch.state != "merged" or previous is None:
        return branch
    if (previous.digest, previous.rolling_back) != (plan.digest, plan.rolling_back):
        return branch  # what was deployed is another content
    known = previous.branch
    if known is not None and known.branch == branch.branch and not branch.number:
        branch = replace(branch, number=known.number, url=known.url, review=known.review)
    was_live = known.state in _LIVE if known is not None else previous.state is PlanState.IN_SYNC
    return replace(branch, state="drifted") if was_live else branch


def arrived(found: BranchInfo | None, known: BranchInfo | None) -> BranchInfo | None:
    """A branch whose change is gone, from what the pipeline ``found`` of it and what was ``known``."""
    if found is not None and found.problem:
        return found
    if known is None:
        return found
    state = found.state if found is not None else "obsolete"
    if known.state in ("merged", "drifted"):
        state = "deployed"  # live equals desired, and the base holds desired
    if found is None:
        return replace(known, state=state, command="", problem="")
    kept = found if found.number else replace(found, number=known.number, url=known.url, review=known.review)
    return replace(kept, state=state, title=known.title, files=known.files)


def is_underway(branch: BranchInfo | None) -> bool:
    """Whether a branch has work to do, so that its end has to be looked for."""
    return branch is not None and branch.state in ("open", "merged", "drifted")


def published(changes: int, branch: BranchInfo) -> str:
    """Where a change stands, in one line."""
    counted = f"{changes} change{'s' * (changes != 1)}"
    if branch.state == "drifted":
        return (
            f"{counted} against what {branch.base} holds and was deployed: live state was changed since, deploy again"
        )
    if branch.state == "merged":
        return f"{counted} merged on {branch.base}, to be deployed"
    place = f"{branch.branch} ({branch.url})" if branch.url and branch.review != "closed" else branch.branch
    closed = ", whose pull request was closed" if branch.review == "closed" else ""
    return f"{counted} on branch {place}{closed}, to be reviewed and deployed"
