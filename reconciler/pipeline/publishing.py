"""One branch and one pull request for a plan's change, however often it is published."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision
from reconciler.model.errors import PipelineError
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.model.report import BranchInfo
from reconciler.pipeline import message, refs, sources
from reconciler.pipeline.files import RenderedFile
from reconciler.pipeline.header import HEADER
from reconciler.pipeline.rendering import MANAGED_FILES, render
from reconciler.pipeline.repository import Author, Commit, PushRejected, Repository
from reconciler.pipeline.variables import refuse_secrets
from reconciler.ports import Clock

log = structlog.get_logger(__name__)

DEFAULT_AUTHOR = Author("reconciler", "reconciler@localhost")
_REGULAR = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class _Work:
    """Everything about one publication that doesn't depend on the remote's state."""

    changes: ChangeSet
    target: PipelineTarget
    address: str
    base: str
    branch: str
    directory: tuple[str, ...]
    files: Mapping[str, str]  # by full path

    @property
    def plan(self) -> Plan:
        return self.changes.plan


class GitPipeline:
    """Implements ports.Pipeline with Git.

    ``cache_dir`` holds bare clones and the texts of pull requests. ``default`` is where plans without a pipeline of
    their own go. ``timeout``: seconds for each Git command. ``attempts``: how often a lost race for a branch is
    run again. Only commits by ``author`` with our trailer are ever replaced.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        clock: Clock,
        default: PipelineTarget | None = None,
        author: Author = DEFAULT_AUTHOR,
        timeout: float = 120.0,
        attempts: int = 4,
    ) -> None:
        self._cache_dir = cache_dir.resolve()
        self._clock = clock
        self._default = default
        self._author = author
        self._timeout = timeout
        self._attempts = attempts

    def publish(self, changes: ChangeSet, decision: Decision) -> BranchInfo:
        """Render, commit and push on one stable branch; state ``open``, or ``unchanged`` if the base has it all.

        Same change again: no new commit. A base that moved: our commits are made anew on it. Raises PipelineError
        when something can't be rendered or reached, or when the branch holds someone else's work.
        """
        work = self._work(changes)
        text = message.commit_message(changes)
        refuse_secrets(changes, [("the commit message", text)])
        repository = self._repository(work.address)
        with repository.exclusively():
            commit, state, notes = self._settled(repository, work, text)
        log.info("branch published", plan=changes.plan.name, branch=work.branch, commit=commit, state=state)
        return self._described(work, decision, commit, state, notes)

    def retire(self, plan: Plan) -> BranchInfo | None:
        """The plan's branch as obsolete, if the remote has one that is ours; it isn't deleted."""
        target = plan.pipeline or self._default
        if target is None:
            return None
        address = refs.repository_address(target.repository)
        names = dict.fromkeys(refs.branch_name(target.branch, plan, word) for word in refs.ACTIONS)
        repository = self._repository(address)
        with repository.exclusively():
            heads = repository.heads()
            base = refs.base_name(target.base, plan)
            for name in names:
                if name in heads and name != base and base in heads:
                    repository.fetch(base, name)
                    if self._is_ours(repository, plan, heads[name]):
                        return BranchInfo(refs.masked(address), base, name, "obsolete", commit=heads[name])
        return None

    # what is to be published

    def _work(self, changes: ChangeSet) -> _Work:
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
        rendered: Sequence[RenderedFile] = render(changes, target.format)
        files = {"/".join((*directory, file.path)): file.content for file in rendered}
        return _Work(changes, target, refs.repository_address(target.repository), base, branch, directory, files)

    def _repository(self, address: str) -> Repository:
        return Repository(address, self._cache_dir, self._timeout)

    # bringing it onto the branch

    def _settled(self, repository: Repository, work: _Work, text: str) -> tuple[str, str, list[str]]:
        """(commit, state, notes) once the remote branch holds the change; looks again after each lost race."""
        last: Exception | None = None
        for _ in range(self._attempts):
            try:
                return self._attempt(repository, work, text)
            except PushRejected as error:
                last = error
                log.info("branch moved while publishing", plan=work.plan.name, branch=work.branch)
        raise PipelineError(f"branch {work.branch} moved {self._attempts} times while it was being published: {last}")

    def _attempt(self, repository: Repository, work: _Work, text: str) -> tuple[str, str, list[str]]:
        heads = repository.heads()
        if work.base not in heads:
            raise PipelineError(f"{refs.masked(work.address)} has no branch {work.base}: correct pipeline.base")
        head = heads.get(work.branch)
        repository.fetch(work.base, work.branch if head else None)
        base = repository.resolve()
        head = repository.resolve(branch=True) if head else None
        tree = repository.tree_with(base, work.files, self._stale(repository, base, work))
        notes = self._superseded(work, heads)
        if tree == repository.tree_of(base):
            return base, "unchanged", [*notes, f"{work.base} holds these files already; they await deployment"]

        def commit_on(parent: str) -> str:
            return repository.commit(tree, parent, text, self._author, int(self._clock.now().timestamp()))

        if head is None or repository.is_ancestor(head, base):
            commit = commit_on(base)
            repository.push(commit, work.branch, head, force=False)
            return commit, "open", notes
        foreign = [commit for commit in repository.commits(base, head) if not self._made(commit, work.plan)]
        if foreign:
            return self._beside(repository, work, head, foreign[0].sha, foreign[0].author_email), "open", notes
        if not repository.is_ancestor(base, head):
            commit = commit_on(base)
            repository.push(commit, work.branch, head, force=True)
            return commit, "open", notes
        if repository.tree_of(head) == tree:
            return head, "open", notes
        commit = commit_on(head)
        repository.push(commit, work.branch, head, force=False)
        return commit, "open", notes

    def _beside(self, repository: Repository, work: _Work, head: str, sha: str, email: str) -> str:
        """The head of a branch with someone else's commits: right as it is if it holds our files, held otherwise."""
        if work.changes.files and sources.holds(repository, head, work.files):
            return head
        held = repository.entries(head, work.directory)
        names = {path.rsplit("/", 1)[-1]: content for path, content in work.files.items()}
        if all(name in held and repository.blob(held[name][1]) == content for name, content in names.items()):
            return head
        raise refs.refusal(
            f"branch {work.branch} holds commit {sha[:12]} by {message.line(email)}, which is never overwritten: "
            f"merge the branch, or delete or rename it, and plan {work.plan.name} is published anew"
        )

    def _stale(self, repository: Repository, base: str, work: _Work) -> list[str]:
        """Files of ours in the base that this rendering no longer has. Raises where a file to write isn't ours."""
        if work.changes.files:
            return sources.stale(repository, base, work.directory, work.files)
        held = repository.entries(base, work.directory)
        wanted = {path.rsplit("/", 1)[-1] for path in work.files}
        ours = {name for name in held if self._is_rendered(repository, held, name)}
        place = "/".join(work.directory)
        taken = sorted((wanted & set(held)) - ours)
        if taken:
            raise refs.refusal(
                f"plan {work.plan.name}: {place}/{taken[0]} on {work.base} wasn't written by reconciler and is left "
                "alone: choose another pipeline.path"
            )
        return [f"{place}/{name}" for name in sorted(ours - wanted)]

    def _is_rendered(self, repository: Repository, held: Mapping[str, tuple[str, str]], name: str) -> bool:
        """Whether a file says that we wrote it; JSON can't, the template beside it speaks for it."""
        if name not in MANAGED_FILES or held[name][0] not in _REGULAR:
            return False
        speaker = "template.yaml" if name.endswith(".json") else name
        if speaker not in held or held[speaker][0] not in _REGULAR:
            return False
        return repository.blob(held[speaker][1]).startswith(f"# {HEADER}")

    def _superseded(self, work: _Work, heads: Mapping[str, str]) -> list[str]:
        names = {refs.branch_name(work.target.branch, work.plan, word) for word in refs.ACTIONS} - {
            work.branch,
            work.base,
        }
        return [f"an earlier branch of this plan, {name}, still exists" for name in sorted(names & set(heads))]

    def _made(self, commit: Commit, plan: Plan) -> bool:
        by_us = {commit.author_email, commit.committer_email} == {self._author.email}
        return by_us and message.trailer_plan(commit.message) == message.line(plan.name)

    def _is_ours(self, repository: Repository, plan: Plan, head: str) -> bool:
        return self._made(repository.describe(head), plan)

    # what people get to see

    def _described(self, work: _Work, decision: Decision, commit: str, state: str, notes: Sequence[str]) -> BranchInfo:
        title = message.title(work.changes)
        body = message.pull_request_body(work.changes, decision, sorted(work.files), notes)
        refuse_secrets(work.changes, [("the pull request's text", body)])
        command = ["gh", "pr", "create", "--title", title, "--body-file", str(self._stored(work, body))]
        command += ["--base", work.base, "--head", work.branch]
        project = refs.github_project(work.address)
        return BranchInfo(
            repository=refs.masked(work.address),
            base=work.base,
            branch=work.branch,
            state=state,
            commit=commit,
            files=tuple(sorted(work.files)),
            title=title,
            body=body,
            command=shlex.join([*command, *(["--repo", project] if project else [])]),
        )

    def _stored(self, work: _Work, body: str) -> Path:
        """The file that the printed command reads the pull request's text from."""
        file = self._cache_dir / "pull-requests" / f"{refs.slug(work.plan.name)}.md"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".tmp")
            partial.write_text(body, encoding="utf-8")
            partial.replace(file)
        except OSError as error:
            raise PipelineError(f"the pull request's text can't be stored: {error}") from error
        return file
