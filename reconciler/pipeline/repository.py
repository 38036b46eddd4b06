"""A bare cached clone, worked on with plumbing commands only: no work tree, no hooks, no prompts.

The clone is shallow and has no file contents but those that were asked for, where the remote can serve such; what is
missing is fetched when it is needed. An answer about history is never given from a history that is cut off: it is
deepened first.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.errors import PipelineError
from reconciler.pipeline.credentials import Credentials
from reconciler.pipeline.gitrun import ORIGIN, GitRunner
from reconciler.pipeline.refs import masked, refusal
from reconciler.pipeline.signing import Signing

_REJECTED = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old",
)
#: What servers say that can't serve a shallow clone, or part of one.
_WHOLE_ONLY = ("shallow", "dumb http", "filter")
_PARTIAL = ("--depth=1", "--filter=blob:none")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
#: How many loose objects a clone may gather.
_LOOSE = 50_000
#: Git fetches what a partial clone lacks as soon as it is mentioned; here it is only asked whether it is there.
_NOT_FETCHED = {"GIT_NO_LAZY_FETCH": "1"}
_BASE = "refs/reconciler/base"
_BRANCH = "refs/reconciler/branch"
_REGULAR = ("100644", "100755")


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

    def __init__(
        self,
        address: str,
        cache_dir: Path,
        timeout: float,
        credentials: Credentials | None = None,
        signing: Signing | None = None,
    ) -> None:
        cache = cache_dir / "repositories"
        self._address = address
        name = hashlib.sha256(address.encode()).hexdigest()[:24]
        self._directory, self._lock = cache / f"{name}.git", cache / f"{name}.lock"
        self._git = GitRunner(address, self._directory, cache, timeout, credentials or Credentials(), signing)
        self._here: set[str] = set()  # objects that are known to be in the clone

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep every other thread and process off this clone. Git's time limits bound the wait."""
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            with self._lock.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._renew()
                self._prepare()
                yield
        except OSError as error:
            raise PipelineError(f"the Git cache {self._directory.parent} can't be used: {error}") from error

    def heads(self) -> Mapping[str, str]:
        """The remote's branches and their commits; under ``""`` the name of its default branch, where it says.

        Raises PipelineError when it can't be reached.
        """
        found: dict[str, str] = {}
        for line in self._git.line("ls-remote", "--symref", ORIGIN, "HEAD", "refs/heads/*").splitlines():
            value, _, ref = line.partition("\t")
            if value.startswith("ref: refs/heads/") and ref == "HEAD":
                found[""] = value.removeprefix("ref: refs/heads/")
            elif ref.startswith("refs/heads/"):
                found[ref.removeprefix("refs/heads/")] = value
        return found

    def fetch(self, base: str, branch: str | None) -> None:
        """Bring the base and, where it exists, the branch into the clone.

        The first time as little as the remote can be asked for; then what is new.
        """
        spec = f"+refs/heads/{base}:{_BASE}"
        if not self._begun():
            self._begin(spec)
        specs = [spec] if branch is None else [spec, f"+refs/heads/{branch}:{_BRANCH}"]
        self._git.line(*_FETCH, ORIGIN, *specs)

    def deepen(self, base: str) -> bool:
        """Fetch the history that a shallow clone lacks; False if it lacks none."""
        if not self._shallow():
            return False
        self._git.line(*_FETCH, "--unshallow", ORIGIN, f"+refs/heads/{base}:{_BASE}")
        return True

    def holds(self, commit: str) -> bool:
        """Whether the clone has a commit, so that it needn't be fetched."""
        try:
            return bool(self._git.line("cat-file", "-e", f"{commit}^{{commit}}", env=_NOT_FETCHED) == "")
        except PipelineError:
            return False

    def resolve(self, branch: bool = False) -> str:
        """The commit that was fetched for the base, or for the branch."""
        return self._git.line("rev-parse", "--verify", "--quiet", f"{_BRANCH if branch else _BASE}^{{commit}}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``."""
        return self._git.line("rev-list", "--max-count=1", older, f"^{newer}", "--") == ""

    def commits(self, since: str, until: str) -> tuple[Commit, ...]:
        """The commits of ``until`` that ``since`` doesn't contain, newest first; perhaps more in a shallow clone."""
        return self._log(f"{since}..{until}")

    def cut_off(self, commits: Sequence[Commit]) -> bool:
        """Whether the clone's history ends at one of these, so that there may be more that can't be seen."""
        if not self._shallow():
            return False
        edge = set((self._directory / "shallow").read_text("ascii").split())
        return any(commit.sha in edge for commit in commits)

    def signed(self, commit: str) -> bool:
        """Whether a commit carries a signature, whoever's."""
        header = self._git.run("cat-file", "commit", commit).split("\n\n", 1)[0]
        return "\ngpgsig" in header

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
        found = self._tree(f"{commit}^{{tree}}", "/".join(path) + "/")
        self._bring(sha for mode, sha in found.values() if mode in _REGULAR)
        return found

    def blob(self, sha: str) -> str:
        """The text of a file; bytes that aren't UTF-8 are replaced."""
        return self._git.run("cat-file", "blob", sha)

    def tree_with(self, commit: str, files: Mapping[str, str], gone: Sequence[str]) -> str:
        """The tree of a commit with files (path → content) written and others removed.

        Raises PipelineError where the repository keeps such files in Git LFS: a plain one would break it.
        """
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._git.line("read-tree", f"{commit}^{{tree}}", env=index)
            stored = self._store(files.values(), Path(scratch))
            lines = [f"0 {'0' * 40}\t{path}" for path in gone]
            lines += [f"100644 {stored[content]}\t{path}" for path, content in files.items()]
            self._git.line(
                "update-index", "-z", "--add", "--index-info", stdin="".join(f"{line}\0" for line in lines), env=index
            )
            self._refuse_large(files, index)
            # The contents of other files may be missing from a partial clone; the remote has them.
            return self._git.line("write-tree", "--missing-ok", env=index)

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self._git.line("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}")

    def commit(self, tree: str, parent: str, message: str, author: Author, seconds: int) -> str:
        """Write a commit object, dated ``seconds`` after the epoch, UTC."""
        identity = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", f"@{seconds} +0000"))
        }
        sign = ["-S"] if self._git.signing is not None else []
        return self._git.line("commit-tree", *sign, tree, "-p", parent, "-F", "-", stdin=message, env=identity)

    def push(self, commit: str, branch: str, expected: str | None, *, force: bool) -> None:
        """Set the remote branch to ``commit`` if it still is ``expected`` (None: doesn't exist).

        Raises PushRejected if it isn't, PipelineError if the remote can't be reached or refuses.
        """
        lease = force or expected is None
        self._push(f"{commit}:refs/heads/{branch}", f"refs/heads/{branch}:{expected or ''}" if lease else "")

    def delete(self, branch: str, expected: str) -> None:
        """Delete the remote branch if it still is ``expected``. Raises as ``push``."""
        self._push(f":refs/heads/{branch}", f"refs/heads/{branch}:{expected}")

    def _push(self, what: str, lease: str) -> None:
        options = [f"--force-with-lease={lease}"] if lease else []
        try:
            self._git.line("push", "--quiet", "--porcelain", "--no-verify", *options, ORIGIN, what)
        except PipelineError as error:
            if any(word in str(error) for word in _REJECTED):
                raise PushRejected(str(error)) from error
            raise

    def _renew(self) -> None:
        """Throw a clone away that holds too much of what nothing refers to any more: a new one costs little.

        Git's own way of counting: one of the 256 directories speaks for all. Its clearing up would keep new objects.
        """
        sample = self._directory / "objects" / "17"
        if sample.is_dir() and sum(1 for _ in sample.iterdir()) > _LOOSE // 256:
            shutil.rmtree(self._directory)
            self._here.clear()

    def _prepare(self) -> None:
        """Lay out an empty bare repository. By hand: ``git init`` takes templates and GIT_DIR from its environment."""
        head = self._directory / "HEAD"
        if not head.exists():
            for name in ("objects", "refs"):
                (self._directory / name).mkdir(parents=True, exist_ok=True)
            (self._directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
            head.write_text("ref: refs/heads/none\n")

    def _begun(self) -> bool:
        return (self._directory / _BASE).exists() or (self._directory / "packed-refs").exists()

    def _begin(self, spec: str) -> None:
        """The first fetch: shallow and without contents, or whole from a remote that knows neither."""
        try:
            self._git.line(*_FETCH, *_PARTIAL, ORIGIN, spec)
        except PipelineError as error:
            if not any(word in str(error).lower() for word in _WHOLE_ONLY):
                raise
            self._git.line(*_FETCH, ORIGIN, spec)

    def _shallow(self) -> bool:
        return (self._directory / "shallow").exists()

    def _bring(self, blobs: Iterable[str]) -> None:
        """Fetch file contents that a partial clone may lack, in one go. Those that are there cost nothing."""
        lacking = sorted(set(blobs) - self._here)
        if lacking and "promisor" in (self._directory / "config").read_text("utf-8"):
            how = ("-c", "fetch.negotiationAlgorithm=noop")  # else the remote takes what commits name for known
            self._git.line(*how, *_FETCH, "--filter=blob:none", "--stdin", ORIGIN, stdin="\n".join(lacking) + "\n")
        self._here.update(lacking)

    def _refuse_large(self, files: Mapping[str, str], index: Mapping[str, str]) -> None:
        asked = "".join(f"{path}\0" for path in files)
        told = self._git.run("check-attr", "--cached", "-z", "--stdin", "filter", stdin=asked, env=index).split("\0")
        kept = sorted(path for path, value in zip(told[::3], told[2::3], strict=False) if value == "lfs")
        if kept:
            raise refusal(
                f"{masked(self._address)} keeps {kept[0]} in Git LFS (.gitattributes), and rendered files are plain "
                f"text: add `{kept[0]} -filter -diff -merge text` there, or choose another pipeline.path"
            )

    def _log(self, *selection: str) -> tuple[Commit, ...]:
        text = self._git.line("log", "-z", "--format=%H%x1f%ae%x1f%ce%x1f%B", *selection, "--")
        return tuple(Commit(*record.split("\x1f", 3)) for record in text.split("\0") if record)

    def _tree(self, tree: str, place: str) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for record in self._git.line("ls-tree", "-z", "--full-tree", tree, "--", place).split("\0"):
            if record:
                meta, path = record.split("\t", 1)
                mode, _, sha = meta.split(" ")
                found[path.rsplit("/", 1)[-1]] = (mode, sha)
        return found

    def _store(self, contents: Iterable[str], scratch: Path) -> Mapping[str, str]:
        """Write files' contents into the clone: content → object."""
        texts = list(dict.fromkeys(contents))
        paths = [scratch / str(number) for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode())
        asked = "".join(f"{path}\n" for path in paths)
        found = self._git.line("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=asked).split()
        return dict(zip(texts, found, strict=True))
