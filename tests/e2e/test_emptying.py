"""What is in a resource goes with it only where its plan says so."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text

TOPIC = {"Type": "AWS::SNS::Topic"}
MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}'


def repository(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "images", **properties}}


def repositories(lab: Lab) -> list[str]:
    return [one["repositoryName"] for one in ecr(lab).describe_repositories()["repositories"]]


def ecr(lab: Lab) -> Any:
    return lab.aws.client("ecr", account=SANDBOX)


def filled(lab: Lab, **properties: Any) -> None:
    """Make the repository, with an image in it."""
    lab.write(plan_text("images", {"Images": repository(**properties), "Topic": TOPIC}), "images.yaml")
    assert lab.run("images").state is PlanState.IN_SYNC
    ecr(lab).put_image(repositoryName="images", imageManifest=MANIFEST, imageTag="latest")


def without(lab: Lab) -> PlanState:
    """A pass over the plan without the repository."""
    lab.write(plan_text("images", {"Topic": TOPIC}), "images.yaml")
    return lab.run("images").state


@pytest.mark.parametrize("said", [True, "true"])
def test_a_repository_that_is_to_be_emptied_goes_with_its_images(lab: Lab, said: Any) -> None:
    filled(lab, EmptyOnDelete=said)
    assert without(lab) is PlanState.IN_SYNC
    assert repositories(lab) == []


@pytest.mark.parametrize("said", [{}, {"EmptyOnDelete": False}])
def test_another_one_stays_with_its_images(lab: Lab, said: dict[str, Any]) -> None:
    filled(lab, **said)
    assert without(lab) is PlanState.FAILED
    assert repositories(lab) == ["images"]


def test_what_counts_is_what_the_plan_said_last(lab: Lab) -> None:
    filled(lab, EmptyOnDelete=True)
    lab.write(plan_text("images", {"Images": repository(EmptyOnDelete=False), "Topic": TOPIC}), "images.yaml")
    assert lab.run("images").state is PlanState.IN_SYNC
    assert without(lab) is PlanState.FAILED
    lab.write(plan_text("images", {"Images": repository(EmptyOnDelete=True), "Topic": TOPIC}), "images.yaml")
    assert lab.run("images").state is PlanState.IN_SYNC
    assert without(lab) is PlanState.IN_SYNC
    assert repositories(lab) == []
