"""One branch and one pull request for a plan's change, however often it is published."""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import structlog

from reconciler.model.change import Action, ChangeSet
from reconciler.model.decision import Decision
from reconciler.model.errors import PipelineError
from reconciler.model.ids import PlanName
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.model.report import BranchInfo
from reconciler.pipeline import message, ours, refs, sources, workflow
from reconciler.pipeline.describing import described
from reconciler.pipeline.files import RenderedFile
from reconciler.pipeline.looks import Finding, Look, Looks
from reconciler.pipeline.rendering import render
from reconciler.pipeline.repository import Commit, PushRejected, Repository
from reconciler.pipeline.retiring import Retired, Retiring
from reconciler.pipeline.reviewing import ReviewOptions, Reviews, shown
from reconciler.pipeline.variables import refuse_secrets
from reconciler.pipeline.work import GitOptions, Work
from reconciler.ports import Clock, Forges

log = structlog.get_logger(__name__)

#: What only helps a first deployment: how resources that exist already are taken over.
_BOOTSTRAP = ("imports.tf", "imports.json")
#: Before a lost race is run again: doubled each time. Seconds.
_PAUSE = 0.1
#: What is told of a branch whose plan is gone.
WITHDRAWN = "the plan was withdrawn"


class GitPipeline:
    """Implements ports.Pipeline with Git, and a forge for the pull requests where there is one.

    ``cache_dir`` holds bare clones and the texts of pull requests. ``default`` is where plans without a pipeline of
    their own go.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        clock: Clock,
        default: PipelineTarget | None = None,
        options: GitOptions | None = None,
        forges: Forges | None = None,
        review: ReviewOptions | None = None,
    ) -> None:
        self._cache_dir, self._clock, self._default = cache_dir.resolve(), clock, default
        self._options = options or GitOptions()
        self._looks = Looks(clock, self._options.freshness)
        self._reviews = Reviews(forges, clock, review or ReviewOptions())
        self._retiring = Retiring(self._looks, self._reviews, self._made, self._options.collect)
        self._repositories: dict[str, Repository] = {}
        self._lock = threading.Lock()

    def publish(self, changes: ChangeSet, decision: Decision) -> BranchInfo:
        """As in ports.Pipeline. A base that moved: our commits are made anew on it.

        Raises PipelineError when something can't be rendered or reached, or when the branch holds someone else's work.
        """
        work = self._work(changes)
        text = message.commit_message(changes)
        refuse_secrets(changes, [("the commit message", text)])
        repository = self._repository(work.address)
        with repository.exclusively():
            finding, heads = self._settled(repository, work, text)
            notes, problem = self._tidied(repository, work, finding, heads)
        info = described(self._cache_dir, work, decision, finding, notes)
        log.info("branch published", plan=work.plan.name, branch=info.branch, commit=info.commit, state=info.state)
        if finding.state != "open":
            return replace(self._reviews.seen(work.address, info), problem=problem)
        news = message.news(changes, finding.commit)
        info = self._reviews.proposed(work.address, info, decision, work.content, news)
        return replace(info, problem=info.problem or problem)

    def retire(self, plan: Plan, known: BranchInfo | None = None) -> BranchInfo | None:
        """As in ports.Pipeline."""
        target = plan.pipeline or self._default
        if target is None:
            return None
        address, base = refs.repository_address(target.repository), refs.base_name(target.base, plan)
        repository = self._repository(address)
        with repository.exclusively():
            heads = self._looks.at(repository, fresh=True).heads
            retired = [
                self._retiring.of(repository, address, plan, target, word, heads, message.GONE, known)
                for word in refs.ACTIONS
            ]
        found = next((each for each in retired if each is not None), None)
        if found is None:
            return None
        state = "open" if found.problem else "deployed" if found.merged else "obsolete"
        return _ended(BranchInfo(refs.masked(address), base, found.branch, state), found)

    def abandon(self, plan: PlanName, known: BranchInfo) -> BranchInfo:
        """As in ports.Pipeline."""
        address = refs.repository_address(known.repository)
        if refs.hides(address):
            note = "its address held a password, which isn't kept: close the pull request and delete the branch"
            return replace(known, state="obsolete", command="", notes=(WITHDRAWN, note))
        repository = self._repository(address)
        with repository.exclusively():
            heads = self._looks.at(repository, fresh=True).heads
            found = self._retiring.branch(
                repository, address, plan, known.base, known.branch, _directory(known), heads, message.WITHDRAWN,
                known.commit,
            )  # fmt: skip
        found = found or Retired(known.branch, known.commit)
        state = known.state if found.problem else "obsolete"
        ended = _ended(replace(known, state=state, command=""), found)
        left = known.branch in heads and not found.deleted and not found.problem
        return replace(ended, notes=(WITHDRAWN, *ended.notes, *([f"branch {known.branch} is left: delete it"] * left)))

    # what is to be published

    def _work(self, changes: ChangeSet) -> Work:
        plan = changes.plan
        target = plan.pipeline or self._default
        if target is None:
            raise refs.refusal(
                f"plan {plan.name} has no pipeline and the configuration no default: set spec.pipeline.repository"
            )
        action = refs.action_word(changes)
        base, branch = refs.base_name(target.base, plan), refs.branch_name(target.branch, plan, action)
        if base == branch:
            raise refs.refusal(f"plan {plan.name}: pipeline.branch and pipeline.base are both {base!r}")
        directory = refs.directory(target.path, plan, action)
        rendered: Sequence[RenderedFile] = render(changes, target.format, target.language, provider=target.provider)
        if not changes.files:  # who brings his own files brings his own way to deploy them
            rendered = [*rendered, *workflow.render(rendered, plan, target, directory)]
        files = {file.path: file.content for file in rendered}
        return Work(changes, target, refs.repository_address(target.repository), base, branch, directory, files)

    def _repository(self, address: str) -> Repository:
        options = self._options
        with self._lock:
            if address not in self._repositories:
                self._repositories[address] = Repository(
                    address, self._cache_dir, options.timeout, options.credentials, options.signing
                )
            return self._repositories[address]

    # bringing it onto the branch

    def _settled(self, repository: Repository, work: Work, text: str) -> tuple[Finding, Mapping[str, str]]:
        """Where the remote branch stands once it holds the change, and the heads; looks again after each lost race."""
        last: Exception | None = None
        for attempt in range(self._options.attempts + 1):
            look = self._looks.at(repository, fresh=attempt > 0)
            try:
                return self._attempt(repository, work, text, look), look.heads
            except PushRejected as error:
                last = error
                if look.fresh:
                    log.info("branch moved while publishing", plan=work.plan.name, branch=work.branch)
                    self._clock.sleep(_PAUSE * 2.0**attempt)
        attempts = self._options.attempts
        raise PipelineError(f"branch {work.branch} moved {attempts} times while it was being published: {last}")

    def _attempt(self, repository: Repository, work: Work, text: str, look: Look) -> Finding:
        """Raises PushRejected where the branch, or the look, isn't what it was."""
        heads = look.heads
        if work.base not in heads:
            other = f"; its default branch is {heads['']}" if heads.get("") else ""
            raise refs.refusal(f"{refs.masked(work.address)} has no branch {work.base}{other}: correct pipeline.base")
        key = (work.address, heads[work.base], heads.get(work.branch, ""), work.branch, work.content)
        known = self._looks.finding(*key)
        if known is not None:
            return known
        base, head = self._present(repository, work, look)
        stale = self._stale(repository, base, work)
        tree = repository.tree_with(base, work.paths, stale)
        if tree == repository.tree_of(base) or _held(repository, base, work, stale):
            return self._looks.found(Finding(base, "merged"), *key)
        commit, expected, force = self._next(repository, work, text, tree, base, head)
        if commit != head:
            if not look.fresh and not self._stands(repository, work, look):
                raise PushRejected("something moved since the look that was shared")
            repository.push(commit, work.branch, expected, force=force)
            self._looks.moved(repository, work.branch, commit)
            key = (work.address, base, commit, work.branch, work.content)
        return self._looks.found(Finding(commit, "open"), *key)

    def _stands(self, repository: Repository, work: Work, look: Look) -> bool:
        """Whether base and branch are still as a look that was shared has them."""
        now = self._looks.at(repository, fresh=True).heads
        return all(now.get(name) == look.heads.get(name) for name in (work.base, work.branch))

    def _present(self, repository: Repository, work: Work, look: Look) -> tuple[str, str | None]:
        """The commits of base and branch, in the clone."""
        base, head = look.heads[work.base], look.heads.get(work.branch)
        if repository.holds(base) and (head is None or repository.holds(head)):
            return base, head
        repository.fetch(work.base, work.branch if head else None)
        return repository.resolve(), repository.resolve(branch=True) if head else None

    def _next(
        self, repository: Repository, work: Work, text: str, tree: str, base: str, head: str | None
    ) -> tuple[str, str | None, bool]:
        """The commit that the branch should be at, what it must be at before, and whether ours there are replaced."""

        def commit_on(parent: str) -> str:
            seconds = int(self._clock.now().timestamp())
            return repository.commit(tree, parent, text, self._options.author, seconds)

        if head is None or repository.is_ancestor(head, base):
            return commit_on(base), head, False
        beyond = repository.commits(base, head)
        foreign = [commit for commit in beyond if not self._made(commit, work.plan.name)]
        if (foreign or repository.cut_off(beyond)) and repository.deepen(work.base):
            return self._next(repository, work, text, tree, base, head)
        if foreign:
            return self._beside(repository, work, head, foreign[0].sha, foreign[0].author_email), head, False
        if not repository.is_ancestor(base, head):
            return commit_on(base), head, True
        if repository.tree_of(head) != tree:
            return commit_on(head), head, False
        if self._options.signing is not None and not repository.signed(head):
            return commit_on(base), head, True
        return head, head, False

    def _beside(self, repository: Repository, work: Work, head: str, sha: str, email: str) -> str:
        """The head of a branch with someone else's commits: right as it is if it holds our files, held otherwise."""
        if work.changes.files and sources.holds(repository, head, work.paths):
            return head
        held = ours.held(repository, head, work.directory, workflow.paths(work.plan), work.files)
        if all(name in held and repository.blob(held[name][1]) == content for name, content in work.files.items()):
            return head
        raise refs.refusal(
            f"branch {work.branch} holds commit {sha[:12]} by {message.line(email)}, which is never overwritten: "
            f"merge the branch, or delete or rename it, and plan {work.plan.name} is published anew"
        )

    def _stale(self, repository: Repository, base: str, work: Work) -> list[str]:
        """Files of ours in the base that this rendering no longer has. Raises where a file to write isn't ours."""
        if work.changes.files:
            return sources.stale(repository, base, work.directory, work.paths)
        held = ours.held(repository, base, work.directory, workflow.paths(work.plan), work.files)
        written = {name for name in held if ours.is_ours(repository, held, name)}
        taken = sorted((set(work.files) & set(held)) - written)
        if taken:
            raise refs.refusal(
                f"plan {work.plan.name}: {ours.full(work.directory, taken[0])} on {work.base} wasn't written by "
                "reconciler and is left alone: choose another pipeline.path"
            )
        return [ours.full(work.directory, name) for name in sorted(written - set(work.files))]

    # what isn't needed any more

    def _tidied(
        self, repository: Repository, work: Work, finding: Finding, heads: Mapping[str, str]
    ) -> tuple[list[str], str]:
        """Retire the plan's other branches, and its own if the base holds it all. Notes, and what has to be retried."""
        merged = finding.state == "merged"
        why = message.merged(work.base) if merged else message.superseded(work.branch)
        notes = [f"{work.base} holds these files already; they await deployment"] if merged else []
        names = {refs.branch_name(work.target.branch, work.plan, word): word for word in refs.ACTIONS}
        problem = ""
        spent = {name: word for name, word in names.items() if name in heads and (merged or name != work.branch)}
        if spent:
            heads = self._looks.at(repository, fresh=True).heads
        for name, word in spent.items():
            retired = self._retiring.of(repository, work.address, work.plan, work.target, word, heads, why)
            if name in heads and (retired is None or not retired.deleted):
                notes.append(f"an earlier branch of this plan, {name}, still exists")
            problem = problem or (retired.problem if retired is not None else "")
        return notes, problem

    def _made(self, commit: Commit, plan: PlanName) -> bool:
        by_us = {commit.author_email, commit.committer_email} == {self._options.author.email}
        return by_us and message.trailer_plan(commit.message) == message.line(plan)


