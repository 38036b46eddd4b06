"""The key of this installation's keyed digests: what stands in the store in place of a secret."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from reconciler.model.errors import StoreError

_BYTES = 32


def secret_key(state_dir: Path) -> bytes:
    """The key in ``state_dir``, made at first use and readable by this user alone. Raises StoreError."""
    path = state_dir / "digest.key"
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: can't be read or made ({error.strerror})") from error
    if len(key) < _BYTES:
        raise StoreError(f"{path}: not a key of {_BYTES} bytes: remove it, and a new one is made")
    return key


def _make(path: Path) -> None:
    """Whole or not at all; of several processes that make one at the same time, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".key-") as fresh:
        fresh.write(secrets.token_bytes(_BYTES))
        fresh.flush()
        os.fsync(fresh.fileno())
        with suppress(FileExistsError):
            os.link(fresh.name, path)
