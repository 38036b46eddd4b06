"""The key that keyed digests are made with."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reconciler.model.errors import StoreError
from reconciler.store.secretkey import secret_key


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    first = secret_key(tmp_path / "state")
    assert len(first) == 32
    assert secret_key(tmp_path / "state") == first
    assert (tmp_path / "state" / "digest.key").stat().st_mode & 0o077 == 0
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["digest.key"]


def test_of_many_that_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(secret_key(tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


def test_a_truncated_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "digest.key").write_bytes(b"short")
    with pytest.raises(StoreError, match="not a key"):
        secret_key(tmp_path)


def test_a_directory_that_cant_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be read or made"):
        secret_key(tmp_path / "file" / "state")
