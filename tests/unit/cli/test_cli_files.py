"""validate, digest, approve: on real files, with real keys, and without AWS."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app as commands

PLAN = """\
apiVersion: reconciler/v1
kind: Plan
metadata: {name: web, author: alice@example.com}
spec:
  target: {environment: development, account: "123456789012", region: eu-central-1}
  guardrail: {status: passed, reference: https://ci.example.com/1}
  rollback: automatic
  resources:
    Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: web}}
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desired").mkdir()
    shutil.copytree(ROOT / "policies", tmp_path / "policies", ignore=shutil.ignore_patterns("allowed_signers"))
    (tmp_path / "desired" / "web.yaml").write_text(PLAN)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(commands, list(arguments), env={"COLUMNS": "80", "TERM": "dumb"})


def a_key(here: Path, name: str, signer: str | None) -> Path:
    key = here / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    if signer:
        public = Path(f"{key}.pub").read_text().split()
        with (here / "policies" / "allowed_signers").open("a") as file:
            file.write(f"{signer} {public[0]} {public[1]}\n")
    return key


def test_a_valid_plan_is_valid(here: Path) -> None:
    for path in ("desired", "desired/web.yaml"):
        result = run("validate", path)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "plan web" in result.stdout


def test_an_invalid_plan_is_refused_with_file_line_and_suggestion(here: Path) -> None:
    (here / "desired" / "bad.yaml").write_text(
        PLAN.replace("name: web,", "name: bad,").replace("TopicName", "TopicNam")
    )
    result = run("validate", "desired")
    assert result.exit_code == 1
    assert "bad.yaml:9" in result.stderr
    assert "TopicName" in result.stderr
    assert run("validate", "desired/web.yaml").exit_code == 0, "only what was asked for counts"
    answer = json.loads(run("validate", "desired/bad.yaml", "-o", "json").stdout)
    assert answer["valid"] is False
    assert answer["problems"][0]["line"] == 9


def test_a_type_without_handlers_is_refused_before_anything_is_called(here: Path) -> None:
    plan = PLAN.replace("name: web,", "name: odd,").replace("AWS::SNS::Topic", "AWS::AppMesh::Mesh")
    (here / "desired" / "odd.yaml").write_text(plan.replace("{TopicName: web}", "{MeshName: web}"))
    result = run("validate", "desired/odd.yaml", "-o", "json")
    problems = json.loads(result.stdout)["problems"]
    assert result.exit_code == 1
    assert "AWS::AppMesh::Mesh is not supported: the type has no handlers" in problems[0]["message"]
    assert (problems[0]["line"], problems[0]["path"]) == (9, "Resources/Topic/Type")


def test_a_type_without_a_native_provider_is_valid(here: Path) -> None:
    plan = PLAN.replace("AWS::SNS::Topic", "AWS::Kinesis::Stream").replace("{TopicName: web}", "{Name: web}")
    (here / "desired" / "web.yaml").write_text(plan)
    result = run("validate", "desired")
    assert (result.exit_code, result.stderr) == (0, "")


def test_what_only_a_stack_would_do_is_said(here: Path) -> None:
    topic = "{Type: AWS::SNS::Topic, Properties: {TopicName: web}}"
    instance = (
        "{Type: AWS::EC2::Instance, CreationPolicy: {ResourceSignal: {Count: 1}}, "
        "Properties: {ImageId: ami-12345678, InstanceType: t3.micro}}"
    )
    (here / "desired" / "web.yaml").write_text(PLAN.replace(topic, instance))
    result = run("validate", "desired")
    assert result.exit_code == 0, result.stderr
    assert "nothing waits for signals" in " ".join(result.stderr.split())
    (note,) = json.loads(run("validate", "desired", "-o", "json").stdout)["notes"]
    assert "plan web: Topic: CreationPolicy is followed by CloudFormation alone" in note


def test_a_broken_policy_is_refused(here: Path) -> None:
    (here / "policies" / "x.rego").write_text("package reconciler\ndecision := {\n")
    for path in ("policies", "policies/x.rego"):
        result = run("validate", "desired", path)
        assert result.exit_code == 1
        assert "x.rego" in result.stderr


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_what_holds_nothing_is_not_valid(here: Path, path: str) -> None:
    (here / "empty").mkdir()
    assert run("validate", path).exit_code == 1


def test_digest_changes_with_the_content_only(here: Path) -> None:
    first = run("digest", "web").stdout
    (here / "desired" / "web.yaml").write_text(f"# a comment\n{PLAN}")
    assert run("digest", "web").stdout == first
    (here / "desired" / "web.yaml").write_text(PLAN.replace("TopicName: web", "TopicName: other"))
    assert run("digest", "web").stdout != first


def test_an_approval_is_written_signed_and_counts(here: Path) -> None:
    key = a_key(here, "bob", "bob@example.com")
    result = run(
        "approve", "web", "--key", str(key), "--ticket", "CAB-1", "--expires", "2d", "--scope", "create,delete"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    written = (here / "desired" / "web-bob.approval.yaml").read_text()
    assert "approver: bob@example.com" in written, "found by the key, in allowed_signers"
    assert "CAB-1" in written
    assert "delete" in written
    assert "approval" in run("validate", "desired").stdout


def test_an_edit_voids_the_approval(here: Path) -> None:
    key = a_key(here, "bob", "bob@example.com")
    assert run("approve", "web", "--key", str(key)).exit_code == 0
    (here / "desired" / "web.yaml").write_text(PLAN.replace("TopicName: web", "TopicName: other"))
    result = run("validate", "desired")
    assert result.exit_code == 1
    assert "does not count" in result.stderr


def test_an_approval_that_will_not_count_says_so(here: Path) -> None:
    a_key(here, "bob", "bob@example.com")
    stranger = a_key(here, "eve", None)
    unnamed = run("approve", "web", "--key", str(stranger))
    assert unnamed.exit_code == 1
    assert "use --approver" in unnamed.stderr
    posing = run("approve", "web", "--key", str(stranger), "--approver", "bob@example.com", "-o", "json")
    assert posing.exit_code == 1
    assert "It will not count" in posing.stderr
    assert json.loads(posing.stdout)["objection"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scope", "everything"), "everything"),
        (("--expires", "yesterday"), "--expires yesterday"),
        (("--expires", "2001-01-01T00:00:00Z"), "expire"),
        (("--key", "nowhere"), "nowhere"),
    ],
)
def test_a_wrong_approval_is_not_written(here: Path, options: tuple[str, ...], said: str) -> None:
    key = a_key(here, "bob", "bob@example.com")
    result = run("approve", "web", "--key", str(key), "--approver", "bob@example.com", *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not list((here / "desired").glob("*.approval.yaml"))


def test_with_a_git_source_approvals_are_made_in_a_clone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_SOURCE__GIT__URL", "https://example.com/x.git")
    result = run("approve", "web")
    assert result.exit_code == 1
    assert "in your own clone" in result.stderr
