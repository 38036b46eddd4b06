"""Staging and production: what a plan delivers goes to a branch as it is, and AWS hears nothing but reads."""

from __future__ import annotations

import json

import pytest

from reconciler.model.report import PlanState
from reconciler.testing.localaws import LocalAws
from tests.integration.iac.conftest import ACCOUNTS, Bench
from tests.integration.iac.test_stack import SECRET, TEMPLATE, changed, write

STAGING = ACCOUNTS["staging"]


def existing(aws: LocalAws, account: str) -> None:
    """The stack as somebody's pipeline has deployed it."""
    aws.client("cloudformation", account=account).create_stack(
        StackName="web",
        TemplateBody=json.dumps(changed(News=None)),
        Parameters=[{"ParameterKey": "Delay", "ParameterValue": "7"}, {"ParameterKey": "Key", "ParameterValue": "k"}],
        Tags=[{"Key": "reconciler:plan", "Value": "web"}, {"Key": "reconciler:id", "Value": "Stack"}],
    )
    aws.reset_calls()


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_stack_goes_to_a_branch_with_no_call_that_changes_anything(
    moto_bench: Bench, moto: LocalAws, environment: str
) -> None:
    write(moto_bench, environment=environment)
    report = moto_bench.run("web")
    assert report.state is PlanState.PIPELINE_OPEN, report.message
    assert [change.action for change in report.changes] == ["create", "create"]
    ((branch, files),) = moto_bench.branches().items()
    place = "infrastructure/web"
    assert sorted(files) == [f"{place}/{name}" for name in ("parameters.json", "reconciler-files.txt", "web.cfn.yaml")]
    assert moto_bench.blob(branch, f"{place}/web.cfn.yaml") == (moto_bench.desired / "web.cfn.yaml").read_text()
    parameters = json.loads(moto_bench.blob(branch, f"{place}/parameters.json"))
    assert parameters["Parameters"] == {"Delay": "7"}
    assert all(SECRET not in moto_bench.blob(branch, path) for path in files)
    again = moto_bench.run("web")
    assert (again.branch.commit if again.branch else "") == (report.branch.commit if report.branch else "?")
    assert moto.mutations() == {}
    assert moto.calls(ACCOUNTS[environment])["cloudformation:DescribeStacks"] >= 2


def test_what_is_deployed_is_compared_by_reads(moto_bench: Bench, moto: LocalAws) -> None:
    existing(moto, STAGING)
    write(moto_bench, environment="staging")
    report = moto_bench.run("web")
    assert report.state is PlanState.PIPELINE_OPEN, report.message
    assert {change.logical_id: change.action for change in report.changes} == {"News": "create"}
    assert moto.mutations() == {}


def test_drift_that_cannot_be_told_is_not_called_in_sync(moto_bench: Bench, moto: LocalAws) -> None:
    template = {"Resources": TEMPLATE["Resources"] | {"Jobs": {"Type": "AWS::SQS::Queue"}}}
    moto_bench.file("web.cfn.yaml", template)
    moto_bench.plan("web", stack={"template": "web.cfn.yaml"})
    assert moto_bench.run("web").state is PlanState.IN_SYNC
    report = moto_bench.run("web")
    assert report.state is PlanState.FAILED
    assert "can't be told" in report.message
    assert [state.state.value for state in report.resources] == ["unknown"]
    moto_bench.open(iac={"drift": None})
    report = moto_bench.run("web")
    assert report.state is PlanState.IN_SYNC
    assert "drift of its resources isn't looked for" in report.message


def test_a_merged_branch_is_not_refused_as_somebody_elses(moto_bench: Bench, moto: LocalAws) -> None:
    from git import Repo

    write(moto_bench, environment="staging")
    branch = moto_bench.run("web").branch
    assert branch is not None
    with Repo(moto_bench.repository) as repo:
        repo.git.branch("-f", "main", branch.branch)
    merged = moto_bench.run("web")
    assert merged.state is PlanState.PIPELINE_OPEN, merged.message
    write(moto_bench, changed(News=None), environment="staging")
    report = moto_bench.run("web")
    assert report.branch is not None
    assert "TopicName" not in moto_bench.blob(report.branch.branch, "infrastructure/web/web.cfn.yaml")
