"""Approval of the exact change: it lets that change through once, and nothing at all once anything has changed.

Real keys, real policies, a local AWS that counts what reaches it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import wiring
from reconciler.cli.commands.passes import apply_code
from reconciler.model.change import Verb
from reconciler.model.events import Event, StepStarted
from reconciler.model.ids import Digest, LogicalId, PlanName
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState, RunReport, StepState
from reconciler.review import needed_scopes
from reconciler.source.approvals import write_approval
from tests.e2e.conftest import DEVELOPMENT, STAGING, Lab
from tests.e2e.running import REGION, Answer, Shell, plan_text, queue
from tests.e2e.test_cli import WORK, People, approve, fits, queues

BEFORE = {"Jobs": queue("dev-jobs", VisibilityTimeout=60), "Old": queue("dev-old")}
WITHOUT_OLD = {"Jobs": queue("dev-jobs", VisibilityTimeout=60)}
RENAMED = {"Jobs": queue("dev-jobs-two", VisibilityTimeout=60), "Old": queue("dev-old")}


class Office:
    """A lab in whose development account two queues stand, and where policy wants destruction approved exactly."""

    def __init__(self, lab: Lab, people: People) -> None:
        self.lab, self.people, self.shell = lab, people, Shell(lab)
        self.policy(lambda data: data["approvals"].update(development={"exact": ["replace", "delete"]}))
        self.write(BEFORE)
        self.approve("create,update,adopt")
        assert lab.run(WORK).state is PlanState.IN_SYNC
        lab.aws.reset_calls()

    # what people do

    def write(self, resources: dict[str, Any], environment: str = "development", **spec: Any) -> None:
        """Edit the plan."""
        self.lab.write(plan_text(WORK, resources, environment, **spec))

    def policy(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Edit what the platform team decides."""
        path = self.lab.policies / "data.yaml"
        data = yaml.safe_load(path.read_text())
        change(data)
        path.write_text(yaml.safe_dump(data))

    def approve(self, scope: str = "", change: Digest | None = None) -> None:
        """Bob's word, as ``reconciler approve`` writes it."""
        now = datetime.now(UTC)
        write_approval(
            self.plan,
            self.lab.desired,
            key=self.people.key("bob"),
            approver="bob@example.com",
            approved_at=now,
            expires_at=now + timedelta(hours=1),
            scope=scope.split(","),
            change=change,
        )

    def approve_exactly(self) -> Digest:
        """The same for what a pass would change now, as with ``--change``."""
        changes = self.lab.preview(WORK).changes
        self.approve(",".join(needed_scopes(changes)), changes.digest)
        return Digest(changes.digest)

    def touch(self, name: str, **attributes: str) -> None:
        """Change a queue behind the daemon's back."""
        with self.lab.aws.uncounted():
            url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    # what there is

    @property
    def sqs(self) -> Any:
        return self.lab.aws.client("sqs", account=DEVELOPMENT, region=REGION)

    @property
    def plan(self) -> Plan:
        return self.lab.app.source.load().plans[PlanName(WORK)]

    @property
    def queues(self) -> set[str]:
        with self.lab.aws.uncounted():
            return queues(self.lab.aws, DEVELOPMENT)

    @property
    def change(self) -> Digest:
        """The digest of what a pass would change now."""
        return Digest(self.lab.preview(WORK).changes.digest)

    @property
    def used(self) -> set[tuple[str, str]]:
        """What passes have used up of approvals of the plan's present content."""
        return set(self.lab.app.store.consumed_approvals(self.plan.digest))

    @property
    def writes(self) -> dict[str, int]:
        """Mutating calls that reached AWS, in any account."""
        return {name: count for name, count in self.lab.aws.mutations().items() if name != "sts:AssumeRole"}

    def applies(self, left: set[str]) -> None:
        """The pass goes through, and leaves these queues."""
        report = self.lab.run(WORK)
        assert report.state is PlanState.IN_SYNC, report.message
        assert self.queues == left

    def stops(self, reason: str, code: int = 4) -> RunReport:
        """The pass ends without a mutating call and says why; ``reconciler apply`` would exit with ``code``."""
        self.lab.aws.reset_calls()
        before = self.queues
        report = self.lab.run(WORK)
        assert apply_code([report]) == code, report.message
        assert reason in report.message, report.message
        assert self.writes == {}
        assert self.queues == before
        return report


