"""settle: what a person says of a call that nobody could decide, over a real store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app as commands
from reconciler.model.change import Verb
from reconciler.model.ids import ClientToken, Identifier, LogicalId, PlanName, RunId, StepId, TypeName
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.store import SqlStore
from reconciler.testing.memory import START

WEB = PlanName("web")


def an_entry(step: str = "Vpc:create", verb: Verb = Verb.CREATE, identifier: str | None = None) -> JournalEntry:
    return JournalEntry(
        run=RunId("run-1"),
        plan=WEB,
        step=StepId(step),
        logical_id=LogicalId(step.partition(":")[0]),
        type=TypeName("AWS::EC2::VPC"),
        verb=verb,
        token=ClientToken("t"),
        account="111111111111",
        region="eu-central-1",
        at=START,
        state=JournalState.UNDECIDABLE,
        identifier=Identifier(identifier) if identifier else None,
        after={"CidrBlock": "10.0.0.0/16"},
        error="2 resources carry the tags of Vpc (plan web): vpc-a, vpc-b; they can't be told apart: delete the one "
        "that isn't wanted, or take its reconciler: tags off",
    )


class Shell:
    """The command line over a store in a directory."""

    def __init__(self, directory: Path) -> None:
        config = directory / "reconciler.yaml"
        config.write_text(f"state_dir: {directory / 'state'}\nsource:\n  path: {directory}\n", encoding="utf-8")
        (directory / "state").mkdir()
        self.config = config
        self.store = SqlStore(f"sqlite:///{directory / 'state' / 'reconciler.db'}")

    def __call__(self, *arguments: str) -> Any:
        environment = {"COLUMNS": "80", "TERM": "dumb", "RECONCILER_CONFIG": str(self.config)}
        return CliRunner().invoke(commands, ["settle", *arguments], env=environment)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_without_a_step_what_is_undecided_is_listed_with_the_commands(shell: Shell) -> None:
    shell.store.write_journal(an_entry())
    result = shell("web")
    assert result.exit_code == 0, result.output
    assert "Vpc:create, run run-1, 2026-11-23 09:00:00 UTC" in result.stdout
    assert "vpc-a, vpc-b" in result.stdout
    assert "    reconciler settle web Vpc:create --outcome present --identifier ID\n" in result.stdout
    assert "    reconciler settle web Vpc:create --outcome absent\n" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    (listed,) = json.loads(shell("web", "-o", "json").stdout)
    assert (listed["step"], listed["account"], len(listed["commands"])) == ("Vpc:create", "111111111111", 2)


def test_present_is_recorded_and_the_plan_may_go_on(shell: Shell) -> None:
    shell.store.write_journal(an_entry())
    result = shell("web", "Vpc:create", "--outcome", "present", "--identifier", "vpc-a")
    assert result.exit_code == 0, result.output
    assert "Settled: Vpc:create counts as done (AWS::EC2::VPC vpc-a is present)." in result.stdout
    assert "Nothing is undecided in web any more" in result.stdout
    assert shell.store.unresolved(WEB) == []
    record = shell.store.records(WEB)[LogicalId("Vpc")]
    assert (record.identifier, record.applied) == ("vpc-a", {"CidrBlock": "10.0.0.0/16"})
    events = [entry.event for entry in shell.store.audit_entries() if entry.event.kind == "settle"]
    assert [event.facts["outcome"] for event in events] == ["present"]
    assert shell.store.lease(WEB) is None


def test_present_without_the_identifier_of_what_was_created_is_refused(shell: Shell) -> None:
    shell.store.write_journal(an_entry())
    result = shell("web", "Vpc:create", "--outcome", "present")
    assert result.exit_code == 1
    assert "name it by --identifier" in result.stderr
    assert len(shell.store.unresolved(WEB)) == 1


@pytest.mark.parametrize(("outcome", "state"), [("present", "failed"), ("absent", "done")])
def test_a_delete_is_done_if_its_resource_is_absent(shell: Shell, outcome: str, state: str) -> None:
    shell.store.write_journal(an_entry("Vpc:delete", Verb.DELETE, "vpc-a"))
    result = shell("web", "Vpc:delete", "--outcome", outcome, "-o", "json")
    assert json.loads(result.stdout)["state"] == state
    assert shell.store.records(WEB) == {}


def test_there_may_be_nothing_to_decide(shell: Shell) -> None:
    assert "Nothing is undecided in web." in shell("web").stdout
    result = shell("web", "Vpc:create", "--outcome", "absent")
    assert result.exit_code == 1
    assert "web has no step Vpc:create whose outcome is undecidable" in result.stderr
