"""Every way a pass goes wrong, explained: the facts, and ways out that are commands to run."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.change import ChangeSet, Conflict, ResourceState, Verb
from reconciler.model.codec import from_json, to_json
from reconciler.model.decision import Identity
from reconciler.model.denial import denial_in, needing
from reconciler.model.errors import AwsFault, FaultKind, GuardBlocked, PolicyUnavailable, StoreError, Undecidable
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, StepId, TypeName
from reconciler.model.plan import Guardrail, Origin, Plan, PlannedResource, RollbackPolicy, Target
from reconciler.model.report import Context, Explanation, PlanState, StepResult, StepState
from reconciler.model.resource import SyncState
from reconciler.status.explain import explain
from reconciler.status.explained import remedies
from reconciler.status.outcome import Outcome, applied, failed

ME = "arn:aws:sts::111122223333:assumed-role/dev/alice"
VPC, QUEUE, BUCKET = TypeName("AWS::EC2::VPC"), TypeName("AWS::SQS::Queue"), TypeName("AWS::S3::Bucket")


def a_plan(*, profile: str | None = "dev-admin", rollback: str = "automatic", procedure: str = "") -> Plan:
    names = {"Vpc": VPC, "Queue": QUEUE, "Logs": BUCKET}
    return Plan(
        name=PlanName("web"),
        author="alice@example.com",
        target=Target("development", "111122223333", "eu-central-1", profile=profile),
        guardrail=Guardrail("passed"),
        rollback=RollbackPolicy(rollback, procedure),
        digest=Digest("sha256:" + "a" * 64),
        origin=Origin("plans/web.yaml", line=3),
        resources={
            LogicalId(name): PlannedResource(LogicalId(name), kind, {}, line=10 + number)
            for number, (name, kind) in enumerate(names.items())
        },
    )


def a_context(plan: Plan) -> Context:
    identity = Identity("111122223333", ME)
    return Context(plan.name, "development", "111122223333", "eu-central-1", "dev-admin", identity, plan.digest)


def a_step(name: str, state: StepState, kind: TypeName = VPC, verb: Verb = Verb.CREATE, **more: Any) -> StepResult:
    return replace(StepResult(StepId(f"{name}:{verb}"), LogicalId(name), kind, verb, state), **more)


def explained(*steps: StepResult, plan: Plan | None = None, **more: Any) -> tuple[Explanation, ...]:
    plan = plan or a_plan()
    return explain(plan, Outcome(PlanState.FAILED, "", context=a_context(plan), steps=steps, **more))


def the_only(*steps: StepResult, **more: Any) -> Explanation:
    (found,) = explained(*steps, **more)
    return found


def of_fault(kind: FaultKind, message: str, **more: Any) -> Explanation:
    plan = a_plan()
    (found,) = explain(plan, failed(AwsFault(kind, message, **more)))
    return found


def commands(explanation: Explanation) -> list[list[str]]:
    """The commands of all options, as a shell would split them."""
    found = []
    for option in explanation.options:
        text = option.partition("\n")[2].replace("\\\n", " ")
        found += [shlex.split(line) for line in text.splitlines() if line and not line.startswith("Metadata")]
    return found


# permission

EC2 = (
    "You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized to perform: "
    "ec2:CreateVpc on resource: arn:aws:ec2:eu-central-1:1:vpc/* because no identity-based policy allows the "
    "ec2:CreateVpc action. Encoded authorization failure message: AbC-d_9"
)


@pytest.mark.parametrize(
    ("text", "permission", "resource", "encoded"),
    [
        (EC2, "ec2:CreateVpc", "arn:aws:ec2:eu-central-1:1:vpc/*", "AbC-d_9"),
        (
            "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: sqs:createqueue on resource: "
            "arn:aws:sqs:eu-central-1:1:jobs because no identity-based policy allows it",
            "sqs:createqueue",
            "arn:aws:sqs:eu-central-1:1:jobs",
            "",
        ),
        ('is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::b"', "s3:PutBucketPolicy",
         "arn:aws:s3:::b", ""),
        ("is not authorized to perform: kms:ListKeys on resource: * because", "kms:ListKeys", "", ""),
        (needing("Access Denied", "s3:ListBucket"), "s3:ListBucket", "", ""),
        ("Access Denied", "", "", ""),
    ],
)  # fmt: skip
def test_what_aws_says_of_a_denial_is_found_in_its_text(
    text: str, permission: str, resource: str, encoded: str
) -> None:
    found = denial_in(f"ec2:CreateVpc: UnauthorizedOperation: {text}")
    assert (found.service, found.operation) == ("ec2", "CreateVpc")
    assert (found.permission, found.resource, found.encoded) == (permission, resource, encoded)


def test_a_denied_step_has_all_facts_and_the_statement() -> None:
    step = a_step(
        "Vpc",
        StepState.FAILED,
        error=f"ec2:CreateVpc: UnauthorizedOperation: {EC2}",
        error_kind="access_denied",
        service="ec2",
        operation="CreateVpc",
        permission="ec2:CreateTags",
        resource="arn:aws:ec2:eu-central-1:1:vpc/*",
    )
    found = the_only(step)
    facts = dict(found.analysis)
    assert (found.kind, found.title) == ("permission", "Access Denied")
    assert facts["Profile"] == f"dev-admin ({ME})"
    assert facts["Operation"] == "ec2:CreateVpc"
    assert facts["Required permission"] == "ec2:CreateTags"
    assert "AbC-d_9" not in facts["Message"]
    assert found.statement == {
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": "arn:aws:ec2:eu-central-1:1:vpc/*",
    }
    assert ["aws", "sts", "get-caller-identity", "--profile", "dev-admin"] in commands(found)
    assert ["reconciler", "iam-policy", "web"] in commands(found)
    assert any(command[:3] == ["aws", "sts", "decode-authorization-message"] for command in commands(found))


def test_an_explicit_deny_is_not_helped_by_a_statement() -> None:
    text = "User: x is not authorized to perform: sqs:CreateQueue with an explicit deny in an identity-based policy"
    found = the_only(a_step("Queue", StepState.FAILED, QUEUE, error=text, error_kind="access_denied"))
    assert found.statement is None
    assert "denies it explicitly" in found.options[1]


def test_where_aws_names_nothing_the_schema_says_what_a_step_takes() -> None:
    found = the_only(a_step("Queue", StepState.FAILED, QUEUE, error="Access Denied", error_kind="access_denied"))
    assert found.statement is not None
    assert "sqs:CreateQueue" in found.statement["Action"]


def test_denied_reads_are_explained_once_for_each_permission() -> None:
    def unread(name: str, text: str) -> ResourceState:
        return ResourceState(LogicalId(name), QUEUE, SyncState.UNKNOWN, message=text)

    denied = "sqs:GetQueueUrl: AccessDenied: User: x is not authorized to perform: sqs:GetQueueUrl on resource: arn:{}"
    plan = a_plan()
    changes = ChangeSet(
        plan,
        resources=(
            unread("A", denied.format("aws:sqs:r:1:a")),
            unread("B", denied.format("aws:sqs:r:1:b")),
            unread("C", "refers to A, which could not be read"),
        ),
    )
    error = AwsFault(FaultKind.UNAVAILABLE, "3 resources could not be judged")
    (found,) = explain(plan, Outcome(PlanState.FAILED, "", changes=changes, error=error))
    assert found.statement is not None
    assert found.statement["Resource"] == ["arn:aws:sqs:r:1:a", "arn:aws:sqs:r:1:b"]


# conflict


def a_conflict(name: str, kind: TypeName, identifier: str, message: str) -> Explanation:
    plan = a_plan()
    conflict = Conflict(LogicalId(name), kind, Identifier(identifier), f"{identifier} {message}")
    error = AwsFault(FaultKind.ALREADY_EXISTS, "taken")
    (found,) = explain(plan, Outcome(PlanState.FAILED, "", changes=ChangeSet(plan, conflicts=(conflict,)), error=error))
    return found


def test_a_conflict_names_owner_and_place_and_its_ways_out_are_commands() -> None:
    found = a_conflict("Vpc", VPC, "vpc-1", "already exists and no plan owns it")
    facts = dict(found.analysis)
    assert (facts["Resource"], facts["Owner"]) == ("vpc-1 (AWS::EC2::VPC)", "no plan")
    assert facts["In the plan"] == "Vpc, plans/web.yaml:10"
    adopt, update, recreate = found.options
    assert "Metadata: {Reconciler: {adopt: vpc-1}}" in adopt
    assert "plans/web.yaml:10" in adopt
    assert "reconciler:plan,Value=web" in update
    assert "--type-name AWS::EC2::VPC" in recreate
    assert commands(found)[-1] == ["reconciler", "apply", "web"]


def test_what_belongs_to_another_plan_is_not_taken_from_it() -> None:
    found = a_conflict("Queue", QUEUE, "q", "belongs to plan other (Jobs)")
    assert dict(found.analysis)["Owner"] == "plan other (Jobs)"
    assert "movedFrom: other/Jobs" in "".join(found.options)
    assert commands(found) == []


def test_what_can_not_be_adopted_is_not_offered_for_it() -> None:
    found = a_conflict("Logs", BUCKET, "logs", "can't be adopted as it is: /BucketName would force a replacement")
    assert "adopt:" not in "".join(found.options)
    gone = a_conflict("Logs", BUCKET, "logs", "is to be adopted but does not exist")
    assert gone.title == "Resource to adopt does not exist"
    assert commands(gone) == []


@pytest.mark.parametrize(
    ("kind", "identifier", "words"),
    [
        ("AWS::EC2::EIP", "1.2.3.4|eipalloc-1", ("create-tags", "eipalloc-1")),
        ("AWS::IAM::Role", "app", ("tag-role", "app")),
        ("AWS::SQS::Queue", "https://sqs.x/111122223333/q", ("arn:aws:sqs:eu-central-1:111122223333:q",)),
        ("AWS::S3::Bucket", "logs", ("arn:aws:s3:::logs",)),
        ("AWS::SSM::Parameter", "/a/b", ("arn:aws:ssm:eu-central-1:111122223333:parameter/a/b",)),
    ],
)
def test_tags_are_set_where_each_type_has_them(kind: str, identifier: str, words: tuple[str, ...]) -> None:
    command = remedies.hand_over(a_plan(), LogicalId("X"), TypeName(kind), Identifier(identifier))
    assert command is not None
    split = shlex.split(command.replace("\\\n", " "))
    assert set(words) <= set(split)
    assert split[-2:] == ["--profile", "dev-admin"]


def test_a_type_without_tags_is_not_handed_over_by_them() -> None:
    assert remedies.hand_over(a_plan(), LogicalId("X"), TypeName("AWS::EC2::Route"), Identifier("rtb-1|x")) is None


def test_commands_survive_the_shell_and_fit_a_terminal() -> None:
    words = ("aws", "x", "--name", "it's; $(rm) here", *(f"--option-{n}" for n in range(20)))
    text = remedies.shell(*words)
    assert shlex.split(text.replace("\\\n", " ")) == list(words)
    assert max(map(len, text.splitlines())) <= 74


# partial failure


def test_a_partial_failure_names_completed_failed_pending_and_what_to_do() -> None:
    quota = a_step("Nat", StepState.FAILED, error="insufficient Elastic IPs", error_kind="quota")
    steps = (a_step("Vpc", StepState.DONE, identifier=Identifier("vpc-1")), quota, a_step("B", StepState.PENDING))
    cause, partial = explained(*steps, plan=a_plan(rollback="manual"))
    assert cause.kind == "quota"
    assert (partial.kind, partial.title) == ("partial_failure", "Step 2 of 3 failed")
    assert partial.completed == ("Step 1: ✅ Vpc created (vpc-1)",)
    assert partial.failed == ("Step 2: ❌ create Nat (AWS::EC2::VPC) failed (insufficient Elastic IPs)",)
    assert partial.pending == ("Step 3: create B (AWS::EC2::VPC)",)
    assert commands(partial) == [["reconciler", "apply", "web"], ["reconciler", "rollback", "web"]]


def test_a_plan_with_a_procedure_is_rolled_back_by_it() -> None:
    steps = (a_step("Vpc", StepState.DONE), a_step("Nat", StepState.FAILED, error="no"))
    partial = explained(*steps, plan=a_plan(rollback="procedure", procedure="https://wiki/undo"))[-1]
    assert "https://wiki/undo" in partial.options[1]


def test_what_was_rolled_back_and_what_was_not_are_told_apart() -> None:
    steps = (
        a_step("Vpc", StepState.ROLLED_BACK, result="created vpc-1; deleted vpc-1 again"),
        a_step("Key", StepState.FAILED, error="rollback failed: kms:ScheduleKeyDeletion: AccessDenied: no"),
        a_step("Nat", StepState.FAILED, error="broke"),
    )
    cause, partial = explained(*steps, rolled_back=False)
    assert cause.analysis[-1] == ("Cause", "broke")
    assert [name for name, _ in partial.analysis] == ["Rolled back", "Not rolled back"]
    assert len(partial.failed) == 1
    assert "by hand" in partial.options[0]
    clean = explained(steps[0], steps[2], rolled_back=True)[-1]
    assert "were rolled back" in clean.options[0]
    assert len(clean.options) == 1


def test_one_step_alone_is_no_partial_failure() -> None:
    assert [each.kind for each in explained(a_step("Vpc", StepState.FAILED, error="no"))] == ["failure"]


# the others


def test_a_quota_is_named_with_its_value_and_how_to_raise_it() -> None:
    step = a_step("Vpc", StepState.FAILED, error="limit", error_kind="quota", service="ec2")
    told = {"name": "VPCs per Region", "code": "L-F678F1CE", "service": "vpc", "value": "5"}
    found = the_only(step, quotas={step.id: told})
    facts = dict(found.analysis)
    assert (facts["Quota"], facts["Value"]) == ("VPCs per Region (L-F678F1CE)", "5")
    (ask,) = commands(found)
    assert ask[:3] == ["aws", "service-quotas", "request-service-quota-increase"]
    assert ask[ask.index("--desired-value") + 1] == "10"
    assert ask[ask.index("--region") + 1] == "eu-central-1"
    unnamed = the_only(step)
    assert "list-service-quotas" in unnamed.options[0]


@pytest.mark.parametrize(
    ("kind", "explained_as", "command"),
    [
        (FaultKind.CREDENTIALS, "credentials", ["aws", "sso", "login", "--profile", "dev-admin"]),
        (FaultKind.WRONG_ACCOUNT, "wrong_account", ["aws", "sts", "get-caller-identity", "--profile", "dev-admin"]),
        (
            FaultKind.REGION_DISABLED,
            "region",
            ["aws", "account", "enable-region", "--region-name", "eu-central-1", "--profile", "dev-admin"],
        ),
        (FaultKind.THROTTLED, "throttling", ["reconciler", "apply", "web"]),
    ],
)
def test_what_keeps_a_pass_from_beginning(kind: FaultKind, explained_as: str, command: list[str]) -> None:
    found = of_fault(kind, "as AWS says", service="sts", operation="GetCallerIdentity")
    assert found.kind == explained_as
    assert any("as AWS says" in text for _, text in found.analysis)
    assert command in commands(found)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Undecidable("the call may have taken effect"), "undecidable"),
        (PolicyUnavailable("timeout", "no answer"), "policy"),
        (GuardBlocked("ec2", "CreateVpc", "production"), "guard"),
        (StoreError("disk full"), "failure"),
        (AwsFault(FaultKind.UNAVAILABLE, "503"), "failure"),
        (AwsFault(FaultKind.INTERNAL, "a bug"), "failure"),
    ],
)
def test_every_error_has_a_form_with_its_text_and_a_way_out(error: Any, kind: str) -> None:
    (found,) = explain(a_plan(), failed(error))
    assert found.kind == kind
    assert any(str(error) in text for _, text in found.analysis)
    assert found.options


def test_a_pass_that_was_overtaken_is_told_so_and_is_no_error() -> None:
    step = a_step("Vpc", StepState.FAILED, error="vpc-1 has changed since the diff: /Tags", error_kind="stale")
    found = explained(step, a_step("B", StepState.PENDING))
    assert [each.kind for each in found] == ["stale"]


@pytest.mark.parametrize("state", list(PlanState))
def test_nothing_is_explained_where_nothing_went_wrong(state: PlanState) -> None:
    assert explain(a_plan(), Outcome(state, "", steps=(a_step("Vpc", StepState.DONE),))) == ()


def test_the_cause_comes_before_what_its_undoing_broke() -> None:
    steps = (
        a_step("Key", StepState.FAILED, error="rollback failed: no"),
        a_step("Nat", StepState.FAILED, error="broke"),
    )
    outcome = applied(Outcome(PlanState.DRIFTED, ""), steps, rolled_back=False)
    assert outcome.message == "Nat:create failed: broke; rollback FAILED"


def test_one_step_is_one_step() -> None:
    outcome = applied(Outcome(PlanState.DRIFTED, ""), (a_step("Vpc", StepState.DONE),), None)
    assert outcome.message == "1 of 1 step applied"


def test_explanations_survive_the_store() -> None:
    for each in (a_conflict("Vpc", VPC, "vpc-1", "already exists and no plan owns it"), of_fault(FaultKind.QUOTA, "x")):
        assert from_json(Explanation, to_json(each)) == each
        json.loads(to_json(each))
