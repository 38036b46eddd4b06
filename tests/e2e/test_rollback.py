"""``reconciler rollback``: back to an earlier revision, reviewed, approved for itself, kept until the file changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import wiring
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from tests.e2e.conftest import DEVELOPMENT, PRODUCTION, SANDBOX, Lab
from tests.e2e.running import Shell, plan_text, queue
from tests.e2e.test_cli import People, approve, fits
from tests.e2e.test_production import YES, branches, tip

WORK = PlanName("dev-work")
V1: dict[str, Any] = {
    "Jobs": queue("dev-jobs", VisibilityTimeout=60),
    "Fan": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "dev-fan", "DisplayName": "one"}},
    "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Sub": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Net"}, "CidrBlock": "10.0.1.0/24"}},
}
#: One changed, one new, one replaced because its name is another, one gone.
V2: dict[str, Any] = {
    "Jobs": queue("dev-jobs", VisibilityTimeout=90),
    "More": queue("dev-more"),
    "Fan": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "dev-fan-two", "DisplayName": "two"}},
    "Net": V1["Net"],
}
_SERVICES = ("sqs", "sns", "ec2")
ACCOUNTS = {"sandbox": SANDBOX, "development": DEVELOPMENT, "production": PRODUCTION}


@pytest.fixture
def people(lab: Lab, tmp_path: Path) -> People:
    (tmp_path / "keys").mkdir()
    return People(tmp_path / "keys", lab.policies)


class Story:
    """A plan in its two versions, and what people do about it."""

    def __init__(self, lab: Lab, people: People, environment: str) -> None:
        self.lab, self.people, self.environment, self.shell = lab, people, environment, Shell(lab)

    def write(self, resources: dict[str, Any], **spec: Any) -> None:
        self.lab.write(plan_text(WORK, resources, self.environment, **spec))

    def approve(self, scope: str) -> None:
        given = approve(self.shell, self.people, "bob", "--scope", scope)
        assert given.code == 0, given.text

    def applied(self, resources: dict[str, Any], **spec: Any) -> None:
        self.write(resources, **spec)
        if self.environment == "development":
            self.approve("create,update,adopt,replace,delete")
        done = self.shell("apply", WORK)
        assert done.code == 0, done.text

    @property
    def world(self) -> Any:
        """What is there; what AWS names by itself left out."""
        with self.lab.aws.uncounted():
            sqs, sns, ec2 = (self.lab.aws.client(name, account=ACCOUNTS[self.environment]) for name in _SERVICES)
            urls = sqs.list_queues().get("QueueUrls", ())
            arns = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
            queues = {url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in urls}
            topics = {arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"] for arn in arns}
            subnets = [item for item in ec2.describe_subnets()["Subnets"] if not item["DefaultForAz"]]
        return (
            {url.rsplit("/", 1)[1]: attributes["VisibilityTimeout"] for url, attributes in queues.items()},
            {arn.rsplit(":", 1)[1]: attributes["DisplayName"] for arn, attributes in topics.items()},
            [(item["VpcId"], item["CidrBlock"]) for item in subnets],
        )

    @property
    def writes(self) -> dict[str, int]:
        return {name: count for name, count in self.lab.aws.mutations().items() if name != "sts:AssumeRole"}


def test_there_and_back(lab: Lab, people: People) -> None:
    story = Story(lab, people, "development")
    shell = story.shell
    story.applied(V1)
    before = story.world
    story.applied(V2)
    after = story.world
    assert after != before
    lab.aws.reset_calls()

    asked = fits(shell("rollback", WORK))
    assert asked.code == 4, asked.text
    assert "rolling back to revision 1" in asked.text
    assert "AWS::SQS::Queue More" in asked.text
    assert "the messages in it" in asked.text
    assert f"reconciler approve {WORK} --scope rollback" in asked.text
    assert f"reconciler rollback {WORK} --cancel" in asked.text
    assert (story.writes, story.world) == ({}, after)

    # nothing else is done with the plan meanwhile, not even what the file says
    sqs = lab.aws.client("sqs", account=DEVELOPMENT)
    sqs.set_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName="dev-more")["QueueUrl"], Attributes={"DelaySeconds": "9"}
    )
    lab.aws.reset_calls()
    waiting = lab.run(WORK)
    assert (waiting.state, waiting.rolling_back, story.writes) == (PlanState.PENDING_APPROVAL, 1, {})

    story.approve("rollback")
    done = fits(shell("rollback", WORK))
    assert done.code == 0, done.text
    assert story.world == before
    again = fits(shell("rollback", WORK))
    assert (again.code, "at revision 1 already" in again.text) == (0, True), again.text
    listed = fits(shell("rollback", WORK, "--list"))
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["2", "1"]
    assert "in force" in listed.out.splitlines()[2]

    # it is kept, and only an approval of its own lets it be corrected
    lab.aws.reset_calls()
    kept = lab.run(WORK)
    assert (kept.state, kept.rolling_back, story.writes) == (PlanState.IN_SYNC, 1, {})
    url = sqs.get_queue_url(QueueName="dev-jobs")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    assert lab.run(WORK).state is PlanState.PENDING_APPROVAL
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})

    # the file has the last word
    edited = {**V2, "Jobs": queue("dev-jobs", VisibilityTimeout=91)}
    story.applied(edited)
    assert story.world[0] == {"dev-jobs": "91", "dev-more": "30"}
    assert lab.app.store.pin(WORK) is None
    kinds = [entry.event.facts["what"] for entry in lab.app.store.audit_entries() if entry.event.kind == "rollback"]
    assert kinds == ["asked for", "over: the plan was edited"]
    assert [revision.number for revision in lab.app.store.revisions(WORK)] == [3, 2, 1]


def test_given_up_and_asked_for_again_where_all_else_is_allowed(lab: Lab, people: People) -> None:
    story = Story(lab, people, "sandbox")
    story.applied(V1)
    before = story.world
    story.applied(V2)
    after = story.world
    assert story.shell("rollback", WORK).code == 4
    given_up = fits(story.shell("rollback", WORK, "--cancel"))
    assert given_up.code == 0, given_up.text
    assert story.shell("rollback", WORK, "--cancel").code == 1
    report = lab.run(WORK)
    assert (report.state, report.rolling_back, story.world) == (PlanState.IN_SYNC, None, after)
    story.approve("rollback")
    assert story.shell("rollback", WORK, "--to", "1").code == 0
    assert story.world == before


def test_an_approval_of_exactly_this_rollback(lab: Lab, people: People) -> None:
    story = Story(lab, people, "development")
    story.applied(V1)
    before = story.world
    story.applied(V2)
    asked = story.shell("rollback", WORK, "--output", "json")
    assert (asked.code, asked.json["revision"], asked.json["runs"][0]["state"]) == (4, 1, "pending_approval")
    given = approve(story.shell, people, "bob", "--change")
    assert given.code == 0, given.text
    assert asked.json["change_digest"] in given.text
    assert story.shell("rollback", WORK).code == 0
    assert story.world == before


def test_what_cannot_be_returned_to_is_refused_and_nothing_is_asked_for(lab: Lab, people: People) -> None:
    story, shell = Story(lab, people, "sandbox"), Shell(lab)
    story.write(V1)
    never = fits(shell("rollback", WORK))
    assert (never.code, "never been in sync" in never.text) == (1, True), never.text
    story.applied(V1)
    first = fits(shell("rollback", WORK))
    assert (first.code, "the first that was in sync" in first.text) == (1, True), first.text
    unknown = fits(shell("rollback", WORK, "--to", "7"))
    assert (unknown.code, "there is no revision 7; kept are 1" in unknown.text) == (1, True), unknown.text
    same = fits(shell("rollback", WORK, "--to", "1"))
    assert (same.code, "is what the file" in same.text) == (0, True), same.text
    story.write(V1, state="absent")
    gone = fits(shell("rollback", WORK, "--to", "1"))
    assert (gone.code, "is to be absent" in gone.text) == (1, True), gone.text
    assert shell("rollback", "nothing").code == 1
    assert lab.app.store.pin(WORK) is None


def test_content_that_never_got_in_sync_goes_back_to_the_newest_revision(lab: Lab, people: People) -> None:
    story = Story(lab, people, "development")
    story.applied(V1)
    before = story.world
    story.write(V2)  # never approved
    back = fits(story.shell("rollback", WORK))
    assert back.code == 0, back.text
    assert story.world == before
    assert (lab.run(WORK).state, lab.run(WORK).rolling_back) == (PlanState.IN_SYNC, 1)


def test_a_secret_comes_from_the_present_plan_or_not_at_all(lab: Lab, people: People) -> None:
    story = Story(lab, people, "sandbox")

    def written(secret: str, timeout: int) -> None:
        word = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/w", "Type": "String", "Value": {"Ref": "Secret"}},
        }
        template = {
            "Parameters": {"Secret": {"Type": "String", "NoEcho": True}},
            "Resources": {"Word": word, "Jobs": queue("dev-jobs", VisibilityTimeout=timeout)},
        }
        (lab.desired / "t.template.json").write_text(json.dumps(template))
        document = yaml.safe_load(plan_text(WORK, {}, "sandbox", template="t.template.json"))
        del document["spec"]["resources"]
        document["spec"]["parameters"] = {"Secret": secret}
        lab.write(yaml.safe_dump(document))

    for timeout in (60, 70):
        written("tango-secret-1", timeout)
        assert story.shell("apply", WORK).code == 0
    assert [revision.number for revision in lab.app.store.revisions(WORK)] == [2, 1]
    assert all("tango-secret" not in revision.body for revision in lab.app.store.revisions(WORK))
    story.approve("rollback")
    back = story.shell("rollback", WORK)
    assert back.code == 0, back.text
    assert story.world[0] == {"dev-jobs": "60"}
    assert lab.aws.client("ssm", account=SANDBOX).get_parameter(Name="/w")["Parameter"]["Value"] == "tango-secret-1"

    written("tango-secret-2", 70)
    assert story.shell("apply", WORK).code == 0
    refused = fits(story.shell("rollback", WORK))
    assert refused.code == 1, refused.text
    assert "holds a secret that isn't kept and differs from today's" in refused.text
    assert lab.app.store.pin(WORK) is None


def test_in_production_the_branch_gets_the_revision(lab: Lab, people: People) -> None:
    story = Story(lab, people, "production")
    for resources in (V1, V2):
        story.write({"Jobs": resources["Jobs"]})
        deployed(lab)
        assert lab.run(WORK).state is PlanState.IN_SYNC
    lab.aws.reset_calls()
    asked = fits(story.shell("rollback", WORK))
    assert asked.code == 0, asked.text
    assert story.writes == {}
    (branch,) = branches(lab)
    _message, files = tip(lab, branch)
    assert "visibility_timeout = 60" in "\n".join(files.values()), files
    assert lab.run(WORK).rolling_back == 1
    assert len(branches(lab)) == 1


def deployed(lab: Lab) -> None:
    """What the pipeline would do after the merge."""
    (lab.directory / "pipeline-policies").mkdir(exist_ok=True)
    (lab.directory / "pipeline-policies" / "yes.rego").write_text(YES)
    settings = lab.settings(
        aws={
            "endpoint_url": lab.aws.endpoint,
            "role_pattern": "arn:aws:iam::{account}:role/pipeline",
            "writable_environments": ["production"],
        },
        state_dir=lab.directory / "pipeline-state",
        policy={"directory": lab.directory / "pipeline-policies"},
    )
    app = wiring.build(settings)
    try:
        assert app.cycle.run(app.source.load().plans[WORK], (), "pipeline").state is PlanState.IN_SYNC
    finally:
        app.close()
