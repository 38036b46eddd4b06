"""Errors as people get them, on the command line and in what is stored; the commands they suggest do what they say."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from reconciler.model.ids import PlanName
from reconciler.model.report import Explanation, PlanState
from reconciler.testing.localaws import LocalAws
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import Shell, plan_text, queue, vpc

PLAN = "web"


@pytest.fixture
def shell(lab: Lab) -> Shell:
    return Shell(lab)


def by_hand(aws: LocalAws, command: list[str]) -> None:
    """What a command of the AWS CLI does, through boto3. Understands the few forms that explanations suggest."""
    assert command[0] == "aws"
    options = _options(command[3:])
    match command[1:3]:
        case ["resourcegroupstaggingapi", "tag-resources"]:
            tags = dict(pair.split("=", 1) for pair in options["--tags"][0].split(","))
            (arn,) = options["--resource-arn-list"]
            name = arn.removeprefix(f"arn:aws:sqs:{options['--region'][0]}:{SANDBOX}:")
            client = aws.client("sqs", account=SANDBOX)  # the local AWS's tagging API doesn't write queues' tags
            client.tag_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"], Tags=tags)
        case ["ec2", "create-tags"]:
            pairs = [dict(part.split("=", 1) for part in pair.split(",")) for pair in options["--tags"]]
            client = aws.client("ec2", account=SANDBOX, region=options["--region"][0])
            client.create_tags(Resources=options["--resources"], Tags=pairs)
        case ["iam", "tag-role"]:
            pairs = [dict(part.split("=", 1) for part in pair.split(",")) for pair in options["--tags"]]
            aws.client("iam", account=SANDBOX).tag_role(RoleName=options["--role-name"][0], Tags=pairs)
        case ["cloudcontrol", "delete-resource"]:  # which the local AWS hasn't: the service's own call does the same
            assert options["--type-name"] == ["AWS::SQS::Queue"]
            aws.client("sqs", account=SANDBOX).delete_queue(QueueUrl=options["--identifier"][0])
        case _:
            raise AssertionError(f"what is {command}?")


def _options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word] = []
        else:
            found[list(found)[-1]].append(word)
    return found


def commands(option: str) -> list[list[str]]:
    lines = option.partition("\n")[2].replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith(("aws", "reconciler"))]


def conflict(lab: Lab) -> Explanation:
    status = lab.app.store.status(PlanName(PLAN))
    assert status is not None
    (found,) = status.explanations
    assert found.kind == "conflict"
    return found


def there_already(lab: Lab) -> Any:
    """A queue of somebody's, where the plan wants one."""
    client = lab.aws.client("sqs", account=SANDBOX)
    client.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30"})
    lab.write(plan_text(PLAN, {"Queue": queue("jobs", VisibilityTimeout=45)}))
    return client


