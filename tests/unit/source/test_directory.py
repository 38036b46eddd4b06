"""The directory source: what is loaded, what stays in force when files break, and what an unchanged tree costs."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.plan import Delivery
from reconciler.model.values import Deferred
from reconciler.source import reading
from tests.unit.source._plans import PLAN, TEMPLATE, TEMPLATED, load, plan, source, write

CHANGED = ("10.20.0.0/16", "10.30.0.0/16")


def test_every_field_arrives(tmp_path: Path) -> None:
    text = """\
apiVersion: reconciler/v1
kind: Plan
metadata: {name: dev-web, author: alice@example.com, description: Web tier, labels: {team: web, app.example.com/x: y}}
spec:
  target:
    environment: development
    account: "123456789012"
    region: eu-central-1
    profile: dev-admin
    roleArn: arn:aws:iam::123456789012:role/ops/Reconciler
    externalId: abc-123
  guardrail:
    status: exceptions
    reference: https://ci.example.com/guardrail/4711
    exceptions: [{rule: r1, reason: because, approvedBy: carol@example.com, expires: 2027-01-31}]
  rollback: {procedure: "https://wiki.example.com/rollback"}
  interval: 1h30m
  suspend: true
  state: present
  prune: false
  ignore: [{resource: Asg, path: /DesiredCapacity}]
  parameters: {Cidr: 10.20.0.0/16, Ports: [80, 443], Size: 3}
  resources:
    Vpc:
      Type: AWS::EC2::VPC
      Metadata: {Reconciler: {adopt: vpc-0abc}}
      Properties: {CidrBlock: !Ref Cidr}
    Subnet:
      Type: AWS::EC2::Subnet
      DeletionPolicy: Retain
      Properties: {VpcId: !Ref Vpc, CidrBlock: 10.20.1.0/24}
    Asg:
      Type: AWS::AutoScaling::AutoScalingGroup
      DependsOn: Vpc
      Properties:
        MinSize: "1"
        MaxSize: !Ref Size
        VPCZoneIdentifier: [!Ref Subnet]
        LaunchTemplate: {LaunchTemplateName: web, Version: "1"}
  pipeline: {repository: git@example.com:platform/infra.git, base: trunk, format: cloudformation}
"""
    snapshot = load(tmp_path, sub__web=text)
    assert not snapshot.invalid
    found = snapshot.plans["dev-web"]
    assert (found.author, found.description, found.labels["team"]) == ("alice@example.com", "Web tier", "web")
    assert (found.target.profile, found.target.external_id) == ("dev-admin", "abc-123")
    assert found.target.role_arn == "arn:aws:iam::123456789012:role/ops/Reconciler"
    assert found.guardrail.exceptions[0].approved_by == "carol@example.com"
    assert found.guardrail.exceptions[0].expires.isoformat() == "2027-01-31T00:00:00+00:00"
    assert (found.rollback.mode, found.rollback.procedure) == ("procedure", "https://wiki.example.com/rollback")
    assert (found.interval, found.suspend, found.absent, found.prune) == (5400, True, False, False)
    assert (found.ignore[0].resource, found.ignore[0].path) == ("Asg", "/DesiredCapacity")
    assert {item.name: item.value for item in found.parameters} == {
        "Cidr": "10.20.0.0/16",
        "Ports": ["80", "443"],
        "Size": 3,
    }
    assert found.pipeline and (found.pipeline.base, found.pipeline.format) == ("trunk", "cloudformation")
    assert (found.origin.file, found.origin.line) == ("sub/web.yaml", 1)
    vpc, subnet = found.resources["Vpc"], found.resources["Subnet"]
    assert (vpc.adopt, vpc.line, vpc.properties) == ("vpc-0abc", 24, {"CidrBlock": "10.20.0.0/16"})
    assert subnet.properties["VpcId"] == Deferred("Ref", "Vpc")
    assert (subnet.needs, subnet.deletion_policy) == ({"Vpc"}, "Retain")
    assert found.resources["Asg"].needs == {"Vpc", "Subnet"}


def test_a_template_is_found_from_the_plans_own_directory(tmp_path: Path) -> None:
    text = plan("web.cfn.yaml", "../shared/web.cfn.yaml", text=TEMPLATED)
    snapshot = load(tmp_path, **{"dev__web": text, "shared__web.cfn.yaml": TEMPLATE})
    assert not snapshot.invalid
    assert snapshot.plans["dev-web"].resources["Vpc"].properties == {"CidrBlock": "10.20.0.0/16"}


@pytest.mark.parametrize(
    ("delivery", "spec"),
    [
        (Delivery.STACK, "parameters: {Cidr: 10.0.0.0/16}\n  stack: {template: web.cfn.yaml, name: dev-web}"),
        (Delivery.TERRAFORM, "terraform: {directory: infra, varFiles: [dev.tfvars], workspace: dev}"),
        (Delivery.CDK, "cdk: {directory: infra, stacks: [Web]}"),
    ],
)
def test_what_is_delivered_by_other_tools(tmp_path: Path, delivery: Delivery, spec: str) -> None:
    text = PLAN[: PLAN.index("  parameters:")] + f"  {spec}\n"
    files = {"web.cfn.yaml": TEMPLATE, "infra__main.tf": "", "infra__dev.tfvars": "", "infra__cdk.json": "{}"}
    snapshot = load(tmp_path, web=text, **files)
    found = snapshot.plans["dev-web"]
    assert (found.delivery, found.resources) == (delivery, {})
    sources = {Delivery.STACK: found.stack, Delivery.TERRAFORM: found.terraform, Delivery.CDK: found.cdk}
    assert [kind for kind, source in sources.items() if source is not None] == [delivery]
    assert delivery is Delivery.STACK or not snapshot.invalid


def test_an_absent_plan_needs_no_resources(tmp_path: Path) -> None:
    text = PLAN[: PLAN.index("  parameters:")] + "  state: absent\n  resources: {}\n"
    assert load(tmp_path, web=text).plans["dev-web"].absent


def test_files_that_are_passed_over(tmp_path: Path) -> None:
    files = {"_draft": PLAN, ".hidden": PLAN, ".git__x": PLAN, "README.md": "# no", "other.cfn.yaml": TEMPLATE}
    snapshot = load(tmp_path, good=plan(name="good"), **files)
    assert (set(snapshot.plans), dict(snapshot.invalid)) == ({"good"}, {})


def test_several_plans_in_a_file_and_json_beside_yaml(tmp_path: Path) -> None:
    import json

    from reconciler.source.parse import parse

    as_json = json.dumps(parse(plan(name="c").encode(), "x.yaml")[0].data, indent=2)
    snapshot = load(tmp_path, both=plan(name="a") + "---\n" + plan(name="b"), **{"c.json": as_json})
    assert set(snapshot.plans) == {"a", "b", "c"}
    assert snapshot.plans["b"].origin.line == 23
    assert snapshot.plans["c"].resources["Vpc"].line == as_json[: as_json.index('"Vpc"')].count("\n") + 1


def test_links_inside_the_source_are_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap."""
    write(tmp_path, **{"..data_1__web": PLAN})
    (tmp_path / "..data").symlink_to("..data_1")
    (tmp_path / "web.yaml").symlink_to("..data/web.yaml")
    assert set(source(tmp_path).load().plans) == {"dev-web"}


