"""The store is lost or damaged: nothing changes meanwhile, what plans manage is found again, nothing is made twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.model.audit import AuditEntry
from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.store.chain import Check
from tests.e2e.conftest import ESTATE, SANDBOX, Lab
from tests.e2e.running import REGION, plan_text, vpc

ESTATE_PLAN = PlanName("estate")


def database(lab: Lab) -> Path:
    return lab.directory / "state" / "reconciler.db"


def move_away(lab: Lab) -> None:
    """What the error message tells a person to do."""
    aside = lab.directory / "damaged"
    aside.mkdir(exist_ok=True)
    for file in database(lab).parent.glob("reconciler.db*"):
        file.rename(aside / file.name)


def changes_made(lab: Lab) -> dict[str, int]:
    """Mutating calls since the last reset."""
    return {name: count for name, count in lab.aws.mutations().items() if name != "sts:AssumeRole"}


def live(lab: Lab) -> dict[str, int]:
    """How many there are of what AWS would gladly create twice."""
    ec2 = lab.aws.client("ec2", account=SANDBOX, region=REGION)
    mine: list[Any] = [{"Name": "tag-key", "Values": ["reconciler:plan"]}]
    return {
        "vpcs": len(ec2.describe_vpcs(Filters=mine)["Vpcs"]),
        "gateways": len(ec2.describe_internet_gateways(Filters=mine)["InternetGateways"]),
        "tables": len(ec2.describe_route_tables(Filters=mine)["RouteTables"]),
        "addresses": len(ec2.describe_addresses()["Addresses"]),
        "nats": len(ec2.describe_nat_gateways(Filters=mine)["NatGateways"]),
    }


def header(content: bytes) -> bytes:
    return b"\xa5" * 100 + content[100:]


def middle(content: bytes) -> bytes:
    return content[:8192] + b"\xa5" * (len(content) - 8192)


def trail(lab: Lab) -> list[AuditEntry]:
    return list(lab.app.store.audit_entries(0, 10_000))


def test_a_damaged_store_changes_nothing_and_a_new_one_finds_everything_again(lab: Lab) -> None:
    lab.write(ESTATE.read_text())
    assert lab.run("estate").state is PlanState.IN_SYNC
    records, before = lab.app.store.records(ESTATE_PLAN), live(lab)
    assert Check().read(trail(lab)) is None
    lab.app.close()
    content = database(lab).read_bytes()
    lab.aws.reset_calls()
    for damage in (header, middle):
        database(lab).write_bytes(damage(content))
        start_and_run(lab)
        assert changes_made(lab) == {}

    move_away(lab)
    lab.open()
    assert lab.app.store.records(ESTATE_PLAN) == {}
    report = lab.run("estate")
    assert report.state is PlanState.IN_SYNC, report.message
    assert changes_made(lab) == {}
    assert live(lab) == before
    found = lab.app.store.records(ESTATE_PLAN)
    assert {name: record.identifier for name, record in found.items()} == {
        name: record.identifier for name, record in records.items()
    }
    assert Check().read(trail(lab)) is None


def start_and_run(lab: Lab) -> None:
    """Start over the damaged store, and make a pass if it starts."""
    try:
        lab.open()
        report = lab.run("estate")
    except StoreError as error:
        assert "move it away and restart" in str(error)
    else:
        assert (report.state, report.error_reason) == (PlanState.FAILED, "store")
        assert "move it away and restart" in report.message
        lab.app.close()


def test_a_plan_goes_on_growing_after_the_store_was_lost_in_the_middle_of_it(lab: Lab) -> None:
    lab.write(plan_text("grow", {"A": vpc("10.1.0.0/16"), "B": vpc("10.2.0.0/16")}))
    lab.run("grow")
    lab.app.close()
    database(lab).write_bytes(b"")  # which makes a new store of it
    resources = {"A": vpc("10.1.0.0/16"), "B": vpc("10.2.0.0/16"), "C": vpc("10.3.0.0/16")}
    lab.write(plan_text("grow", resources))
    lab.open()
    lab.aws.reset_calls()
    assert lab.run("grow").state is PlanState.IN_SYNC
    assert live(lab)["vpcs"] == 3
    assert changes_made(lab) == {"ec2:CreateVpc": 1}
    assert set(lab.app.store.records(PlanName("grow"))) == {"A", "B", "C"}
    calls = [entry.event.facts["logical_id"] for entry in trail(lab) if entry.event.kind == "call"]
    assert calls == ["C"]


def test_what_left_the_plan_while_the_store_was_lost_is_left_alone(lab: Lab) -> None:
    """Only the store knew that it was the plan's to delete; a person is better asked than a tag trusted."""
    lab.write(plan_text("grow", {"A": vpc("10.1.0.0/16"), "B": vpc("10.2.0.0/16")}))
    lab.run("grow")
    lab.app.close()
    move_away(lab)
    lab.write(plan_text("grow", {"A": vpc("10.1.0.0/16")}))
    lab.open()
    lab.aws.reset_calls()
    assert lab.run("grow").state is PlanState.IN_SYNC
    assert changes_made(lab) == {}
    assert live(lab)["vpcs"] == 2
