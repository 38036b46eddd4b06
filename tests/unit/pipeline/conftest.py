from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pipeline_terraform import Terraform

from tests.terraformbinary import run_terraform, terraform_binary


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """Runs the real terraform, without the machine's own configuration of it."""
    terraform_binary()

    def run(*arguments: str, stdin: str = "", where: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return run_terraform(tmp_path, *arguments, stdin=stdin, where=where)

    return run
