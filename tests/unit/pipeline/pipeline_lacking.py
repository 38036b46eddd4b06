"""Resources that the awscc provider lacks, written with aws in files that hold to the provider's schema."""

from __future__ import annotations

from typing import Any

import pytest
from pipeline_builders import creating, plan_of

from reconciler.model.errors import PipelineError
from reconciler.model.plan import PlannedResource
from reconciler.pipeline import render
from tests.terraformcheck import problems


def files(*resources: PlannedResource, **settings: Any) -> dict[str, str]:
    found = {file.path: file.content for file in render(creating(plan_of(*resources), **settings), "terraform")}
    assert list(problems(found)) == []
    return found


def main_of(*resources: PlannedResource) -> str:
    return files(*resources)["main.tf"]


def refused(*resources: PlannedResource) -> str:
    with pytest.raises(PipelineError) as caught:
        main_of(*resources)
    assert not caught.value.retryable
    return str(caught.value)
