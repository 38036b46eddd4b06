"""Who claims what: by the newest snapshot and the records of everybody in the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

import pytest

from reconciler.model.claim import Claim
from reconciler.model.errors import Problem
from reconciler.model.ids import Identifier, LogicalId, PlanName, TypeName
from reconciler.model.plan import Plan, Snapshot, Target
from reconciler.model.resource import Record
from reconciler.source.claims import ClaimedSource, SourceClaims
from reconciler.testing.memory import MemorySource
from tests.unit.cycle.conftest import ACCOUNT, make_plan

REGION = "us-east-1"
VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
JOBS = "https://sqs.us-east-1.amazonaws.com/111111111111/jobs"


def queue(name: str | None = "jobs") -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {} if name is None else {"QueueName": name}}


def plan(name: str, resources: Mapping[str, Any], **changes: Any) -> Plan:
    return replace(make_plan(resources), name=PlanName(name), **changes)


def record(owner: str = "a", name: str = "Vpc", kind: str = "AWS::EC2::VPC", identifier: str = "vpc-1") -> Record:
    applied = {"QueueName": identifier.rsplit("/", 1)[-1]} if "SQS" in kind else {"CidrBlock": "10.0.0.0/16"}
    return Record(
        PlanName(owner), LogicalId(name), TypeName(kind), Identifier(identifier), ACCOUNT, REGION, applied=applied
    )


A_QUEUE = record(name="Queue", kind="AWS::SQS::Queue", identifier=JOBS)


def claims(*plans: Plan, **invalid: tuple[Problem, ...]) -> SourceClaims:
    made = SourceClaims()
    made.update(Snapshot({plan.name: plan for plan in plans}, invalid=invalid))
    return made


def with_own(metadata: Mapping[str, str], resource: Mapping[str, Any] = VPC) -> dict[str, Any]:
    return {**resource, "Metadata": {"Reconciler": dict(metadata)}}


REST = {"Rest": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "rest"}}}
EMPTY = plan("a", REST)
BROKEN = (Problem("bad", "b.yaml", reason="yaml"),)


def kept(made: SourceClaims, one: Record, *others: Record) -> str:
    return made.kept([one], [one, *others]).get(one.logical_id, "")


def taken(made: SourceClaims, by: Plan, *records: Record) -> dict[str, Claim]:
    return dict(made.incoming(by, records))


@pytest.mark.parametrize(
    ("new", "resource", "old"),
    [
        ("Vpc", VPC, record()),
        ("Main", with_own({"movedFrom": "a/Vpc"}), record()),
        ("Main", with_own({"adopt": "vpc-1"}), record()),
        ("Queue", queue(), A_QUEUE),
        ("Work", queue(), A_QUEUE),
        ("Data", {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "data"}},
         record(name="Bucket", kind="AWS::S3::Bucket", identifier="data")),
    ],
    ids=["logical id", "movedFrom", "adopt", "logical id and name", "name", "identifier"],
)  # fmt: skip
def test_ways_to_claim(new: str, resource: dict[str, Any], old: Record) -> None:
    b = plan("b", {new: resource})
    made = claims(EMPTY, b)
    assert kept(made, old) == f"moves to plan b ({new}), which takes it over in its next pass"
    assert taken(made, b, old) == {new: Claim(old)}


@pytest.mark.parametrize(
    ("b", "others"),
    [
        (plan("b", {"Other": VPC}), ()),
        (plan("b", {"Vpc": queue()}), ()),
        (plan("b", {"Vpc": VPC}), (record("b", identifier="vpc-2"),)),
        (plan("b", {"Vpc": VPC}, absent=True), ()),
        (plan("b", {"Vpc": VPC}, target=Target("sandbox", "222222222222", REGION)), ()),
        (plan("b", {"Vpc": VPC}, target=Target("sandbox", ACCOUNT, "eu-west-1")), ()),
        (plan("b", {"Vpc": VPC}, target=Target("development", ACCOUNT, REGION)), ()),
        (plan("b", {"Vpc": with_own({"adopt": "vpc-7"})}), ()),
        (plan("b", {"Vpc": with_own({"movedFrom": "c/Vpc"})}), ()),
        (plan("b", {"Vpc": with_own({"movedFrom": "a/Vpc"}, queue())}), ()),
    ],
    ids=[
        *("another id", "another type", "has its own", "absent", "account", "region", "environment"),
        *("adopts another", "moves another", "explicit but another type"),
    ],
)
def test_no_claim(b: Plan, others: tuple[Record, ...]) -> None:
    made = claims(EMPTY, b)
    assert kept(made, record(), *others) == ""
    assert taken(made, b, record(), *others) == {}


def test_another_name_is_another_resource() -> None:
    b = plan("b", {"Queue": queue("orders")})
    assert kept(claims(EMPTY, b), A_QUEUE) == ""
    bucket = record(name="Bucket", kind="AWS::S3::Bucket", identifier="data")
    c = plan("c", {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs"}}})
    assert kept(claims(EMPTY, c), bucket) == ""


def test_plans_with_the_same_logical_ids_are_no_move_while_each_lists_its_own() -> None:
    a, b = plan("a", {"Vpc": VPC}), plan("b", {"Vpc": VPC})
    assert taken(claims(a, b), b, record()) == {}


@pytest.mark.parametrize("own", [{"movedFrom": "a/Vpc"}, {"adopt": "vpc-1"}])
def test_what_the_former_plan_still_lists_is_a_conflict(own: dict[str, str]) -> None:
    a, b = plan("a", {"Vpc": VPC}), plan("b", {"Main": with_own(own)})
    claim = taken(claims(a, b), b, record())["Main"]
    assert "still lists it" in claim.problem
    assert kept(claims(a, b), record()) == ""


def test_an_absent_plan_gives_up_what_another_claims() -> None:
    a, b = plan("a", {"Vpc": VPC}, absent=True), plan("b", {"Vpc": VPC})
    assert "moves to plan b" in kept(claims(a, b), record())
    assert taken(claims(a, b), b, record()) == {"Vpc": Claim(record())}


def test_a_renamed_plan_takes_everything_along() -> None:
    b = plan("b", {"Vpc": VPC, "Queue": queue()})
    assert set(taken(claims(b), b, record(), A_QUEUE)) == {"Vpc", "Queue"}


def test_one_of_several_claimants_gets_it_and_an_explicit_claim_first() -> None:
    b, c = plan("b", {"Vpc": VPC}), plan("c", {"Main": with_own({"movedFrom": "a/Vpc"})})
    made = claims(EMPTY, b, c)
    assert taken(made, c, record()) == {"Main": Claim(record())}
    assert taken(made, b, record()) == {}


def test_a_new_logical_id_within_a_plan_takes_movedfrom() -> None:
    renamed = plan("a", {"Main": with_own({"movedFrom": "a/Vpc"})})
    assert kept(claims(renamed), record()) == "is Main from now on"
    assert taken(claims(renamed), renamed, record()) == {"Main": Claim(record())}
    assert kept(claims(plan("a", {"Main": with_own({"adopt": "vpc-1"})})), record()) == ""


# doubt keeps


def test_what_may_be_claimed_by_a_file_that_cant_be_used_is_kept() -> None:
    assert kept(claims(EMPTY), record()) == ""
    assert "b.yaml can't be used as it is" in kept(claims(EMPTY, **{"b.yaml": BROKEN}), record())
    b = plan("b", REST)
    assert "b can't be used as it is" in kept(claims(EMPTY, b, b=BROKEN), record())


def test_a_broken_plan_of_another_place_claims_nothing_here() -> None:
    b = plan("b", REST, target=Target("production", "444444444444", REGION))
    assert kept(claims(EMPTY, b, b=BROKEN), record()) == ""


def test_the_plans_own_file_approvals_and_files_of_other_programs_hold_nothing_up() -> None:
    assert kept(claims(EMPTY, a=BROKEN), record()) == ""
    for reason in ("approval", "foreign"):
        assert kept(claims(EMPTY, **{"x.yaml": (Problem("bad", "x.yaml", reason=reason),)}), record()) == ""


def test_nothing_is_taken_from_a_plan_that_cant_be_read() -> None:
    b = plan("b", {"Vpc": VPC})
    claim = taken(claims(b, **{"a.yaml": BROKEN}), b, record())["Vpc"]
    assert "a.yaml can't be used" in claim.problem


def test_the_newest_snapshot_counts() -> None:
    source = MemorySource(EMPTY)
    source.watch_paths = lambda: ()  # type: ignore[attr-defined]
    claimed = ClaimedSource(source)  # type: ignore[arg-type]
    claimed.load()
    assert kept(claimed.claims, record()) == ""
    source.put(plan("b", {"Vpc": VPC}))
    claimed.load()
    assert "moves to plan b" in kept(claimed.claims, record())


def test_many_records_and_plans_are_matched_quickly() -> None:
    names = [(f"p{number}", f"Vpc{item}") for number in range(40) for item in range(50)]
    plans = [plan(f"p{number}", {f"Vpc{item}": VPC for item in range(50)}) for number in range(40)]
    records = [record(owner, name, identifier=f"vpc-{owner}-{name}") for owner, name in names]
    made, started = claims(*plans), perf_counter()
    assert made.incoming(plans[0], records) == {}
    assert perf_counter() - started < 2