@pytest.fixture
def people(lab: Lab, tmp_path: Path) -> People:
    (tmp_path / "keys").mkdir()
    return People(tmp_path / "keys", lab.policies)


@pytest.fixture
def office(lab: Lab, people: People) -> Office:
    return Office(lab, people)


def exactly(office: Office, *more: str) -> Answer:
    """``reconciler approve --change``."""
    return fits(approve(office.shell, office.people, "bob", "--change", *more))


# it counts


def test_on_the_command_line(office: Office) -> None:
    shell, lab = office.shell, office.lab
    office.write(WITHOUT_OLD)
    office.approve("create,update,adopt,delete")
    waiting = fits(shell("apply", WORK))
    assert waiting.code == 4, waiting.text
    assert f"`reconciler approve {WORK} --change`" in waiting.text
    given = exactly(office)
    assert given.code == 0, given.text
    assert "will be destroyed" in given.text
    assert office.writes == {}
    digest = shell("diff", WORK, "--output", "json").json["plans"][0]["change_digest"]
    for answer in (waiting, given, fits(shell("diff", WORK))):
        assert f"Change: {digest}" in answer.text
    document = yaml.safe_load((lab.desired / f"{WORK}-bob-change.approval.yaml").read_text())["spec"]
    assert (document["change"], document["scope"]) == (digest, ["delete"])
    office.touch("dev-old", VisibilityTimeout="77")
    refused = fits(shell("apply", WORK))
    assert refused.code == 4, refused.text
    assert f"it approves the change {digest[:19]}" in refused.text
    assert office.writes == {}
    assert exactly(office).code == 0
    done = fits(shell("apply", WORK))
    assert done.code == 0, done.text
    assert office.queues == {"dev-jobs"}


@pytest.mark.parametrize(
    ("wanted", "scope", "left"),
    [
        pytest.param(WITHOUT_OLD, "delete", {"dev-jobs"}, id="delete"),
        pytest.param(RENAMED, "replace", {"dev-jobs-two", "dev-old"}, id="replace"),
    ],
)
def test_it_lets_the_change_through_once(office: Office, wanted: dict[str, Any], scope: str, left: set[str]) -> None:
    office.write(wanted)
    office.approve(f"create,update,adopt,{scope}")
    office.stops(f"`reconciler approve {WORK} --change`")
    digest = office.approve_exactly()
    assert office.writes == {}
    office.applies(left)
    assert {scope for name, scope in office.used if name.endswith(digest[7:19])} == {scope}


def test_it_is_used_up_even_for_the_same_change(office: Office) -> None:
    """Somebody brings the queue back, in every detail: the word was given for one pass."""
    record = office.lab.app.store.records(PlanName(WORK))[LogicalId("Old")]
    tags = office.sqs.list_queue_tags(QueueUrl=record.identifier)["Tags"]
    office.write(WITHOUT_OLD)
    digest = office.approve_exactly()
    office.applies({"dev-jobs"})
    assert office.sqs.create_queue(QueueName="dev-old", tags=tags)["QueueUrl"] == record.identifier
    office.lab.app.store.save_record(record)
    assert office.change == digest
    office.stops("used up by an earlier pass for delete")


def test_what_doesnt_count_doesnt_void_it(office: Office) -> None:
    """Layout, remarks, other processes, what others have in the account, another role in it."""
    office.write(WITHOUT_OLD)
    digest = office.approve_exactly()
    for path in (office.lab.desired / "plan.yaml", office.lab.policies / "data.yaml"):
        path.write_text("# a remark\n" + path.read_text() + "\n")
    office.sqs.create_queue(QueueName="somebody-elses")
    other = office.shell.process("diff", WORK, "--output", "json")
    assert other.json["plans"][0]["change_digest"] == digest
    office.lab.open(aws={**connection(office.lab), "role_pattern": "arn:aws:iam::{account}:role/another"})
    assert office.change == digest
    office.applies({"dev-jobs", "somebody-elses"})


def connection(lab: Lab) -> dict[str, Any]:
    return {"endpoint_url": lab.aws.endpoint, "threads": 8}


