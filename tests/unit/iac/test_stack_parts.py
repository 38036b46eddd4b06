"""What CloudFormation says, in our own words: change sets, states that need somebody, templates, events, policies."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler import iac
from reconciler.iac import bodies, changesets, stacks
from reconciler.iac.broadening import broadens
from reconciler.iac.changesets import Described, changes_of
from reconciler.iac.following import Follower
from reconciler.iac.looking import capabilities
from reconciler.iac.stacks import Stack, check_usable
from reconciler.iac.templates import Side, changes_between, parse, same
from reconciler.model.change import Action, Change
from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, TypeName
from reconciler.model.plan import Delivery, Guardrail, Origin, Plan, RollbackPolicy, StackSource, Target
from reconciler.model.values import Sensitive
from reconciler.providers.permissions import STACK_READS, STACK_WRITES, TEMPLATES, policies_for
from reconciler.testing.memory import FakeClock

TARGET = Target("sandbox", "111111111111", "us-east-1")
PLAN = Plan(
    PlanName("web"),
    "alice@example.com",
    TARGET,
    Guardrail("passed"),
    RollbackPolicy("automatic"),
    Digest("sha256:" + "0" * 64),
    Origin("web.yaml"),
    delivery=Delivery.STACK,
    stack=StackSource("web.cfn.yaml", "", "web", (TypeName("AWS::SQS::Queue"),)),
)


class Scripted:
    """A scope that answers from a script: operation → answers, the last one for ever."""

    account, region, partition = "111111111111", "us-east-1", "aws"
    identity = Identity("111111111111", "arn:aws:iam::111111111111:user/x")

    def __init__(self, **answers: list[Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, dict[str, Any]]]()

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        assert service == "cloudformation"
        self.asked.append((operation, parameters))
        script = self.answers[operation]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        found: Mapping[str, Any] = answer
        return found

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        return list(self.call(service, operation, **parameters)[key])

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        return find_out()

    def gather(self, jobs: Iterable[Callable[[], Any]]) -> list[Any]:
        return [job() for job in jobs]


def stack(status: str, **tags: str) -> Stack:
    return Stack(Identifier("arn:aws:cloudformation:us-east-1:1:stack/web/1"), "web", status, "why", {}, tags, "now")


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name web --region us-east-1"),
        ("CREATE_FAILED", "aws cloudformation delete-stack"),
        ("ROLLBACK_FAILED", "aws cloudformation delete-stack"),
        ("DELETE_FAILED", "FORCE_DELETE_STACK"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name web"),
    ],
)
def test_each_state_that_needs_somebody_says_what_to_do(status: str, command: str) -> None:
    with pytest.raises(DeploymentError, match=status) as raised:
        check_usable(stack(status), PLAN)
    assert any(command in option for option in raised.value.options)
    assert not raised.value.passing


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_what_is_going_on_passes_by_itself(status: str) -> None:
    with pytest.raises(DeploymentError, match="another deployment") as raised:
        check_usable(stack(status), PLAN)
    assert raised.value.passing


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "UPDATE_FAILED"]
)
def test_other_states_are_gone_on_from(status: str) -> None:
    check_usable(stack(status), PLAN)


def test_a_stack_is_deleted_even_where_it_can_only_be_deleted() -> None:
    check_usable(stack("ROLLBACK_COMPLETE"), PLAN, deleting=True)


def test_whose_a_stack_is() -> None:
    assert stacks.foreign(stack("CREATE_COMPLETE", **{"reconciler:plan": "web"}), PLAN) == ""
    assert "belongs to plan other" in stacks.foreign(stack("CREATE_COMPLETE", **{"reconciler:plan": "other"}), PLAN)
    assert "no plan owns it" in stacks.foreign(stack("CREATE_COMPLETE"), PLAN)
    assert stacks.foreign(stack("REVIEW_IN_PROGRESS"), PLAN) == "", "AWS shows no tags before the first execution"


def told(action: str, name: str = "Jobs", **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::SQS::Queue", **more}


def test_a_change_set_is_read_with_all_its_pages() -> None:
    first = {"ChangeSetId": "arn:cs", "ChangeSetName": "cs", "StackId": "arn:s", "Status": "CREATE_COMPLETE"}
    pages = [
        {**first, "ExecutionStatus": "AVAILABLE", "Changes": [{"ResourceChange": told("Add", "A")}], "NextToken": "2"},
        {**first, "Changes": [{"ResourceChange": told("Add", "B")}]},
    ]
    scope = Scripted(describe_change_set=pages)
    found = changesets.find(scope, "web", "cs")
    assert found is not None
    assert [one["LogicalResourceId"] for one in found.changes] == ["A", "B"]
    assert found.ready
    assert [parameters.get("NextToken") for _, parameters in scope.asked] == [None, "2"]


@pytest.mark.parametrize(
    ("said", "action"),
    [
        (told("Add"), Action.CREATE),
        (told("Modify", Replacement="False"), Action.UPDATE),
        (told("Modify", Replacement="True"), Action.REPLACE),
        (told("Modify", Replacement="Conditional"), Action.REPLACE),
        (told("Remove"), Action.DELETE),
        (told("Import"), Action.ADOPT),
        (told("Dynamic"), Action.REPLACE),
        (told("SyncWithActual"), Action.REPLACE),
    ],
)
def test_what_aws_calls_it_and_what_we_do(said: dict[str, Any], action: Action) -> None:
    described = Described("arn:cs", "cs", Identifier("arn:s"), "CREATE_COMPLETE", "AVAILABLE", "", (said,))
    (change,) = changes_of(described, (), "us-east-1")
    assert change.action is action
    assert bool(change.loss) is (action in (Action.REPLACE, Action.DELETE))


def test_a_deletion_policy_that_keeps_loses_nothing() -> None:
    said = told("Remove", PolicyAction="Retain")
    described = Described("arn:cs", "cs", Identifier("arn:s"), "CREATE_COMPLETE", "AVAILABLE", "", (said,))
    (change,) = changes_of(described, (), "us-east-1")
    assert (change.loss, "keeps it" in change.reason) == ((), True)


def test_values_come_from_aws_where_it_tells_and_secrets_stay_hidden() -> None:
    detail = {
        "Target": {
            "Attribute": "Properties",
            "Name": "MasterUserPassword",
            "Path": "/Properties/MasterUserPassword",
            "RequiresRecreation": "Never",
            "BeforeValue": "old-password",
            "AfterValue": "new-password",
        },
        "ChangeSource": "DirectModification",
    }
    said = told("Modify", ResourceType="AWS::RDS::DBInstance", Replacement="False", Details=[detail])
    described = Described("arn:cs", "cs", Identifier("arn:s"), "CREATE_COMPLETE", "AVAILABLE", "", (said,))
    (field,) = changes_of(described, (), "us-east-1")[0].fields
    assert field.path == "/MasterUserPassword"
    assert isinstance(field.before, Sensitive)
    assert isinstance(field.after, Sensitive)


def test_templates_in_any_spelling() -> None:
    yaml = "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt B.C, DelaySeconds: 5}}\n"
    json = {"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {
        "QueueName": {"Fn::GetAtt": ["B", "C"]}, "DelaySeconds": "5"}}}}  # fmt: skip
    assert same(parse(yaml), parse(json))
    assert not same(parse(yaml), parse(yaml.replace("5}", "6}")))
    with pytest.raises(DeploymentError):
        parse("a: [")


def side(delay: Any, **resources: Any) -> Side:
    template = {
        "Parameters": {"Delay": {"Type": "String"}},
        "Conditions": {"Long": {"Fn::Equals": [{"Ref": "Delay"}, "60"]}},
        "Resources": {
            "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Ref": "Delay"}}},
            "Extra": {"Type": "AWS::SNS::Topic", "Condition": "Long"},
            **resources,
        },
    }
    return Side(template, {"Delay": delay}, TARGET, "web")


def test_parameters_and_conditions_count_where_they_have_an_effect() -> None:
    changes = changes_between(side("5"), side("60"))
    assert {change.logical_id: change.action for change in changes} == {"Jobs": Action.UPDATE, "Extra": Action.CREATE}
    assert changes_between(side("5"), side("5")) == ()


def test_a_template_that_only_cloudformation_evaluates_is_compared_as_written() -> None:
    macro = {"Transform": "Some::Macro"}
    before = Side({**side("5").template, **macro}, {"Delay": "5"}, TARGET, "web")
    after = Side({**side("60").template, **macro}, {"Delay": "60"}, TARGET, "web")
    assert [change.logical_id for change in changes_between(before, after)] == ["Jobs"]


def test_only_what_is_needed_is_acknowledged() -> None:
    role: dict[str, Any] = {"Type": "AWS::IAM::Role", "Properties": {}}
    named = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x"}}
    assert capabilities({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}) == ()
    assert capabilities({"Resources": {"R": role}}) == ("CAPABILITY_IAM",)
    assert capabilities({"Resources": {"R": role, "N": named}}) == ("CAPABILITY_NAMED_IAM",)
    assert capabilities({"Transform": "AWS::Serverless-2016-10-31"}) == ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")


def test_long_templates_lose_their_layout_or_have_nowhere_to_go() -> None:
    wide = "Resources:\n" + "".join(f"  R{n}:\n        Type: AWS::SNS::Topic\n" for n in range(1400))
    assert len(wide) > bodies.LARGEST
    shorter = bodies.fitting(wide)
    assert shorter is not None
    assert len(shorter) <= bodies.LARGEST
    assert parse(shorter) == parse(wide)
    longer = wide + f"Description: {'x' * 60000}\n"
    assert bodies.fitting(longer) is None
    with pytest.raises(DeploymentError, match=r"takes 51200 as text") as caught:
        bodies.given(Scripted(), PLAN, longer, "")  # type: ignore[arg-type]
    assert "Configure iac.template_bucket" in caught.value.options[0]
    assert TEMPLATES == bodies.PREFIX


def change(kind: str, action: Action, before: Any, after: Any) -> Change:
    return Change(LogicalId("X"), TypeName(kind), action, None, before, after)


def policy(effect: str, what: str) -> dict[str, Any]:
    return {"PolicyDocument": {"Statement": [{"Effect": effect, "Action": what, "Resource": "*"}]}}


TWO = {"ManagedPolicyArns": ["a", "b"]}
RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}


@pytest.mark.parametrize(
    ("found", "opens"),
    [
        (change("AWS::SQS::Queue", Action.CREATE, None, {"QueueName": "a"}), False),
        (change("AWS::IAM::Policy", Action.CREATE, None, policy("Allow", "s3:*")), True),
        (change("AWS::IAM::Policy", Action.UPDATE, policy("Allow", "a:B"), policy("Allow", "a:B")), False),
        (change("AWS::IAM::Policy", Action.UPDATE, policy("Allow", "a:B"), policy("Allow", "a:*")), True),
        (change("AWS::IAM::Policy", Action.UPDATE, policy("Allow", "a:B"), policy("Deny", "a:B")), False),
        (change("AWS::S3::BucketPolicy", Action.UPDATE, policy("Deny", "a:B"), {"PolicyDocument": {"Statement": []}}),
         True),
        (change("AWS::S3::BucketPolicy", Action.DELETE, policy("Deny", "a:B"), None), True),
        (change("AWS::S3::BucketPolicy", Action.DELETE, policy("Allow", "a:B"), None), False),
        (change("AWS::IAM::Role", Action.UPDATE, {"ManagedPolicyArns": ["a"]}, TWO), True),
        (change("AWS::IAM::Role", Action.UPDATE, TWO, {"ManagedPolicyArns": ["a"]}), False),
        (change("AWS::EC2::SecurityGroup", Action.UPDATE, {}, {"SecurityGroupIngress": [RULE]}), True),
        (change("AWS::EC2::SecurityGroup", Action.UPDATE, {"SecurityGroupIngress": [RULE]}, {}), False),
        (change("AWS::EC2::SecurityGroupIngress", Action.CREATE, None, RULE), True),
        (change("AWS::Lambda::Permission", Action.UPDATE, {}, {}), True),
        (change("AWS::IAM::Role", Action.UPDATE, None, None), True),
    ],
)  # fmt: skip
def test_what_opens_something_further(found: Change, opens: bool) -> None:
    assert bool(broadens(found)) is opens


def event(number: int, name: str, status: str, **more: str) -> dict[str, str]:
    kind = stacks.STACK_TYPE if name == "web" else "AWS::SQS::Queue"
    physical = "arn:s" if name == "web" else ""
    return {
        "EventId": str(number),
        "StackId": "arn:s",
        "LogicalResourceId": name,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "ResourceStatus": status,
        **more,
    }


def described(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackId": "arn:s", "StackName": "web", "StackStatus": status}]}


def test_an_operation_is_followed_through_failures_to_ask() -> None:
    lost = AwsFault(FaultKind.UNAVAILABLE, "connection lost")
    failed = event(2, "Jobs", "CREATE_FAILED", ResourceStatusReason="no such thing")
    cancelled = event(3, "Other", "CREATE_FAILED", ResourceStatusReason="Resource creation cancelled")
    scope = Scripted(
        describe_stacks=[lost, described("UPDATE_IN_PROGRESS"), lost, described("UPDATE_ROLLBACK_COMPLETE")],
        describe_stack_events=[{"StackEvents": [cancelled, failed, event(1, "web", "UPDATE_IN_PROGRESS")]}],
    )
    ended = Follower(scope, FakeClock(), Identifier("arn:s")).follow(600.0, lambda: False)
    assert ended is not None
    assert (ended.status, ended.rolled_back, ended.reasons) == (
        "UPDATE_ROLLBACK_COMPLETE", True, ("Jobs: no such thing",)
    )  # fmt: skip


def test_following_ends_with_the_deadline_and_the_operation_goes_on() -> None:
    scope = Scripted(describe_stacks=[described("UPDATE_IN_PROGRESS")], describe_stack_events=[{"StackEvents": []}])
    assert Follower(scope, FakeClock(), Identifier("arn:s")).follow(FakeClock().monotonic() + 30, lambda: False) is None


def test_the_policy_lets_everything_be_called_that_is_and_no_more() -> None:
    found: set[str] = set()
    for path in Path(iac.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("call", "pages")
            ):
                service, operation, *_ = node.args
                assert isinstance(service, ast.Constant)
                assert isinstance(operation, ast.Constant)
                name = "".join(part.title() for part in str(operation.value).split("_"))
                found.add(name if service.value == "cloudformation" else f"{service.value}:{name}")
    checked_along = {"TagResource", "DetectStackResourceDrift"}
    assert found == (STACK_READS | STACK_WRITES | {"s3:PutObject"}) - checked_along
    (read,) = policies_for([PLAN], [], "templates")
    (plain,) = policies_for([PLAN], ["sandbox"])
    (write,) = policies_for([PLAN], ["sandbox"], "templates-{account}")

    def actions(documents: Iterable[Mapping[str, Any]]) -> set[str]:
        return {action for one in documents for each in one["Statement"] for action in each["Action"]}

    assert "cloudformation:GetTemplate" in actions(read.documents)
    assert "cloudformation:ExecuteChangeSet" not in actions(read.documents)
    assert "sqs:CreateQueue" not in actions(read.documents)
    assert {"cloudformation:ExecuteChangeSet", "sqs:CreateQueue"} <= actions(write.documents)
    assert actions(write.documents) - actions(plain.documents) == {"s3:GetObject", "s3:PutObject"}
    assert "arn:aws:s3:::templates-111111111111/reconciler/templates/*" in json.dumps(write.documents)
    assert "s3:PutObject" not in actions(read.documents)
