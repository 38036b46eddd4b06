"""A VPC and its subnet move from one plan file to another: the same resources afterwards, and not one delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text, queue, vpc

NETWORK: dict[str, Any] = {
    "Vpc": vpc(),
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}},
}
A, B = {"Jobs": queue("a-jobs")}, {"Work": queue("b-work")}
BROKEN = "apiVersion: reconciler/v1\nkind: Plan\nmetadata: {name: b\n"


def standing(lab: Lab) -> dict[str, dict[str, str]]:
    """VPCs and subnets by identifier, with their tags."""
    with lab.aws.uncounted():
        ec2 = lab.aws.client("ec2", account=SANDBOX)
        found = [(one["VpcId"], one) for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]]
        found += [(one["SubnetId"], one) for one in ec2.describe_subnets()["Subnets"] if not one["DefaultForAz"]]
    return {name: {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])} for name, one in found}


def deletes(lab: Lab) -> list[str]:
    return [name for name in lab.aws.mutations(SANDBOX) if "Delete" in name or "Terminate" in name]


def write(lab: Lab, a: dict[str, Any] | None, b: dict[str, Any] | str) -> None:
    if a is None:
        Path(lab.desired / "a.yaml").unlink()
    else:
        lab.write(plan_text("a", a), "a.yaml")
    lab.write(b if isinstance(b, str) else plan_text("b", b), "b.yaml")


@pytest.fixture
def settled(lab: Lab) -> Lab:
    write(lab, {**A, **NETWORK}, B)
    for name in ("a", "b"):
        assert lab.run(name).state is PlanState.IN_SYNC
    lab.aws.reset_calls()
    return lab


def moved(lab: Lab, before: dict[str, dict[str, str]]) -> None:
    """Everything is b's, and nothing was lost on the way."""
    now = standing(lab)
    assert now.keys() == before.keys()
    assert {tags["reconciler:plan"] for tags in now.values()} == {"b"}
    assert set(lab.app.store.records(PlanName("a"))) == {"Jobs"}
    assert set(lab.app.store.records(PlanName("b"))) == {"Work", "Vpc", "Subnet"}
    assert deletes(lab) == []
    for name in ("a", "b"):
        lab.aws.reset_calls()
        report = lab.run(name)
        assert (report.state, report.changes, dict(lab.aws.mutations(SANDBOX))) == (PlanState.IN_SYNC, (), {})


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_both_orders_of_passes(settled: Lab, order: str) -> None:
    before = standing(settled)
    write(settled, A, {**B, **NETWORK})
    for name in order:
        report = settled.run(name)
        assert report.state is PlanState.IN_SYNC, report.message
        if name == "b":
            assert {(change.logical_id, change.action) for change in report.changes} == {
                ("Vpc", "adopt"),
                ("Subnet", "adopt"),
            }
    assert deletes(settled) == []
    moved(settled, before)


def test_the_new_plan_is_broken_at_first(settled: Lab) -> None:
    before = standing(settled)
    write(settled, A, BROKEN)
    for _ in range(2):
        report = settled.run("a")
        assert report.state is PlanState.IN_SYNC, report.message
        assert any("b.yaml" in state.message or "b can't" in state.message for state in report.resources)
    assert standing(settled) == before
    settled.open()  # a restart, which forgets the last good version
    settled.run("a")
    assert (standing(settled), deletes(settled)) == (before, [])
    write(settled, A, {**B, **NETWORK})
    settled.run("a")
    assert settled.run("b").state is PlanState.IN_SYNC
    settled.run("a")
    assert deletes(settled) == []
    moved(settled, before)


def test_the_former_plans_file_is_gone(settled: Lab) -> None:
    before = standing(settled)
    write(settled, None, {**A, **B, **NETWORK})
    report = settled.run("b")
    assert report.state is PlanState.IN_SYNC, report.message
    assert standing(settled).keys() == before.keys()
    assert settled.app.store.records(PlanName("a")) == {}
    assert deletes(settled) == []


def test_what_nobody_claims_goes(settled: Lab) -> None:
    write(settled, A, B)
    assert settled.run("a").state is PlanState.IN_SYNC
    assert standing(settled) == {}
    assert sorted(deletes(settled)) == ["ec2:DeleteSubnet", "ec2:DeleteVpc"]