def _ended(info: BranchInfo, found: Retired) -> BranchInfo:
    """``info`` with what became of the branch and its pull request."""
    notes = (f"branch {found.branch} is deleted",) if found.deleted else ()
    info = replace(info, commit=found.commit, problem=found.problem, notes=notes)
    return info if found.pull is None else shown(info, found.pull)


def _directory(known: BranchInfo) -> tuple[str, ...]:
    """The directory of a plan's files, without the workflow, whose place the service dictates."""
    files = [PurePosixPath(file) for file in known.files if not file.startswith(".github/")]
    return PurePosixPath(posixpath.commonpath([file.parent for file in files])).parts if files else ()


def _held(repository: Repository, base: str, work: Work, stale: Sequence[str]) -> bool:
    """Whether the base holds all that matters: once deployed, resources exist, and naming them for import is no change.

    Where the change is to take resources over, it does matter.
    """
    if any(change.action is Action.ADOPT for change in work.changes.changes):
        return False
    if not repository.entries(base, work.directory):
        return False
    lasting = {path: content for path, content in work.paths.items() if not path.endswith(_BOOTSTRAP)}
    gone = [path for path in stale if not path.endswith(_BOOTSTRAP)]
    return repository.tree_with(base, lasting, gone) == repository.tree_of(base)
