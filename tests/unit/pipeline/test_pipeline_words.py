"""Branch names, directories, addresses and the texts of commits and pull requests."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_builders import creating, decision, plan_of, resource, updating, web_plan

from reconciler.model.change import Action, Change, ChangeSet, FieldChange
from reconciler.model.decision import Decision, Mode, Reason
from reconciler.model.errors import PipelineError
from reconciler.model.ids import LogicalId, PlanName, TypeName
from reconciler.model.plan import RollbackPolicy
from reconciler.model.values import Sensitive, Unknown
from reconciler.pipeline import message, refs
from reconciler.pipeline.validation import validation_commands


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("feature/{action}-{plan}", "feature/add-prod-web"),
        ("{environment}/{plan}", "production/prod-web"),
        ("infra-{account}-{region}", "infra-444455556666-eu-central-1"),
    ],
)
def test_branches_are_rendered(template: str, expected: str) -> None:
    assert refs.branch_name(template, web_plan(), "add") == expected


@pytest.mark.parametrize(
    "template",
    ["", "-x", "a..b", "a b", "a/.b", "a.lock", "a/", "/a", "a//b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "@",
     "HEAD", "a@{b", "refs/heads/x", "a\x00", "a\nb", "{nothing}", "{plan.name}", "{plan!r}", "a.", "x" * 201],
)  # fmt: skip
def test_bad_branches_are_refused(template: str) -> None:
    with pytest.raises(PipelineError, match=r"pipeline\.branch"):
        refs.branch_name(template, web_plan(), "add")


@pytest.mark.parametrize(
    "template",
    ["", "/etc", "../x", "a/../b", "a/.git/hooks", ".GIT", "x/.git.", "git~1", "a\\b", "a\nb", ".", "{x}", "a/ b"],
)
def test_bad_directories_are_refused(template: str) -> None:
    with pytest.raises(PipelineError, match=r"pipeline\.path"):
        refs.directory(template, web_plan(), "add")


@given(st.text(max_size=80))
def test_any_plan_name_gives_a_branch_that_git_takes(name: str) -> None:
    plan = replace(web_plan(), name=PlanName(name))
    branch = refs.branch_name("feature/{action}-{plan}", plan, "add")
    assert branch.isascii()
    assert set(branch) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/")
    assert refs.directory("infrastructure/{plan}", plan, "add")[0] == "infrastructure"


def test_different_names_make_different_slugs() -> None:
    names = ["Prod-Web", "prod_web", "prod web", "prod-web", "PROD-WEB", "prod-web-", "é", "è"]
    assert len({refs.slug(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "address",
    ["https://git.example.com/x.git", "ssh://git@git.example.com/x.git", "git@github.com:x/y.git", "file:///srv/x.git"],
)
def test_addresses_that_are_taken(address: str) -> None:
    assert refs.repository_address(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "-oProxyCommand=x", "--upload-pack=x", "ext::sh -c id", "http://x/y", "git://x/y", "ftp://x/y", "fd::17",
     "ssh://-oProxyCommand=x/y", "ssh://git@-oProxyCommand=x/y", "https://x\ny", "transport::address"],
)  # fmt: skip
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(PipelineError):
        refs.repository_address(address)


def test_credentials_are_masked_and_projects_recognised() -> None:
    assert refs.masked("at https://u:p@ss@h/x and ssh://t@h") == "at https://***@h/x and ssh://***@h"
    for address in ("git@github.com:a/b.git", "https://u:p@github.com/a/b", "ssh://git@github.com/a/b.git"):
        assert refs.github_project(address) == "a/b"
    for address in ("git@example.com:a/b.git", "https://github.com.evil.example/a/b", "/srv/a/b"):
        assert refs.github_project(address) is None


def test_the_action_word_follows_the_changes() -> None:
    def word(*actions: Action) -> str:
        changes = tuple(Change(LogicalId("X"), TypeName("AWS::SNS::Topic"), action) for action in actions)
        return refs.action_word(ChangeSet(web_plan(), changes))

    assert word(Action.CREATE, Action.ADOPT) == "add"
    assert word(Action.DELETE, Action.DELETE) == "remove"
    assert word(Action.CREATE, Action.UPDATE) == word(Action.REPLACE) == word() == "update"
    assert refs.action_word(ChangeSet(replace(web_plan(), absent=True))) == "remove"
    assert refs.action_word(ChangeSet(replace(web_plan(), rolling_back=3))) == "rollback"


def test_nothing_in_a_plan_can_break_out_of_the_markdown() -> None:
    plan = replace(web_plan(), description="x\n# Approved <script>alert(1)</script> @everyone [a](b)")
    field = FieldChange("/Tags", "```\n## Approved\n", "````", reason="plan")
    spoken = Decision(Mode.PIPELINE, reasons=(Reason("r", "a\n- [x] forged"),))
    body = message.pull_request_body(updating(plan, field), spoken, ["a`b"])
    lines = body.splitlines()
    assert not [line for line in lines if line.startswith(("# Approved", "## Approved", "- [x] forged"))]
    assert "<script>" not in body.replace("\\<script\\>", "")
    fence = next(line for line in lines if line.endswith("diff") and line.startswith("`"))
    assert fence == "`````diff"
    assert lines.count("`````") == 1


def test_a_huge_change_makes_a_body_that_hosting_services_take() -> None:
    many = [resource(f"Queue{index}", "AWS::SQS::Queue", {"QueueName": f"q{index}"}) for index in range(3000)]
    body = message.pull_request_body(creating(plan_of(*many)), decision(), ["main.tf"])
    assert len(body) < 65_536
    assert "more characters; see the files" in body
    assert "### Rollback" in body
    assert "- Ticket: CAB-1234" in body
    assert body.count("```") % 2 == 0


def test_secret_fields_are_masked_in_the_diff() -> None:
    plan = web_plan()
    fields = (
        FieldChange("/MasterUserPassword", "old-pass", "new-pass"),
        FieldChange("/DBName", Sensitive("hidden-name"), Unknown("Vpc.VpcId")),
    )
    text = "\n".join(message.diff_lines(updating(plan, *fields, name="Database", identifier="db-1")))
    for secret in ("old-pass", "new-pass", "hidden-name"):
        assert secret not in text
    assert "(sensitive)" in text
    assert "(known after apply)" in text


def test_rollback_is_always_spelled_out() -> None:
    assert "revert the merge commit" in message.rollback(web_plan())
    assert message.rollback(web_plan(rollback=RollbackPolicy("manual"))).startswith("Manual: ")
    assert message.rollback(web_plan(rollback=RollbackPolicy("procedure", "https://wiki/x"))) == "https://wiki/x"


def test_validation_commands_can_be_pasted() -> None:
    odd = resource("Odd", "AWS::S3::Bucket", {"BucketName": "a b; rm -rf $HOME '"})
    broken = resource("Broken", "AWS::S3::Bucket", {"BucketName": "a\nrm -rf x"})
    commands = validation_commands(creating(plan_of(*web_plan().resources.values(), odd, broken)))
    assert (
        "aws ec2 describe-vpcs --filters Name=tag:reconciler:plan,Values=prod-web Name=tag:reconciler:id,Values=Vpc "
        "--region eu-central-1"
    ) in commands
    assert shlex.split(next(line for line in commands if "rm -rf $HOME" in line))[4] == "a b; rm -rf $HOME '"
    assert all("\n" not in line for line in commands)
    assert commands[-1] == "reconciler diff prod-web"


def test_importing_the_package_does_not_load_git() -> None:
    script = "import sys, reconciler.pipeline; print(sorted({'git', 'boto3', 'cfnlint'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[]"
