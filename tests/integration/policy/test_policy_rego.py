"""The shipped Rego tests on real OPA."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from policy_oracle import SHIPPED


@pytest.mark.opa
def test_rego_tests_pass_on_opa(opa: Path) -> None:
    done = subprocess.run([opa, "test", str(SHIPPED)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "PASS: 76/76" in done.stdout


@pytest.mark.opa
def test_policies_are_strict_and_formatted(opa: Path) -> None:
    assert subprocess.run([opa, "check", "--strict", str(SHIPPED)], check=False).returncode == 0
    assert subprocess.run([opa, "fmt", "--list", "--fail", str(SHIPPED)], check=False).returncode == 0
