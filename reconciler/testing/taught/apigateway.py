"""API Gateway: a deployment that isn't there is said not to be found."""

from __future__ import annotations

from typing import Any

from moto.apigateway.exceptions import DeploymentNotFoundException
from moto.apigateway.models import RestAPI

from reconciler.testing.taught.lesson import Lesson, changes

_get = RestAPI.get_deployment


def get_deployment(self: Any, deployment_id: str) -> Any:
    """GetDeployment, at an API."""
    if deployment_id not in self.deployments:
        raise DeploymentNotFoundException()
    return _get(self, deployment_id)


LESSONS = (
    Lesson(
        call="apigateway:GetDeployment",
        aws="says NotFoundException of a deployment that isn't there",
        moto="crashes",
        given=(changes(RestAPI, get_deployment),),
    ),
)