class TestLastGood:
    @pytest.mark.parametrize(
        "broken", ["", "a: b: c", PLAN.replace("CidrBlock", "CidrBlok"), PLAN.replace("Plan", "Plam")]
    )
    def test_a_broken_file_leaves_its_plan_in_force(self, tmp_path: Path, broken: str) -> None:
        write(tmp_path, web=PLAN, good=plan(name="good"))
        plans = source(tmp_path)
        before = plans.load()
        write(tmp_path, web=broken)
        after = plans.load()
        assert after.plans == before.plans
        assert set(after.invalid) == {"dev-web"}
        write(tmp_path, web=plan(*CHANGED))
        healed = plans.load()
        assert not healed.invalid
        assert healed.plans["dev-web"].digest != before.plans["dev-web"].digest

    def test_a_broken_template_leaves_its_plan_in_force(self, tmp_path: Path) -> None:
        write(tmp_path, web=TEMPLATED, **{"web.cfn.yaml": TEMPLATE})
        plans = source(tmp_path)
        before = plans.load()
        write(tmp_path, **{"web.cfn.yaml": "x: y: z"})
        after = plans.load()
        assert (after.plans, set(after.invalid)) == (before.plans, {"dev-web"})
        assert after.invalid["dev-web"][0].file == "web.cfn.yaml"
        (tmp_path / "web.cfn.yaml").unlink()
        assert plans.load().plans == before.plans

    def test_one_bad_document_does_not_hide_the_others(self, tmp_path: Path) -> None:
        write(tmp_path, both=plan(name="a") + "---\n" + plan(name="b"))
        plans = source(tmp_path)
        before = plans.load()
        write(tmp_path, both=plan("development", "Dev!", name="a") + "---\n" + plan(*CHANGED, name="b"))
        after = plans.load()
        assert after.plans["a"] == before.plans["a"]
        assert after.plans["b"] != before.plans["b"]
        assert set(after.invalid) == {"a"}

    def test_a_plan_whose_name_was_broken_stays(self, tmp_path: Path) -> None:
        write(tmp_path, web=PLAN)
        plans = source(tmp_path)
        before = plans.load()
        write(tmp_path, web=PLAN.replace("name: dev-web", "name: Dev Web"))
        after = plans.load()
        assert (after.plans, set(after.invalid)) == (before.plans, {"dev-web"})

    def test_of_duplicates_the_one_in_force_stays(self, tmp_path: Path) -> None:
        write(tmp_path, web=PLAN)
        plans = source(tmp_path)
        before = plans.load()
        write(tmp_path, again=plan(*CHANGED))
        after = plans.load()
        assert after.plans == before.plans
        assert {problem.file for problem in after.invalid["dev-web"]} == {"web.yaml", "again.yaml"}

    def test_a_vanished_plan_goes(self, tmp_path: Path) -> None:
        write(tmp_path, web=PLAN, good=plan(name="good"))
        plans = source(tmp_path)
        plans.load()
        (tmp_path / "web.yaml").unlink()
        after = plans.load()
        assert (set(after.plans), dict(after.invalid), after.healthy) == ({"good"}, {}, True)

    def test_a_moved_plan_is_found_even_if_its_old_file_is_broken(self, tmp_path: Path) -> None:
        write(tmp_path, web=PLAN)
        plans = source(tmp_path)
        plans.load()
        write(tmp_path, web="x: y: z", moved=plan(*CHANGED))
        after = plans.load()
        assert after.plans["dev-web"].origin.file == "moved.yaml"
        assert set(after.invalid) == {"web.yaml"}

    def test_an_unreadable_directory_leaves_its_plans_in_force(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, sub__web=PLAN, good=plan(name="good"))
        plans = source(tmp_path)
        before = plans.load()
        listed = os.scandir

        def refuse(path: Any) -> Any:  # chmod would not stop a test that runs as root
            if Path(path).name == "sub":
                raise PermissionError(errno.EACCES, "Permission denied")
            return listed(path)

        monkeypatch.setattr(os, "scandir", refuse)
        after = plans.load()
        assert (after.plans, set(after.invalid), after.healthy) == (before.plans, {"dev-web"}, True)


