"""What every Store promises, held against the in-memory one and the SQL one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from reconciler.model.audit import AuditEvent
from reconciler.model.contest import Contest
from reconciler.model.errors import StoreError
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, RequestId, RunId, TypeName
from reconciler.model.journal import JournalState
from reconciler.model.lease import Holder, LeaseRow
from reconciler.model.progress import Handle
from reconciler.model.report import ChangeSummary, PlanState
from reconciler.model.revision import Pin, Revision
from reconciler.model.values import Deferred, Sensitive, Unknown
from reconciler.ports import Store
from reconciler.store import SqlStore
from reconciler.store.chain import GENESIS, Check
from reconciler.store.rules import KEEP_REVISIONS
from reconciler.testing.memory import MemoryStore
from reconciler.testing.samples import AT, DIGEST, a_full_report, a_receipt, a_record, a_report, a_status, an_entry
from tests.databases import a_database

SECRET = "hunter2-never-on-disk"
KEEP = 5


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(keep_runs=KEEP)
        return
    place = tmp_path / "state.db" if request.param == "sqlite" else a_database(request.getfixturevalue("postgresql"))
    opened = SqlStore(place, keep_runs=KEEP)
    yield opened
    opened.close()


def test_a_fresh_store_is_empty_and_writable(store: Store) -> None:
    store.ping()
    store.ping()
    web = PlanName("web")
    assert store.records(web) == {}
    assert list(store.recorded_plans()) == []
    assert store.owner_of(TypeName("T"), Identifier("i"), "1", "r") is None
    assert list(store.unfinished(web)) == []
    assert list(store.journal(RunId("r"))) == []
    assert store.run(RunId("r")) is None
    assert list(store.history(web)) == []
    assert store.status(web) is None
    assert list(store.statuses()) == []
    assert set(store.consumed_approvals("sha256:0")) == set()
    assert store.receipt(RequestId("r")) is None
    assert list(store.receipts()) == []
    assert store.export("1", "r", "x") is None
    assert list(store.unresolved(web)) == []
    assert store.lost(web) == {}
    assert store.lease(web) is None
    assert list(store.revisions(web)) == []
    assert list(store.contests(web)) == []
    assert list(store.audit_entries()) == []
    assert store.audit_head() == (0, GENESIS)


def test_records_come_back_whole_and_are_found_by_identifier(store: Store) -> None:
    vpc, db = a_record(), a_record("db", "Vpc", "vpc-2")
    store.save_record(vpc)
    store.save_record(db)
    assert store.records(PlanName("web")) == {"Vpc": vpc}
    assert list(store.recorded_plans()) == ["db", "web"]
    assert store.owner_of(vpc.type, vpc.identifier, vpc.account, vpc.region) == vpc
    for miss in (
        (TypeName("AWS::EC2::Subnet"), vpc.identifier, vpc.account, vpc.region),
        (vpc.type, Identifier("vpc-9"), vpc.account, vpc.region),
        (vpc.type, vpc.identifier, "000000000000", vpc.region),
        (vpc.type, vpc.identifier, vpc.account, "us-east-1"),
    ):
        assert store.owner_of(*miss) is None


def test_a_record_saved_again_replaces_the_old_one(store: Store) -> None:
    store.save_record(a_record())
    moved = a_record(identifier="vpc-new", applied={}, adopted=False, needs=frozenset(), updated_at=None)
    store.save_record(moved)
    assert store.records(PlanName("web")) == {"Vpc": moved}
    assert store.owner_of(moved.type, Identifier("vpc-1"), moved.account, moved.region) is None


def test_a_dropped_record_is_gone_and_dropping_it_twice_is_fine(store: Store) -> None:
    store.save_record(a_record())
    store.save_record(a_record(logical_id="Igw", identifier="igw-1"))
    store.drop_record(PlanName("web"), LogicalId("Vpc"))
    store.drop_record(PlanName("web"), LogicalId("Vpc"))
    assert list(store.records(PlanName("web"))) == ["Igw"]
    store.drop_record(PlanName("web"), LogicalId("Igw"))
    assert list(store.recorded_plans()) == []


def test_the_journal_keeps_one_entry_per_step_in_the_order_of_their_intents(store: Store) -> None:
    first, second = an_entry("B:create"), an_entry("A:create", at=AT + timedelta(seconds=1))
    store.write_journal(first)
    store.write_journal(second)
    store.write_journal(an_entry("C:create", plan="other", run="run-2"))
    pending = replace(first, state=JournalState.PENDING, handle=Handle(Identifier("req"), "cloudcontrol"))
    store.write_journal(pending)
    assert list(store.unfinished(PlanName("web"))) == [pending, second]
    done = replace(second, state=JournalState.DONE, identifier=Identifier("vpc-1"))
    store.write_journal(done)
    assert list(store.unfinished(PlanName("web"))) == [pending]
    assert list(store.journal(RunId("run-1"))) == [pending, done]


def test_several_entries_are_written_together(store: Store) -> None:
    first, second = an_entry("B:create"), an_entry("A:create")
    store.write_journal(first)
    done = [replace(entry, state=JournalState.DONE) for entry in (first, second)]
    store.write_journal(*done)
    assert list(store.journal(RunId("run-1"))) == done
    assert [entry.event.kind for entry in store.audit_entries()] == ["call", "outcome", "outcome"]
    assert Check().read(store.audit_entries()) is None, "the chain holds"


def test_undecidable_entries_wait_for_a_person_oldest_first(store: Store) -> None:
    first = an_entry("B:create", state=JournalState.UNDECIDABLE, error="no answer")
    second = an_entry("A:create", state=JournalState.UNDECIDABLE)
    for entry in (first, second, an_entry("C:create"), an_entry("D:create", plan="db", run="run-2")):
        store.write_journal(entry)
    assert list(store.unresolved(PlanName("web"))) == [first, second]
    store.write_journal(replace(first, state=JournalState.FAILED))
    assert list(store.unresolved(PlanName("web"))) == [second]


def test_a_lost_entry_is_found_until_a_newer_one_of_its_resource_is_written(store: Store) -> None:
    web, vpc = PlanName("web"), LogicalId("Vpc")
    lost = an_entry(state=JournalState.LOST)
    store.write_journal(an_entry(run="run-0", state=JournalState.DONE))
    store.write_journal(lost)
    store.write_journal(an_entry("Other:create", run="run-2", state=JournalState.DONE))
    store.write_journal(an_entry(plan="db", run="run-3"))
    assert store.lost(web) == {vpc: lost}
    store.write_journal(an_entry(run="run-4"))
    assert store.lost(web) == {}
    store.write_journal(an_entry(run="run-4", state=JournalState.LOST))
    assert store.lost(web) == {vpc: an_entry(run="run-4", state=JournalState.LOST)}


def test_the_settled_journal_of_a_forgotten_run_goes_with_it(store: Store) -> None:
    for state in JournalState:
        store.write_journal(an_entry(f"{state}:create", run="run-0", state=state))
    for number in range(KEEP + 1):
        store.save_run(a_report(f"run-{number}"))
    assert [entry.step for entry in store.journal(RunId("run-0"))] == [
        "intent:create",
        "pending:create",
        "undecidable:create",
    ]


def test_a_lost_entry_never_comes_back_when_newer_ones_are_forgotten(store: Store) -> None:
    """The crashed run has no report; its entry must go before what came after it, or an old token is used again."""
    store.write_journal(an_entry(run="crashed", state=JournalState.LOST))
    for number in range(KEEP + 1):
        step = "Vpc:create" if number == 0 else "Other:create"
        store.write_journal(an_entry(step, run=f"run-{number}", state=JournalState.DONE))
        store.save_run(a_report(f"run-{number}"))
    assert list(store.journal(RunId("run-0"))) == []
    assert store.lost(PlanName("web")) == {}
    assert list(store.journal(RunId(f"run-{KEEP}"))) != []


def test_what_a_crashed_run_left_is_kept_while_older_runs_are(store: Store) -> None:
    store.write_journal(an_entry(run="run-0", state=JournalState.DONE))
    store.write_journal(an_entry("Other:create", run="crashed", state=JournalState.LOST))
    for number in range(KEEP + 1):
        store.save_run(a_report(f"run-{number}"))
    assert set(store.lost(PlanName("web"))) == {"Other"}


@pytest.mark.parametrize("state", list(JournalState))
def test_only_intent_and_pending_are_unfinished(store: Store, state: JournalState) -> None:
    store.write_journal(an_entry(state=state, error="why"))
    unfinished = [entry.state for entry in store.unfinished(PlanName("web"))]
    assert unfinished == ([state] if state in (JournalState.INTENT, JournalState.PENDING) else [])


def test_a_report_comes_back_whole(store: Store) -> None:
    report = a_full_report()
    store.save_run(report)
    assert store.run(RunId("run-1")) == report
    assert list(store.history(PlanName("web"))) == [report]


def test_history_is_newest_first_and_limited(store: Store) -> None:
    for number in range(4):
        store.save_run(a_report(f"run-{number}"))
        store.save_run(a_report(f"other-{number}", plan="other"))
    assert [report.run for report in store.history(PlanName("web"))] == ["run-3", "run-2", "run-1", "run-0"]
    assert [report.run for report in store.history(PlanName("web"), 2)] == ["run-3", "run-2"]
    assert list(store.history(PlanName("web"), 0)) == []


def test_a_report_saved_again_replaces_the_old_one_in_its_place(store: Store) -> None:
    store.save_run(a_report("run-1"))
    store.save_run(a_report("run-2"))
    corrected = a_report("run-1", message="corrected")
    store.save_run(corrected)
    assert [report.message for report in store.history(PlanName("web"))] == ["in sync", "corrected"]


def test_old_reports_go_but_quiet_passes_never_push_out_those_that_did_something(store: Store) -> None:
    store.save_run(replace(a_full_report(), run=RunId("eventful")))
    for number in range(KEEP + 3):
        store.save_run(a_report(f"run-{number}"))
    store.save_run(a_report("other", plan="other"))
    kept = [report.run for report in store.history(PlanName("web"))]
    assert kept == [f"run-{number}" for number in range(KEEP + 2, 2, -1)] + ["eventful"]
    assert store.run(RunId("run-0")) is None
    assert store.run(RunId("other")) is not None


def test_statuses_come_back_whole_by_plan_and_can_be_dropped(store: Store) -> None:
    web, db = a_status(), a_status("db", state=PlanState.INVALID, run=None, updated_at=None, orphaned=True)
    store.save_status(web)
    store.save_status(db)
    assert store.status(PlanName("web")) == web
    assert list(store.statuses()) == [db, web]
    settled = replace(web, state=PlanState.IN_SYNC, drift_since=None)
    store.save_status(settled)
    assert store.status(PlanName("web")) == settled
    store.drop_status(PlanName("db"))
    store.drop_status(PlanName("db"))
    assert list(store.statuses()) == [settled]


def test_consumed_approvals_belong_to_a_digest_and_count_when_their_pass_has_ended(store: Store) -> None:
    for scope in ("replace", "delete", "delete"):
        store.consume_approval("sha256:0", "bob", scope, RunId("run-1"))
    store.consume_approval("sha256:1", "bob", "delete", RunId("run-2"))
    assert set(store.consumed_approvals("sha256:0")) == set()
    store.save_run(a_report("run-1", state=PlanState.FAILED))
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "replace"), ("bob", "delete")}
    assert set(store.consumed_approvals("sha256:1")) == set()
    assert set(store.consumed_approvals("sha256:2")) == set()


def test_what_a_crashed_pass_used_up_is_taken_over_by_the_pass_that_goes_on(store: Store) -> None:
    store.consume_approval("sha256:0", "bob", "delete", RunId("crashed"))
    store.consume_approval("sha256:0", "bob", "delete", RunId("run-2"))
    store.save_run(a_report("run-2", state=PlanState.FAILED))
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "delete")}


def test_a_failed_pass_between_leaves_a_crashed_ones_approval_to_the_pass_that_goes_on(store: Store) -> None:
    store.consume_approval(DIGEST, "bob", "delete", RunId("crashed"))
    store.save_run(replace(a_full_report(), run=RunId("run-2"), state=PlanState.FAILED))
    assert set(store.consumed_approvals(DIGEST)) == set()


def test_a_pass_that_finds_all_done_ends_what_a_crashed_one_used_up(store: Store) -> None:
    store.consume_approval(DIGEST, "bob", "delete", RunId("crashed"))
    store.consume_approval("sha256:other", "bob", "delete", RunId("crashed"))
    store.save_run(replace(a_full_report(), run=RunId("run-2"), state=PlanState.IN_SYNC))
    assert set(store.consumed_approvals(DIGEST)) == {("bob", "delete")}
    assert set(store.consumed_approvals("sha256:other")) == set()


def test_a_used_up_approval_cannot_be_used_again_and_stays_used_up(store: Store) -> None:
    store.consume_approval("sha256:0", "bob", "delete", RunId("run-1"))
    store.save_run(a_report("run-1", state=PlanState.FAILED))
    with pytest.raises(StoreError, match=r"bob .*used up by the pass run-1; approve again"):
        store.consume_approval("sha256:0", "bob", "delete", RunId("run-2"))
    store.release_approvals(RunId("run-2"))
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "delete")}


def test_it_stays_used_up_when_the_report_of_its_pass_is_forgotten(store: Store) -> None:
    store.consume_approval("sha256:0", "bob", "delete", RunId("old"))
    for run in ("old", *(f"run-{number}" for number in range(KEEP + 1))):
        store.save_run(a_report(run, state=PlanState.FAILED))
    assert store.run(RunId("old")) is None
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "delete")}


def test_an_interrupted_pass_gives_back_its_own_and_only_before_it_has_ended(store: Store) -> None:
    for run, scope in (("run-1", "delete"), ("run-2", "replace"), ("ended", "update")):
        store.consume_approval("sha256:0", "bob", scope, RunId(run))
    store.save_run(a_report("ended", state=PlanState.FAILED))
    store.release_approvals(RunId("run-1"))
    store.release_approvals(RunId("ended"))
    for run in ("run-1", "run-2"):
        store.save_run(a_report(run, state=PlanState.FAILED))
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "replace"), ("bob", "update")}


def a_lease(nonce: str, beat: int = 0, plan: str = "web") -> LeaseRow:
    return LeaseRow(PlanName(plan), Holder("host/1", "boot", "ns", 7, "123", nonce, 60.0), beat)


def test_a_lease_is_taken_only_from_exactly_who_was_seen_with_it(store: Store) -> None:
    web = PlanName("web")
    mine, renewed, theirs = a_lease("a"), a_lease("a", 1), a_lease("b")
    assert not store.take_lease(mine, theirs)
    assert store.lease(web) is None
    assert store.take_lease(mine, None)
    assert not store.take_lease(theirs, None)
    assert store.take_lease(renewed, mine)
    assert not store.take_lease(theirs, mine)
    assert store.lease(web) == renewed
    assert store.take_lease(theirs, renewed)
    assert not store.take_lease(a_lease("a", 2), renewed)
    assert store.lease(web) == theirs
    assert store.lease(PlanName("db")) is None


def test_a_lease_is_given_up_by_its_holder_alone(store: Store) -> None:
    store.take_lease(a_lease("a", 3), None)
    store.drop_lease(a_lease("b", 3))
    store.drop_lease(a_lease("a", plan="db"))
    assert store.lease(PlanName("web")) == a_lease("a", 3)
    store.drop_lease(a_lease("a"))
    assert store.lease(PlanName("web")) is None


def test_of_many_that_try_for_a_lease_one_gets_it(store: Store) -> None:
    row = None
    for turn in range(5):
        with ThreadPoolExecutor(8) as pool:
            asked = [(a_lease(f"{turn}-{number}"), row) for number in range(8)]
            taken = list(pool.map(lambda pair: store.take_lease(*pair), asked))
        assert taken.count(True) == 1
        row = asked[taken.index(True)][0]
        assert store.lease(PlanName("web")) == row


def test_a_record_moves_to_another_plan_whole(store: Store) -> None:
    store.save_record(a_record("web", "Vpc"))
    moved = a_record("db", "Net")
    store.move_record(moved, Owner(PlanName("web"), LogicalId("Vpc")))
    assert store.records(PlanName("web")) == {}
    assert store.records(PlanName("db")) == {"Net": moved}
    store.move_record(moved, Owner(PlanName("db"), LogicalId("Net")))
    assert store.records(PlanName("db")) == {"Net": moved}


def test_the_records_of_a_place_are_those_of_all_plans(store: Store) -> None:
    here, too = a_record("web", "Vpc"), a_record("db", "Net")
    for record in (here, too, a_record("web", "B", region="us-east-1"), a_record("web", "C", account="000000000000")):
        store.save_record(record)
    assert list(store.records_in(here.account, here.region)) == [too, here]
    assert list(store.records_in("000000000000", "us-east-1")) == []
    assert list(store.records_in(here.account, here.region, {here.type})) == [too, here]
    assert list(store.records_in(here.account, here.region, {TypeName("AWS::SQS::Queue")})) == []


def a_revision(number: int, plan: str = "web") -> Revision:
    return Revision(PlanName(plan), number, DIGEST, AT, RunId(f"run-{number}"), '{"a": "ä😀"}')


def test_revisions_are_newest_first_and_bounded_but_for_the_pinned_one(store: Store) -> None:
    web = PlanName("web")
    store.save_revision(a_revision(1, "db"))
    store.save_pin(Pin(web, DIGEST, 2, AT))
    store.save_pin(Pin(PlanName("db"), DIGEST, 3, AT))
    for number in range(1, KEEP_REVISIONS + 6):
        store.save_revision(a_revision(number))
    newest = [*range(KEEP_REVISIONS + 5, 5, -1)]
    assert [revision.number for revision in store.revisions(web)] == [*newest, 2]
    assert store.revisions(web)[-1] == a_revision(2)
    assert list(store.revisions(PlanName("db"))) == [a_revision(1, "db")]
    store.drop_pin(web)
    store.save_revision(a_revision(KEEP_REVISIONS + 6))
    assert [revision.number for revision in store.revisions(web)] == [KEEP_REVISIONS + 6, *newest[:-1]]


def test_a_pin_is_replaced_and_dropped(store: Store) -> None:
    web = PlanName("web")
    assert store.pin(web) is None
    store.save_pin(Pin(web, DIGEST, 1, AT))
    store.save_pin(Pin(web, DIGEST, 2, AT, reached=True))
    assert store.pin(web) == Pin(web, DIGEST, 2, AT, reached=True)
    assert store.pin(PlanName("db")) is None
    store.drop_pin(web)
    store.drop_pin(web)
    assert store.pin(web) is None


def test_contests_are_kept_per_field(store: Store) -> None:
    web = PlanName("web")
    first = Contest(web, LogicalId("Vpc"), "/A", DIGEST, 2, AT, AT, AT + timedelta(hours=1), "arn:aws:iam::1:role/x")
    second, other = replace(first, path="/B", held_until=None), replace(first, plan=PlanName("db"))
    for contest in (second, first, other):
        store.save_contest(contest)
    again = replace(first, times=3)
    store.save_contest(again)
    assert list(store.contests(web)) == [again, second]
    store.drop_contest(first)
    store.drop_contest(first)
    assert list(store.contests(web)) == [second]
    assert list(store.contests(PlanName("db"))) == [other]


def test_the_trail_is_a_chain_of_calls_outcomes_approvals_and_events(store: Store) -> None:
    web, run = PlanName("web"), RunId("run-1")
    store.audit(AuditEvent("decision", AT, web, run, {"mode": "apply", "n": [1, {"b": 2.5, "a": None}]}))
    store.consume_approval("sha256:0", "bob", "delete", run)
    entry = an_entry(after={"CidrBlock": "10.0.0.0/16", "Password": Sensitive(SECRET), "New": 1})
    store.write_journal(entry)
    store.write_journal(replace(entry, state=JournalState.PENDING, handle=Handle(Identifier("req"), "cloudcontrol")))
    store.write_journal(replace(entry, state=JournalState.FAILED, error=f"refused: {SECRET}"))
    store.release_approvals(run)
    found = list(store.audit_entries())
    assert [(each.seq, each.event.kind, each.event.plan, each.event.run) for each in found] == [
        (number, kind, web, run)
        for number, kind in enumerate(("decision", "approval", "call", "outcome", "approval"), 1)
    ]
    assert Check().read(found) is None
    assert store.audit_head() == (5, found[-1].hash)
    facts = [each.event.facts for each in found]
    approval = {"approval": "bob", "digest": "sha256:0", "scope": "delete"}
    assert facts[0] == {"mode": "apply", "n": [1, {"b": 2.5, "a": None}]}
    assert (facts[1], facts[4]) == ({**approval, "use": "used up"}, {**approval, "use": "given back"})
    assert facts[2] == {
        "verb": "create",
        "type": "AWS::EC2::VPC",
        "logical_id": "Vpc",
        "identifier": None,
        "account": "123456789012",
        "region": "eu-central-1",
        "step": "Vpc:create",
        "token": "token-1",
        "changed": ["New", "Password"],
    }
    assert (facts[3]["state"], facts[3]["error"]) == ("failed", "refused: (sensitive)")
    assert "10.0.0.0" not in str(facts)


def test_the_trail_is_read_from_any_number_and_by_plan_and_kind(store: Store) -> None:
    for number in range(1, 8):
        plan = PlanName("web" if number % 2 else "db")
        store.audit(AuditEvent("decision" if number < 6 else "settle", AT, plan, RunId(""), {"n": number}))
    assert [each.seq for each in store.audit_entries(2, 3)] == [3, 4, 5]
    assert [each.seq for each in store.audit_entries(6)] == [7]
    assert list(store.audit_entries(7)) == []
    assert list(store.audit_entries(0, 0)) == []
    last = store.last_audited(PlanName("web"), "decision")
    assert last is not None and last.event.facts == {"n": 5}
    assert store.last_audited(PlanName("x"), "decision") is None


def test_a_time_in_the_trail_keeps_its_instant(store: Store) -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    store.audit(AuditEvent("settle", elsewhere, PlanName("web")))
    assert store.audit_entries()[0].event.at == AT
    assert Check().read(store.audit_entries()) is None


def test_receipts_are_found_by_id_and_listed_newest_first(store: Store) -> None:
    for number in range(3):
        store.save_receipt(a_receipt(number))
    answered = a_receipt(
        1,
        runs={PlanName("web"): RunId("run-1")},
        outcomes={PlanName("web"): PlanState.IN_SYNC},
        answered_at=AT + timedelta(minutes=1),
    )
    store.save_receipt(answered)
    assert store.receipt(RequestId("req-1")) == answered
    assert [receipt.id for receipt in store.receipts()] == ["req-2", "req-1", "req-0"]
    assert [receipt.id for receipt in store.receipts(1)] == ["req-2"]


def test_exports_are_replaced_as_a_whole_per_plan_account_and_region(store: Store) -> None:
    web = PlanName("web")
    store.save_exports(web, "1", "eu-central-1", {"VpcId": "vpc-1", "Zones": ["a", "b"], "Count": 3})
    store.save_exports(web, "1", "us-east-1", {"VpcId": "vpc-us"})
    store.save_exports(PlanName("db"), "1", "eu-central-1", {"DbId": "db-1"})
    assert store.export("1", "eu-central-1", "VpcId") == "vpc-1"
    assert store.export("1", "eu-central-1", "Zones") == ["a", "b"]
    assert store.export("1", "us-east-1", "VpcId") == "vpc-us"
    assert store.export("2", "eu-central-1", "VpcId") is None
    store.save_exports(web, "1", "eu-central-1", {"VpcId": "vpc-2"})
    assert store.export("1", "eu-central-1", "VpcId") == "vpc-2"
    assert store.export("1", "eu-central-1", "Zones") is None
    assert store.export("1", "eu-central-1", "DbId") == "db-1"
    store.save_exports(web, "1", "eu-central-1", {})
    assert store.export("1", "eu-central-1", "VpcId") is None


def test_of_two_plans_exporting_one_name_the_first_keeps_it_until_it_lets_go(store: Store) -> None:
    first, second = PlanName("zz-first"), PlanName("aa-second")
    store.save_exports(first, "1", "r", {"VpcId": "vpc-1"})
    store.save_exports(second, "1", "r", {"VpcId": "vpc-2"})
    store.save_exports(first, "1", "r", {"VpcId": "vpc-1b"})
    assert store.export("1", "r", "VpcId") == "vpc-1b"
    store.save_exports(first, "1", "r", {})
    assert store.export("1", "r", "VpcId") == "vpc-2"


@pytest.mark.parametrize("value", [Sensitive(SECRET), Unknown("Vpc.VpcId"), Deferred("Ref", "Vpc"), {"a": [Unknown()]}])
def test_a_secret_or_a_value_not_known_yet_is_never_exported(store: Store, value: object) -> None:
    store.save_exports(PlanName("web"), "1", "r", {"Name": value, "Other": "x"})
    assert store.export("1", "r", "Name") is None
    assert store.export("1", "r", "Other") == "x"


def test_secrets_are_masked_on_the_way_in(store: Store) -> None:
    hidden = {"Password": Sensitive(SECRET), "List": [{"Deep": Sensitive({"k": SECRET})}], "Later": Unknown("Vpc.Id")}
    shown = {"Password": "(sensitive)", "List": [{"Deep": "(sensitive)"}], "Later": "(known after apply)"}
    store.save_record(a_record(applied=hidden))
    store.write_journal(an_entry(before=hidden))
    change = ChangeSummary(LogicalId("Vpc"), TypeName("T"), "update", fields=(hidden,))
    store.save_run(a_report(changes=(change,)))
    store.save_status(a_status(changes=(change,)))
    assert store.records(PlanName("web"))[LogicalId("Vpc")].applied == shown
    assert store.journal(RunId("run-1"))[0].before == shown
    report, status = store.run(RunId("run-1")), store.status(PlanName("web"))
    assert report is not None and report.changes[0].fields == (shown,)
    assert status is not None and status.changes[0].fields == (shown,)


def test_times_keep_their_instant_whatever_their_zone(store: Store) -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    store.save_status(a_status(verified_at=elsewhere))
    status = store.status(PlanName("web"))
    assert status is not None and status.verified_at == AT
    assert status.verified_at.tzinfo is not None


def test_many_threads_write_and_read_at_once_and_nothing_is_lost(store: Store) -> None:
    threads, each = 8, 12
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(each):
                store.write_journal(an_entry(f"R{index}:create", run=f"run-{number}", plan=f"plan-{number % 2}"))
                store.save_record(a_record(f"plan-{number}", f"R{index}", f"vpc-{number}-{index}"))
                store.unfinished(PlanName("plan-0"))
                store.save_status(a_status(f"plan-{number}"))
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert sum(len(store.unfinished(PlanName(f"plan-{half}"))) for half in (0, 1)) == threads * each
    assert all(len(store.records(PlanName(f"plan-{number}"))) == each for number in range(threads))
    assert len(store.statuses()) == threads


def test_the_identifiers_of_a_type_are_told_by_owner(store: Store) -> None:
    here, too = a_record("web", "Vpc"), a_record("db", "Net")
    for record in (here, too, replace(here, logical_id=LogicalId("Q"), type=TypeName("AWS::SQS::Queue"))):
        store.save_record(record)
    store.save_record(a_record("web", "B", region="us-east-1"))
    found = store.identifiers(here.account, here.region, here.type)
    assert found == {Owner(one.plan, one.logical_id): one.identifier for one in (too, here)}
    assert [owner.plan for owner in found] == ["db", "web"]
