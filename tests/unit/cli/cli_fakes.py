"""What the commands are given in tests: a fake application and values to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.model.change import Action, Change, ChangeSet, Conflict, FieldChange, ResourceState, Step, Verb
from reconciler.model.decision import ChecklistItem, Decision, Identity, Mode, Reason, Ruling
from reconciler.model.errors import ReconcilerError
from reconciler.model.events import ApplyStarted, StepFinished, StepProgress, StepStarted
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, RequestId, RunId, StepId, TypeName
from reconciler.model.plan import Approval, Guardrail, Origin, Plan, RollbackPolicy, Snapshot, Target
from reconciler.model.report import BranchInfo, Context, PlanState, RunReport, StepResult, StepState
from reconciler.model.resource import SyncState
from reconciler.model.values import Sensitive, Unknown
from reconciler.ports import EventSink
from reconciler.testing.memory import START, FakeClock, MemoryStore

VPC, BUCKET = TypeName("AWS::EC2::VPC"), TypeName("AWS::S3::Bucket")
DIGEST = Digest("sha256:" + "a" * 64)


def a_plan(name: str = "web") -> Plan:
    return Plan(
        name=PlanName(name),
        author="alice@example.com",
        target=Target("development", "123456789012", "eu-central-1", profile="dev-admin"),
        guardrail=Guardrail("passed"),
        rollback=RollbackPolicy("automatic"),
        digest=DIGEST,
        origin=Origin(f"{name}.yaml"),
    )


def a_change_set(plan: Plan | None = None) -> ChangeSet:
    def change(name: str, type_name: TypeName, action: Action, **more: Any) -> Change:
        return Change(LogicalId(name), type_name, action, **more)

    return ChangeSet(
        plan=plan or a_plan(),
        changes=(
            change(
                "Vpc",
                VPC,
                Action.CREATE,
                after={"CidrBlock": "10.0.0.0/16", "Owner": Unknown("Role.Arn")},
                fields=(FieldChange("/CidrBlock", None, "10.0.0.0/16", reason="plan"),),
            ),
            change(
                "Logs",
                BUCKET,
                Action.UPDATE,
                identifier=Identifier("my-logs"),
                fields=(
                    FieldChange("/VersioningConfiguration/Status", "Suspended", "Enabled"),
                    FieldChange(
                        "/Tags", None, [{"Key": f"team-{n}", "Value": "a long value"} for n in range(3)], reason="plan"
                    ),
                ),
                reason="changed outside of the plan",
            ),
            change(
                "Db",
                TypeName("AWS::DynamoDB::Table"),
                Action.REPLACE,
                identifier=Identifier("db"),
                fields=(FieldChange("/TableName", "db", "db2", forces_replacement=True, reason="plan"),),
            ),
            change("Old", VPC, Action.DELETE, identifier=Identifier("vpc-9")),
            change("Kept", VPC, Action.ADOPT, identifier=Identifier("vpc-8")),
            change(
                "Param",
                TypeName("AWS::SSM::Parameter"),
                Action.UPDATE,
                fields=(FieldChange("/Value", Sensitive("hunter1"), Sensitive("hunter2")),),
            ),
        ),
        resources=(
            ResourceState(LogicalId("Key"), TypeName("AWS::KMS::Key"), SyncState.UNKNOWN, message="access denied"),
        ),
        conflicts=(
            Conflict(LogicalId("Queue"), TypeName("AWS::SQS::Queue"), Identifier("q"), "exists and isn't ours"),
        ),
    )


def a_decision(mode: Mode = Mode.WAIT) -> Decision:
    return Decision(
        mode=mode,
        actions={"Vpc:create": Ruling(False, ("needs an approval",)), "Logs:update": Ruling(True)},
        reasons=(Reason("approvals", "no verified approval covers create"),),
        checklist={
            "approved": ChecklistItem(False, "Plan is explicitly approved by user"),
            "guardrail": ChecklistItem(True, "Guardrail validation passed (or exceptions documented)"),
        },
        revision="0123456789abcdef",
    )


def a_step(
    name: str, state: StepState = StepState.DONE, verb: Verb = Verb.CREATE, type_name: TypeName = VPC, **more: Any
) -> StepResult:
    result = StepResult(
        id=StepId(f"{name}:{verb}"),
        logical_id=LogicalId(name),
        type=type_name,
        verb=verb,
        state=state,
        command=f"ec2:CreateVpc ({name})",
        result="created" if state is StepState.DONE else "",
        validation="passed" if state is StepState.DONE else "",
        identifier=Identifier(f"vpc-{name.lower()}") if state is StepState.DONE else None,
    )
    return replace(result, **more)


def a_context() -> Context:
    return Context(
        plan=PlanName("web"),
        environment="development",
        account="123456789012",
        region="eu-central-1",
        profile="dev-admin",
        identity=Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/dev/alice"),
        digest=DIGEST,
    )


def a_report(state: PlanState = PlanState.IN_SYNC, **more: Any) -> RunReport:
    report = RunReport(
        run=RunId("run-1"),
        plan=PlanName("web"),
        trigger="apply",
        started_at=START,
        finished_at=START,
        state=state,
        message="as told",
        context=a_context(),
    )
    return replace(report, **more)


def a_branch() -> BranchInfo:
    return BranchInfo(
        repository="git@example.com:platform/infra.git",
        base="main",
        branch="feature/create-web",
        state="open",
        commit="0123456789abcdef0123",
        files=("infrastructure/web/main.tf", "infrastructure/web/variables.tf"),
        title="Add web",
        command='gh pr create --title "Add web"',
    )


@dataclass
class FakePreview:
    changes: ChangeSet | None = None
    decision: Decision | None = None
    error: ReconcilerError | None = None


@dataclass
class FakeCycle:
    """Answers with what a test put in, and emits the events of a pass with one step."""

    sink: EventSink | None = None
    previews: dict[str, FakePreview] = field(default_factory=dict)
    reports: dict[str, RunReport] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)
    during: Callable[[], None] = lambda: None
    stopped: bool = False

    def preview(self, plan: Plan, approvals: tuple[Approval, ...]) -> FakePreview:
        return self.previews.get(plan.name, FakePreview(ChangeSet(plan)))

    def recover(self, plan: Plan) -> None:
        self.recovered.append(plan.name)

    def run(
        self, plan: Plan, approvals: tuple[Approval, ...], trigger: str, requests: tuple[RequestId, ...] = ()
    ) -> RunReport:
        self.applied.append(plan.name)
        self.during()
        report = self.reports.get(plan.name, a_report(plan=plan.name))
        for number, result in enumerate(report.steps, 1):
            self._emit(result, number, len(report.steps))
        return report

    def _emit(self, result: StepResult, number: int, total: int) -> None:
        assert self.sink is not None
        run, plan = RunId("run-1"), PlanName("web")
        step = Step(result.id, result.logical_id, result.type, result.verb, Action.CREATE)
        if number == 1:
            self.sink.emit(ApplyStarted(run, a_context(), (step,) * total))
        self.sink.emit(StepStarted(run, plan, step, number, total, result.command))
        self.sink.emit(StepProgress(run, plan, step, "still creating"))
        self.sink.emit(StepProgress(run, plan, step, "still creating"))
        self.sink.emit(StepFinished(run, plan, step, number, total, result))

    def stop(self) -> None:
        self.stopped = True


@dataclass
class FakeSource:
    snapshot: Snapshot

    def load(self) -> Snapshot:
        return self.snapshot


@dataclass
class FakePolicy:
    revision: str = "rev"
    problem: str = ""

    def matrix(self) -> dict[str, dict[str, str]]:
        return {"sandbox": {"cli_mutation": "allowed"}, "production": {"cli_mutation": "read-only", "git": "allowed"}}


class FakeApp:
    def __init__(self, *names: str) -> None:
        plans = {PlanName(name): a_plan(name) for name in names}
        self.source = FakeSource(Snapshot(plans=plans))
        self.cycle = FakeCycle()
        self.store = MemoryStore()
        self.policy = FakePolicy()
        self.clock = FakeClock()
