"""A real OPA server, and policy directories to spoil."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_oracle import SHIPPED

from reconciler.testing.policy import OpaServer, opa_binary


@pytest.fixture(scope="session")
def opa() -> Path:
    binary = opa_binary()
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail("scripts/get-opa found no OPA; in CI it must")
        pytest.skip("no OPA to be had on this machine (scripts/get-opa says why)")
    return binary


@pytest.fixture
def server(opa: Path) -> Iterator[OpaServer]:
    with OpaServer(opa) as running:
        yield running


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A copy of the shipped policies, to change."""
    target = tmp_path / "policies"
    shutil.copytree(SHIPPED, target)
    return target
