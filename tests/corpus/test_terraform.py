"""Every template of the corpus as Terraform, with either provider: `pytest tests/corpus -s` prints what it comes to.

A sample of the valid ones by default, all of them and the faulty ones with RECONCILER_CORPUS=full. Two parsers read the
output: python-hcl2, whose view of it is held against the providers' schemas, and the one in the real terraform, whose
``fmt`` must leave every file as it is.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from reconciler.model.errors import PipelineError
from reconciler.pipeline import render
from tests.corpus.loader import Entry, accepted, faulty, plan_name, resource_types, table
from tests.terraformbinary import run_terraform
from tests.terraformcheck import parsed, problems, resources

pytestmark = pytest.mark.terraform

PROVIDERS = ("awscc", "aws")
SAMPLE = 45
#: What a faulty template makes of the output that only its author can put right.
_THE_TEMPLATES_OWN = re.compile(r" is required$| is wanted$| is no [snb]$")


def _full() -> bool:
    return os.environ.get("RECONCILER_CORPUS") == "full"


def _chosen() -> tuple[Entry, ...]:
    rows = accepted()
    if _full():
        return (*rows, *faulty())
    step = max(1, len(rows) // SAMPLE)
    return rows[::step]


_RENDERED: dict[tuple[str, str], dict[str, str] | str] = {}


def rendered(entry: Entry, provider: str) -> dict[str, str] | str:
    """The files, or why Terraform can't express the template; worked out once."""
    key = (entry.name, provider)
    if key not in _RENDERED:
        _RENDERED[key] = _render(entry, provider)
    return _RENDERED[key]


def _render(entry: Entry, provider: str) -> dict[str, str] | str:
    try:
        files = render(entry.change_set, "terraform", provider=provider)
    except PipelineError as error:
        assert not error.retryable
        return str(error)
    return {file.path: file.content for file in files}


def _reason(message: str) -> str:
    """A refusal without the place in the template that it is about."""
    return re.sub(r"^\S+: ", "", message) if not message.startswith("main.tf") else message.split(":")[-1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_resource_attribute_and_reference_exists(provider: str) -> None:
    refused: Counter[str] = Counter()
    done: Counter[str] = Counter()
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    for entry in _chosen():
        files = rendered(entry, provider)
        done["templates"] += 1
        if isinstance(files, str):
            refused[_reason(files)] += 1
            done["for a stack alone"] += any(one.by_stack for one in entry.change_set.plan.resources.values())
            continue
        done["rendered"] += 1
        done["resources of theirs"] += len(entry.change_set.plan.resources)
        blocks = [kind for content in files.values() for kind, _, _ in resources(parsed(content))]
        kinds.update(blocks)
        done["resource blocks"] += len(blocks)
        found = [f"{entry.name}: {problem}" for problem in problems(files)]
        wrong += [one for one in found if not (entry.problems and _THE_TEMPLATES_OWN.search(one))]
    print(f"\n{provider}: " + ", ".join(f"{count} {what}" for what, count in done.items()))
    print("\n".join(table("  resource blocks by type", kinds)))
    print("\n".join(table("  refused", refused)))
    assert wrong == []
    assert done["rendered"] >= 0.8 * (done["templates"] - done["for a stack alone"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_terraform_fmt_leaves_every_file_as_it_is(provider: str, tmp_path: Path) -> None:
    count = 0
    for entry in _chosen():
        files = rendered(entry, provider)
        if isinstance(files, str):
            continue
        where = tmp_path / f"{plan_name(entry.name)}-{count}"
        where.mkdir()
        for name, content in files.items():
            (where / name).write_text(content, newline="")
            count += 1
    checked = run_terraform(tmp_path, "fmt", "-check", "-diff", "-recursive")
    print(f"\n{provider}: {count} files given to terraform fmt")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert count > 80


def test_every_rendering_is_the_same_twice() -> None:
    for entry in _chosen()[:20]:
        assert _render(entry, "aws") == rendered(entry, "aws")


def test_variables_and_their_validations_are_taken_by_terraform(tmp_path: Path) -> None:
    """Terraform evaluates the conditions with the plan's own values, and no provider is needed for that."""
    tried = 0
    for entry in _chosen():
        files = rendered(entry, "awscc")
        if isinstance(files, str) or "validation {" not in files.get("variables.tf", ""):
            continue
        tried += 1
        where = tmp_path / str(tried)
        where.mkdir()
        (where / "variables.tf").write_text(files["variables.tf"])
        secret = [name for name, body in _variables(files["variables.tf"]) if "default" not in body]
        given = [f"-var={name}={_secret_value(entry, name)}" for name in secret]
        planned = run_terraform(tmp_path, "plan", "-input=false", "-no-color", "-refresh=false", *given, where=where)
        assert planned.returncode == 0, f"{entry.name}: {planned.stdout}{planned.stderr}"
        if tried == 12 and not _full():
            break
    print(f"\n{tried} templates' variables evaluated by terraform")
    assert tried >= 5


def _variables(content: str) -> list[tuple[str, dict[str, object]]]:
    found = []
    for block in parsed(content)["variable"]:
        for name, body in block.items():
            if not name.startswith("__"):
                found.append((name.strip('"'), body))
    return found


def _secret_value(entry: Entry, label: str) -> str:
    """The value that the template's own parameter has; of other variables any."""
    for parameter in entry.change_set.plan.parameters:
        if parameter.name.lower() == label.replace("_", "").lower():
            return str(getattr(parameter.value, "value", parameter.value))
    return "1"


def test_the_corpus_has_what_this_is_about() -> None:
    types = resource_types(_chosen())
    assert len(types) >= 60
    assert {"AWS::S3::Bucket", "AWS::IAM::Role", "AWS::EC2::SecurityGroup"} <= types.keys()