def test_it_waits_for_a_window_and_counts_then(office: Office) -> None:
    """Time passes, the change stays the same."""
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).strftime("%a").lower()
    office.policy(
        lambda data: data.update(windows={"development": [{"days": [tomorrow], "from": "00:00", "to": "24:00"}]})
    )
    office.write(WITHOUT_OLD)
    office.approve_exactly()
    for _ in range(2):
        office.stops("change window")
        assert office.used == set()
    office.policy(lambda data: data.update(windows={}))
    office.stops("it approves the change")  # it was given under other policies
    office.approve_exactly()
    office.applies({"dev-jobs"})


def test_a_secret_is_part_of_it_in_every_process(office: Office) -> None:
    template = {
        "Parameters": {"Key": {"Type": "String", "NoEcho": True}},
        "Resources": {"Jobs": queue("dev-jobs", VisibilityTimeout=60, KmsMasterKeyId={"Ref": "Key"})},
    }
    (office.lab.desired / "jobs.template.json").write_text(json.dumps(template))
    document = yaml.safe_load(plan_text(WORK, {}, "development", template="jobs.template.json"))
    del document["spec"]["resources"]
    document["spec"]["parameters"] = {"Key": "canary-5d41"}
    office.lab.write(yaml.safe_dump(document))
    digest = office.approve_exactly()
    other = office.shell.process("diff", WORK, "--output", "json")
    assert other.json["plans"][0]["change_digest"] == digest
    assert "canary-5d41" not in other.out + other.err
    office.applies({"dev-jobs"})


# anything has changed


def _plan_edited(office: Office) -> None:
    office.write({"Jobs": queue("dev-jobs", VisibilityTimeout=61)})


def _region_edited(office: Office) -> None:
    office.write(WITHOUT_OLD, target={"environment": "development", "account": DEVELOPMENT, "region": "eu-central-1"})


def _live_changed(office: Office) -> None:
    office.touch("dev-old", VisibilityTimeout="77")


def _tagged(office: Office) -> None:
    with office.lab.aws.uncounted():
        url = office.sqs.get_queue_url(QueueName="dev-old")["QueueUrl"]
        office.sqs.tag_queue(QueueUrl=url, Tags={"keep": "this one"})


def _another_drifted(office: Office) -> None:
    office.touch("dev-jobs", VisibilityTimeout="5")


def _data_edited(office: Office) -> None:
    office.policy(lambda data: data["blast_radius"]["default"].update(max_count=9))


def _rule_edited(office: Office) -> None:
    path = office.lab.policies / "windows.rego"
    path.write_text(path.read_text() + "\n# nobody was asked\n")


def test_nothing_is_called_once_the_plan_is_another(office: Office) -> None:
    for edit in (_plan_edited, _region_edited):
        office.write(WITHOUT_OLD)
        office.approve_exactly()
        edit(office)
        office.stops("approve it again")
        assert office.used == set()


def test_nothing_is_called_once_the_change_is_another(office: Office) -> None:
    """Whatever it is that has changed; looking again and approving again is all it takes."""
    office.write(WITHOUT_OLD)
    seen = office.approve_exactly()
    for spoil in (_live_changed, _tagged, _another_drifted, _data_edited, _rule_edited):
        spoil(office)
        now = office.change
        assert now != seen, spoil.__name__
        office.stops(f"it approves the change {seen[:19]}…, this is {now[:19]}…: look again")
        assert office.used == set()
        seen = office.approve_exactly()
    office.applies({"dev-jobs"})


def test_nothing_is_called_with_another_accounts_credentials(office: Office) -> None:
    office.write(WITHOUT_OLD)
    office.approve_exactly()
    office.lab.open(aws={**connection(office.lab), "role_pattern": f"arn:aws:iam::{STAGING}:role/reconciler"})
    report = office.stops(STAGING, 3)
    assert report.error_reason == "wrong_account"
    office.lab.open()
    office.applies({"dev-jobs"})


# between the decision and the call


class Meddler:
    """Hears the steps as they begin, and does something behind the daemon's back just before one."""

    def __init__(self, office: Office, verb: Verb, deed: Callable[[Office], None]) -> None:
        self.office, self.verb, self.deed, self.done = office, verb, deed, False

    def emit(self, event: Event) -> None:
        if isinstance(event, StepStarted) and event.step.verb is self.verb and not self.done:
            self.done = True
            self.deed(self.office)
            self.office.lab.aws.reset_calls()


