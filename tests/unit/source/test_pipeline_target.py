"""Where a plan's changes go, and in which form: as the plan says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ._plans import PLAN, load


def pipeline_of(tmp_path: Path, settings: str) -> object:
    plan_text = f"{PLAN}  pipeline: {{repository: /srv/git, {settings}}}\n"
    snapshot = load(tmp_path, **{"plan.yaml": plan_text})
    assert not snapshot.invalid, snapshot.invalid
    (plan,) = snapshot.plans.values()
    return plan.pipeline


@pytest.mark.parametrize(("settings", "provider"), [("format: terraform", "awscc"), ("provider: aws", "aws")])
def test_the_provider_is_the_plans(tmp_path: Path, settings: str, provider: str) -> None:
    target = pipeline_of(tmp_path, settings)
    assert getattr(target, "provider", None) == provider


def test_another_provider_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="provider"):
        pipeline_of(tmp_path, "provider: azure")
