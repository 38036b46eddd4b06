"""Production over real Git servers and hosting services on loopback: one branch and one pull request, to the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from git import Actor, Repo

from reconciler import wiring
from reconciler.model.ids import PlanName
from reconciler.model.report import BranchInfo, PlanState, RunReport
from reconciler.testing.forges import ForgeServer, Refusal
from reconciler.testing.githubapi import GitHubServer
from reconciler.testing.gitlabapi import GitLabServer
from reconciler.testing.gitserver import GitServer
from tests.e2e.conftest import PRODUCTION, Lab
from tests.e2e.running import Shell, plan_text, queue
from tests.e2e.test_production import branches, deploy, mutations

PASSES = 1000 if os.environ.get("RECONCILER_STRESS") == "1" else 50
WEB = PlanName("web")
BRANCH = "feature/add-web"
JOBS = {"Jobs": queue("jobs", VisibilityTimeout=60)}


class Company:
    """A lab whose changes go to a Git server that asks for a token, with a hosting service beside it."""

    def __init__(self, lab: Lab, git: GitServer, forge: ForgeServer) -> None:
        self.lab, self.git, self.forge = lab, git, forge
        self.kind = "github" if isinstance(forge, GitHubServer) else "gitlab"

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "pipeline": {
                "repository": f"{self.git.address}/infrastructure.git",
                "freshness": "0s",
                "credentials": {"token_env": "THE_GIT_TOKEN"},
                "pull_requests": {
                    "provider": self.kind,
                    "api": self.forge.api,
                    "token_env": "THE_FORGE_TOKEN",
                    "labels": ["reconciler"],
                    "reviewers": ["bob"],
                    "refresh": "0s",
                    **more,
                },
            }
        }

    def open(self, **more: Any) -> wiring.App:
        return self.lab.open(**self.settings(**more))

    def merge(self, branch: str, *, squash: bool = False) -> None:
        """A person merges the pull request."""
        with Repo(self.lab.repository) as repo:
            me = Actor("Maintainer", "maintainer@example.com")
            head, base = repo.heads[branch].commit, repo.heads["main"].commit
            parents = [base] if squash else [base, head]
            repo.index.reset(head)
            commit = repo.index.commit("merge", parent_commits=parents, author=me, committer=me, head=False)
            repo.heads["main"].commit = commit
        for pull in self.forge.pulls:
            if pull.head == branch and pull.state == "open":
                pull.state = "merged"

    def revert_drift(self) -> None:
        """Somebody puts right in AWS what differed."""
        sqs = self.lab.aws.client("sqs", account=PRODUCTION)
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})

    def drift(self) -> None:
        """Somebody changes AWS behind the plan's back."""
        sqs = self.lab.aws.client("sqs", account=PRODUCTION)
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})

    def states(self) -> list[str]:
        return [pull.state for pull in self.forge.pulls]


