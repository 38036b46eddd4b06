"""Watches directories and files for changes; what is noticed is only a hint to look again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import structlog
from watchfiles import watch

log = structlog.get_logger(__name__)

_LOOK = 1.0
_RETRY_MAX = 30.0


class Watcher:
    """A thread that calls ``changed()`` after the watched paths changed and then kept still for ``debounce`` seconds.

    It also calls it once a watch stands: what changed before that, nobody saw. A path that can't be watched (missing,
    no inotify watches left) is tried again with growing pauses; one that was replaced is watched anew. Polling covers
    whatever slips through.
    """

    def __init__(self, name: str, paths: Callable[[], Collection[Path]], debounce: float, changed: Callable[[], None]):
        self._name = name
        self._paths = paths
        self._debounce = max(1, round(debounce * 1000))
        self._changed = changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{name}", daemon=True)

    def start(self) -> None:
        """Begin watching."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns without waiting for it."""
        self._stop.set()

    def _run(self) -> None:
        pause = _LOOK
        while not self._stop.is_set():
            paths = sorted(self._paths())
            if not paths:
                self._stop.wait(_RETRY_MAX)
                continue
            try:
                self._watch(paths)
                pause = _LOOK
            except Exception as error:
                log.warning("watching failed", watch=self._name, error=str(error), retry_after=pause)
                self._stop.wait(pause)
                pause = min(_RETRY_MAX, pause * 2)

    def _watch(self, paths: Sequence[Path]) -> None:
        """Report changes until told to stop, or until a path isn't the one it was."""
        identities = [_identity(path) for path in paths]
        watching = watch(
            *paths,
            debounce=self._debounce,
            step=min(self._debounce, 50),
            stop_event=self._stop,
            rust_timeout=round(_LOOK * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        unseen = True
        for changes in watching:
            replaced = [_identity(path) for path in paths] != identities
            if changes or replaced or unseen:
                self._changed()
            unseen = False
            if replaced:
                return


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def fingerprint(directory: Path) -> frozenset[tuple[str, int, int]]:
    """Name, size and time of every file below ``directory``: differs when one of them changed. Never raises."""
    found = set()
    for path in directory.rglob("*"):
        try:
            info = path.stat()
        except OSError:
            continue
        if path.is_file():
            found.add((str(path), info.st_size, info.st_mtime_ns))
    return frozenset(found)
