"""CodeBuild: changes of a project, all that one is made with, whom it is shown to, and its webhook."""

from __future__ import annotations

import json
from typing import Any

import moto.codebuild.responses as answers
from moto.codebuild.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException
from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult, EmptyResult

from reconciler.testing.taught.lesson import Lesson, adds, changes

_create = CodeBuildResponse.create_project
_source, _artifacts = answers._validate_required_params_source, answers._validate_required_params_artifacts
_role = answers._validate_required_params_service_role
#: What takes its place from elsewhere, or has none.
_PLACELESS = ("CODEPIPELINE", "NO_SOURCE")
_HOOK_PARTS = ("buildType", "filterGroups", "pullRequestBuildPolicy", "scopeConfiguration")
_DEFAULTS = {"projectVisibility": "PRIVATE", "queuedTimeoutInMinutes": 480, "timeoutInMinutes": 60}


def _project(self: Any, name: str) -> Any:
    """What is shown of a project."""
    known = self.codebuild_backend.codebuild_projects
    if name not in known:
        raise ResourceNotFoundException(f"Project cannot be found: {name}")
    return known[name].project_metadata


def _shown(self: Any) -> dict[str, Any]:
    """What was asked for, as a project shows it."""
    shown: dict[str, Any] = json.loads(self.body)
    if not shown.get("serviceRole", "arn:").startswith("arn:"):
        shown["serviceRole"] = f"arn:aws:iam::{self.current_account}:role/{shown['serviceRole']}"
    if "badgeEnabled" in shown:
        shown["badge"] = {"badgeEnabled": shown.pop("badgeEnabled")}
    return shown


def create_project(self: Any) -> Any:
    """CreateProject."""
    _create(self)
    project = _project(self, self._get_param("name"))
    project.update({**_DEFAULTS, **_shown(self)})
    return ActionResult({"project": project})


def update_project(self: Any) -> Any:
    """UpdateProject. What is taken away by an empty value isn't shown any more."""
    project = _project(self, self._get_param("name"))
    project.update({"tags": [], **_shown(self)})
    for name in ("buildBatchConfig", "description", "sourceVersion", "vpcConfig"):
        if not project.get(name):
            project.pop(name, None)
    if project.get("concurrentBuildLimit") == -1:
        del project["concurrentBuildLimit"]
    return ActionResult({"project": project})


def update_project_visibility(self: Any) -> Any:
    """UpdateProjectVisibility."""
    arn = self._get_param("projectArn")
    project = _project(self, arn.rpartition("/")[2])
    project["projectVisibility"] = self._get_param("projectVisibility")
    project.pop("resourceAccessRole", None)
    if role := self._get_param("resourceAccessRole"):
        project["resourceAccessRole"] = role
    return ActionResult({"projectArn": arn, "projectVisibility": project["projectVisibility"]})


def _hook(self: Any) -> dict[str, Any]:
    given = {name: value for name in _HOOK_PARTS if (value := self._get_param(name)) is not None}
    for group in given.get("filterGroups", ()):
        for one in group:
            one.setdefault("excludeMatchedPattern", False)
    return given


def create_webhook(self: Any) -> Any:
    """CreateWebhook."""
    project = _project(self, self._get_param("projectName"))
    if "webhook" in project:
        raise ResourceAlreadyExistsException(f"Webhook already exists: {project['name']}")
    project["webhook"] = {"url": "https://example.com/hook", "buildType": "BUILD", "filterGroups": [], **_hook(self)}
    return ActionResult({"webhook": project["webhook"]})


def update_webhook(self: Any) -> Any:
    """UpdateWebhook."""
    project = _project(self, self._get_param("projectName"))
    if "webhook" not in project:
        raise ResourceNotFoundException(f"Webhook cannot be found: {project['name']}")
    project["webhook"].update(_hook(self))
    return ActionResult({"webhook": project["webhook"]})


def delete_webhook(self: Any) -> Any:
    """DeleteWebhook."""
    project = _project(self, self._get_param("projectName"))
    if project.pop("webhook", None) is None:
        raise ResourceNotFoundException(f"Webhook cannot be found: {project['name']}")
    return EmptyResult()


def validate_source(source: dict[str, Any]) -> None:
    """What a project is built from."""
    if source["type"] not in _PLACELESS:
        _source(source)


def validate_artifacts(artifacts: dict[str, Any]) -> None:
    """What a project builds."""
    if artifacts["type"] not in _PLACELESS:
        _artifacts(artifacts)


def validate_role(account_id: str, region_name: str, service_role: str) -> None:
    """Whose role a project is built by."""
    if service_role.startswith("arn:"):
        _role(account_id, region_name, service_role)


LESSONS = (
    Lesson(
        call="codebuild:CreateProject",
        aws="makes a project with all that is asked for, from a pipeline or nothing, too, by a role of that name",
        moto="forgets some of it, wants a place of any source and artifact, and the role's ARN",
        given=(
            changes(CodeBuildResponse, create_project),
            changes(
                answers,
                _validate_required_params_source=validate_source,
                _validate_required_params_artifacts=validate_artifacts,
                _validate_required_params_service_role=validate_role,
            ),
        ),
    ),
    Lesson(
        call="codebuild:UpdateProject",
        aws="changes what is given, but takes the tags where none are given, as Terraform's provider has found",
        moto="has no such operation",
        given=(adds(CodeBuildResponse, update_project),),
    ),
    Lesson(
        call="codebuild:UpdateProjectVisibility",
        aws="says whom a project's builds are shown to",
        moto="has no such operation",
        given=(adds(CodeBuildResponse, update_project_visibility),),
    ),
    Lesson(
        call="codebuild:CreateWebhook",
        aws="makes one of a project, changes it and takes it away",
        moto="has none of the three operations",
        given=(adds(CodeBuildResponse, create_webhook, update_webhook, delete_webhook),),
    ),
)
