"""Plans and approvals from a branch of a Git repository."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from reconciler.model.plan import Snapshot
from reconciler.ports import Clock
from reconciler.source.directory import DirectorySource
from reconciler.source.document import Limits
from reconciler.source.signature import BadSignature, check
from reconciler.source.signers import load_signers
from reconciler.subprocesses import without_secrets

if TYPE_CHECKING:
    from git import Repo

log = structlog.get_logger(__name__)

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_TIMEOUT = 120  # seconds for one Git command that talks to the remote

#: never ask a person, run no hook of the checkout's, follow no helper that a repository could name
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_LFS_SKIP_SMUDGE": "1",
}


class _Unusable(Exception):
    """The repository can't be used now; the message says why."""


class GitSource:
    """Implements ``ports.Source`` over a branch of a Git repository.

    Each load fetches and checks out the head of ``branch`` into ``checkout``, a directory that belongs to this source
    alone (local changes in it are lost). When that fails, the last good snapshot stays, marked unhealthy.
    ``require_signed``: the head must carry an SSH signature of someone in ``allowed_signers`` (namespace "git").
    Thread-safe.
    """

    def __init__(
        self,
        url: str,
        branch: str,
        checkout: Path,
        *,
        allowed_signers: Path | None,
        clock: Clock,
        subdirectory: str = "",
        require_signed: bool = False,
        cache: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._url = url
        self._branch = branch
        self._checkout = checkout
        self._allowed_signers = allowed_signers
        self._clock = clock
        self._require_signed = require_signed
        self._directory = DirectorySource(
            checkout / subdirectory,
            allowed_signers=allowed_signers,
            clock=clock,
            cache=cache,
            limits=limits,
        )
        self._last: Snapshot | None = None
        self._lock = threading.Lock()

    def watch_paths(self) -> tuple[Path, ...]:
        """What to watch for changes; the repository itself is polled."""
        return () if self._allowed_signers is None else (self._allowed_signers,)

    def load(self) -> Snapshot:
        """Fetch, check out and read. Never raises."""
        with self._lock:
            try:
                self._last = self._directory.load(self._update())
            except _Unusable as error:
                problem = _CREDENTIALS.sub("***@", str(error))
                log.warning("source unhealthy", branch=self._branch, problem=problem)
                last = self._last or self._from_before()
                self._last = dataclasses.replace(last, healthy=False, problem=problem)
            return self._last

    def _update(self) -> str:
        """Bring the checkout to the remote head. Returns its commit. Raises _Unusable; then nothing was changed."""
        from git import GitError
        from git.exc import GitCommandError

        try:
            repo = self._repository()
            options = ("--force", "--no-tags", "--prune", "--no-write-fetch-head")
            repo.git.fetch(*options, "--", self._url, self._refspec(), kill_after_timeout=_TIMEOUT)
            head = repo.commit(f"refs/remotes/origin/{self._branch}").hexsha
            self._check_signature(repo, head)
            repo.git.checkout("--force", "--detach", head)
            repo.git.clean("-ffdx")
            return str(head)
        except GitCommandError as error:
            raise _Unusable(f"Git: {_last_line(str(error.stderr))}") from None
        except (GitError, OSError, ValueError) as error:
            raise _Unusable(f"Git: {_last_line(str(error)) or type(error).__name__}") from None

    def _refspec(self) -> str:
        return f"+refs/heads/{self._branch}:refs/remotes/origin/{self._branch}"

    def _repository(self) -> Repo:
        from git import InvalidGitRepositoryError, NoSuchPathError

        if self._url.startswith("-") or re.match(r"[A-Za-z0-9]+::", self._url) or self._branch.startswith("-"):
            raise _Unusable("the repository or branch is not a plain Git URL and name")
        try:
            repo = _discreet()(self._checkout)
        except NoSuchPathError:
            repo = self._created()
        except InvalidGitRepositoryError:
            if any(self._checkout.iterdir()):
                raise _Unusable(f"{self._checkout} holds something that is not this source's checkout") from None
            repo = self._created()
        repo.git.update_environment(
            **_ENVIRONMENT, GIT_SSH_COMMAND=os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        )
        repo.git.set_persistent_git_options(c=[f"core.hooksPath={os.devnull}", "core.fsmonitor=false"])
        if "origin" in repo.remotes:  # an earlier version kept the URL there, which may hold a password
            with repo.config_writer() as config:
                config.remove_section('remote "origin"')
        return repo

    def _created(self) -> Repo:
        """An empty repository; it doesn't know the URL. One that couldn't be made whole is taken away again."""
        self._checkout.mkdir(parents=True, exist_ok=True)
        try:
            return _discreet().init(self._checkout)
        except BaseException:
            shutil.rmtree(self._checkout / ".git", ignore_errors=True)
            raise

    def _check_signature(self, repo: Repo, commit: str) -> None:
        if not self._require_signed:
            return
        payload, signature = _split_signature(repo.odb.stream(bytes.fromhex(commit)).read())
        if not signature:
            raise _Unusable(f"commit {commit[:12]} is not signed, and signed commits are required")
        try:
            key = check(payload, signature, "git")
        except BadSignature as error:
            raise _Unusable(f"the signature of commit {commit[:12]} is not valid: {error}") from None
        if objection := load_signers(self._allowed_signers).stranger(key, "git", self._clock.now()):
            raise _Unusable(f"the signature of commit {commit[:12]} doesn't count: {objection}")

    def _from_before(self) -> Snapshot:
        """What an earlier process checked out, if it can still be trusted."""
        from git import GitError

        try:
            repo = self._repository()
            head = repo.head.commit.hexsha
            self._check_signature(repo, head)
            return self._directory.load(str(head))
        except (_Unusable, GitError, OSError, ValueError):
            return Snapshot()


@cache
def _discreet() -> type[Repo]:
    """GitPython's repository, whose Git commands don't see our credentials."""
    from git import Git, Repo

    class DiscreetGit(Git):
        def execute(self, command: Any, *arguments: Any, **options: Any) -> Any:
            return super().execute(without_secrets(command), *arguments, **options)

    class DiscreetRepo(Repo):
        GitCommandWrapperType = DiscreetGit

    return DiscreetRepo


def _split_signature(commit: bytes) -> tuple[bytes, str]:
    """A raw commit object without its signature header, and the signature."""
    header, separator, message = commit.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    inside = False
    for line in header.split(b"\n"):
        inside = line.startswith(b"gpgsig ") or (inside and line.startswith(b" "))
        if inside:
            signature.append(line.removeprefix(b"gpgsig").removeprefix(b" "))
        else:
            kept.append(line)
    return b"\n".join(kept) + separator + message, b"\n".join(signature).decode(errors="replace")


def _last_line(text: str) -> str:
    lines = [line.strip(" '") for line in text.splitlines() if line.strip(" '")]
    return lines[-1] if lines else ""