@pytest.fixture(params=["github", "gitlab"])
def company(
    request: pytest.FixtureRequest, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    kind = GitHubServer if request.param == "github" else GitLabServer
    with ExitStack() as stack:
        git = stack.enter_context(GitServer(tmp_path, "git-secret-t0ken", tmp_path))
        git.protect("infrastructure.git")
        forge = stack.enter_context(kind("forge-secret-t0ken", "infrastructure", lab.repository))
        monkeypatch.setenv("GIT_SSL_CAINFO", str(git.certificate))
        monkeypatch.setenv("THE_GIT_TOKEN", git.token)
        monkeypatch.setenv("THE_FORGE_TOKEN", forge.token)
        made = Company(lab, git, forge)
        made.open()
        yield made


def branch_of(report: RunReport) -> BranchInfo:
    assert report.branch is not None, report.message
    return report.branch


def drifted(company: Company) -> None:
    """A plan that is deployed, and then AWS is changed by hand. No branch yet."""
    company.lab.write(plan_text("web", JOBS, "production"))
    deploy(company.lab, "web")
    assert company.lab.run("web").state is PlanState.IN_SYNC
    company.drift()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("company", ["github"], indirect=True)
def test_many_passes_over_a_drift_and_two_daemons_make_one_and_its_end_leaves_none(company: Company) -> None:
    lab = company.lab
    drifted(company)
    first, second = company.open(), company.open()
    other = wiring.build(lab.settings(**company.settings(), state_dir=lab.directory / "other-state"))
    snapshot = first.source.load()
    plan, approvals = snapshot.plans[WEB], tuple(snapshot.approvals.get(WEB, ()))
    barrier = threading.Barrier(2)

    def passes(app: wiring.App) -> list[RunReport]:
        barrier.wait()
        return [app.cycle.run(plan, approvals, "test") for _ in range(PASSES // 2)]

    with ThreadPoolExecutor(2) as pool:
        reports = [report for made in pool.map(passes, (second, other)) for report in made]
    other.close()
    assert {report.state for report in reports} == {PlanState.PIPELINE_OPEN}, {one.message for one in reports}
    ((branch, commits),) = branches(lab).items()
    assert (len(reports), branch, commits) == (PASSES, "feature/update-web", 1)
    assert {branch_of(report).branch for report in reports} == {branch}
    assert {branch_of(report).number for report in reports} == {1}
    assert (company.states(), company.forge.pulls[0].comments) == (["open"], [])

    company.revert_drift()
    gone = lab.run("web")
    assert (gone.state, branch_of(gone).state) == (PlanState.IN_SYNC, "obsolete")
    assert (branches(lab), company.forge.open_pulls()) == ({}, [])
    assert "the change is gone" in company.forge.pulls[0].comments[0]
    assert mutations(lab, "production").keys() <= {"sqs:SetQueueAttributes", "sqs:CreateQueue", "sqs:TagQueue"}
    print(f"{len(reports)} passes: 1 branch, {commits} commit, 1 pull request; drift reverted: none are left")


def test_from_a_plan_to_deployed_and_drift_after_it(company: Company) -> None:
    lab, forge = company.lab, company.forge
    lab.write(plan_text("web", JOBS, "production"))
    opened = lab.run("web")
    assert (opened.state, branch_of(opened).state, branch_of(opened).review) == (
        PlanState.PIPELINE_OPEN,
        "open",
        "open",
    )
    (pull,) = forge.pulls
    assert (branch_of(opened).number, branch_of(opened).command) == (pull.number, "")
    assert branch_of(opened).url in opened.message
    assert (pull.title, pull.labels, pull.reviewers) == ("feat: add web in production", ["reconciler"], ["bob"])
    for part in ("### Diff", "### Policy decision", "### Checklist", "### Approval", "### Cost of being wrong"):
        assert part in pull.body, part

    # the plan changes: the same pull request, and a comment that says what is new
    lab.write(plan_text("web", {"Jobs": queue("jobs", VisibilityTimeout=61)}, "production"))
    assert branch_of(lab.run("web")).number == pull.number
    lab.run("web")
    assert len(pull.comments) == 1
    assert "Updated by reconciler: commit" in pull.comments[0]

    # merged, then deployed, then changed by somebody
    company.merge(BRANCH, squash=True)
    merged = lab.run("web")
    assert (merged.state, branch_of(merged).state, branch_of(merged).review) == (
        PlanState.PIPELINE_OPEN,
        "merged",
        "merged",
    )
    assert "1 change merged on main, to be deployed" in merged.message
    assert branches(lab) == {}
    deploy(lab, "web")
    deployed = lab.run("web")
    assert (deployed.state, branch_of(deployed).state) == (PlanState.IN_SYNC, "deployed")
    assert (branch_of(deployed).number, branch_of(deployed).review) == (pull.number, "merged")
    company.drift()
    for _ in range(2):
        report = lab.run("web")
        assert (report.state, branch_of(report).state) == (PlanState.PIPELINE_OPEN, "drifted")
        assert "live state was changed since, deploy again" in report.message
    exposed = lab.app.metrics.exposition()[0].decode()
    assert 'reconciler_pipeline_branches{plan="web",state="drifted"} 1.0' in exposed
    assert 'reconciler_pipeline_branches{plan="web",state="deployed"} 0.0' in exposed
    assert company.states() == ["merged"]


def test_a_person_who_closes_it_is_respected_until_the_change_is_another(company: Company) -> None:
    lab, forge = company.lab, company.forge
    lab.write(plan_text("web", JOBS, "production"))
    lab.run("web")
    forge.pulls[0].state = "closed"
    for _ in range(3):
        report = lab.run("web")
    assert (report.state, company.states(), branch_of(report).review) == (PlanState.PIPELINE_OPEN, ["closed"], "closed")
    assert "whose pull request was closed" in report.message
    assert "it isn't opened again for the same change" in branch_of(report).notes[-1]
    lab.write(plan_text("web", {"Jobs": queue("jobs", VisibilityTimeout=61)}, "production"))
    assert branch_of(lab.run("web")).number == 2
    assert company.states() == ["closed", "open"]
    # what people write into it stays as long as nothing of ours changes
    forge.pulls[1].body = forge.pulls[1].body.replace("to be filled in before merging", "CAB-4711")
    lab.run("web")
    assert "CAB-4711" in forge.pulls[1].body


def test_what_the_service_refuses_is_said_and_made_good_later(company: Company) -> None:
    lab, forge = company.lab, company.forge
    lab.write(plan_text("web", JOBS, "production"))
    limit = {"message": "You have exceeded a secondary rate limit."}
    forge.refusals.append(Refusal(429, limit, {"Retry-After": "1"}, "POST"))
    report = lab.run("web")
    assert (report.state, report.error_reason, report.retry_after) == (PlanState.FAILED, "pipeline", 5.0)
    assert "limits the rate of requests" in report.message
    assert "glab" in branch_of(report).command or "gh pr create" in branch_of(report).command
    assert (branch_of(report).state, list(branches(lab))) == ("open", [BRANCH])
    threading.Event().wait(1.1)
    forge.refusals.append(Refusal(403, {"message": "403 Forbidden"}, method="POST"))
    refused = lab.run("web")
    assert "the token may not do this: it needs" in refused.message
    for status in (500, 502):
        forge.refusals.append(Refusal(status, {"message": "oops"}))
        assert f"answered {status}" in lab.run("web").message
    assert lab.run("web").state is PlanState.PIPELINE_OPEN
    assert company.states() == ["open"]
    # at the end, too: the plan is in sync whatever the service says, and the rest is tried again
    deploy(lab, "web")
    forge.refusals.append(Refusal(503, {"message": "away"}))
    left = lab.run("web")
    assert (left.state, branch_of(left).state, left.retry_after) == (PlanState.IN_SYNC, "open", 5.0)
    assert "can't be closed" in left.message
    gone = lab.run("web")
    assert (gone.state, branch_of(gone).state, company.states()) == (PlanState.IN_SYNC, "obsolete", ["closed"])
    assert branches(lab) == {}


def test_a_drift_that_comes_back_is_proposed_anew(company: Company) -> None:
    drifted(company)
    assert company.lab.run("web").state is PlanState.PIPELINE_OPEN
    for gone in (["closed"], ["closed", "closed"]):
        company.revert_drift()
        assert company.lab.run("web").state is PlanState.IN_SYNC
        assert company.states() == gone
        company.drift()
        assert branch_of(company.lab.run("web")).review == "open"
        assert company.states() == [*gone, "open"]


def test_a_withdrawn_plan_takes_its_pull_request_along_until_it_is_put_back(company: Company) -> None:
    lab, forge = company.lab, company.forge
    lab.write(plan_text("web", JOBS, "production"))
    lab.run("web")
    forge.refusals.append(Refusal(503, {"message": "away"}))
    assert "can't be closed" in lab.app.cycle.withdraw(WEB)
    assert company.states() == ["open"]
    assert lab.app.cycle.withdraw(WEB) == ""
    assert (company.states(), branches(lab)) == (["closed"], {})
    assert "the plan was withdrawn" in forge.pulls[0].comments[-1]
    status = lab.app.store.status(WEB)
    assert status is not None
    assert status.branch is not None
    assert (status.branch.state, status.branch.review) == ("obsolete", "closed")
    assert branch_of(lab.run("web")).number == 2
    assert company.states() == ["closed", "open"]


def test_no_secret_in_what_is_left(company: Company) -> None:
    lab = company.lab
    lab.write(plan_text("web", JOBS, "production"))
    assert lab.run("web").state is PlanState.PIPELINE_OPEN
    shown = Shell(lab)("config", "show").text
    secrets = (company.git.token.encode(), company.forge.token.encode())
    assert all(secret.decode() not in shown for secret in secrets)
    for file in (path for path in lab.directory.rglob("*") if path.is_file()):
        assert not any(secret in file.read_bytes() for secret in secrets), file


@pytest.mark.parametrize("company", ["github"], indirect=True)
def test_a_draft_until_the_checklist_is_green(company: Company) -> None:
    lab, forge = company.lab, company.forge
    lab.write(plan_text("web", JOBS, "production"))
    checklist = lab.policies / "checklist.rego"
    text = checklist.read_text()
    checklist.write_text(text.replace('"rollback": rollback_item,', '"rollback": {"ok": false, "message": "not yet"},'))
    company.open()
    report = lab.run("web")
    assert (branch_of(report).review, forge.pulls[0].draft) == ("draft", True), report.message
    checklist.write_text(text)
    company.open()
    assert branch_of(lab.run("web")).review == "open"
    assert (company.states(), forge.pulls[0].draft) == (["open"], False)
    assert (forge.pulls[0].comments, branches(lab)) == ([], {BRANCH: 1})
