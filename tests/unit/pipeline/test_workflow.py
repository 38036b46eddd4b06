"""The workflow files, held against the published schemas of both systems, and what they must never do."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pipeline_builders import creating, target, web_plan

from reconciler.model.plan import PipelineTarget
from reconciler.pipeline import render, workflow

DIRECTORY = ("infrastructure", "prod-web")
FORMATS = [("terraform", "typescript"), ("cloudformation", "typescript"), ("cdk", "typescript"), ("cdk", "python")]


def rendered(system: str, format_name: str, language: str) -> tuple[str, str, dict[str, Any]]:
    wanted: PipelineTarget = replace(target("repo"), format=format_name, language=language, workflow=system)
    files = render(creating(web_plan()), format_name, language)
    (file,) = workflow.render(files, web_plan(), wanted, DIRECTORY)
    return file.path, file.content, yaml.safe_load(file.content)


def schema(name: str) -> Any:
    spec = find_spec("check_jsonschema")
    if spec is None or spec.origin is None:
        if os.environ.get("CI") == "true":
            pytest.fail("check-jsonschema is missing")
        pytest.skip("check-jsonschema, which has the schemas, isn't installed")
    return json.loads((Path(spec.origin).parent / "builtin_schemas" / "vendor" / f"{name}.json").read_text())


@pytest.mark.parametrize(("format_name", "language"), FORMATS)
@pytest.mark.parametrize(("system", "name"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")])
def test_the_system_takes_the_file(system: str, name: str, format_name: str, language: str) -> None:
    _, _, document = rendered(system, format_name, language)
    described = schema(name)
    jsonschema.validators.validator_for(described)(described).validate(document)


@pytest.mark.parametrize(("format_name", "language"), FORMATS)
def test_github_plans_deploys_behind_a_gate_and_has_no_keys(format_name: str, language: str) -> None:
    path, content, document = rendered("github", format_name, language)
    assert path == "/.github/workflows/reconciler-prod-web.yml"
    assert document["permissions"] == {}
    assert not document["concurrency"]["cancel-in-progress"]
    plan, deploy = document["jobs"]["plan"], document["jobs"]["deploy"]
    assert (plan["environment"], deploy["environment"]) == ("production-plan", "production")
    assert deploy["if"] == "github.event_name == 'push'"
    assert deploy["needs"] == "plan"
    for job in (plan, deploy):
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        names = [step.get("uses", "").split("@")[0] for step in job["steps"]]
        credentials = names.index("aws-actions/configure-aws-credentials")
        for index, step in enumerate(job["steps"]):
            assert len(step.get("uses", f"@{'0' * 40}").split("@")[1]) == 40, "actions are pinned to commits"
            assert "env" not in step or index > credentials, "nothing that is installed sees a secret"
    assert "AWS_SECRET" not in content
    assert "${{ secrets.DB_PASSWORD }}" in content
    shown = " ".join(step.get("run", "") for step in plan["steps"])
    assert "cdk deploy" not in shown
    assert "apply" not in shown
    assert "--no-execute-changeset" in shown or "cloudformation deploy" not in shown


@pytest.mark.parametrize(("format_name", "language"), FORMATS)
def test_gitlab_plans_and_waits_for_a_person(format_name: str, language: str) -> None:
    path, content, document = rendered("gitlab", format_name, language)
    assert path == "gitlab-ci.yml"
    assert "include: [{local: infrastructure/prod-web/gitlab-ci.yml}]" in content
    plan, deploy = document["prod-web:plan"], document["prod-web:deploy"]
    assert deploy["rules"][0]["when"] == "manual"
    assert plan["environment"] == {"name": "production-plan", "action": "prepare"}
    assert deploy["environment"] == {"name": "production"}
    assert plan["resource_group"] == deploy["resource_group"] == "reconciler-prod-web"
    assert ":latest" not in content
    assert "AWS_SECRET" not in content


def test_commands_pass_what_the_files_leave_open() -> None:
    assert 'DbPassword=$DB_PASSWORD"' in rendered("github", "cloudformation", "typescript")[1]
    assert '--parameters "DbPassword=$DB_PASSWORD"' in rendered("github", "cdk", "typescript")[1]
    assert '--parameters "DbPassword=$DB_PASSWORD"' in rendered("gitlab", "cdk", "python")[1]
    assert "TF_VAR_db_password: ${{ secrets.DB_PASSWORD }}" in rendered("github", "terraform", "typescript")[1]
    assert "TF_VAR_cidr" not in rendered("github", "terraform", "typescript")[1]


def test_none_is_written_unasked() -> None:
    assert workflow.render((), web_plan(), target("repo"), DIRECTORY) == ()


def test_a_directory_that_a_shell_would_read_is_quoted() -> None:
    wanted = replace(target("repo"), format="cloudformation", workflow="gitlab")
    files = render(creating(web_plan()), "cloudformation")
    (file,) = workflow.render(files, web_plan(), wanted, ("infra $(id)", "web"))
    assert "cd 'infra $(id)/web'" in yaml.safe_load(file.content)["prod-web:plan"]["before_script"]
