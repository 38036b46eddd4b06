"""diff and apply: what they print and the codes that scripts rely on."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from typing import Any

import pytest
from cli_fakes import FakePreview, a_branch, a_change_set, a_decision, a_report, a_step

from reconciler.cli.commands.passes import apply_code
from reconciler.model.change import ChangeSet, ResourceState
from reconciler.model.decision import Mode
from reconciler.model.errors import AwsFault, FaultKind, PlanBusy, PolicyUnavailable, Problem
from reconciler.model.ids import LogicalId, PlanName, TypeName
from reconciler.model.report import Explanation, PlanState, StepState
from reconciler.model.resource import SyncState

FAULT = AwsFault(FaultKind.CREDENTIALS, "log in again")


def clean(changes: ChangeSet) -> ChangeSet:
    return replace(changes, resources=(), conflicts=())


def test_diff_without_changes_exits_0(cli: Any) -> None:
    result = cli("diff")
    assert result.exit_code == 0
    assert result.stdout.count("No changes. Live state matches the plan.") == 2


def test_diff_with_changes_exits_2(cli: Any) -> None:
    cli.app.cycle.previews["web"] = FakePreview(clean(a_change_set()), a_decision())
    result = cli("diff")
    assert result.exit_code == 2
    assert "Plan web (development, account 123456789012, eu-central-1)" in result.stdout
    assert "Plan: 1 to adopt, 2 to add, 2 to change, 2 to destroy." in result.stdout
    assert "Decision: waiting for approval" in result.stdout


@pytest.mark.parametrize(
    "preview",
    [
        FakePreview(error=FAULT),
        FakePreview(a_change_set(), error=FAULT),
        FakePreview(error=PolicyUnavailable("unreachable", "no OPA")),
        FakePreview(decision=a_decision(Mode.DENY)),
    ],
)
def test_diff_with_an_error_exits_1_whatever_else_changed(cli: Any, preview: FakePreview) -> None:
    cli.app.cycle.previews["api"] = FakePreview(clean(a_change_set()))
    cli.app.cycle.previews["web"] = preview
    result = cli("diff")
    assert result.exit_code == 1
    if preview.error:
        assert f"Error: web: {preview.error}" in result.stderr


def test_diff_of_what_could_not_be_read_is_an_error_not_no_changes(cli: Any) -> None:
    unknown = ResourceState(LogicalId("Key"), TypeName("AWS::KMS::Key"), SyncState.UNKNOWN, message="access denied")
    plan = cli.app.source.snapshot.plans["web"]
    cli.app.cycle.previews["web"] = FakePreview(ChangeSet(plan, resources=(unknown,)))
    result = cli("diff", "web")
    assert result.exit_code == 1
    assert "? AWS::KMS::Key Key: state unknown: access denied" in result.stdout
    assert "Live state matches" not in result.stdout


def test_diff_of_a_suspended_plan_exits_0(cli: Any) -> None:
    cli.app.cycle.previews["web"] = FakePreview()
    result = cli("diff", "web")
    assert result.exit_code == 0
    assert "Suspended" in result.stdout


def test_diff_of_an_unknown_plan_exits_1(cli: Any) -> None:
    result = cli("diff", "wbe")
    assert result.exit_code == 1
    assert "no plan named wbe; there are api, web" in result.stderr
    assert result.stdout == ""


def test_an_invalid_plan_fails_diff_but_not_of_another(cli: Any) -> None:
    problem = Problem("no target", file="bad.yaml", line=3)
    cli.app.source.snapshot = replace(cli.app.source.snapshot, invalid={"bad": (problem,)})
    everything = cli("diff")
    assert everything.exit_code == 1
    assert "bad.yaml:3: no target" in everything.stderr
    assert everything.stdout.count("No changes") == 2
    assert cli("diff", "web").exit_code == 0
    assert "bad.yaml:3: no target" in cli("diff", "bad").stderr


def test_an_unreadable_source_is_an_error_not_no_plans(cli: Any) -> None:
    cli.app.source.snapshot = replace(cli.app.source.snapshot, plans={}, healthy=False, problem="no such directory")
    result = cli("diff")
    assert result.exit_code == 1
    assert "no such directory" in result.stderr


def test_diff_as_json_is_one_document_without_secrets(cli: Any) -> None:
    cli.app.cycle.previews["web"] = FakePreview(a_change_set(), a_decision())
    result = cli("diff", "web", "--output", "json")
    assert "hunter" not in result.stdout
    plan = json.loads(result.stdout)["plans"][0]
    assert plan["plan"] == "web"
    assert [change["action"] for change in plan["changes"]][:3] == ["create", "update", "replace"]
    assert plan["changes"][0]["after"]["Owner"] == "(known after apply)"
    assert plan["decision"]["mode"] == "wait"
    assert plan["conflicts"][0]["identifier"] == "q"


def test_diff_as_markdown(cli: Any) -> None:
    cli.app.cycle.previews["web"] = FakePreview(clean(a_change_set()))
    result = cli("diff", "web", "-o", "markdown")
    assert "| `+` create | Vpc | AWS::EC2::VPC |  |" in result.stdout
    assert "```diff" in result.stdout


@pytest.mark.parametrize("word", ["--bogus", "--output=xml"])
def test_a_wrong_command_line_is_not_taken_for_changes(cli: Any, word: str) -> None:
    assert cli("diff", word).exit_code == 1
    assert cli("bogus").exit_code == 1


# apply

STATES = {
    PlanState.IN_SYNC: 0,
    PlanState.PIPELINE_OPEN: 0,
    PlanState.SUSPENDED: 0,
    PlanState.DRIFTED: 1,
    PlanState.APPLYING: 1,
    PlanState.FAILED: 1,
    PlanState.INVALID: 1,
    PlanState.DENIED: 3,
    PlanState.PENDING_APPROVAL: 4,
}


@pytest.mark.parametrize("state", PlanState)
def test_apply_exits_by_the_outcome(cli: Any, state: PlanState) -> None:
    cli.app.cycle.reports["web"] = a_report(state)
    assert cli("apply", "web").exit_code == STATES[state]


def test_the_worst_of_several_outcomes_counts() -> None:
    def code(*states: PlanState) -> int:
        return apply_code([a_report(state) for state in states])

    assert code() == 0
    assert code(PlanState.IN_SYNC, PlanState.PENDING_APPROVAL) == 4
    assert code(PlanState.PENDING_APPROVAL, PlanState.DENIED, PlanState.IN_SYNC) == 3
    assert code(PlanState.DENIED, PlanState.PENDING_APPROVAL, PlanState.FAILED) == 1
    assert apply_code([a_report(PlanState.IN_SYNC, error="store: disk full")]) == 1


def test_apply_shows_the_execution_protocol(cli: Any) -> None:
    cli.app.cycle.reports["web"] = a_report(steps=(a_step("Vpc"), a_step("Vpc2")))
    result = cli("apply", "web")
    assert result.exit_code == 0
    assert cli.app.cycle.recovered == ["web"]
    out = result.stdout
    order = [
        "Executing plan: web",
        "Environment: development",
        "Account: 123456789012",
        "Identity: arn:aws:sts::123456789012:assumed-role/dev/alice",
        "Profile: dev-admin",
        "Region: eu-central-1",
        "2 steps will be executed:",
        "Waiting: create Vpc: still creating",
        "Executing step 1 of 2...\nCommand: ec2:CreateVpc (Vpc)\nResult: created\n"
        "Validation: passed\n✅ Step 1 complete",
        "Executing step 2 of 2...",
        "Execution Summary:\n- Steps completed: 2/2\n- Resources affected: Vpc (vpc-vpc), Vpc2 (vpc-vpc2)\n"
        "- Validation status: pass",
        "- Next steps: None: live state matches the plan",
    ]
    places = [out.index(text) for text in order]
    assert places == sorted(places)
    assert out.count("still creating") == 2, "once for each step, however often it is reported"
    assert "\x1b" not in out


def test_apply_that_waits_shows_decision_and_checklist(cli: Any) -> None:
    cli.app.cycle.reports["web"] = a_report(PlanState.PENDING_APPROVAL, decision=a_decision())
    out = cli("apply", "web").stdout
    assert "no verified approval covers create  [approvals]" in out
    assert "[ ] approved: Plan is explicitly approved by user" in out
    assert "[x] guardrail: Guardrail validation passed" in out
    assert "reconciler approve web" in out


def test_apply_of_a_pipeline_plan_shows_the_branch(cli: Any) -> None:
    cli.app.cycle.reports["web"] = a_report(PlanState.PIPELINE_OPEN, branch=a_branch())
    out = cli("apply", "web").stdout
    assert "Branch created or updated: feature/create-web" in out
    assert '2. Open PR: gh pr create --title "Add web"' in out
    assert "3. CI/CD pipeline will deploy after approval" in out


def test_apply_as_json_prints_nothing_else(cli: Any) -> None:
    cli.app.cycle.reports["web"] = a_report(steps=(a_step("Vpc"),))
    result = cli("apply", "web", "-o", "json")
    assert json.loads(result.stdout)["runs"][0]["steps"][0]["state"] == "done"


def test_apply_of_several_names_an_invalid_one_and_applies_the_others(cli: Any) -> None:
    cli.app.source.snapshot = replace(cli.app.source.snapshot, invalid={"bad": (Problem("no", file="bad.yaml"),)})
    result = cli("apply")
    assert result.exit_code == 1
    assert cli.app.cycle.applied == ["api", "web"]


def test_an_interrupted_apply_begins_no_other_plan(cli: Any) -> None:
    def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)
        until = time.monotonic() + 5
        while not cli.app.cycle.stopped and time.monotonic() < until:
            time.sleep(0.005)

    cli.app.cycle.during = interrupt
    result = cli("apply")
    assert result.exit_code == 1
    assert cli.app.cycle.stopped
    assert cli.app.cycle.applied == ["api"]
    assert "web was not begun" in result.stderr


def busy_for(cli: Any, times: int) -> None:
    left = [times]

    def recover(_plan: object) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise PlanBusy("web is being worked on by process 4711 on build-7")

    cli.app.cycle.recover = recover


def test_apply_waits_for_a_plan_that_is_worked_on_and_says_so_once(cli: Any) -> None:
    busy_for(cli, 20)
    result = cli("apply", "web")
    assert result.exit_code == 0
    assert cli.app.cycle.applied == ["web"]
    assert result.stderr.count("Waiting") == 1
    assert "Waiting up to 65 s: web is being worked on by process 4711 on build-7" in result.stderr


def test_apply_does_not_wait_for_ever_and_goes_on_with_the_next_plan(cli: Any) -> None:
    busy_for(cli, 132)
    result = cli("apply")
    assert result.exit_code == 1
    assert cli.app.cycle.applied == ["web"]
    assert cli.app.clock.monotonic() == pytest.approx(65, abs=1)
    assert "Error: api was not begun: web is being worked on by process 4711" in result.stderr


def test_a_waiting_apply_can_be_interrupted(cli: Any) -> None:
    def recover(_plan: object) -> None:
        signal.raise_signal(signal.SIGINT)
        until = time.monotonic() + 5
        while not cli.app.cycle.stopped and time.monotonic() < until:
            time.sleep(0.005)
        raise PlanBusy("web is being worked on by process 4711 on build-7")

    cli.app.cycle.recover = recover
    assert cli("apply", "web").exit_code == 1
    assert cli.app.cycle.applied == []
    assert cli.app.clock.monotonic() == 0


def test_there_is_no_way_around_policy(cli: Any) -> None:
    for word in ("--force", "--yes", "--auto-approve", "--skip-policy"):
        assert cli("apply", "web", word).exit_code == 1
    assert cli.app.cycle.applied == []


def test_a_partial_failure_is_explained(cli: Any) -> None:
    failed = a_step("Nat", StepState.FAILED, error="limit reached", error_kind="quota")
    partial = Explanation(
        "partial_failure",
        "Step 2 of 3 failed",
        completed=("Step 1: Vpc made",),
        failed=("Step 2: Nat failed (limit reached)",),
        pending=("Step 3: Rt",),
        options=("Raise the quota",),
    )
    report = a_report(PlanState.FAILED, steps=(a_step("Vpc"), failed, a_step("Rt", StepState.PENDING)))
    cli.app.cycle.reports["web"] = replace(report, explanations=(partial,))
    result = cli("apply", "web")
    assert result.exit_code == 1
    for line in ("PARTIAL FAILURE: Step 2 of 3 failed", "Completed:", "Failed:", "Pending:", "Recommendation:"):
        assert line in result.stdout


def test_unexpected_errors_are_one_message(cli: Any) -> None:
    def explode() -> None:
        raise RuntimeError("defect")

    cli.app.cycle.during = explode
    result = cli("apply", "web")
    assert result.exit_code == 1
    assert "Internal error: RuntimeError: defect; run it with --debug" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in cli("--debug", "apply", "web").stderr


def test_plans_are_taken_once_however_often_they_are_named(cli: Any) -> None:
    cli("apply", "web", "web")
    assert cli.app.cycle.applied == [PlanName("web")]
