from __future__ import annotations

import sys
from pathlib import Path

import pytest

# the plans made by hand are shared with the unit tests, whose directory is no package
sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "pipeline"))
sys.path.insert(0, str(Path(__file__).parent))

from pipeline_remote import US, FixedClock, Remote

from reconciler.pipeline import GitOptions, GitPipeline


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def pipeline(tmp_path: Path, clock: FixedClock) -> GitPipeline:
    return GitPipeline(tmp_path / "cache", clock=clock, options=GitOptions(US, timeout=30))
