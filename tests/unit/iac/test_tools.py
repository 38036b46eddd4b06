"""Terraform's plan in our own words, and programs that are run: pure parts and real processes."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.iac.assembly import stacks_in
from reconciler.iac.process import Command, Finished, Runner
from reconciler.iac.terraform import interrupted
from reconciler.iac.tfplan import read_plan
from reconciler.iac.tfwords import failure
from reconciler.iac.tools import Tool
from reconciler.iac.workdir import WorkDirectory
from reconciler.model.change import Action
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind
from reconciler.model.ids import Digest
from reconciler.model.plan import Target
from reconciler.model.resource import SyncState
from reconciler.model.values import Sensitive, Unknown
from reconciler.source.digest import bytes_digest

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def resource(address: str, actions: list[str], **change: Any) -> dict[str, Any]:
    kind = address.split(".")[0]
    return {"address": address, "mode": "managed", "type": kind, "change": {"actions": actions, **change}}


def plan(*resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"format_version": "1.2", "resource_changes": list(resources), **more})


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        (["create"], Action.CREATE),
        (["update"], Action.UPDATE),
        (["delete"], Action.DELETE),
        (["delete", "create"], Action.REPLACE),
        (["create", "delete"], Action.REPLACE),
        (["forget"], Action.DELETE),
        (["something new"], Action.DELETE),
    ],
)
def test_actions(actions: list[str], action: Action) -> None:
    (change,) = read_plan(plan(resource("aws_vpc.a", actions, before={"id": "vpc-1"}, after={})), NOW).changes
    assert (change.action, change.type) == (action, "aws_vpc")
    assert bool(change.loss) is (action in (Action.DELETE, Action.REPLACE))


def test_what_is_sensitive_or_not_known_is_marked_at_any_depth() -> None:
    told = resource(
        "aws_db_instance.a",
        ["delete", "create"],
        before={"id": "db-1", "password": "old-password", "tags": [{"k": "v", "s": "old-secret"}], "size": 1},
        after={"password": "new-password", "tags": [{"k": "v", "s": "new-secret"}], "size": 2},
        after_unknown={"id": True, "endpoint": True},
        before_sensitive={"password": True, "tags": [{"s": True}]},
        after_sensitive={"password": True, "tags": [{"s": True}]},
        replace_paths=[["size"]],
    )
    (change,) = read_plan(plan(told), NOW).changes
    assert change.identifier == "db-1"
    assert change.after == {
        "password": Sensitive("new-password"),
        "tags": [{"k": "v", "s": Sensitive("new-secret")}],
        "size": 2,
        "id": Unknown(),
        "endpoint": Unknown(),
    }
    fields = {field.path: field for field in change.fields}
    assert fields["/size"].forces_replacement
    assert not fields["/password"].forces_replacement
    assert "password" not in repr(fields["/password"]).replace("/password", "")


def test_what_is_as_it_should_be_and_what_drifted() -> None:
    prior = {"values": {"root_module": {"child_modules": [{"resources": [
        {"address": "module.m.aws_vpc.a", "mode": "managed", "type": "aws_vpc", "values": {"id": "vpc-1"}},
        {"address": "module.m.data.x.y", "mode": "data", "type": "x", "values": {}},
    ]}]}}}  # fmt: skip
    drift = resource("module.m.aws_vpc.a", ["update"], before={"id": "vpc-1", "x": 1}, after={"id": "vpc-1", "x": 2})
    found = read_plan(plan(resource("module.m.aws_vpc.a", ["no-op"]), prior_state=prior, resource_drift=[drift]), NOW)
    assert (found.changes, [state.state for state in found.states]) == ((), [SyncState.IN_SYNC])
    assert [state.message for state in found.drifted] == ["changed outside of the plan: /x"]


def test_adopting_and_moving() -> None:
    adopted = resource("aws_vpc.a", ["no-op"], importing={"id": "vpc-1"}, before={"id": "vpc-1"}, after={"id": "vpc-1"})
    moved = {**resource("aws_vpc.b", ["no-op"], before={"id": "2"}, after={"id": "2"}), "previous_address": "aws_vpc.c"}
    changes = read_plan(plan(adopted, moved), NOW).changes
    assert [(change.action, change.reason) for change in changes] == [
        (Action.ADOPT, ""), (Action.UPDATE, "moved from aws_vpc.c")
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": "7.0"}'])
def test_something_else_is_refused(text: str) -> None:
    with pytest.raises(DeploymentError):
        read_plan(text, NOW)


def diagnostic(summary: str, detail: str) -> str:
    return json.dumps({"type": "diagnostic", "diagnostic": {"severity": "error", "summary": summary, "detail": detail}})


def test_a_lock_of_somebody_else_is_named() -> None:
    detail = (
        "ConditionalCheckFailedException\nLock Info:\n  ID:        4f2\n  Path:      s3/state\n"
        "  Operation: OperationTypeApply\n  Who:       bob@laptop\n  Version:   1.5.0\n  Created:   2026-11-28\n"
    )
    error = failure("terraform plan", Finished(1, diagnostic("Error acquiring the state lock", detail), ""), "/w", "tf")
    assert isinstance(error, DeploymentError)
    assert "locked by bob@laptop" in str(error)
    assert error.options[1].endswith("cd /w\ntf force-unlock 4f2")


def test_a_refused_permission_is_explained_as_one() -> None:
    detail = "User: arn:aws:iam::1:user/x is not authorized to perform: ec2:CreateVpc on resource: *"
    error = failure("terraform apply", Finished(1, diagnostic("creating VPC", detail), ""), "/w", "tf")
    assert isinstance(error, AwsFault)
    assert error.kind is FaultKind.ACCESS_DENIED


def test_what_an_interrupted_apply_has_written_is_told() -> None:
    def line(kind: str, address: str) -> str:
        return json.dumps({"type": kind, "hook": {"resource": {"addr": address}}})

    text = interrupted(
        "\n".join([line("apply_start", "a.a"), line("apply_complete", "a.a"), line("apply_start", "b.b"), "{"])
    )
    assert "done: a.a; begun, and not known to have ended: b.b" in text


def test_versions(tmp_path: Path) -> None:
    tool = Tool("iac.terraform", "terraform", ">=1.5,<2")
    assert tool.check("1.9.0") == "1.9.0"
    assert tool.check("1.6.0-rc1") == "1.6.0-rc1"
    for wrong in ("1.0.3", "2.0.0", "", "what"):
        with pytest.raises(DeploymentError, match="asks for"):
            tool.check(wrong)


def run(tmp_path: Path, code: str, timeout: float = 30.0, **more: Any) -> Finished:
    command = Command("tool", [sys.executable, "-c", code], tmp_path, {"PATH": "/usr/bin"}, timeout)
    return Runner(tmp_path / "run", SystemClock()).run(command, **more)


def test_output_comes_line_by_line_and_is_private(tmp_path: Path) -> None:
    heard: list[str] = []
    code = "import sys; print('a', flush=True); print('b'); print('wrong', file=sys.stderr); sys.exit(3)"
    finished = run(tmp_path, code, heard=heard.append)
    assert (finished.code, heard, finished.said) == (3, ["a", "b"], "wrong\na\nb")
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "run" / "running.json").exists()


def test_it_is_interrupted_when_it_must_not_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.iac.process._CHECK", 0.1)
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (open('saved', 'w').close(), sys.exit(0)))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    ready: list[str] = []

    def allowed() -> None:
        if ready:
            raise DeploymentError("Lease lost", "it was taken over")

    with pytest.raises(DeploymentError, match="taken over"):
        run(tmp_path, code, heard=ready.append, allowed=allowed)
    assert (tmp_path / "saved").exists(), "it could save what it knew"


def test_the_copy_is_what_the_digest_covers(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    (origin / "sub").mkdir(parents=True)
    contents = {"main.tf": b"a", "sub/x.sh": b"b", "terraform.tfstate": b"never"}
    for name, content in contents.items():
        (origin / name).write_bytes(content)
    files = {name: bytes_digest(content) for name, content in contents.items()}
    work = WorkDirectory(tmp_path / "work")
    work.lock()
    with pytest.raises(DeploymentError, match="another process"):
        WorkDirectory(tmp_path / "work").lock()
    assert work.fill(origin, files, {})
    (work.source / "terraform.tfstate").write_text("ours")
    (work.source / "main.tf").write_text("edited here")
    del files["sub/x.sh"]
    work.fill(origin, files, {})
    assert sorted(path.name for path in work.source.rglob("*") if path.is_file()) == ["main.tf", "terraform.tfstate"]
    assert (work.source / "main.tf").read_bytes() == b"a"
    assert (work.source / "terraform.tfstate").read_text() == "ours"
    with pytest.raises(DeploymentError, match="has changed since the plan was read"):
        work.fill(origin, {"main.tf": Digest("sha256:another")}, {})
    work.release()


def assembly(directory: Path, **artifacts: Any) -> Path:
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (directory / "t.json").write_text("{}")
    return directory


def app_stack(environment: str = "aws://111111111111/us-east-1", **more: Any) -> dict[str, Any]:
    properties = {"templateFile": "t.json"}
    return {"type": "aws:cloudformation:stack", "environment": environment, "properties": properties, **more}


TARGET = Target("sandbox", "111111111111", "us-east-1")


def test_the_stacks_of_an_app_in_their_order(tmp_path: Path) -> None:
    made = assembly(tmp_path, A=app_stack(dependencies=["B"]), B=app_stack("aws://unknown-account/unknown-region"))
    assert [one.name for one in stacks_in(made, TARGET, ())] == ["B", "A"]
    assert [one.name for one in stacks_in(made, TARGET, ("A",))] == ["A"]
    with pytest.raises(DeploymentError, match="no stack C; it has A, B"):
        stacks_in(made, TARGET, ("C",))


def staged(directory: Path) -> Path:
    """An app with a stack, two stages that depend on it, and a stage in one of them."""
    for place in ("Dev", "Dev/Inner", "Prod"):
        (directory / place).mkdir()

    def stage(name: str) -> dict[str, Any]:
        properties = {"directoryName": name}
        return {"type": "cdk:cloud-assembly", "properties": properties, "dependencies": ["Base"]}

    assembly(directory / "Dev" / "Inner", DevInnerX=app_stack(displayName="Dev/Inner/X"))
    inner = {**stage("Inner"), "dependencies": []}
    named = app_stack(displayName="Dev/Web")
    named["properties"]["stackName"] = "dev-web"
    assembly(directory / "Dev", DevWeb1A=named, Inner=inner)
    assembly(directory / "Prod", ProdWeb2B=app_stack("aws://222222222222/us-east-1", displayName="Prod/Web"))
    return assembly(directory, Base=app_stack(), Dev=stage("Dev"), Prod=stage("Prod"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["Base"], ["Base"]),
        (["Dev/Web"], ["Dev/Web"]),
        (["DevWeb1A"], ["Dev/Web"]),
        (["Dev/*"], ["Dev/Web"]),
        (["Dev/**", "Base"], ["Base", "Dev/Web", "Dev/Inner/X"]),
        (["*"], ["Base"]),
    ],
)
def test_the_stacks_of_stages_are_named_as_the_command_line_does(
    tmp_path: Path, wanted: list[str], found: list[str]
) -> None:
    assert [one.id for one in stacks_in(staged(tmp_path), TARGET, wanted)] == found


def test_stages_of_other_places_have_to_be_left_out(tmp_path: Path) -> None:
    app = staged(tmp_path)
    assert {one.name for one in stacks_in(app, TARGET, ["Dev/**"])} == {"dev-web", "DevInnerX"}
    with pytest.raises(DeploymentError, match="the stack Prod/Web is for account 222222222222"):
        stacks_in(app, TARGET, ())
    with pytest.raises(DeploymentError, match=r"no stack Test/[*]; it has Base, Dev/Inner/X, Dev/Web, Prod/Web"):
        stacks_in(app, TARGET, ["Test/*"])


@pytest.mark.parametrize("name", ["..", ".", "/etc"])
def test_an_assembly_reads_nothing_beside_it(tmp_path: Path, name: str) -> None:
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": name}}
    with pytest.raises(DeploymentError, match="isn't in the assembly"):
        stacks_in(assembly(tmp_path, Dev=stage), TARGET, ())


@pytest.mark.parametrize("environment", ["aws://222222222222/us-east-1", "aws://111111111111/eu-west-1"])
def test_nothing_is_deployed_elsewhere(tmp_path: Path, environment: str) -> None:
    with pytest.raises(DeploymentError, match="nothing is deployed anywhere else"):
        stacks_in(assembly(tmp_path, A=app_stack(environment)), TARGET, ())
