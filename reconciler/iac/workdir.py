"""A private copy of what a plan delivers: exactly the files that its digest covers, and what the tool keeps there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from reconciler.model.change import SourceFile
from reconciler.model.errors import DeploymentError
from reconciler.model.ids import Digest

#: What is never taken from the source: a tool's own memory.
_OWN = ("terraform.tfstate", ".terraform.tfstate.lock.info", "errored.tfstate")


class WorkDirectory:
    """``source`` holds the copy, ``run`` our own notes, ``home`` is the tool's. One process at a time: ``lock``."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.source, self.run, self.home = self.root / "source", self.root / "run", self.root / "home"
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Keep other processes off. Raises DeploymentError if one is at work here."""
        for path in (self.root, self.source, self.run, self.home):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        stream = (self.run / "lock").open("w")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            text = "another process on this machine works with the plan's copy now"
            raise DeploymentError("Plan is being worked on", text, ("Wait for it",), passing=True) from None
        os.set_inheritable(stream.fileno(), False)
        self._lock = stream

    def release(self) -> None:
        """Let others in. Safe to call twice."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def fill(self, origin: Path, files: Mapping[str, Digest], more: Mapping[str, tuple[Path, Digest]]) -> bool:
        """Bring the copy to ``files`` below ``origin``, and ``more`` (path here → file elsewhere). Whether it changed.

        Raises DeploymentError if the source has changed since the plan was read.
        """
        wanted = {path: (origin / path, digest) for path, digest in files.items() if not _is_own(path)}
        wanted |= dict(more)
        known = self._listed()
        for path, (there, digest) in wanted.items():
            here = self.source / path
            if known.get(path) == digest and here.is_file() and _digest(here.read_bytes()) == digest:
                continue
            content = read(there, digest)
            here.parent.mkdir(parents=True, exist_ok=True)
            here.unlink(missing_ok=True)
            here.write_bytes(content)
            here.chmod(0o700 if os.access(there, os.X_OK) else 0o600)
        for path in known.keys() - wanted.keys():
            with suppress(OSError):
                (self.source / path).unlink()
        listed = {path: digest for path, (_, digest) in wanted.items()}
        if listed == known:
            return False
        (self.run / "files.json").write_text(json.dumps(listed, sort_keys=True))
        return True

    def _listed(self) -> dict[str, str]:
        try:
            found = json.loads((self.run / "files.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def read(path: Path, digest: Digest) -> bytes:
    """A file of the source, which must be what the plan's digest covers. Raises DeploymentError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _changed(path, error.strerror or type(error).__name__) from None
    if _digest(content) != digest:
        raise _changed(path, "it has another content")
    return content


def source_files(origin: Path, files: Mapping[str, Digest], prefix: str = "") -> tuple[SourceFile, ...]:
    """The files as texts, as they go to a Git branch. Raises DeploymentError for what is no text."""
    found = []
    for path, digest in sorted(files.items()):
        if _is_own(path):
            continue
        try:
            found.append(SourceFile(prefix + path, read(origin / path, digest).decode()))
        except UnicodeDecodeError:
            text = f"{path} is no text: a plan whose change goes to a Git branch delivers texts only"
            raise DeploymentError("File can't be published", text, ("Keep it elsewhere, and refer to it",)) from None
    return tuple(found)


def _is_own(path: str) -> bool:
    parts = path.split("/")
    return any(part == "terraform.tfstate.d" for part in parts) or parts[-1].startswith(_OWN)


def _digest(content: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(content).hexdigest())


def _changed(path: Path, why: str) -> DeploymentError:
    text = f"{path.name} has changed since the plan was read: {why}"
    return DeploymentError("Source has changed", text, ("Nothing: the next pass takes what is there",), passing=True)
