"""The stack delivery through CloudFormation change sets, on ministack: asynchronous, with replacements and drift."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.iac.changesets import PREFIX
from reconciler.model.change import Action
from reconciler.model.events import StepFinished, StepProgress, StepStarted
from reconciler.model.ids import Digest, LogicalId
from reconciler.model.report import PlanState, RunReport, StepState
from reconciler.source.approvals import write_approval
from tests.e2e.test_cli import People
from tests.integration.iac.conftest import ACCOUNTS, Bench
from tests.ministack import Ministack

pytestmark = pytest.mark.ministack

SECRET = "hunter2-correct-horse"
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Delay": {"Type": "String", "Default": "5"}, "Key": {"Type": "String", "NoEcho": True}},
    "Resources": {
        "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs", "DelaySeconds": {"Ref": "Delay"}}},
        "News": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
    },
}
#: Fails in the emulator as it does in AWS, after everything that it depends on.
BROKEN = {
    "Type": "AWS::IAM::Policy",
    "DependsOn": ["Jobs"],
    "Properties": {
        "PolicyName": "p",
        "Roles": ["nobody"],
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
        },
    },
}


def write(bench: Bench, template: dict[str, Any] = TEMPLATE, environment: str = "sandbox", **spec: Any) -> None:
    bench.file("web.cfn.yaml", template)
    spec.setdefault("parameters", {"Delay": 7, "Key": SECRET})
    bench.plan("web", environment, stack={"template": "web.cfn.yaml"}, **spec)


def changed(**resources: Any) -> dict[str, Any]:
    """The template with other resources; None takes one away."""
    template = copy.deepcopy(TEMPLATE)
    template["Resources"].update(resources)
    template["Resources"] = {name: one for name, one in template["Resources"].items() if one is not None}
    return template


def stack_of(aws: Ministack, account: str = ACCOUNTS["sandbox"], name: str = "web") -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = aws.client("cloudformation", account).describe_stacks(StackName=name)["Stacks"][0]
    except Exception as error:
        assert "does not exist" in str(error)
        return None
    return found


def waiting(aws: Ministack, account: str = ACCOUNTS["sandbox"], name: str = "web") -> list[str]:
    """Change sets of ours that can still be executed."""
    listed = aws.client("cloudformation", account).list_change_sets(StackName=name)["Summaries"]
    return [
        one["ChangeSetId"]
        for one in listed
        if one["ChangeSetName"].startswith(PREFIX) and one["ExecutionStatus"] == "AVAILABLE"
    ]


def actions(report: RunReport) -> dict[str, str]:
    return {change.logical_id: change.action for change in report.changes}


def deployed(bench: Bench) -> RunReport:
    report = bench.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    return report


def test_created_followed_and_found_in_sync(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    report = deployed(bench)
    assert actions(report) == {"Jobs": "create", "News": "create"}
    assert {step.logical_id: (step.state, step.validation) for step in report.steps} == {
        "Jobs": (StepState.DONE, "passed"),
        "News": (StepState.DONE, "passed"),
    }
    kinds = {type(event) for event in bench.events.events}
    assert {StepStarted, StepProgress, StepFinished} <= kinds
    stack = stack_of(ministack)
    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]} == {"reconciler:plan": "web", "reconciler:id": "Stack"}
    assert stack.get("Capabilities", []) == []
    queue = ministack.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]
    got = ministack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["DelaySeconds"])
    assert got["Attributes"]["DelaySeconds"] == "7"
    again = deployed(bench)
    assert (again.changes, again.message) == ((), "2 resources in sync")
    assert again.decision is not None
    assert bench.app.store.unfinished(report.plan) == []


def test_a_template_too_long_for_a_call_goes_through_the_bucket(bench: Bench, ministack: Ministack) -> None:
    topics = {f"T{n}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x" * 90}} for n in range(450)}
    write(bench, changed(**topics))
    refused = bench.run("web")
    assert (refused.state, stack_of(ministack)) == (PlanState.FAILED, None)
    assert "iac.template_bucket" in " ".join(refused.explanations[0].options)
    account = ACCOUNTS["sandbox"]
    s3 = ministack.client("s3", account)
    s3.create_bucket(Bucket=f"templates-{account}")
    bench.tools["template_bucket"] = "templates-{account}"
    bench.open()
    assert len(deployed(bench).changes) == 452
    (held,) = s3.list_objects_v2(Bucket=f"templates-{account}")["Contents"]
    assert held["Key"].startswith("reconciler/templates/")
    assert SECRET.encode() not in s3.get_object(Bucket=f"templates-{account}", Key=held["Key"])["Body"].read()
    assert deployed(bench).changes == ()


def test_secrets_are_nowhere(bench: Bench) -> None:
    held = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/k", "Type": "String", "Value": {"Ref": "Key"}}}
    write(bench, changed(Held=held))
    deployed(bench)
    assert deployed(bench).changes == ()
    write(bench, changed(Held=held), parameters={"Delay": 7, "Key": SECRET + "-2"})
    report = deployed(bench)
    assert report.steps, "a NoEcho parameter that changed is deployed although AWS never shows it"
    assert deployed(bench).changes == ()
    held = [path for path in (bench.directory / "state").rglob("*") if path.is_file()]
    assert held
    assert [path for path in held if SECRET.encode() in path.read_bytes()] == []


def test_updated_replaced_and_deleted_in_the_same_words(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    deployed(bench)
    renamed = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs-two", "DelaySeconds": {"Ref": "Delay"}}}
    fresh = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/p", "Type": "String", "Value": "1"}}
    write(bench, changed(Jobs=renamed, News=None, Fresh=fresh))
    shown = bench.preview("web")
    assert shown.changes is not None
    replaced = next(change for change in shown.changes.changes if change.logical_id == "Jobs")
    assert (replaced.action, replaced.loss) == (Action.REPLACE, ("the messages in it",))
    field = next(field for field in replaced.fields if field.path == "/QueueName")
    assert (field.before, field.after, field.forces_replacement) == ("jobs", "jobs-two", True)
    report = deployed(bench)
    assert actions(report) == {"Jobs": "replace", "News": "delete", "Fresh": "create"}
    queues = ministack.client("sqs").list_queues()["QueueUrls"]
    assert [url.rsplit("/", 1)[-1] for url in queues] == ["jobs-two"]
    assert ministack.client("sns").list_topics()["Topics"] == []


def test_a_preview_leaves_nothing_behind(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    first = bench.preview("web").changes
    assert first is not None
    assert len(first.changes) == 2
    assert stack_of(ministack) is None
    second = bench.preview("web").changes
    assert second is not None
    assert first.digest == second.digest
    deployed(bench)
    write(bench, parameters={"Delay": 9, "Key": SECRET})
    assert bench.preview("web").changes is not None
    assert waiting(ministack) == []


@pytest.fixture
def people(bench: Bench) -> People:
    (bench.directory / "keys").mkdir()
    return People(bench.directory / "keys", bench.policies)


def approve(bench: Bench, people: People, scope: list[str], change: Digest | None = None) -> None:
    now = datetime.now(UTC)
    write_approval(
        bench.loaded("web"),
        bench.desired,
        key=people.key("bob"),
        approver="bob@example.com",
        approved_at=now,
        expires_at=now + timedelta(hours=1),
        scope=scope,
        change=change,
    )


def test_what_waits_for_an_approval_is_what_is_executed(bench: Bench, ministack: Ministack, people: People) -> None:
    account = ACCOUNTS["development"]
    write(bench, environment="development")
    report = bench.run("web")
    assert report.state is PlanState.PENDING_APPROVAL, report.message
    kept = waiting(ministack, account)
    assert len(kept) == 1
    assert bench.run("web").change_digest == report.change_digest
    assert waiting(ministack, account) == kept
    approve(bench, people, ["create"], report.change_digest)
    assert bench.run("web").state is PlanState.IN_SYNC
    described = ministack.client("cloudformation", account).describe_change_set(ChangeSetName=kept[0], StackName="web")
    assert described["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert waiting(ministack, account) == []


def test_an_approval_of_another_change_counts_for_nothing(bench: Bench, ministack: Ministack, people: People) -> None:
    write(bench, environment="development")
    before = bench.run("web")
    write(bench, environment="development", parameters={"Delay": 8, "Key": SECRET})
    approve(bench, people, ["create"], before.change_digest)
    report = bench.run("web")
    assert report.state is PlanState.PENDING_APPROVAL
    account = ACCOUNTS["development"]
    assert len(waiting(ministack, account)) == 1, "the change set of the former content is gone"
    stack = stack_of(ministack, account)
    assert stack is not None
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"


def test_somebody_elses_stack_is_a_conflict(bench: Bench, ministack: Ministack) -> None:
    body = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    ministack.client("cloudformation").create_stack(StackName="web", TemplateBody=body)
    write(bench)
    report = bench.run("web")
    assert report.state is PlanState.FAILED
    assert "the stack web already exists and no plan owns it" in report.message
    explanation = report.explanations[0]
    assert explanation.kind == "conflict"
    assert any("update-stack" in option and "reconciler:plan" in option for option in explanation.options)
    stack = stack_of(ministack)
    assert stack is not None
    assert stack.get("Tags", []) == []


def test_a_failed_update_is_rolled_back_by_cloudformation(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    deployed(bench)
    slower = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs", "DelaySeconds": 60}}
    write(bench, changed(Jobs=slower, Broken=BROKEN))
    report = bench.run("web")
    assert report.state is PlanState.FAILED
    states = {step.logical_id: step.state for step in report.steps}
    assert states == {"Jobs": StepState.ROLLED_BACK, "Broken": StepState.FAILED}
    assert "nobody cannot be found" in report.message
    assert "rolled back" in report.message
    stack = stack_of(ministack)
    assert stack is not None
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    write(bench)
    assert bench.run("web").state is PlanState.IN_SYNC


def test_manual_rollback_keeps_what_was_done(bench: Bench, ministack: Ministack) -> None:
    write(bench, rollback="manual")
    deployed(bench)
    write(bench, changed(Broken=BROKEN), rollback="manual")
    report = bench.run("web")
    assert report.state is PlanState.FAILED
    stack = stack_of(ministack)
    assert stack is not None
    assert stack["StackStatus"] == "UPDATE_FAILED"
    write(bench, rollback="manual")
    report = bench.run("web")
    assert report.state is PlanState.FAILED
    assert "aws cloudformation rollback-stack --stack-name web" in report.explanations[0].options[0]
    ministack.client("cloudformation").rollback_stack(StackName="web")
    assert bench.run("web").state is PlanState.IN_SYNC


def test_a_failed_creation_leaves_no_stack(bench: Bench, ministack: Ministack) -> None:
    write(bench, changed(Broken=BROKEN))
    report = bench.run("web")
    assert report.state is PlanState.FAILED
    assert "nobody cannot be found" in report.message, report.message
    assert stack_of(ministack) is None
    assert ministack.client("sqs").list_queues().get("QueueUrls", []) == []
    write(bench)
    deployed(bench)


def test_a_stack_that_can_only_be_deleted_says_so(bench: Bench, ministack: Ministack) -> None:
    write(bench, changed(Broken=BROKEN))
    body = bench.loaded("web").stack
    assert body is not None
    cloudformation = ministack.client("cloudformation")
    cloudformation.create_stack(
        StackName="web",
        TemplateBody=body.body,
        Parameters=[{"ParameterKey": "Key", "ParameterValue": "x"}],
        Tags=[{"Key": "reconciler:plan", "Value": "web"}, {"Key": "reconciler:id", "Value": "Stack"}],
        Capabilities=["CAPABILITY_IAM"],
    )
    found = None
    for _ in range(100):
        found = stack_of(ministack)
        if found is not None and not found["StackStatus"].endswith("_IN_PROGRESS"):
            break
    assert found is not None
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    report = bench.run("web")
    assert report.state is PlanState.FAILED
    assert "ROLLBACK_COMPLETE" in report.message
    assert "aws cloudformation delete-stack --stack-name web" in report.explanations[0].options[0]


def test_drift_is_seen_and_not_called_in_sync(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    deployed(bench)
    queue = ministack.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]
    ministack.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "99"})
    bench.open()
    report = bench.run("web")
    assert report.state is PlanState.DRIFTED, report.message
    assert [(state.logical_id, state.state.value) for state in report.resources] == [("Jobs", "drifted")]
    assert "DelaySeconds" in report.message
    status = bench.app.store.status(report.plan)
    assert status is not None
    assert status.drift_since is not None
    ministack.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "7"})
    bench.open()
    assert bench.run("web").state is PlanState.IN_SYNC


def test_absent_deletes_the_stack(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    deployed(bench)
    write(bench, state="absent")
    report = deployed(bench)
    assert actions(report) == {"Jobs": "delete", "News": "delete"}
    assert stack_of(ministack) is None
    assert bench.app.store.records(report.plan) == {}
    assert deployed(bench).changes == ()


def test_losing_the_store_creates_nothing_again(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    deployed(bench)
    for path in (bench.directory / "state").glob("reconciler.db*"):
        path.unlink()
    bench.open()
    assert deployed(bench).steps == ()
    assert LogicalId("Stack") in bench.app.store.records(bench.loaded("web").name)


def test_an_earlier_content_is_returned_to(bench: Bench, ministack: Ministack) -> None:
    write(bench)
    deployed(bench)
    write(bench, changed(News=None))
    deployed(bench)
    plan = bench.loaded("web")
    bench.app.revisions.pin(plan, 1)
    changes = bench.preview("web").changes
    assert changes is not None
    assert (changes.plan.rolling_back, [change.logical_id for change in changes.changes]) == (1, ["News"])


def test_an_answer_that_never_came_is_found_out_about(
    bench: Bench, ministack: Ministack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.model.errors import AwsFault, FaultKind
    from reconciler.providers.scope import LiveScope

    call = LiveScope.call

    def cut(self: Any, service: str, operation: str, /, **parameters: Any) -> Any:
        answer = call(self, service, operation, **parameters)
        if operation == "execute_change_set":
            raise AwsFault(FaultKind.UNAVAILABLE, "connection lost", ambiguous=True)
        return answer

    monkeypatch.setattr(LiveScope, "call", cut)
    write(bench)
    deployed(bench)
    assert bench.app.store.unfinished(bench.loaded("web").name) == []
