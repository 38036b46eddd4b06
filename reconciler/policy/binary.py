"""The ``opa`` command, where there is one: for checks and tests, never for decisions."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from reconciler.model.errors import PolicyUnavailable
from reconciler.subprocesses import environment

_SECONDS = 30


def opa_binary() -> Path | None:
    """The OPA named by RECONCILER_OPA, else the one on PATH, else the newest that ``scripts/get-opa`` obtained."""
    named = os.environ.get("RECONCILER_OPA")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    on_path = shutil.which("opa")
    if on_path:
        return Path(on_path)
    cache = Path(os.environ.get("RECONCILER_CACHE") or Path.home() / ".cache" / "reconciler")
    obtained = [path for path in cache.glob("opa-*") if os.access(path, os.X_OK) and path.is_file()]
    return max(obtained, key=_version, default=None)


def check_strictly(binary: Path, directory: Path) -> None:
    """``opa check --strict`` over a policy directory. Raises PolicyUnavailable(compile) with what it found."""
    command = [str(binary), "check", "--strict", str(directory)]
    try:
        done = subprocess.run(  # noqa: S603  # fixed words
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PolicyUnavailable("compile", f"{binary} can't check the policies: {type(error).__name__}") from error
    if done.returncode != 0:
        raise PolicyUnavailable("compile", (done.stderr or done.stdout).strip())


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.name.removeprefix("opa-").split(".") if part.isdigit())
