"""Many rendered CDK stacks as one app, synthesized by the real CDK in one call, because each call costs seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.loader import ROOT

_ENVIRONMENT = {
    "CI": "1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
}
Files = Mapping[str, str]


def node_modules() -> Path:
    """Where the CDK is. Skips the test where it can't be had; in CI that is a failure."""
    got = subprocess.run([ROOT / "scripts" / "get-cdk"], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"scripts/get-cdk got none; in CI it must: {got.stderr}")
        pytest.skip("no CDK to be had on this machine (scripts/get-cdk says why)")
    return Path(got.stdout.strip())


def synthesized(projects: Mapping[str, Files], where: Path) -> dict[str, dict[str, Any]]:
    """The template that each project's stack synthesizes to, by the project's key (letters, digits and dashes).

    All of them are compiled by the TypeScript compiler and synthesized by the CDK's command line, in one call each.
    The entry point is ours, for all of them; everything else is as it was rendered.
    """
    modules = node_modules()
    (where / "node_modules").symlink_to(modules)
    first = next(iter(projects.values()))
    (where / "tsconfig.json").write_text(first["tsconfig.json"].replace('"bin",', '"bin", "stacks",'))
    for key, files in projects.items():
        (where / "stacks" / key / "bin").mkdir(parents=True)
        (where / "stacks" / key / "lib").mkdir()
        (where / "stacks" / key / "lib" / "stack.ts").write_text(files["lib/stack.ts"])
        (where / "stacks" / key / "bin" / "app.ts").write_text(files["bin/app.ts"])
    (where / "bin").mkdir()
    (where / "bin" / "app.ts").write_text(_app(projects))
    run([modules / ".bin" / "tsc"], where)
    config = {**json.loads(first["cdk.json"]), "app": "node dist/bin/app.js"}
    (where / "cdk.json").write_text(json.dumps(config))
    run([modules / ".bin" / "cdk", "synth", "--quiet", "--no-notices"], where)
    return {key: json.loads((where / "cdk.out" / f"{key}.template.json").read_text()) for key in projects}


def synthesized_alone(files: Files, stack: str, where: Path) -> dict[str, Any]:
    """The template that a project synthesizes to as it was rendered, with its own entry point and configuration."""
    modules = node_modules()
    for name, content in files.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(content)
    (where / "node_modules").symlink_to(modules)
    run([modules / ".bin" / "cdk", "synth", "--quiet", "--no-notices"], where)
    return dict(json.loads((where / "cdk.out" / f"{stack}.template.json").read_text()))


def synthesized_python(projects: Mapping[str, Files], python: str, where: Path) -> dict[str, dict[str, Any]]:
    """As ``synthesized``, for projects in Python, run by the interpreter ``python``."""
    lines = ["import aws_cdk as cdk", "app = cdk.App(analytics_reporting=False, outdir='out')"]
    for key, files in projects.items():
        (where / f"{key}.py").write_text(files["stack.py"])
        class_name = files["app.py"].split("from stack import ")[1].split()[0]
        lines += [
            f"import {key}",
            f"{key}.{class_name}(app, '{key}', env=cdk.Environment(account='123456789012', region='us-east-1'),",
            "    synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False))",
        ]
    (where / "app.py").write_text("\n".join([*lines, "app.synth()", ""]))
    run([python, "app.py"], where)
    return {key: json.loads((where / "out" / f"{key}.template.json").read_text()) for key in projects}


def _app(projects: Mapping[str, Files]) -> str:
    lines = ["import * as cdk from 'aws-cdk-lib';", "const app = new cdk.App({ analyticsReporting: false });"]
    for index, (key, files) in enumerate(projects.items()):
        class_name = files["bin/app.ts"].split("import { ")[1].split(" }")[0]
        lines.append(f"import {{ {class_name} as Stack{index} }} from '../stacks/{key}/lib/stack';")
        lines.append(
            f"new Stack{index}(app, '{key}', {{ env: {{ account: '123456789012', region: 'us-east-1' }}, "
            "synthesizer: new cdk.DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) });"
        )
    return "\n".join(lines) + "\n"


def run(command: list[Any], where: Path, **environment: str) -> str:
    """The output of a command that has to succeed."""
    env = {"PATH": os.environ["PATH"], "HOME": str(where), **_ENVIRONMENT, **environment}
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    if done.stderr.strip():
        print(done.stderr[-2000:], file=sys.stderr)
    return done.stdout
