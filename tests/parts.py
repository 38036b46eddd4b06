"""Real parts that tests need beside the packages: gotten by ``scripts/get-…``, skipped without, in CI never."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def real_part(name: str) -> str:
    """The path of the command. Skips the test where it can't be had, fails it in CI."""
    got = subprocess.run([_SCRIPTS / f"get-{name}"], capture_output=True, text=True, check=False)
    if got.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"scripts/get-{name} got none; in CI it must: {got.stderr}")
        pytest.skip(f"no {name} to be had on this machine (scripts/get-{name} says why)")
    return got.stdout.strip()
