"""CDK apps and workflow files in real repositories: several folders, and other people's files in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pipeline_builders import creating, decision, web_plan
from pipeline_remote import Remote, git

from reconciler.model.errors import PipelineError
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.model.report import BranchInfo
from reconciler.pipeline import GitPipeline

BRANCH = "feature/add-prod-web"
PLACE = "infrastructure/prod-web"
WORKFLOW = ".github/workflows/reconciler-prod-web.yml"
APP = [
    ".gitignore", "bin/app.ts", "cdk.json", "imports.json", "lib/stack.ts", "package-lock.json", "package.json",
    "tsconfig.json",
]  # fmt: skip


def web(remote: Remote, **settings: str) -> Plan:
    return web_plan(pipeline=PipelineTarget(remote.url, **settings))


def publish(pipeline: GitPipeline, plan: Plan) -> BranchInfo:
    return pipeline.publish(creating(plan), decision())


def merge(remote: Remote) -> None:
    git(remote.path, "update-ref", "refs/heads/main", BRANCH)
    git(remote.path, "update-ref", "-d", f"refs/heads/{BRANCH}")


def here(remote: Remote, branch: str) -> list[str]:
    return [name.removeprefix(f"{PLACE}/") for name in remote.files(branch) if name.startswith(f"{PLACE}/")]


def test_an_app_is_published_in_its_folders_and_once(remote: Remote, pipeline: GitPipeline) -> None:
    plan = web(remote, format="cdk")
    first, second = publish(pipeline, plan), publish(pipeline, plan)
    assert first.commit == second.commit
    assert here(remote, BRANCH) == sorted(["backend.tf", *APP])
    assert first.files == tuple(f"{PLACE}/{name}" for name in APP)
    merge(remote)
    assert publish(pipeline, plan).state == "unchanged"


def test_another_language_or_format_takes_the_place_of_the_first(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote, format="cdk"))
    merge(remote)
    publish(pipeline, web(remote, format="cdk", language="python"))
    assert here(remote, BRANCH) == sorted(
        [".gitignore", "app.py", "backend.tf", "cdk.json", "imports.json", "requirements.txt", "stack.py"]
    )
    merge(remote)
    publish(pipeline, web(remote, format="cloudformation"))
    assert here(remote, BRANCH) == ["backend.tf", "imports.json", "parameters.json", "template.yaml"]


def test_files_of_others_beside_ours_stay(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote, format="cdk"))
    merge(remote)
    remote.push("main", {f"{PLACE}/lib/extra.ts": "// by hand\n", f"{PLACE}/bin/other.ts": "// Written by hand\n"})
    publish(pipeline, web(remote, format="terraform"))
    assert {"bin/other.ts", "lib/extra.ts", "main.tf"} <= set(here(remote, BRANCH))
    assert not {"bin/app.ts", "lib/stack.ts", "package.json"} & set(here(remote, BRANCH))


@pytest.mark.parametrize("name", ["package.json", "lib/stack.ts", "cdk.json", ".gitignore"])
def test_a_file_of_others_is_never_overwritten(name: str, remote: Remote, pipeline: GitPipeline) -> None:
    remote.push("main", {f"{PLACE}/{name}": "by hand\n"})
    with pytest.raises(PipelineError, match=f"{PLACE}/{name} on main wasn't written by reconciler"):
        publish(pipeline, web(remote, format="cdk"))
    assert set(remote.heads()) == {"main"}


def test_an_app_in_python_doesnt_speak_for_a_package_of_others(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote, format="cdk", language="python"))
    merge(remote)
    remote.push("main", {f"{PLACE}/package.json": "{}\n"})
    with pytest.raises(PipelineError, match=r"package\.json on main wasn't written by reconciler"):
        publish(pipeline, web(remote, format="cdk"))


def test_a_workflow_comes_and_goes_where_github_reads_it(remote: Remote, pipeline: GitPipeline) -> None:
    plan = web(remote, format="cloudformation", workflow="github")
    result = publish(pipeline, plan)
    assert WORKFLOW in result.files
    assert "working-directory: infrastructure/prod-web" in remote.show(BRANCH, WORKFLOW)
    merge(remote)
    assert publish(pipeline, plan).state == "unchanged"
    publish(pipeline, web(remote, format="cloudformation"))
    assert WORKFLOW not in remote.files(BRANCH)


def test_a_workflow_of_others_under_its_name_is_left_alone(remote: Remote, pipeline: GitPipeline) -> None:
    remote.push("main", {WORKFLOW: "name: by hand\n"})
    publish(pipeline, web(remote, format="cloudformation"))
    assert remote.show(BRANCH, WORKFLOW).strip() == "name: by hand"
    with pytest.raises(PipelineError, match=f"{WORKFLOW} on main wasn't written by reconciler"):
        publish(pipeline, web(remote, format="cloudformation", workflow="github"))


def test_a_file_where_the_workflows_would_be_matters_only_if_one_is_wanted(
    remote: Remote, pipeline: GitPipeline
) -> None:
    remote.push("main", {".github": "a file\n"})
    assert publish(pipeline, web(remote)).state == "open"
    with pytest.raises(PipelineError, match=r"\.github in .* isn't a directory"):
        publish(pipeline, replace(web(remote, workflow="github"), name="other"))
