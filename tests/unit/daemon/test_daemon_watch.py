"""File watching, with real files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.daemon import watch
from reconciler.daemon.watch import Watcher, fingerprint


class Noticed:
    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.count = 0

    def __call__(self) -> None:
        with self._condition:
            self.count += 1
            self._condition.notify_all()

    def more_than(self, count: int, seconds: float = 10) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self.count > count, seconds)


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Noticed]]:
    monkeypatch.setattr(watch, "_LOOK", 0.1)
    watchers: list[Watcher] = []

    def begin(path: Path) -> Noticed:
        noticed = Noticed()
        watcher = Watcher("test", lambda: (path,), 0.05, noticed)
        watchers.append(watcher)
        watcher.start()
        return noticed

    yield begin
    for watcher in watchers:
        watcher.stop()


def touch_until(noticed: Noticed, path: Path) -> bool:
    """Change a file until that is noticed: when the watch begins can't be seen from outside."""
    before = noticed.count
    for number in range(100):
        path.write_text(str(number))
        if noticed.more_than(before, 0.2):
            return True
    return False


def test_a_change_is_noticed(tmp_path: Path, watching: Callable[[Path], Noticed]) -> None:
    assert touch_until(watching(tmp_path), tmp_path / "a.yaml")


def test_many_changes_at_once_are_one(tmp_path: Path, watching: Callable[[Path], Noticed]) -> None:
    noticed = watching(tmp_path)
    assert touch_until(noticed, tmp_path / "a.yaml")
    threading.Event().wait(0.3)
    before = noticed.count
    for number in range(200):
        (tmp_path / f"{number}.yaml").write_text("x")
    assert noticed.more_than(before)
    threading.Event().wait(0.3)
    assert noticed.count - before < 20


def test_a_directory_that_comes_later_is_watched_then(tmp_path: Path, watching: Callable[[Path], Noticed]) -> None:
    directory = tmp_path / "later"
    noticed = watching(directory)
    threading.Event().wait(0.2)
    directory.mkdir()
    assert touch_until(noticed, directory / "a.yaml")


def test_a_replaced_directory_is_watched_anew(tmp_path: Path, watching: Callable[[Path], Noticed]) -> None:
    directory = tmp_path / "plans"
    directory.mkdir()
    noticed = watching(directory)
    assert touch_until(noticed, directory / "a.yaml")
    before = noticed.count
    directory.rename(tmp_path / "old")
    (tmp_path / "plans").mkdir()
    assert noticed.more_than(before)
    assert touch_until(noticed, directory / "b.yaml")


def test_a_fingerprint_changes_with_content_and_names(tmp_path: Path) -> None:
    seen = {fingerprint(tmp_path)}
    (tmp_path / "a.rego").write_text("1")
    seen.add(fingerprint(tmp_path))
    (tmp_path / "a.rego").write_text("22")
    seen.add(fingerprint(tmp_path))
    (tmp_path / "a.rego").rename(tmp_path / "b.rego")
    seen.add(fingerprint(tmp_path))
    assert len(seen) == 4
    assert fingerprint(tmp_path / "nowhere") == frozenset()
