"""A bare cached clone, worked on with plumbing commands only: no work tree, no hooks, no prompts.

Every Git command runs with an argument list, a time limit and a closed set of protocols. Errors come out as
PipelineError with credentials masked.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.errors import PipelineError
from reconciler.pipeline.refs import PROTOCOLS, masked, refusal
from reconciler.subprocesses import without_secrets

# Nothing that a user's or the system's configuration says may run code or change what is committed and pushed.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "push.gpgSign=false",
    "commit.gpgSign=false",
    "remote.pushDefault=",
)
# Set by Git for hooks; inherited, they would make our commands work on someone else's repository.
_FOREIGN = (
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
)
_REJECTED = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old",
)
_NO_GIT = "git isn't installed: staging and production changes need it"
#: exit status of ``env`` when there is no such program
_NOT_FOUND = 127
_BASE = "refs/reconciler/base"
_BRANCH = "refs/reconciler/branch"


class PushRejected(Exception):
    """Someone else moved the branch since it was fetched: look again."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who our commits are by; a commit by anyone else is never overwritten."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says of itself."""

    sha: str
    author_email: str
    committer_email: str
    message: str


class Repository:
    """One remote repository through its cached clone. Use inside ``exclusively``."""

    def __init__(self, address: str, cache_dir: Path, timeout: float) -> None:
        name = hashlib.sha256(address.encode()).hexdigest()[:24]
        self._address = address
        self._directory = cache_dir / "repositories" / f"{name}.git"
        self._lock = cache_dir / "repositories" / f"{name}.lock"
        self._timeout = timeout

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep every other thread and process off this clone. Git's time limits bound the wait."""
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            with self._lock.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise PipelineError(f"the Git cache {self._directory.parent} can't be used: {error}") from error

    def heads(self) -> Mapping[str, str]:
        """The remote's branches and their commits. Raises PipelineError when it can't be reached."""
        self._prepare()
        lines = self._git("ls-remote", "--heads", "--", self._address).splitlines()
        pairs = (line.split("\t", 1) for line in lines if "\trefs/heads/" in line)
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}

    def fetch(self, base: str, branch: str | None) -> None:
        """Bring the base and, where it exists, the branch into the clone."""
        specs = [f"+refs/heads/{base}:{_BASE}"]
        if branch is not None:
            specs.append(f"+refs/heads/{branch}:{_BRANCH}")
        self._git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", self._address, *specs)

    def resolve(self, branch: bool = False) -> str:
        """The commit that was fetched for the base, or for the branch."""
        return self._git("rev-parse", "--verify", "--quiet", f"{_BRANCH if branch else _BASE}^{{commit}}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``."""
        return self._git("rev-list", "--max-count=1", older, f"^{newer}", "--") == ""

    def commits(self, since: str, until: str) -> tuple[Commit, ...]:
        """The commits of ``until`` that ``since`` doesn't contain, newest first."""
        return self._log(f"{since}..{until}")

    def describe(self, commit: str) -> Commit:
        """One commit."""
        return self._log("--max-count=1", commit)[0]

    def entries(self, commit: str, path: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """What the tree of a commit holds at a directory: name → (mode, object). Empty where there is nothing.

        Raises PipelineError where the directory or a parent of it is a file, a link or a submodule.
        """
        for depth in range(1, len(path) + 1):
            place = "/".join(path[:depth])
            found = self._tree(f"{commit}^{{tree}}", place)
            if not found:
                return {}
            mode = next(iter(found.values()))[0]
            if mode != "040000":
                raise refusal(f"{place} in {masked(self._address)} isn't a directory: choose another pipeline.path")
        return self._tree(f"{commit}^{{tree}}", "/".join(path) + "/")

    def blob(self, sha: str) -> str:
        """The text of a file; bytes that aren't UTF-8 are replaced."""
        return self._run("cat-file", "blob", sha)

    def tree_with(self, commit: str, files: Mapping[str, str], gone: Sequence[str]) -> str:
        """The tree of a commit with files (path → content) written and others removed."""
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._git("read-tree", f"{commit}^{{tree}}", env=index)
            lines = [f"0 {'0' * 40}\t{path}" for path in gone]
            lines += [f"100644 {self._store(content)}\t{path}" for path, content in files.items()]
            self._git(
                "update-index", "-z", "--add", "--index-info", stdin="".join(f"{line}\0" for line in lines), env=index
            )
            return self._git("write-tree", env=index)

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self._git("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}")

    def commit(self, tree: str, parent: str, message: str, author: Author, seconds: int) -> str:
        """Write a commit object, dated ``seconds`` after the epoch, UTC."""
        identity = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", f"@{seconds} +0000"))
        }
        return self._git("commit-tree", tree, "-p", parent, "-F", "-", stdin=message, env=identity)

    def push(self, commit: str, branch: str, expected: str | None, *, force: bool) -> None:
        """Set the remote branch to ``commit`` if it still is ``expected`` (None: doesn't exist).

        Raises PushRejected if it isn't, PipelineError if the remote can't be reached or refuses.
        """
        ref = f"refs/heads/{branch}"
        lease = [f"--force-with-lease={ref}:{expected or ''}"] if force or expected is None else []
        try:
            self._git("push", "--quiet", "--porcelain", "--no-verify", *lease, "--", self._address, f"{commit}:{ref}")
        except PipelineError as error:
            if any(word in str(error) for word in _REJECTED):
                raise PushRejected(str(error)) from error
            raise

    def _prepare(self) -> None:
        """Lay out an empty bare repository. By hand: ``git init`` takes templates and GIT_DIR from its environment."""
        head = self._directory / "HEAD"
        if not head.exists():
            for name in ("objects", "refs"):
                (self._directory / name).mkdir(parents=True, exist_ok=True)
            (self._directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
            head.write_text("ref: refs/heads/none\n")

    def _log(self, *selection: str) -> tuple[Commit, ...]:
        text = self._git("log", "-z", "--format=%H%x1f%ae%x1f%ce%x1f%B", *selection, "--")
        return tuple(Commit(*record.split("\x1f", 3)) for record in text.split("\0") if record)

    def _tree(self, tree: str, place: str) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for record in self._git("ls-tree", "-z", "--full-tree", tree, "--", place).split("\0"):
            if record:
                meta, path = record.split("\t", 1)
                mode, _, sha = meta.split(" ")
                found[path.rsplit("/", 1)[-1]] = (mode, sha)
        return found

    def _store(self, content: str) -> str:
        return self._git("hash-object", "-w", "--no-filters", "--stdin", stdin=content)

    def _git(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """The output of a Git command without its last line end. Raises PipelineError."""
        return self._run(*arguments, stdin=stdin, env=env).removesuffix("\n")

    def _run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        import git  # lazily: it takes a tenth of a second that most commands of the program don't need

        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        command = ["git", *settings, f"--git-dir={self._directory}", *arguments]
        with tempfile.TemporaryFile() as source:
            source.write(stdin.encode())
            source.seek(0)
            try:
                output = git.Git(str(self._directory.parent)).execute(
                    without_secrets(command),
                    istream=source,
                    env={**_environment(self._directory), **(env or {})},
                    kill_after_timeout=self._timeout,
                    strip_newline_in_stdout=False,
                    stdout_as_string=True,
                )
            except git.GitCommandNotFound as error:
                raise PipelineError(_NO_GIT) from error
            except git.GitCommandError as error:
                if error.status == _NOT_FOUND:
                    raise PipelineError(_NO_GIT) from error
                raise PipelineError(self._explained(arguments[0], error)) from None  # it shows the address in full
        return str(output)

    def _explained(self, command: str, error: Exception) -> str:
        said = " ".join(str(getattr(error, part, "") or "") for part in ("stderr", "stdout"))
        said = " ".join(said.replace(self._address, masked(self._address)).split())
        return masked(f"git {command} on {masked(self._address)} failed: {said[:600] or type(error).__name__}")


def _environment(directory: Path) -> dict[str, str]:
    neutral = {
        "GIT_WORK_TREE": str(directory),
        "GIT_OBJECT_DIRECTORY": str(directory / "objects"),
        "GIT_COMMON_DIR": str(directory),
        "GIT_INDEX_FILE": str(directory / "index"),
        "GIT_CONFIG_COUNT": "0",
        "GIT_REPLACE_REF_BASE": "refs/replace/",
    }
    inherited = {name: neutral.get(name, "") for name in _FOREIGN if name in os.environ}
    ssh = os.environ.get("GIT_SSH_COMMAND") or "ssh -o BatchMode=yes -o ConnectTimeout=15"
    return {
        **inherited,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_SSH_COMMAND": ssh,
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
