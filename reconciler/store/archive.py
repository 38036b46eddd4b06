"""Where old entries of the audit trail go: compressed JSON-lines files beside the database, each linked to the next.

A file's name says what is in it: the first and last number and the beginning of the last hash. So the files of a store
that was replaced by a new one are never mixed up with the new one's, and never written over.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.model.audit import AuditEntry
from reconciler.model.errors import StoreError
from reconciler.store.chain import canonical, document, entry_of


class Archive:
    """A directory of archived entries, made when the first file is written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Keep ``entries`` (at least one), which follow each other; on disk when this returns. Raises StoreError."""
        last = entries[-1]
        path = self._directory / f"{entries[0].seq:012}-{_name_end(last.seq, last.hash)}"
        partial = path.with_suffix(f".{os.getpid()}.partial")
        lines = "".join(f"{canonical(document(entry))}\n" for entry in entries)
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(gzip.compress(lines.encode(), mtime=0))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            _sync_directory(self._directory)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise StoreError(
                f"audit archive {path}: can't be written ({error.strerror}); check the permissions and the free space"
            ) from error

    def entries(self, after: int, seq: int, digest: str) -> Iterator[AuditEntry]:
        """Archived entries with a higher number than ``after``, oldest first.

        ``seq`` and ``digest``: the newest archived entry's number and hash. A file that was taken away, and all older
        ones, are left out. Raises StoreError for one that can't be read.
        """
        for path in self._chain(after, seq, digest):
            yield from (entry for entry in read_lines(path) if entry.seq > after)

    def _chain(self, after: int, seq: int, digest: str) -> list[Path]:
        """The files that lead to an entry, oldest first, as far back as ``after``."""
        found: list[Path] = []
        while seq > after:
            path = next(iter(self._directory.glob(f"*-{_name_end(seq, digest)}")), None)
            first = next(read_lines(path), None) if path is not None else None
            if path is None or first is None or first.seq > seq:
                break
            found.append(path)
            seq, digest = first.seq - 1, first.previous
        return found[::-1]


def read_lines(path: Path) -> Iterator[AuditEntry]:
    """The entries of an archive or an export, one a line, compressed or not. Raises StoreError naming the line."""
    number = 0
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            for line in file:
                number += 1
                yield entry_of(json.loads(line))
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror or error})") from error
    except (ValueError, EOFError, zlib.error) as error:
        raise StoreError(f"{path}:{number}: not an audit entry ({error})") from error


def _name_end(seq: int, digest: str) -> str:
    return f"{seq:012}-{digest[:16]}.jsonl.gz"


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