def meddled(office: Office, verb: Verb, deed: Callable[[Office], None]) -> RunReport:
    """The report of a pass that somebody interferes with after the decision."""
    meddler = Meddler(office, verb, deed)
    app = wiring.build(office.lab.settings(), events=meddler)
    try:
        snapshot = app.source.load()
        name = PlanName(WORK)
        report = app.cycle.run(snapshot.plans[name], tuple(snapshot.approvals[name]), "test")
    finally:
        app.close()
    assert meddler.done
    return report


def test_a_deletion_is_stopped_if_its_resource_changes_at_the_last_moment(office: Office) -> None:
    office.write(WITHOUT_OLD)
    for deed in (_live_changed, _tagged):
        office.approve_exactly()
        report = meddled(office, Verb.DELETE, deed)
        assert report.state is PlanState.DRIFTED, report.message
        assert "has changed since the diff" in report.message
        assert office.writes == {}
        assert office.queues == {"dev-jobs", "dev-old"}
        # nothing was done under it, so nothing is used up; but what stands there now is another change
        assert office.used == set()
        office.stops("it approves the change sha256:")


def test_an_update_is_stopped_if_its_resource_changes_at_the_last_moment(office: Office) -> None:
    office.policy(lambda data: data["approvals"]["development"].update(exact=["update"]))
    office.write({"Jobs": queue("dev-jobs", VisibilityTimeout=90), "Old": queue("dev-old")})
    office.approve_exactly()
    report = meddled(office, Verb.UPDATE, lambda office: office.touch("dev-jobs", VisibilityTimeout="7"))
    assert report.state is PlanState.DRIFTED, report.message
    assert office.writes == {}
    office.stops("it approves the change sha256:")


def test_the_old_half_of_a_replacement_stays_if_it_changes_at_the_last_moment(office: Office) -> None:
    office.write(RENAMED)
    office.approve_exactly()
    report = meddled(office, Verb.DELETE, lambda office: office.touch("dev-jobs", VisibilityTimeout="7"))
    (step,) = [step for step in report.steps if step.verb is Verb.DELETE]
    assert step.state is StepState.FAILED
    assert office.writes.get("sqs:DeleteQueue", 0) == 0
    assert "dev-jobs" in office.queues


# when there is nothing to give it for


def refuses(office: Office, *reasons: str) -> None:
    present = sorted(path.name for path in office.lab.desired.iterdir())
    answer = exactly(office)
    assert answer.code == 1, answer.text
    for reason in reasons:
        assert reason in answer.text, answer.text
    assert sorted(path.name for path in office.lab.desired.iterdir()) == present


def test_nothing_to_approve(office: Office) -> None:
    refuses(office, "nothing to approve")
    office.write(WITHOUT_OLD, suspend=True)
    refuses(office, "suspended")
    office.write(WITHOUT_OLD, guardrail={"status": "failed", "reference": "x"})
    refuses(office, "denied", "guardrail")
    office.write(WITHOUT_OLD, "staging")
    refuses(office, "Git branch")


def test_what_cant_be_computed_is_not_approved(office: Office) -> None:
    office.write({**WITHOUT_OLD, "New": queue("taken")})
    office.sqs.create_queue(QueueName="taken", Attributes={"DelaySeconds": "9"})
    refuses(office, "taken")
    office.sqs.delete_queue(QueueUrl=office.sqs.get_queue_url(QueueName="taken")["QueueUrl"])
    denied = {"times": 500, "status": 403, "account": DEVELOPMENT}
    office.lab.aws.fail("sqs", "GetQueueAttributes", "AccessDenied", **denied)
    refuses(office, "could not be judged")
    office.lab.aws.clear_faults()
    assert exactly(office).code == 0


def test_scopes_and_json(office: Office) -> None:
    office.write(WITHOUT_OLD)
    answer = exactly(office, "--scope", "update", "--output", "json")
    assert answer.code == 0, answer.text
    assert (answer.json["change"], answer.json["objection"]) == (office.change, "")
    assert [item["action"] for item in answer.json["changes"]] == ["delete"]
    office.stops("scope delete")
    assert exactly(office).code == 0
    office.applies({"dev-jobs"})
