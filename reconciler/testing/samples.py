"""Model values to test with: each whole and plausible; keyword arguments change single fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.model.change import ResourceState, Verb
from reconciler.model.decision import ChecklistItem, Decision, Identity, Mode, Reason, Ruling
from reconciler.model.ids import (
    ClientToken,
    Digest,
    Identifier,
    LogicalId,
    PlanName,
    RequestId,
    RunId,
    StepId,
    TypeName,
)
from reconciler.model.journal import JournalEntry
from reconciler.model.report import (
    BranchInfo,
    ChangeSummary,
    Context,
    PlanState,
    PlanStatus,
    Receipt,
    RunReport,
    StepResult,
    StepState,
)
from reconciler.model.resource import Record, SyncState
from reconciler.testing.memory import START

DIGEST = Digest("sha256:" + "0" * 64)
AT = START + timedelta(microseconds=123456)


def a_record(plan: str = "web", logical_id: str = "Vpc", identifier: str = "vpc-1", **changes: Any) -> Record:
    """A managed VPC."""
    record = Record(
        plan=PlanName(plan),
        logical_id=LogicalId(logical_id),
        type=TypeName("AWS::EC2::VPC"),
        identifier=Identifier(identifier),
        account="123456789012",
        region="eu-central-1",
        applied={"CidrBlock": "10.0.0.0/16", "Tags": [{"Key": "a", "Value": "ä€😀"}], "Empty": {}, "None": None},
        adopted=True,
        deletion_policy="Retain",
        needs=frozenset({LogicalId("Igw"), LogicalId("Eip")}),
        updated_at=AT,
    )
    return replace(record, **changes)


def an_entry(step: str = "Vpc:create", run: str = "run-1", plan: str = "web", **changes: Any) -> JournalEntry:
    """A journal entry about to call."""
    entry = JournalEntry(
        run=RunId(run),
        plan=PlanName(plan),
        step=StepId(step),
        logical_id=LogicalId(step.partition(":")[0]),
        type=TypeName("AWS::EC2::VPC"),
        verb=Verb.CREATE,
        token=ClientToken("token-1"),
        account="123456789012",
        region="eu-central-1",
        at=AT,
        before={"CidrBlock": "10.0.0.0/16"},
    )
    return replace(entry, **changes)


def a_report(run: str = "run-1", plan: str = "web", **changes: Any) -> RunReport:
    """A quiet pass: in sync, nothing done."""
    report = RunReport(
        run=RunId(run),
        plan=PlanName(plan),
        trigger="interval",
        started_at=AT,
        finished_at=AT + timedelta(seconds=3),
        state=PlanState.IN_SYNC,
        message="in sync",
    )
    return replace(report, **changes)


def a_full_report() -> RunReport:
    """One with every field set, so that the round trip shows any that gets lost."""
    role = Identity("1", "arn:aws:iam::1:role/x")
    update = ChangeSummary(LogicalId("Vpc"), TypeName("T"), "update", Identifier("vpc-1"), ({"path": "/A"},), "drift")
    unknown = ResourceState(LogicalId("Vpc"), TypeName("T"), SyncState.UNKNOWN, Identifier("vpc-1"), "why", AT)
    return a_report(
        context=Context(PlanName("web"), "development", "1", "r", "dev", role, DIGEST),
        decision=_a_decision(),
        changes=(update,),
        steps=(_a_failed_step(),),
        resources=(unknown,),
        branch=_a_branch(),
        error="boom",
        error_reason="aws",
        retry_after=30.0,
        requests=(RequestId("req-1"),),
        unexpected=("a",),
        compliance=("b",),
        learnings=("c",),
        change_digest=Digest("sha256:" + "1" * 64),
    )


def _a_decision() -> Decision:
    return Decision(
        mode=Mode.WAIT,
        actions={"Vpc": Ruling(False, ("needs approval",))},
        reasons=(Reason("approval", "none given"),),
        checklist={"guardrail": ChecklistItem(True, "passed")},
        revision="abc",
    )


def _a_failed_step() -> StepResult:
    return StepResult(
        StepId("Vpc:update"),
        LogicalId("Vpc"),
        TypeName("T"),
        Verb.UPDATE,
        StepState.FAILED,
        command="ec2:ModifyVpcAttribute",
        result="refused",
        validation="failed",
        identifier=Identifier("vpc-1"),
        error="AccessDenied",
        error_kind="access_denied",
        seconds=1.5,
    )


def _a_branch() -> BranchInfo:
    files, problem, notes = ("main.tf",), "p", ("n",)
    return BranchInfo(
        "git@x:y.git", "main", "feature/x", "open", "abc", files, "t", "b", "git push", 7, "https://x/7", "draft",
        problem, notes,
    )  # fmt: skip


def a_status(plan: str = "web", **changes: Any) -> PlanStatus:
    """A drifted plan."""
    status = PlanStatus(
        plan=PlanName(plan),
        environment="development",
        account="123456789012",
        region="eu-central-1",
        delivery="resources",
        digest=DIGEST,
        state=PlanState.DRIFTED,
        message="1 change",
        run=RunId("run-1"),
        updated_at=AT,
        verified_at=AT,
        drift_since=AT,
        failures=2,
        problems=("a problem",),
    )
    return replace(status, **changes)


def a_receipt(number: int = 1, **changes: Any) -> Receipt:
    """A request for two plans, not answered yet."""
    receipt = Receipt(
        RequestId(f"req-{number}"), "sighup", AT + timedelta(seconds=number), (PlanName("web"), PlanName("db"))
    )
    return replace(receipt, **changes)