class TestUnhealthy:
    def test_an_emptied_source_repeats_the_last_snapshot(self, tmp_path: Path) -> None:
        write(tmp_path, web=PLAN)
        plans = source(tmp_path)
        before = plans.load()
        (tmp_path / "web.yaml").unlink()
        after = plans.load()
        assert (after.healthy, after.plans, after.revision) == (False, before.plans, before.revision)
        assert "no plan files" in after.problem

    def test_a_removed_source_repeats_the_last_snapshot(self, tmp_path: Path) -> None:
        write(tmp_path, x__web=PLAN)
        plans = source(tmp_path / "x")
        before = plans.load()
        (tmp_path / "x").rename(tmp_path / "y")
        after = plans.load()
        assert (after.healthy, after.plans) == (False, before.plans)
        assert "it doesn't exist" in after.problem
        (tmp_path / "y").rename(tmp_path / "x")
        assert plans.load().healthy

    def test_never_there(self, tmp_path: Path) -> None:
        snapshot = source(tmp_path / "nowhere").load()
        assert (snapshot.healthy, dict(snapshot.plans)) == (False, {})


class TestUnchanged:
    def test_nothing_is_parsed_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path, web=PLAN, shared=TEMPLATED.replace("dev-web", "shared"), **{"web.cfn.yaml": TEMPLATE})
        plans = source(tmp_path)
        first = plans.load()

        def refuse(*_: Any) -> Any:
            raise AssertionError("an unchanged file was parsed again")

        monkeypatch.setattr(reading, "parse", refuse)
        second = plans.load()
        assert second.plans["dev-web"] is first.plans["dev-web"]
        assert plans.load() == first

    def test_a_rewrite_with_the_same_size_and_times_is_seen(self, tmp_path: Path) -> None:
        write(tmp_path, web=PLAN)
        status = (tmp_path / "web.yaml").stat()
        plans = source(tmp_path)
        for _ in range(3):
            before = plans.load()
        write(tmp_path, web=plan(*CHANGED))
        os.utime(tmp_path / "web.yaml", ns=(status.st_atime_ns, status.st_mtime_ns))
        assert plans.load().plans["dev-web"].digest != before.plans["dev-web"].digest

    def test_a_changed_template_is_seen(self, tmp_path: Path) -> None:
        write(tmp_path, web=TEMPLATED, **{"web.cfn.yaml": TEMPLATE})
        plans = source(tmp_path)
        for _ in range(3):
            before = plans.load()
        write(tmp_path, **{"web.cfn.yaml": TEMPLATE + "    DeletionPolicy: Retain\n"})
        assert plans.load().plans["dev-web"].resources != before.plans["dev-web"].resources

    def test_a_reload_of_many_plans_is_cheap(self, tmp_path: Path) -> None:
        write(tmp_path, **{f"p{number}": plan(name=f"p{number}") for number in range(300)})
        plans = source(tmp_path)
        plans.load()
        plans.load()
        began = time.process_time()
        assert len(plans.load().plans) == 300
        assert time.process_time() - began < 0.15
