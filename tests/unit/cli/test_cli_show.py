"""Presentation: the forms of the seed, terminals of 80 columns, nothing that a terminal would act on."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from cli_fakes import VPC, a_branch, a_change_set, a_context, a_decision, a_plan, a_report, a_step
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from reconciler.cli.show import changes, protocol, tables
from reconciler.cli.show.decision import decision
from reconciler.cli.show.failure import failure
from reconciler.cli.show.page import ago, clean
from reconciler.model.change import Action, Change, ChangeSet, FieldChange, ResourceState, Verb
from reconciler.model.errors import FaultKind
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.report import PlanState, PlanStatus, Receipt, RunReport, StepResult, StepState
from reconciler.model.resource import SyncState
from reconciler.status.explain import explain
from reconciler.status.outcome import Outcome
from reconciler.testing.memory import START


def printed(renderable: Any, *, colour: bool = False) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=colour, color_system="standard" if colour else None)
    console.print(renderable, markup=False, highlight=False)
    out: str = console.file.getvalue()  # type: ignore[attr-defined]
    return out


def test_a_change_set_reads_like_a_terraform_plan() -> None:
    assert printed(changes.change_set(a_change_set())).splitlines() == [
        "  + AWS::EC2::VPC Vpc will be created",
        '      + CidrBlock: "10.0.0.0/16"',
        "      + Owner: (known after apply)",
        "  ~ AWS::S3::Bucket Logs (my-logs) will be updated: changed outside of the plan",
        '      ~ /VersioningConfiguration/Status: "Suspended" -> "Enabled"  # drift',
        "      + /Tags: [",
        "          {",
        '            "Key": "team-0",',
        '            "Value": "a long value"',
        "          },",
        "          {",
        '            "Key": "team-1",',
        '            "Value": "a long value"',
        "          },",
        "          {",
        '            "Key": "team-2",',
        '            "Value": "a long value"',
        "          }",
        "        ]  # plan",
        "-/+ AWS::DynamoDB::Table Db (db) must be replaced",
        '      ~ /TableName: "db" -> "db2"  # plan, forces replacement',
        "  - AWS::EC2::VPC Old (vpc-9) will be destroyed",
        " <= AWS::EC2::VPC Kept (vpc-8) will be adopted",
        "  ~ AWS::SSM::Parameter Param will be updated",
        "      ~ /Value: (sensitive) -> (sensitive)  # drift",
        "  ! AWS::SQS::Queue Queue (q): exists and isn't ours",
        "  ? AWS::KMS::Key Key: state unknown: access denied",
        "",
        "Plan: 1 to adopt, 2 to add, 2 to change, 2 to destroy.",
    ]


def test_what_a_plan_no_longer_sets_is_said_to_be_so() -> None:
    field = FieldChange("/DelaySeconds", 5, None, reason="plan")
    change = Change(LogicalId("Q"), TypeName("AWS::SQS::Queue"), Action.UPDATE, Identifier("q"), {}, {}, (field,))
    out = printed(changes.change_set(ChangeSet(a_plan(), changes=(change,))))
    assert "- /DelaySeconds: 5 -> (absent)  # the plan no longer sets it" in out


def test_colour_is_only_for_terminals() -> None:
    assert "\x1b[" in printed(changes.change_set(a_change_set()), colour=True)
    assert "\x1b" not in printed(changes.change_set(a_change_set()))


def test_nothing_to_do_says_so_only_when_all_was_read() -> None:
    plan = a_change_set().plan
    assert changes.change_set(ChangeSet(plan)).plain == "No changes. Live state matches the plan."
    unknown = ResourceState(LogicalId("A"), VPC, SyncState.UNKNOWN, message="throttled")
    assert "not everything could be read" in changes.change_set(ChangeSet(plan, resources=(unknown,))).plain


def test_markdown_can_not_be_broken_out_of() -> None:
    evil = Change(LogicalId("A|B"), VPC, Action.CREATE, after={"x": "```\n# owned"})
    text = changes.markdown(ChangeSet(a_change_set().plan, changes=(evil,)))
    assert "A\\|B" in text
    assert "````diff" in text
    assert text.rstrip().endswith("````")


@given(st.text())
def test_nothing_from_outside_can_steer_a_terminal(text: str) -> None:
    report = a_report(PlanState.FAILED, error=text, error_reason="conflict", message=text)
    shown = printed(protocol.report(report))
    assert not {char for char in shown if ord(char) < 32 and char != "\n" and char != "\t"}
    assert "\x7f" not in shown


def test_clean_keeps_what_people_write() -> None:
    assert clean("ä\n\t😀") == "ä\n\t😀"
    assert clean("\x1b[2Jx\r\x9b") == "�[2Jx��"


def test_a_decision_names_its_rules_and_the_checklist() -> None:
    assert decision(a_decision()).plain.splitlines() == [
        "Decision: waiting for approval  (policy 0123456789ab)",
        "  - no verified approval covers create  [approvals]",
        "  - Vpc:create refused: needs an approval",
        "Pre-Execution Verification",
        "  [ ] approved: Plan is explicitly approved by user",
        "  [x] guardrail: Guardrail validation passed (or exceptions documented)",
    ]


DENIED = (
    "ec2:CreateVpc: UnauthorizedOperation: User: arn:aws:iam::1:user/x is not authorized to perform: "
    "ec2:CreateTags on resource: *"
)


def explained(*steps: StepResult, state: PlanState = PlanState.FAILED, **more: Any) -> RunReport:
    """A report as a pass leaves it: with its explanations."""
    outcome = Outcome(state, "as told", context=a_context(), steps=steps, **more)
    return a_report(state, steps=steps, explanations=explain(a_plan(), outcome))


def test_permission_errors_have_the_seeds_form() -> None:
    step = a_step("Vpc", StepState.FAILED, error=DENIED, error_kind="access_denied")
    shown = failure(explained(step))
    assert shown is not None
    assert shown.plain.splitlines() == [
        "ERROR: Access Denied",
        "",
        "Analysis:",
        "- Profile: dev-admin (arn:aws:sts::123456789012:assumed-role/dev/alice)",
        "- Operation: ec2:CreateVpc",
        "- Required permission: ec2:CreateTags",
        f"- Message: {DENIED}",
        "",
        "Resolution options:",
        "1. Verify correct profile selected:",
        "   aws sts get-caller-identity --profile dev-admin",
        "2. Request permission update: add the statement below to a policy of "
        "arn:aws:sts::123456789012:assumed-role/dev/alice; all that the plan needs:",
        "   reconciler iam-policy web",
        "3. Use a profile with appropriate access: spec.target.profile or roleArn, web.yaml:1",
        "",
        "Statement to add:",
        "{",
        '  "Effect": "Allow",',
        '  "Action": "ec2:CreateTags",',
        '  "Resource": "*"',
        "}",
    ]


def test_conflicts_have_the_seeds_form() -> None:
    step = a_step(
        "Vpc", StepState.FAILED, error="it exists", error_kind="already_exists", identifier=Identifier("vpc-1")
    )
    shown = failure(explained(step))
    assert shown is not None
    assert shown.plain.splitlines() == [
        "ERROR: Resource already exists",
        "",
        "Analysis:",
        "- Resource: vpc-1 (AWS::EC2::VPC)",
        "- Conflict: it exists",
        "- Owner: no plan",
        "- In the plan: Vpc, web.yaml:1",
        "",
        "Resolution options:",
        "1. Use existing resource: adopt it; add to Vpc in web.yaml:1, approve, apply:",
        "   Metadata: {Reconciler: {adopt: vpc-1}}",
        "   reconciler apply web",
        "2. Update existing resource: make it the plan's by its tags, then to what the plan says:",
        "   aws ec2 create-tags --resources vpc-1 \\",
        "     --tags Key=reconciler:plan,Value=web Key=reconciler:id,Value=Vpc \\",
        "     --region eu-central-1 --profile dev-admin",
        "   reconciler apply web",
        "3. Delete and recreate (with approval; what it holds is lost):",
        "   aws cloudcontrol delete-resource --type-name AWS::EC2::VPC \\",
        "     --identifier vpc-1 --region eu-central-1 --profile dev-admin",
        "   reconciler apply web",
    ]


def test_partial_failures_have_the_seeds_form() -> None:
    steps = (
        a_step("Vpc"),
        a_step("Subnets", verb=Verb.UPDATE),
        a_step("Nat", StepState.FAILED, error="insufficient Elastic IPs", error_kind="quota"),
        a_step("Routes", StepState.PENDING),
        a_step("Groups", StepState.SKIPPED),
    )
    shown = failure(explained(*steps))
    assert shown is not None
    text = shown.plain[shown.plain.index("PARTIAL") :]
    assert text.splitlines() == [
        "PARTIAL FAILURE: Step 3 of 5 failed",
        "",
        "Completed:",
        "- Step 1: ✅ Vpc created (vpc-vpc)",
        "- Step 2: ✅ Subnets updated (vpc-subnets)",
        "",
        "Failed:",
        "- Step 3: ❌ create Nat (AWS::EC2::VPC) failed (insufficient Elastic IPs)",
        "",
        "Pending:",
        "- Step 4: create Routes (AWS::EC2::VPC)",
        "- Step 5: create Groups (AWS::EC2::VPC)",
        "",
        "Recommendation:",
        "1. Request the quota increase, then go on from what is there, OR",
        "   reconciler apply web",
        "2. Roll back completed steps, to the revision before (needs its own approval):",
        "   reconciler rollback web",
    ]


def test_what_was_rolled_back_is_not_called_completed() -> None:
    steps = (
        a_step("Vpc", StepState.ROLLED_BACK, result="created vpc-1; deleted vpc-1 again"),
        a_step("Key", StepState.FAILED, error="rollback failed: keys can't be deleted at once"),
        a_step("Nat", StepState.FAILED, error="no; rollback failed: nor can this"),
    )
    shown = failure(explained(*steps, rolled_back=False))
    assert shown is not None
    text = shown.plain[shown.plain.index("PARTIAL") :]
    assert text.splitlines()[:13] == [
        "PARTIAL FAILURE: Step 3 of 3 failed",
        "",
        "Rolled back:",
        "- Step 1: ↩ create Vpc (AWS::EC2::VPC): created vpc-1; deleted vpc-1 again",
        "",
        "Not rolled back:",
        "- Step 2: create Key (AWS::EC2::VPC): keys can't be deleted at once",
        "- Step 3: create Nat (AWS::EC2::VPC): nor can this",
        "",
        "Failed:",
        "- Step 3: ❌ create Nat (AWS::EC2::VPC) failed (no)",
        "",
        "Recommendation:",
    ]


@pytest.mark.parametrize("kind", [*FaultKind, "policy", "", "something new"])
def test_every_kind_of_failure_has_a_form(kind: str) -> None:
    step = a_step("Vpc", StepState.FAILED, error="what happened", error_kind=str(kind))
    for report in (
        explained(step, a_step("B", StepState.PENDING)),
        a_report(PlanState.FAILED, error="what happened", error_reason=str(kind), context=None),
    ):
        shown = failure(report)
        assert shown is not None
        assert shown.plain.startswith("ERROR: ")
        assert "what happened" in shown.plain
    assert failure(a_report()) is None


def test_a_report_shows_the_four_steps_of_the_protocol() -> None:
    report = a_report(steps=(a_step("Vpc"), a_step("B", StepState.FAILED, error="no", validation="failed")))
    shown = printed(protocol.report(report))
    places = [
        shown.index(text)
        for text in ("Executing plan: web", "1. ec2:CreateVpc (Vpc)", "Executing step 1 of 2...", "Execution Summary:")
    ]
    assert places == sorted(places)
    assert "❌ Step 2 failed" in shown
    assert "- Steps completed: 1/2" in shown
    assert "- Validation status: fail" in shown


def test_the_context_is_restated() -> None:
    assert protocol.context(a_context()).plain.splitlines()[:6] == [
        "Executing plan: web",
        "Environment: development",
        "Account: 123456789012",
        "Identity: arn:aws:sts::123456789012:assumed-role/dev/alice",
        "Profile: dev-admin",
        "Region: eu-central-1",
    ]


def a_status(name: str, state: PlanState, **more: Any) -> PlanStatus:
    return PlanStatus(
        plan=name,  # type: ignore[arg-type]
        environment="production",
        account="123456789012",
        region="eu-central-1",
        delivery="resources",
        digest=a_change_set().plan.digest,
        state=state,
        message="3 resources differ from the plan, the first of them in a rather long way of saying so",
        verified_at=START - timedelta(minutes=5),
        **more,
    )


def test_the_status_table_fits_80_columns() -> None:
    given = [a_status("a-plan-with-quite-a-long-name", state) for state in PlanState]
    shown = printed(tables.statuses(given, START))
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "5m ago" in shown
    for state in PlanState:
        assert state in shown.replace("\n", "")


def test_status_detail_shows_everything_known() -> None:
    resource = ResourceState(LogicalId("Vpc"), VPC, SyncState.MISSING, Identifier("vpc-1"), "is gone", START)
    status = a_status(
        "web",
        PlanState.DRIFTED,
        resources=(resource,),
        decision=a_decision(),
        branch=a_branch(),
        problems=("web.yaml:9: typo",),
        drift_since=START,
    )
    shown = printed(tables.status_detail(status, START))
    for text in (
        "newer content invalid",
        "web.yaml:9: typo",
        "missing: is gone",
        "Decision:",
        "Branch created",
        "5m ago",
    ):
        assert text in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_history_and_receipts() -> None:
    shown = printed(tables.history([a_report(), a_report(PlanState.FAILED)]))
    assert shown.splitlines()[0].split() == ["RUN", "STARTED", "SECONDS", "TRIGGER", "STATE", "STEPS"]
    assert all(len(line) <= 80 for line in shown.splitlines())
    receipt = Receipt("req-1", "SIGHUP", START, ("a", "b"), {"a": "run-1"}, {"a": PlanState.IN_SYNC})  # type: ignore
    shown = printed(tables.receipt(receipt))
    assert "not answered yet" in shown
    assert "- a: in_sync (run run-1)" in shown
    assert "- b: waiting" in shown


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "just now"), (59, "59s ago"), (60, "1m ago"), (7200, "2h ago"), (200000, "2d ago")]
)
def test_ages(seconds: int, text: str) -> None:
    assert ago(START - timedelta(seconds=seconds), START) == text
    assert ago(None, START) == "never"
