"""Reading files below the source's root, and nothing else: every path is followed to its end and must end inside.

Stat results and content digests are remembered, so that looking at an unchanged tree again costs one ``stat`` a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.model.errors import Problem
from reconciler.model.ids import Digest
from reconciler.source.digest import bytes_digest
from reconciler.source.document import MIB, Limits, failure

SUFFIXES = (".yaml", ".yml", ".json")
_SKIPPED_TREES = frozenset({".git", ".terraform", "node_modules", "cdk.out", "__pycache__", ".venv"})

_Signature = tuple[int, int, int, int]


@dataclass(slots=True)
class _Seen:
    """What a file was when last looked at. ``settled``: its content was read twice under the same signature.

    Two writes within one tick of the file system's clock leave the same signature; the second look sees the second.
    """

    signature: _Signature
    digest: Digest
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Plan-like files below the root, and the problems met on the way (unreadable directories, links that leave)."""

    files: tuple[str, ...]
    problems: tuple[Problem, ...]


class Tree:
    """The files below one directory. Paths go in and out relative to it, with ``/``."""

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root = root
        self.limits = limits or Limits()
        self._seen: dict[str, _Seen] = {}

    def listing(self) -> Listing:
        """Every ``.yaml``, ``.yml`` and ``.json`` file; names that start with ``.`` or ``_`` are passed over.

        Raises SourceError if the root itself can't be read.
        """
        files: list[str] = []
        problems: list[Problem] = []
        try:
            self._walk("", files, problems)
        except OSError as error:
            raise failure(f"the source can't be read: {_why(error)}", str(self.root), reason="unreadable") from None
        return Listing(tuple(files), tuple(problems))

    def _walk(self, directory: str, files: list[str], problems: list[Problem]) -> None:
        with os.scandir(self.root / directory) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if entry.name.startswith((".", "_")):
                continue
            relative = f"{directory}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                try:
                    self._walk(f"{relative}/", files, problems)
                except OSError as error:
                    message = f"the directory can't be read: {_why(error)}"
                    problems.append(Problem(message, f"{relative}/", reason="unreadable"))
            elif entry.name.lower().endswith(SUFFIXES):
                files.append(relative)
            elif entry.is_symlink() and not self._inside(relative) and (self.root / relative).is_dir():
                message = "the link leads out of the source and is not followed"
                problems.append(Problem(message, f"{relative}/", reason="path"))

    def read(self, relative: str) -> bytes:
        """A file's bytes. Raises SourceError: missing, unreadable, not a regular file, too large, outside."""
        path = self._resolved(relative)
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise failure("not a regular file", relative, reason="unreadable")
            if status.st_size > self.limits.size:
                raise failure(
                    f"the file is larger than {self.limits.size / MIB:g} MiB",
                    relative,
                    suggestion="split it into several plans",
                    reason="size",
                )
            with path.open("rb") as stream:
                data = stream.read(self.limits.size + 1)
        except OSError as error:
            raise failure(f"the file can't be read: {_why(error)}", relative, reason="unreadable") from None
        self._note(relative, _signature(status), bytes_digest(data))
        return data

    def digest(self, relative: str) -> Digest:
        """The digest of a file's bytes, without reading it when its stat says it is as it was. Raises as ``read``."""
        seen = self._seen.get(relative)
        if seen is not None and seen.settled:
            # The same inode was found inside the root before, so where its name leads needs no second look.
            try:
                if _signature((self.root / relative).stat()) == seen.signature:
                    return seen.digest
            except OSError:
                self._seen.pop(relative)  # read() words what is wrong
        return bytes_digest(self.read(relative))

    def _note(self, relative: str, signature: _Signature, digest: Digest) -> None:
        seen = self._seen.get(relative)
        settled = seen is not None and seen.signature == signature and seen.digest == digest
        self._seen[relative] = _Seen(signature, digest, settled)

    def forget_except(self, known: frozenset[str], directories: tuple[str, ...] = ()) -> None:
        """Drop what is remembered of files that are neither known nor below a known directory."""
        self._seen = {
            relative: seen
            for relative, seen in self._seen.items()
            if relative in known or relative.startswith(directories)
        }

    def follow(self, referrer: str, reference: str) -> str:
        """The path that ``reference``, written in the file ``referrer``, leads to. Raises SourceError if outside."""
        joined = os.path.normpath(PurePosixPath(referrer).parent / reference)
        if joined.startswith(("..", "/")):  # where links lead is looked at when it is read
            message = f"{reference} leads out of the source"
            raise failure(
                message, referrer, suggestion="keep referenced files below the plans' directory", reason="path"
            )
        return PurePosixPath(joined).as_posix()

    def directory_digests(self, relative: str) -> dict[str, Digest]:
        """The digest of every file of a directory tree, by its path in it. Raises SourceError."""
        top = self._resolved(relative)
        if not top.is_dir():
            raise failure("the directory doesn't exist", relative, reason="unreadable")
        found: dict[str, Digest] = {}
        total = 0
        for path in _tree_files(top):
            inner = path.relative_to(top).as_posix()
            found[inner] = self.digest(f"{relative}/{inner}")
            total += path.stat().st_size
            if len(found) > self.limits.tree_files or total > self.limits.tree_size:
                raise failure("the directory holds too much to be a plan's", relative, reason="size")
        return found

    def _resolved(self, relative: str) -> Path:
        try:
            resolved = (self.root / relative).resolve(strict=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            raise failure(f"the file can't be read: {_why(error)}", relative, reason="unreadable") from None
        if not resolved.is_relative_to(self.root.resolve()):
            raise failure("the link leads out of the source and is not followed", relative, reason="path")
        return resolved

    def _inside(self, relative: str) -> bool:
        try:
            return (self.root / relative).resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError, ValueError):
            return False


def _tree_files(top: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name not in _SKIPPED_TREES)
        for name in sorted(files):
            yield Path(directory) / name


def _signature(status: os.stat_result) -> _Signature:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it doesn't exist"
    if isinstance(error, PermissionError):
        return "permission denied"
    return (error.strerror if isinstance(error, OSError) else None) or "a loop of links"
