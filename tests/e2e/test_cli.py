"""The command line against a local AWS: exit codes, approvals, and what a person reads at 80 columns."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.testing.localaws import LocalAws
from tests.e2e.conftest import DEVELOPMENT, SANDBOX, Lab
from tests.e2e.running import REGION, Answer, Shell, plan_text, queue

WORK = "dev-work"


def queues(aws: LocalAws, account: str) -> set[str]:
    answer = aws.client("sqs", account=account, region=REGION).list_queues()
    return {url.rsplit("/", 1)[1] for url in answer.get("QueueUrls", [])}


def writes(aws: LocalAws, account: str) -> dict[str, int]:
    return {name: count for name, count in aws.mutations(account).items() if name != "sts:AssumeRole"}


class People:
    """Bob, who may approve; alice, who may too but wrote the plan; mallory, whom nobody knows."""

    def __init__(self, directory: Path, policies: Path) -> None:
        lines = []
        for name in ("alice", "bob", "mallory"):
            key = directory / name
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            public = key.with_suffix(".pub").read_text().split()
            if name != "mallory":
                lines.append(f'{name}@example.com namespaces="reconciler" {public[0]} {public[1]}\n')
        (policies / "allowed_signers").write_text("".join(lines))
        self.directory = directory

    def key(self, name: str) -> Path:
        return self.directory / name


@pytest.fixture
def people(lab: Lab, tmp_path: Path) -> People:
    (tmp_path / "keys").mkdir()
    return People(tmp_path / "keys", lab.policies)


@pytest.fixture
def shell(lab: Lab) -> Iterator[Shell]:
    yield Shell(lab)


def fits(answer: Answer) -> Answer:
    assert answer.too_wide() == []
    return answer


def approval_file(lab: Lab) -> Path:
    return next(path for path in lab.desired.iterdir() if ".approval" in path.name)


def test_diff_and_apply_in_processes_of_their_own(lab: Lab, shell: Shell) -> None:
    lab.write(plan_text("work", {"Jobs": queue("work-jobs", VisibilityTimeout=60)}))
    found = shell.process("diff")
    assert found.code == 2, found.err
    assert "AWS::SQS::Queue Jobs will be created" in found.text
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in found.text
    assert "\x1b" not in found.out
    assert queues(lab.aws, SANDBOX) == set()
    done = shell.process("apply")
    assert done.code == 0, done.err
    assert "Executing plan: work" in done.out
    assert "Validation: passed" in done.out
    assert queues(lab.aws, SANDBOX) == {"work-jobs"}
    assert shell.process("diff", "work").code == 0


def test_exit_codes_of_diff_and_apply(lab: Lab, shell: Shell) -> None:
    lab.write(plan_text("work", {"Jobs": queue("work-jobs", VisibilityTimeout=60)}), "work.yaml")
    assert fits(shell("diff")).code == 2
    assert fits(shell("apply")).code == 0
    lab.aws.reset_calls()
    assert fits(shell("apply")).code == 0
    assert fits(shell("diff")).code == 0
    assert writes(lab.aws, SANDBOX) == {}

    client = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    url = client.get_queue_url(QueueName="work-jobs")["QueueUrl"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    drift = fits(shell("diff", "work"))
    assert drift.code == 2
    assert "/VisibilityTimeout: 5 -> 60" in drift.text
    markdown = shell("diff", "work", "--output", "markdown")
    assert markdown.code == 2
    assert "```diff" in markdown.out
    data = shell("diff", "work", "--output", "json")
    assert data.code == 2
    assert [item["path"] for item in json.loads(data.out)["plans"][0]["changes"][0]["fields"]] == ["/VisibilityTimeout"]

    assert shell("diff", "nothing").code == 1
    assert shell("apply", "nothing").code == 1
    lab.aws.fail("sqs", "*", "AccessDenied", times=100, status=403, message="User is not authorized to perform: sqs:x")
    assert shell("diff", "work").code == 1
    lab.aws.clear_faults()
    lab.write("kind: Plan\n", "broken.yaml")
    broken = shell("apply")
    assert broken.code == 1
    assert "broken.yaml" in broken.err
    assert "Executing plan: work" in broken.out


def test_apply_fails_and_says_why(lab: Lab, shell: Shell) -> None:
    lab.write(plan_text("work", {"A": queue("a"), "B": {**queue("b"), "DependsOn": "A"}}))
    refusal = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: sqs:CreateQueue on resource: b"
    lab.aws.fail("sqs", "CreateQueue", "AccessDenied", times=50, status=403, message=refusal)
    failed = fits(shell("apply"))
    assert failed.code == 1
    for line in (
        "ERROR: Access Denied",
        "Operation: sqs:CreateQueue",
        "Required permission: sqs:CreateQueue",
        "Resolution options:",
    ):
        assert line in failed.text
    assert queues(lab.aws, SANDBOX) == set()


def test_partial_failure_is_rolled_back_and_told(lab: Lab, shell: Shell) -> None:
    taken = {"Type": "AWS::SNS::Topic", "DependsOn": "A", "Properties": {"TopicName": "b"}}
    lab.write(plan_text("work", {"A": queue("a"), "B": taken}))
    lab.aws.fail("sns", "CreateTopic", "InvalidParameter", times=50, status=400, message="no such thing")
    failed = fits(shell("apply"))
    assert failed.code == 1
    assert "PARTIAL FAILURE: Step 2 of 2 failed" in failed.text
    assert "Rolled back" in failed.text
    assert queues(lab.aws, SANDBOX) == set()


def test_denied_is_3(lab: Lab, shell: Shell) -> None:
    lab.write(plan_text("work", {"Jobs": queue("jobs")}, guardrail={"status": "failed", "reference": "x"}))
    denied = fits(shell("apply"))
    assert denied.code == 3
    assert "guardrail" in denied.text.lower()
    assert shell("diff").code == 1
    lab.write(
        plan_text(
            "work", {"Jobs": queue("jobs")}, target={"environment": "sandbox", "account": DEVELOPMENT, "region": REGION}
        )
    )
    wrong = fits(shell("apply"))
    assert wrong.code == 3
    assert DEVELOPMENT in wrong.text
    assert sum(lab.aws.mutations().values()) == 0


def test_looking_at_what_was(lab: Lab, shell: Shell) -> None:
    lab.write(plan_text("work", {"Jobs": queue("work-jobs"), "Topic": {"Type": "AWS::SNS::Topic"}}))
    assert "No plan has had a pass yet" in shell("status").out
    assert shell("status", "work").code == 1
    assert shell("history", "work").code == 1
    assert shell("apply").code == 0
    assert shell("apply").code == 0
    overview = fits(shell("status"))
    assert overview.code == 0
    assert "in_sync" in overview.text
    detail = fits(shell("status", "work"))
    assert "Last verified" in detail.text
    assert "Queue" in detail.text
    runs = shell("history", "work", "--output", "json").json["runs"]
    assert [len(run["steps"]) for run in runs] == [0, 2]
    assert fits(shell("history", "work")).out.count("in_sync") == 2
    first = runs[-1]["run"]
    page = fits(shell("report", first))
    assert page.code == 0
    assert "Steps completed: 2/2" in page.text
    data = shell("report", first, "--output", "json").json
    assert {step["validation"] for step in data["steps"]} == {"passed"}
    assert shell("report", "nothing").code == 1


def test_validate(lab: Lab, shell: Shell) -> None:
    good = lab.write(plan_text("work", {"Jobs": queue("work-jobs")}))
    lab.aws.reset_calls()
    assert shell("validate", good).code == 0
    assert shell("validate", lab.policies).code == 0
    bad = lab.directory / "bad"
    bad.mkdir()
    (bad / "bad.yaml").write_text(
        plan_text("bad", {"Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueNam": "x"}}})
    )
    answer = shell("validate", bad)
    assert answer.code == 1
    assert "bad.yaml" in answer.text
    assert "QueueName" in answer.text  # what was meant
    (bad / "matrix.rego").write_text("package reconciler\nallow if {")
    assert shell("validate", bad / "matrix.rego").code == 1
    assert shell("validate", lab.directory / "nowhere").code == 1
    assert lab.aws.calls() == {}


def test_policy_and_config(lab: Lab, shell: Shell) -> None:
    checked = fits(shell("policy", "check"))
    assert checked.code == 0
    assert "pipeline only" in checked.text
    tested = shell("policy", "test")
    assert tested.code == 0, tested.text
    for path in lab.policies.glob("*_test.rego"):  # they have passed
        path.unlink()
    (lab.policies / "broken_test.rego").write_text("package reconciler_broken_test\n\ntest_no if false\n")
    assert shell("policy", "test").code == 1
    (lab.policies / "matrix.rego").write_text("package reconciler\nallow if {")
    assert shell("policy", "check").code == 1

    shown = shell("config", "show")
    assert shown.code == 0
    data = yaml.safe_load(shown.out)
    assert data["source"]["path"] == str(lab.desired)
    assert "let-me-in" not in shown.out
    wrong = shell("config", "show", RECONCILER_HTTP__PORT="many")
    assert wrong.code == 1
    assert "RECONCILER_HTTP__PORT" in wrong.text


# approvals


def waiting(lab: Lab, shell: Shell, **spec: Any) -> Answer:
    lab.write(plan_text(WORK, {"Jobs": queue("dev-jobs")}, "development", **spec))
    answer = fits(shell("apply", WORK))
    assert answer.code == 4, answer.text
    assert f"reconciler approve {WORK}" in answer.text
    assert writes(lab.aws, DEVELOPMENT) == {}
    return answer


def approve(shell: Shell, people: People, name: str = "bob", *more: str) -> Answer:
    return shell("approve", WORK, "--key", people.key(name), *more)


def refused(lab: Lab, shell: Shell, reason: str) -> None:
    """Refused, with the reason where people look, and nothing was written."""
    lab.aws.reset_calls()
    difference, answer = shell("diff", WORK), shell("apply", WORK)
    assert (difference.code, answer.code) == (2, 4), answer.text
    assert reason in difference.text, difference.text
    assert reason in answer.text, answer.text
    assert writes(lab.aws, DEVELOPMENT) == {}


def test_an_approval_lets_the_plan_through_and_an_edit_voids_it(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    digest = shell("digest", WORK).out.strip()
    assert digest.startswith("sha256:")
    given = approve(shell, people)
    assert given.code == 0, given.text
    assert digest in given.text
    assert fits(shell("diff", WORK)).code == 2
    assert fits(shell("apply", WORK)).code == 0
    assert queues(lab.aws, DEVELOPMENT) == {"dev-jobs"}
    # comments and layout don't count
    path = lab.desired / "plan.yaml"
    path.write_text("# a remark\n" + path.read_text())
    assert shell("digest", WORK).out.strip() == digest
    assert shell("diff", WORK).code == 0
    # content does
    lab.write(plan_text(WORK, {"Jobs": queue("dev-jobs", VisibilityTimeout=99)}, "development"))
    assert shell("digest", WORK).out.strip() != digest
    refused(lab, shell, "approve it again")


def test_an_expired_approval(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    assert approve(shell, people, "bob", "--expires", "1h").code == 0
    path = approval_file(lab)
    document = yaml.safe_load(path.read_text())
    begin = datetime.now(UTC) - timedelta(days=2)
    document["spec"] |= {
        "approvedAt": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expiresAt": (begin + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    from reconciler.source.approvals import sign_approval

    path.write_text(yaml.safe_dump(sign_approval(document, people.key("bob"))))
    refused(lab, shell, "it expired at")


def test_a_wrong_digest(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    assert approve(shell, people).code == 0
    path = approval_file(lab)
    digest = shell("digest", WORK).out.strip()
    path.write_text(path.read_text().replace(digest, "sha256:" + "0" * 64))
    refused(lab, shell, "but the plan is")


def test_a_tampered_approval(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    assert approve(shell, people).code == 0
    path = approval_file(lab)
    path.write_text(path.read_text().replace("- adopt\n", "- adopt\n  - delete\n"))
    refused(lab, shell, "signature is not valid")


def test_an_unknown_signer(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    answer = approve(shell, people, "mallory")
    assert answer.code == 1
    assert "who approves" in answer.text
    answer = approve(shell, people, "mallory", "--approver", "bob@example.com")
    assert answer.code == 1
    assert "It will not count" in answer.text
    refused(lab, shell, "bob@example.com")


def test_self_approval(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    assert approve(shell, people, "alice").code == 0
    refused(lab, shell, "the author of a plan can't approve it")


def test_no_signers_at_all(lab: Lab, shell: Shell, people: People) -> None:
    waiting(lab, shell)
    assert approve(shell, people).code == 0
    (lab.policies / "allowed_signers").unlink()
    refused(lab, shell, "allowed_signers")


TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": "dev-items",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    },
}


def test_deleting_needs_an_approval_that_says_so(lab: Lab, shell: Shell, people: People) -> None:
    lab.write(plan_text(WORK, {"Jobs": queue("dev-jobs"), "Old": queue("dev-old")}, "development"))
    assert approve(shell, people).code == 0
    assert shell("apply", WORK).code == 0
    lab.write(plan_text(WORK, {"Jobs": queue("dev-jobs")}, "development"))
    assert approve(shell, people).code == 0
    refused(lab, shell, "scope delete")
    assert queues(lab.aws, DEVELOPMENT) == {"dev-jobs", "dev-old"}
    assert approve(shell, people, "bob", "--scope", "delete").code == 0
    done = fits(shell("apply", WORK))
    assert done.code == 0, done.text
    assert queues(lab.aws, DEVELOPMENT) == {"dev-jobs"}


def test_replacing_needs_one_and_uses_it_up(lab: Lab, shell: Shell, people: People) -> None:
    lab.write(plan_text(WORK, {"Jobs": queue("dev-jobs")}, "development"))
    assert approve(shell, people).code == 0
    assert shell("apply", WORK).code == 0
    lab.write(plan_text(WORK, {"Jobs": queue("dev-jobs-two")}, "development"))
    assert approve(shell, people).code == 0
    refused(lab, shell, "scope replace")
    assert "must be replaced" in shell("diff", WORK).text
    assert approve(shell, people, "bob", "--scope", "create,update,adopt,replace").code == 0
    done = fits(shell("apply", WORK))
    assert done.code == 0, done.text
    assert queues(lab.aws, DEVELOPMENT) == {"dev-jobs-two"}

    # the same content again, after somebody brought the old state back: the word was given for one pass
    name = lab.app.store.records(WORK)["Jobs"]  # type: ignore[index]
    from dataclasses import replace

    client = lab.aws.client("sqs", account=DEVELOPMENT, region=REGION)
    client.delete_queue(QueueUrl=name.identifier)
    old = client.create_queue(QueueName="dev-jobs", tags={"reconciler:plan": WORK, "reconciler:id": "Jobs"})["QueueUrl"]
    lab.app.store.save_record(replace(name, identifier=old, applied={**name.applied, "QueueName": "dev-jobs"}))
    refused(lab, shell, "used up")
    assert queues(lab.aws, DEVELOPMENT) == {"dev-jobs"}


def test_withdrawing_a_plan_needs_scope_delete(lab: Lab, shell: Shell, people: People) -> None:
    lab.write(plan_text(WORK, {"Items": TABLE}, "development"))
    assert approve(shell, people).code == 0
    assert shell("apply", WORK).code == 0
    lab.write(plan_text(WORK, {"Items": TABLE}, "development", state="absent"))
    assert approve(shell, people).code == 0
    refused(lab, shell, "scope delete")
    assert approve(shell, people, "bob", "--scope", "delete").code == 0
    assert shell("apply", WORK).code == 0
    assert lab.aws.client("dynamodb", account=DEVELOPMENT, region=REGION).list_tables()["TableNames"] == []
