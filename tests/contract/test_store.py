"""What every Store promises, held against the in-memory one and the SQL one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from reconciler.model.ids import Identifier, LogicalId, PlanName, RequestId, RunId, TypeName
from reconciler.model.journal import JournalState
from reconciler.model.progress import Handle
from reconciler.model.report import ChangeSummary, PlanState
from reconciler.model.values import Deferred, Sensitive, Unknown
from reconciler.ports import Store
from reconciler.store import SqlStore
from reconciler.testing.memory import MemoryStore
from reconciler.testing.samples import AT, a_full_report, a_receipt, a_record, a_report, a_status, an_entry

SECRET = "hunter2-never-on-disk"
KEEP = 5


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(keep_runs=KEEP)
        return
    opened = SqlStore(tmp_path / "state.db", keep_runs=KEEP)
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


def test_consumed_approvals_belong_to_a_digest_and_may_be_consumed_again(store: Store) -> None:
    for scope in ("replace", "delete", "delete"):
        store.consume_approval("sha256:0", "bob", scope, RunId("run-1"))
    store.consume_approval("sha256:1", "bob", "delete", RunId("run-2"))
    assert set(store.consumed_approvals("sha256:0")) == {("bob", "replace"), ("bob", "delete")}
    assert set(store.consumed_approvals("sha256:2")) == set()


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
