"""Validation by cfn-lint: kept out of the import path, asked once per content, and not to be weakened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.source import lint
from reconciler.source.lint import Linter

BAD = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueNam": "x"}}}}


def test_importing_the_source_imports_nothing_heavy() -> None:
    heavy = "{'cfnlint', 'git', 'boto3', 'sqlalchemy'}"
    code = f"import sys, reconciler.source; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_finding_names_its_place_and_what_was_meant() -> None:
    (finding,) = Linter().check(BAD, "eu-central-1")
    assert finding.place == ("Resources", "Queue", "Properties", "QueueNam")
    assert finding.suggestion == "did you mean QueueName?"
    assert "Did you mean" not in finding.message


def test_the_same_content_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linter = Linter(tmp_path / "cache")
    first = linter.check(BAD, "eu-central-1")

    def refuse(*_: Any) -> Any:
        raise AssertionError("the engine was asked again")

    monkeypatch.setattr(lint, "_run", refuse)
    assert linter.check(BAD, "eu-central-1") == first
    assert Linter(tmp_path / "cache").check(BAD, "eu-central-1") == first
    with pytest.raises(AssertionError):
        linter.check(BAD, "eu-west-1")


def test_a_damaged_cache_is_no_answer(tmp_path: Path) -> None:
    first = Linter(tmp_path).check(BAD, "eu-central-1")
    (entry,) = tmp_path.glob("*.json")
    for damage in ("", "[[1]]", "{}x", '[["a", [], "b"]]'):
        entry.write_text(damage)
        assert Linter(tmp_path).check(BAD, "eu-central-1") == first


def test_a_full_cache_forgets_what_was_asked_for_longest_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_KEPT_ON_DISK", 4)
    monkeypatch.setattr(lint, "_run", lambda *_: ())
    regions = [f"region-{number}" for number in range(4)]
    for number, region in enumerate(regions):
        Linter(tmp_path).check(BAD, region)
        newest = max(tmp_path.glob("*.json"), key=lambda entry: entry.stat().st_mtime)
        os.utime(newest, (number + 1, number + 1))
    Linter(tmp_path).check(BAD, regions[0])  # asked for again
    Linter(tmp_path).check(BAD, "region-4")
    assert len(list(tmp_path.glob("*.json"))) == 3

    def refuse(*_: Any) -> Any:
        raise AssertionError("the engine was asked again")

    monkeypatch.setattr(lint, "_run", refuse)
    for region in (regions[0], regions[3], "region-4"):
        assert Linter(tmp_path).check(BAD, region) == ()


def test_an_unwritable_cache_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Linter(tmp_path / "file").check(BAD, "eu-central-1")


def test_configuration_files_of_cfn_lint_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    lint._runner.cache_clear()
    try:
        assert Linter().check(BAD, "eu-central-1")
    finally:
        lint._runner.cache_clear()


@pytest.mark.parametrize(
    "config",
    [
        {"ignore_checks": ["E"]},
        {"append_rules": ["/nowhere"]},
        {"regions": ["mars-1"]},
    ],
)
def test_a_template_cannot_configure_cfn_lint(config: Any) -> None:
    resource = {**BAD["Resources"]["Queue"], "Metadata": {"cfn-lint": {"config": config}, "Other": 1}}
    template = {"Metadata": {"cfn-lint": {"config": config}}, "Resources": {"Queue": resource}}
    assert [finding.rule for finding in Linter().check(template, "eu-central-1")] == ["E3002"]
    assert template["Metadata"] == {"cfn-lint": {"config": config}}


@pytest.mark.parametrize(
    "template",
    [{"Resources": 5}, {"Resources": {"A": None}}, {"Resources": {"A": {"Type": ["x"], "Properties": []}}}, {}],
)
def test_whatever_is_in_a_template_it_is_refused_in_words(template: Any) -> None:
    assert all(finding.message for finding in Linter().check(template, "eu-central-1"))
    assert Linter().check(template, "eu-central-1")
