"""The workflow that brings rendered files to AWS once they are merged: GitHub Actions or GitLab CI.

Two jobs: one shows what would change, with a role that needn't change anything; one deploys, behind the gate of the
environment that it names. Neither has keys: both get a role by the CI system's own token. What the files leave open
(secrets) comes from the environment's secrets or variables, under the name in capitals.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.model.plan import PipelineTarget, Plan
from reconciler.pipeline import naming, refs
from reconciler.pipeline.cdk.project import packages, stack_name
from reconciler.pipeline.files import RenderedFile
from reconciler.pipeline.header import HEADER

GITLAB_FILE = "gitlab-ci.yml"
FILES = (GITLAB_FILE,)
_TERRAFORM = "1.9.8"
_NODE = "22.12.0"
_PYTHON = "3.12"
_CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"
_CREDENTIALS = "aws-actions/configure-aws-credentials@b47578312673ae6fa5b5096b330d9fbac3d116df"
_SETUP_NODE = "actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020"
_SETUP_PYTHON = "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065"
_SETUP_TERRAFORM = "hashicorp/setup-terraform@b9cd54a3c349d3f38e8881555d616ced269862dd"
#: the releases that these commits are
_RELEASES = {
    _CHECKOUT: "v4.2.2",
    _CREDENTIALS: "v4.2.1",
    _SETUP_NODE: "v4.4.0",
    _SETUP_PYTHON: "v5.6.0",
    _SETUP_TERRAFORM: "v3.1.2",
}
_OPEN_VARIABLE = re.compile(r'^variable "(\w+)" \{\n((?:(?:  .*)?\n)*)\}', re.MULTILINE)
_OPEN_PARAMETER = re.compile(r'"ParameterKey": "(\w+)"')
_CONSTRUCTED_PARAMETER = re.compile(r"""CfnParameter\((?:this|self),\s*['"](\w+)['"]""")


@dataclass(frozen=True, slots=True)
class _Tools:
    """How one format is worked with.

    ``install``: what needs no credentials and therefore sees none. ``environment``: the open value that each variable
    of the other commands holds.
    """

    actions: tuple[Mapping[str, Any], ...]
    image: str
    install: tuple[str, ...]
    show: tuple[str, ...]
    deploy: tuple[str, ...]
    environment: Mapping[str, str]


def github_file(plan: Plan) -> str:
    """Where GitHub looks for the workflow of a plan, from the repository's root."""
    return f"/.github/workflows/reconciler-{refs.slug(plan.name)}.yml"


def paths(plan: Plan) -> tuple[str, ...]:
    """The files outside of a plan's directory that may be the plan's."""
    return (github_file(plan),)


def render(
    files: Sequence[RenderedFile], plan: Plan, target: PipelineTarget, directory: Sequence[str]
) -> tuple[RenderedFile, ...]:
    """The workflow file that ``target`` asks for, if it does. ``files``: what it deploys. Pure."""
    write = _SYSTEMS.get(target.workflow or "")
    if write is None:
        return ()
    tools = _TOOLS[target.format, target.language if target.format == "cdk" else ""](files, plan)
    return (write(plan, target, "/".join(directory), tools),)


# what each format takes


def _terraform(files: Sequence[RenderedFile], _: Plan) -> _Tools:
    content = next(file.content for file in files if file.path == "variables.tf")
    opened = [name for name, body in _OPEN_VARIABLE.findall(content) if not re.search(r"^  default ", body, re.M)]
    planned = "terraform plan -input=false -out=tfplan"
    return _Tools(
        ({"uses": _SETUP_TERRAFORM, "with": {"terraform_version": _TERRAFORM, "terraform_wrapper": False}},),
        f"hashicorp/terraform:{_TERRAFORM}",
        (),
        ("terraform init -input=false", "terraform fmt -check", "terraform validate", planned),
        ("terraform init -input=false", planned, "terraform apply -input=false tfplan"),
        {f"TF_VAR_{name}": name for name in opened},
    )


def _cloudformation(files: Sequence[RenderedFile], plan: Plan) -> _Tools:
    content = next(file.content for file in files if file.path == "parameters.json")
    opened = _OPEN_PARAMETER.findall(content)
    command = (
        "aws cloudformation deploy --template-file template.yaml --no-fail-on-empty-changeset "
        f"--stack-name {shlex.quote(stack_name(plan))} --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND"
    )
    if opened:
        command += " --parameter-overrides " + " ".join(f'"{name}=${_capitals(name)}"' for name in opened)
    account = f'test "$(aws sts get-caller-identity --query Account --output text)" = {plan.target.account}'
    return _Tools(
        (),
        "amazon/aws-cli:2.22.35",
        (),
        (account, f"{command} --no-execute-changeset"),
        (account, command),
        {_capitals(name): name for name in opened},
    )


def _cdk_typescript(files: Sequence[RenderedFile], _: Plan) -> _Tools:
    opened = _constructed(files, "lib/stack.ts")
    return _Tools(
        ({"uses": _SETUP_NODE, "with": {"node-version": _NODE}},),
        f"node:{_NODE}-bookworm",
        ("npm ci",),
        ("npx cdk diff",),
        (f"npx cdk deploy --require-approval never{_passed(opened)}",),
        {_capitals(name): name for name in opened},
    )


def _cdk_python(files: Sequence[RenderedFile], _: Plan) -> _Tools:
    opened = _constructed(files, "stack.py")
    command = f"npx --yes aws-cdk@{packages()['aws-cdk']}"
    return _Tools(
        (
            {"uses": _SETUP_NODE, "with": {"node-version": _NODE}},
            {"uses": _SETUP_PYTHON, "with": {"python-version": _PYTHON}},
        ),
        f"nikolaik/python-nodejs:python{_PYTHON}-nodejs22-bookworm",
        ("python3 -m pip install --quiet -r requirements.txt",),
        (f"{command} diff",),
        (f"{command} deploy --require-approval never{_passed(opened)}",),
        {_capitals(name): name for name in opened},
    )


def _constructed(files: Sequence[RenderedFile], path: str) -> list[str]:
    return _CONSTRUCTED_PARAMETER.findall(next(file.content for file in files if file.path == path))


def _passed(opened: Sequence[str]) -> str:
    return "".join(f' --parameters "{name}=${_capitals(name)}"' for name in opened)


def _capitals(name: str) -> str:
    return naming.attribute_name(name).upper()


_TOOLS: Mapping[tuple[str, str], Callable[[Sequence[RenderedFile], Plan], _Tools]] = {
    ("terraform", ""): _terraform,
    ("cloudformation", ""): _cloudformation,
    ("cdk", "typescript"): _cdk_typescript,
    ("cdk", "python"): _cdk_python,
}


# what each system reads


def _github(plan: Plan, target: PipelineTarget, place: str, tools: _Tools) -> RenderedFile:
    path = github_file(plan)
    branch = refs.base_name(target.base, plan)
    watched = {"branches": [branch], "paths": [f"{place}/**", path[1:]]}
    environment = plan.target.environment

    group = f"reconciler-{refs.slug(plan.name)}-${{{{ github.event_name }}}}"
    document = {
        "name": f"{plan.name} ({environment})",
        "on": {"pull_request": watched, "push": watched},
        "permissions": {},
        "concurrency": {"group": group, "cancel-in-progress": False},
        "jobs": {
            "plan": _github_job(plan, place, tools, f"{environment}-plan", tools.show),
            "deploy": {
                "if": "github.event_name == 'push'",
                "needs": "plan",
                **_github_job(plan, place, tools, environment, tools.deploy),
            },
        },
    }
    notes = (
        f"Environments of the repository: {environment}-plan (a role that reads) and {environment} (a role that "
        "deploys, with required reviewers).",
        *_notes(tools),
    )
    return RenderedFile(path, _text(plan, notes, document))


def _github_job(plan: Plan, place: str, tools: _Tools, gate: str, commands: Sequence[str]) -> dict[str, Any]:
    """``gate``: the environment of the repository that lets it run."""
    secrets = {name: f"${{{{ secrets.{_capitals(value)} }}}}" for name, value in tools.environment.items()}
    role = {"role-to-assume": "${{ vars.AWS_ROLE_ARN }}", "aws-region": plan.target.region}
    given = {"env": secrets} if secrets else {}
    return {
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": 60,
        "environment": gate,
        "permissions": {"contents": "read", "id-token": "write"},
        "defaults": {"run": {"working-directory": place}},
        "steps": [
            {"uses": _CHECKOUT, "with": {"persist-credentials": False}},
            *tools.actions,
            *({"run": command} for command in tools.install),
            {"uses": _CREDENTIALS, "with": role},
            *({"run": command, **given} for command in commands),
        ],
    }


def _gitlab(plan: Plan, target: PipelineTarget, place: str, tools: _Tools) -> RenderedFile:
    name, environment = refs.slug(plan.name), plan.target.environment
    changes = {"changes": [f"{place}/**/*"]}
    on_base = {"if": f'$CI_COMMIT_BRANCH == "{refs.base_name(target.base, plan)}"', **changes}
    variables = {
        "AWS_REGION": plan.target.region,
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/tmp/aws-web-identity-token",  # noqa: S108 - of the job's own container
        **{key: f"${_capitals(value)}" for key, value in tools.environment.items() if key != _capitals(value)},
    }

    def job(stage: str, gate: Mapping[str, str], commands: Sequence[str], rules: Sequence[Any]) -> dict[str, Any]:
        return {
            "stage": stage,
            "image": {"name": tools.image, "entrypoint": [""]},
            "environment": dict(gate),
            "resource_group": f"reconciler-{name}",
            "id_tokens": {"AWS_TOKEN": {"aud": "sts.amazonaws.com"}},
            "variables": variables,
            "rules": list(rules),
            "before_script": [
                'umask 077 && printf "%s" "$AWS_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"',
                f"cd {shlex.quote(place)}",
            ],
            "script": [*tools.install, *commands],
        }

    shown = [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"', **changes}, on_base]
    document = {
        f"{name}:plan": job("test", {"name": f"{environment}-plan", "action": "prepare"}, tools.show, shown),
        f"{name}:deploy": {
            **job("deploy", {"name": environment}, tools.deploy, [{**on_base, "when": "manual"}]),
            "needs": [f"{name}:plan"],
        },
    }
    notes = (
        f"Taken up by the repository's .gitlab-ci.yml: include: [{{local: {place}/{GITLAB_FILE}}}]",
        f"Environments of the project: {environment}-plan (a role that reads) and {environment} (a role that deploys, "
        "protected).",
        *_notes(tools),
    )
    return RenderedFile(GITLAB_FILE, _text(plan, notes, document))


def _notes(tools: _Tools) -> tuple[str, ...]:
    names = ", ".join(_capitals(value) for value in tools.environment.values())
    role = "Each has a variable AWS_ROLE_ARN: the role that is assumed by the CI system's token."
    return (role, f"Each has these secrets: {names}.") if names else (role,)


_SYSTEMS = {"github": _github, "gitlab": _gitlab}


def _text(plan: Plan, notes: Sequence[str], document: Mapping[str, Any]) -> str:
    lines = [f"{HEADER} from plan {' '.join(plan.name.split())}: change the plan, not this file.", *notes]
    body: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    for action, release in _RELEASES.items():
        body = body.replace(f"uses: {action}\n", f"uses: {action} # {release}\n")
    return "".join(f"# {line}\n" for line in lines) + body


class _Dumper(yaml.SafeDumper):
    """Nothing is an alias, and lists are indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's signature)
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True