def timeout_of(client: Any) -> tuple[str, dict[str, str]]:
    url = client.get_queue_url(QueueName="jobs")["QueueUrl"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    return attributes["VisibilityTimeout"], client.list_queue_tags(QueueUrl=url).get("Tags", {})


def test_a_conflict_changes_nothing_and_is_shown_everywhere_alike(lab: Lab, shell: Shell) -> None:
    client = there_already(lab)
    answer = shell("apply", PLAN)
    assert answer.code == 1
    assert timeout_of(client) == ("30", {})
    run = lab.app.store.history(PlanName(PLAN))[0].run
    for shown in (answer, shell("status", PLAN), shell("report", run)):
        assert "ERROR: Resource already exists" in shown.out
        assert "- Owner: no plan" in shown.out
        assert "1. Use existing resource" in shown.out
        assert shown.too_wide() == []
    for stored in (shell("status", PLAN, "--output", "json").json, shell("report", run, "--output", "json").json):
        assert [each["kind"] for each in stored["explanations"]] == ["conflict"]


def test_tags_hand_an_existing_resource_over_and_the_next_pass_updates_it(lab: Lab, shell: Shell) -> None:
    client = there_already(lab)
    shell("apply", PLAN)
    tag, again = commands(conflict(lab).options[1])
    by_hand(lab.aws, tag)
    assert again == ["reconciler", "apply", PLAN]
    assert shell(*again[1:]).code == 0
    value, tags = timeout_of(client)
    assert value == "45"
    assert tags["reconciler:plan"] == PLAN
    assert shell("diff", PLAN).code == 0


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        (
            "Group",
            {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {"GroupName": "web", "GroupDescription": "web", "VpcId": "VPC"},
            },
        ),
        (
            "Role",
            {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "app",
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "ec2.amazonaws.com"},
                                "Action": "sts:AssumeRole",
                            }
                        ],
                    },
                },
            },
        ),
    ],
)
def test_other_types_are_handed_over_by_their_own_commands(
    lab: Lab, shell: Shell, name: str, resource: dict[str, Any]
) -> None:
    ec2, iam = lab.aws.client("ec2", account=SANDBOX), lab.aws.client("iam", account=SANDBOX)
    if name == "Group":
        place = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        resource["Properties"]["VpcId"] = place
        ec2.create_security_group(GroupName="web", Description="web", VpcId=place)
    else:
        iam.create_role(RoleName="app", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    lab.write(plan_text(PLAN, {name: resource}))
    assert shell("apply", PLAN).code == 1
    tag, again = commands(conflict(lab).options[1])
    by_hand(lab.aws, tag)
    answer = shell(*again[1:])
    assert answer.code == 0, answer.text
    assert lab.app.store.records(PlanName(PLAN)).keys() == {name}


def test_the_line_to_adopt_with_works_where_it_says(lab: Lab, shell: Shell) -> None:
    client = there_already(lab)
    shell("apply", PLAN)
    found = conflict(lab)
    text, line, _again = found.options[0].split("\n")
    file, _, number = dict(found.analysis)["In the plan"].rpartition(" ")[2].rpartition(":")
    assert file in text
    path = lab.desired / file
    lines = path.read_text().splitlines()
    indent = " " * (len(lines[int(number)]) - len(lines[int(number)].lstrip()))
    lines.insert(int(number), indent + line)
    path.write_text("\n".join(lines) + "\n")
    answer = shell("apply", PLAN)
    assert answer.code == 0, answer.text
    assert timeout_of(client)[0] == "45"


def test_deleted_as_suggested_it_is_made_again(lab: Lab, shell: Shell) -> None:
    client = there_already(lab)
    shell("apply", PLAN)
    delete, again = commands(conflict(lab).options[2])
    by_hand(lab.aws, delete)
    assert shell(*again[1:]).code == 0
    value, tags = timeout_of(client)
    assert (value, tags["reconciler:id"]) == ("45", "Queue")


def test_a_quota_is_named_with_what_raises_it(lab: Lab, shell: Shell) -> None:
    lab.write(plan_text(PLAN, {"Vpc": vpc()}))
    lab.aws.fail("ec2", "CreateVpc", "VpcLimitExceeded", message="The maximum number of VPCs has been reached.")
    answer = shell("apply", PLAN)
    assert answer.code == 1
    assert "ERROR: Quota exceeded" in answer.out
    assert "- Quota: VPCs per Region (L-F678F1CE)" in answer.out
    assert "aws service-quotas request-service-quota-increase" in answer.out
    assert "a quota (VPCs per Region" in answer.text
    assert answer.too_wide() == []
    assert shell("apply", PLAN).code == 0


def test_a_partial_failure_says_what_is_there_and_both_ways_work(lab: Lab, shell: Shell) -> None:
    resources = {"Vpc": vpc(), "Queue": {**queue("jobs"), "DependsOn": "Vpc"}}
    lab.write(plan_text(PLAN, resources, rollback="manual"))
    lab.aws.fail("sqs", "CreateQueue", "AccessDenied", status=403, message="no")
    answer = shell("apply", PLAN)
    assert answer.code == 1
    assert "PARTIAL FAILURE: Step 2 of 2 failed" in answer.out
    assert "- Step 1: ✅ Vpc created (vpc-" in answer.out
    assert "reconciler rollback web" in answer.out
    assert "- Required permission: sqs:CreateQueue" in answer.out
    assert answer.too_wide() == []
    assert shell("apply", PLAN).code == 0
    status = lab.app.store.status(PlanName(PLAN))
    assert status is not None
    assert (status.state, status.explanations) == (PlanState.IN_SYNC, ())


@pytest.mark.parametrize(
    ("code", "title", "command"),
    [
        ("ExpiredToken", "ERROR: No valid credentials", "aws configure list-profiles"),
        ("OptInRequired", "ERROR: Region not enabled", "aws account enable-region --region-name us-east-1"),
        ("AccessDenied", "ERROR: Access Denied", "aws sts get-caller-identity"),
    ],
)
def test_what_keeps_a_pass_from_looking_is_explained(
    lab: Lab, shell: Shell, code: str, title: str, command: str
) -> None:
    lab.write(plan_text(PLAN, {"Vpc": vpc()}))
    lab.aws.fail("sts", "GetCallerIdentity", code, status=403, message="as AWS says")
    answer = shell("apply", PLAN)
    assert answer.code == 1
    assert title in answer.out
    assert command in answer.text
    assert "as AWS says" in answer.text
    assert answer.too_wide() == []
