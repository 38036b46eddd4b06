"""One pass a plan at a time on this machine: the daemon's, or that of ``reconciler apply`` beside it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName
from reconciler.ports import Clock

#: Seconds between two attempts, and until giving up.
_PAUSE, _PATIENCE = 0.2, 60.0


class PlanLocks:
    """Advisory file locks, one a plan. The kernel frees the lock of a process that dies, however it dies."""

    def __init__(self, directory: Path, clock: Clock, *, patience: float = _PATIENCE) -> None:
        self._directory, self._clock, self._patience = directory, clock, patience

    @contextlib.contextmanager
    def hold(self, plan: PlanName) -> Iterator[None]:
        """Hold a plan's lock. Raises StoreError if another process holds it for too long, or it can't be made."""
        with contextlib.ExitStack() as stack:
            try:
                self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                file = os.open(self._directory / f"{plan}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StoreError(f"can't lock {plan} in {self._directory}: {error.strerror}") from error
            stack.callback(os.close, file)
            self._acquire(file, plan)
            yield

    def _acquire(self, file: int, plan: PlanName) -> None:
        deadline = self._clock.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.monotonic() >= deadline:
                    raise StoreError(
                        f"another process has been working on {plan} for {self._patience:.0f} s: "
                        f"wait for it, or look at what it does with `reconciler status {plan}`"
                    ) from None
                self._clock.sleep(_PAUSE)
            else:
                return
