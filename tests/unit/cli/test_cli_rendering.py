"""render: the files of a plan, printed or written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import VPC, FakePreview, a_plan

from reconciler.model.change import ChangeSet
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, PlanName
from reconciler.model.plan import Delivery, PipelineTarget, Plan, PlannedResource, Snapshot


def a_network(**settings: object) -> Plan:
    vpc = PlannedResource(LogicalId("Vpc"), VPC, {"CidrBlock": "10.0.0.0/16"})
    return replace(a_plan(), resources={vpc.logical_id: vpc}, **settings)  # type: ignore[arg-type]


def given(cli: Any, plan: Plan) -> None:
    cli.app.source.snapshot = Snapshot(plans={PlanName("web"): plan})
    known = {LogicalId("Vpc"): Identifier("vpc-1")}
    cli.app.cycle.previews["web"] = FakePreview(ChangeSet(plan, identifiers=known))


def test_files_are_printed_in_the_plans_format(cli: Any) -> None:
    given(cli, a_network(pipeline=PipelineTarget("repo", format="cdk", language="python")))
    result = cli("render", "web")
    assert result.exit_code == 0
    assert "==> stack.py <==\n# Written by reconciler from plan web" in result.stdout
    assert "ec2.CfnVPC(" in result.stdout
    assert '"VpcId": "vpc-1"' in result.stdout, "what exists is known"
    assert not cli.app.cycle.applied


def test_options_win(cli: Any) -> None:
    given(cli, a_network(pipeline=PipelineTarget("repo", format="cdk", language="python")))
    assert "==> lib/stack.ts <==" in cli("render", "web", "--language", "typescript").stdout
    assert "==> template.yaml <==" in cli("render", "web", "--format", "cloudformation").stdout


def test_the_provider_of_terraform_is_the_plans_unless_it_is_given(cli: Any) -> None:
    given(cli, a_network(pipeline=PipelineTarget("repo", provider="aws")))
    assert 'resource "aws_vpc" "vpc"' in cli("render", "web").stdout
    assert 'resource "awscc_ec2_vpc" "vpc"' in cli("render", "web", "--provider", "awscc").stdout


def test_the_configurations_format_is_the_default(cli: Any) -> None:
    given(cli, a_network())
    Path("reconciler.yaml").write_text("pipeline: {format: cdk}\n")
    assert "==> lib/stack.ts <==" in cli("render", "web").stdout


def test_files_are_written_and_nothing_is_overwritten(cli: Any, tmp_path: Path) -> None:
    given(cli, a_network())
    arguments = ("render", "web", "--format", "cdk", "--out", "app")
    assert cli(*arguments).exit_code == 0
    assert "CfnVPC" in (tmp_path / "app" / "lib" / "stack.ts").read_text()
    assert cli(*arguments).exit_code == 0, "the same again changes nothing"
    (tmp_path / "app" / "cdk.json").write_text("{}")
    (tmp_path / "app" / "lib" / "stack.ts").unlink()
    result = cli(*arguments)
    assert result.exit_code == 1
    assert "cdk.json exists and is different" in result.stderr
    assert not (tmp_path / "app" / "lib" / "stack.ts").exists(), "all or nothing"


def test_aws_isnt_needed(cli: Any) -> None:
    given(cli, a_network())
    cli.app.cycle.previews["web"] = FakePreview(error=AwsFault(FaultKind.ACCESS_DENIED, "no credentials"))
    refused = cli("render", "web", "--format", "cloudformation")
    assert refused.exit_code == 1
    assert "--offline" in refused.stderr
    result = cli("render", "web", "--format", "cloudformation", "--offline")
    assert result.exit_code == 0
    assert "AWS::EC2::VPC" in result.stdout


@pytest.mark.parametrize("delivery", [Delivery.STACK, Delivery.TERRAFORM, Delivery.CDK])
def test_what_is_deployed_as_it_is_isnt_rendered(delivery: Delivery, cli: Any) -> None:
    given(cli, replace(a_plan(), delivery=delivery))
    result = cli("render", "web", "--offline")
    assert result.exit_code == 1
    assert f"is a {delivery} already" in result.stderr
