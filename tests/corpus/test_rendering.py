"""Every template of the corpus, rendered as CloudFormation and as CDK apps: the same is said in all of them.

``pytest tests/corpus -s`` prints what could be rendered. By default the CDK synthesizes a sample of the valid
templates; with ``RECONCILER_CORPUS=full`` all of them, and the faulty ones too. The apps in Python are run where
``RECONCILER_CDK_PYTHON`` names a Python that has what their requirements.txt says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.errors import PipelineError
from reconciler.pipeline import cloudformation, render
from tests.corpus.loader import Entry, accepted, faulty, table
from tests.corpus.meaning import differences, flat, of_plan, of_template
from tests.corpus.synthesis import synthesized, synthesized_alone, synthesized_python

FULL = os.environ.get("RECONCILER_CORPUS") == "full"
PYTHON = os.environ.get("RECONCILER_CDK_PYTHON", "")
#: valid ones whose parameters' values aren't, which shows when they are part of the template
_WRONG_VALUES = frozenset(
    {
        "good/resources/rds/instance_sizes.yaml",
        "quickstart/nat-instance.json",
        "troposphere/ApplicationLB_FixedActions.json",
        "troposphere/DynamoDB_Table_With_GSI_And_NonKeyAttributes_Projection.json",
        "troposphere/Redshift.json",
        "troposphere/RedshiftClusterInVpc.json",
    }
)
_FORMATS = (("cloudformation", ""), ("cdk", "typescript"), ("cdk", "python"))


@lru_cache(maxsize=512)
def rendered(entry: Entry, format_name: str, language: str) -> dict[str, str] | str:
    """The files, or why there are none."""
    try:
        return {file.path: file.content for file in render(entry.change_set, format_name, language or "typescript")}
    except PipelineError as error:
        return str(error)


def _reason(refusal: str) -> str:
    """A refusal without the names of a template's own."""
    return "would hold a secret" if "would hold a secret" in refusal else refusal.split(": ", 1)[-1]


def test_what_can_be_rendered() -> None:
    kinds: dict[str, Counter[str]] = {}
    for title, rows in (("valid", accepted()), ("refused by the schemas alone", faulty())):
        for format_name, language in (*_FORMATS, ("terraform", "")):
            name = f"{format_name} {language}".strip()
            counts: Counter[str] = Counter()
            for entry in rows:
                outcome = rendered(entry, format_name, language)
                counts["rendered" if isinstance(outcome, dict) else f"refused: {_reason(outcome)}"] += 1
                for item in entry.change_set.plan.resources.values() if isinstance(outcome, dict) else ():
                    kinds.setdefault(str(item.type), Counter())[name] += 1
            print("\n" + "\n".join(table(f"{name}, of {title} templates", counts)))
            if format_name != "terraform":  # whose provider lacks types; its own tests say which
                assert set(counts) <= {"rendered", "refused: would hold a secret"}, counts
                assert counts["rendered"] >= len(rows) * 0.95
    _print_types(kinds)


def _print_types(kinds: dict[str, Counter[str]]) -> None:
    names = [f"{format_name} {language}".strip() for format_name, language in (*_FORMATS, ("terraform", ""))]
    print(f"\n{'resources rendered, by type':52}" + "".join(f"{name:>16}" for name in names))
    for kind, counts in sorted(kinds.items()):
        print(f"{kind:52}" + "".join(f"{counts[name]:16}" for name in names))
    totals = [sum(counts[name] for counts in kinds.values()) for name in names]
    print(f"{f'{len(kinds)} types':52}" + "".join(f"{total:16}" for total in totals))


def test_cloudformation_says_what_the_plan_says() -> None:
    for entry in (*accepted(), *faulty()):
        files = rendered(entry, "cloudformation", "")
        plan = entry.change_set.plan
        if isinstance(files, dict) and plan.resources:
            assert differences(of_plan(plan), of_template(files["template.yaml"], plan)) == [], entry.name


@pytest.mark.timeout(900)
def test_cloudformation_is_as_clean_as_the_template_was() -> None:
    """Of valid templates; all of them where there is time."""
    rows = [entry for entry in accepted() if entry.name not in _WRONG_VALUES]
    for entry in rows if FULL else rows[::15]:
        files = rendered(entry, "cloudformation", "")
        if isinstance(files, dict):
            assert _errors(files["template.yaml"]) == [], entry.name


def _errors(content: str) -> list[str]:
    from cfnlint.api import (
        ManualArgs,  # type: ignore[attr-defined]  # exported at run time only
        lint,
    )

    found = lint(content, config=ManualArgs(regions=["us-east-1"]))
    return [str(match) for match in found if match.rule.id.startswith("E")]


def test_the_same_change_is_rendered_the_same() -> None:
    for entry in accepted()[::9]:
        for format_name, language in _FORMATS:
            assert rendered.__wrapped__(entry, format_name, language) == rendered(entry, format_name, language)


@pytest.mark.cdk
@pytest.mark.timeout(900)
def test_the_cdk_synthesizes_typescript_to_the_same_template(tmp_path: Path) -> None:
    rows = [*accepted(), *faulty()] if FULL else accepted()[::4]
    wanted = {f"t{index}": entry for index, entry in enumerate(rows)}
    projects = {key: rendered(entry, "cdk", "typescript") for key, entry in wanted.items()}
    found = synthesized({key: files for key, files in projects.items() if isinstance(files, dict)}, tmp_path)
    assert len(found) >= len(rows) * 0.95
    print(f"\n{len(found)} of {len(rows)} templates synthesized by the CDK from TypeScript")
    for key, template in found.items():
        _compare(wanted[key], template)


@pytest.mark.cdk
@pytest.mark.timeout(900)
@pytest.mark.skipif(not PYTHON, reason="RECONCILER_CDK_PYTHON names no Python with aws-cdk-lib (463 MB)")
def test_python_synthesizes_to_the_same_template(tmp_path: Path) -> None:
    """Run as it is, in the library's own Python edition: too large a part for every test run."""
    wanted = {f"t{index}": entry for index, entry in enumerate((*accepted(), *faulty()))}
    projects = {key: rendered(entry, "cdk", "python") for key, entry in wanted.items()}
    found = synthesized_python(
        {key: files for key, files in projects.items() if isinstance(files, dict)}, PYTHON, tmp_path
    )
    print(f"\n{len(found)} of {len(wanted)} templates synthesized by the CDK from Python")
    for key, template in found.items():
        _compare(wanted[key], template)


@pytest.mark.cdk
@pytest.mark.timeout(300)
def test_the_cdk_takes_a_project_as_it_is_rendered(tmp_path: Path) -> None:
    entry = next(entry for entry in accepted() if entry.name == "quickstart/vpc.json")
    files = rendered(entry, "cdk", "typescript")
    assert isinstance(files, dict)
    _compare(entry, synthesized_alone(files, entry.change_set.plan.name, tmp_path))


def _compare(entry: Entry, template: dict[str, Any]) -> None:
    """A synthesized template with what was wanted, and with the CloudFormation rendering around that."""
    plan = entry.change_set.plan
    if not plan.resources:  # a template with a placeholder instead
        assert list(template["Resources"]) == ["Nothing"]
        return
    assert differences(of_plan(plan), of_template(json.dumps(template), plan, "synthesized.json")) == [], entry.name
    document = cloudformation.document(entry.change_set)
    for section in (document.keys() | template.keys()) - {"Resources", "Outputs"}:
        assert flat(template.get(section)) == flat(document.get(section)), (entry.name, section)


def test_python_is_laid_out_and_compiles(tmp_path: Path) -> None:
    """As Ruff formats it, and with no name that isn't defined or not used."""
    for index, entry in enumerate(accepted()):
        files = rendered(entry, "cdk", "python")
        if isinstance(files, dict):
            for name in ("stack.py", "app.py"):
                (tmp_path / f"{name.removesuffix('.py')}_{index}.py").write_text(files[name])
    ruff = [sys.executable, "-m", "ruff"]
    width = ["--config", "line-length=120", "--no-cache", "--isolated"]
    for command in (["format", "--check", "--diff"], ["check", "--select", "F,E9"]):
        done = subprocess.run([*ruff, *command, *width, str(tmp_path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
