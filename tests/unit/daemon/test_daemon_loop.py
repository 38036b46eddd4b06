"""The daemon on virtual time: who gets a pass when, what receipts say, what becomes of plans that go or break."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from daemon_fakes import FakeApp, a_plan, a_status, an_app

from reconciler.daemon.backend import Backend
from reconciler.daemon.control import Command
from reconciler.daemon.daemon import Daemon
from reconciler.model.errors import ConfigurationError, Problem, StoreError
from reconciler.model.ids import PlanName, RequestId
from reconciler.model.plan import Approval, Snapshot
from reconciler.model.report import BranchInfo, PlanState, Receipt
from reconciler.testing.memory import START
from reconciler.testing.samples import a_record


def make(tmp_path: Path, *names: str, **daemon: object) -> tuple[Daemon, FakeApp]:
    app = an_app(tmp_path, *(a_plan(name) for name in names), **daemon)
    return Daemon(app), app


def work_off(daemon: Daemon) -> None:
    while daemon.passes.next(0):
        pass


def command(daemon: Daemon, asked: Command, count: int = 1) -> None:
    daemon.inbox.post(asked, count)
    daemon.turn()


# first passes, changes, retries


def test_every_plan_has_its_first_pass_at_once_after_recovery(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b")
    daemon.load("start")
    work_off(daemon)
    assert app.cycle.made == ["a", "b"]
    assert app.cycle.recovered == ["a", "b"]
    daemon.request_sync(None, "http")
    work_off(daemon)
    assert app.cycle.recovered == ["a", "b"], "recovery is for the first pass only"


def test_no_pass_before_recovery_worked(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    app.cycle.recovery = StoreError("disk full")
    receipt = daemon.request_sync(["a"], "http")
    work_off(daemon)
    assert app.cycle.made == []
    status = app.store.status(PlanName("a"))
    assert status is not None
    assert status.state is PlanState.FAILED
    assert "disk full" in status.message
    stored = app.store.receipt(receipt.id)
    assert stored is not None
    assert stored.outcomes == {"a": PlanState.FAILED}
    app.cycle.recovery = None
    app.clock.advance(5)
    work_off(daemon)
    assert app.cycle.made == ["a"]


def test_failed_recovery_backs_off(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    app.cycle.recovery = StoreError("disk full")
    daemon.load("start")
    delays = []
    for _ in range(6):
        work_off(daemon)
        delays.append(daemon.queue.delays()["a"])
        app.clock.advance(delays[-1])
    assert delays == [5, 10, 20, 40, 60, 60]


def test_an_unchanged_source_asks_for_nothing(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    daemon.load("start")
    work_off(daemon)
    daemon.load("change")
    assert daemon.queue.depth == 0
    assert app.cycle.made == ["a"]


@pytest.mark.parametrize("what", ["content", "approval"])
def test_only_the_changed_plan_gets_a_pass(tmp_path: Path, what: str) -> None:
    daemon, app = make(tmp_path, "a", "b")
    daemon.load("start")
    work_off(daemon)
    if what == "content":
        app.source.put(a_plan("b", digest="2"))
    else:
        app.source.put(a_plan("b"), approvals=(an_approval("b"),))
    command(daemon, Command.SOURCE_CHANGED)
    work_off(daemon)
    assert app.cycle.passes[2:] == [("b", "change", ())]


def test_a_report_that_asks_for_it_is_retried_when_due(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    app.cycle.retry_after = 40.0
    daemon.load("start")
    work_off(daemon)
    app.clock.advance(39)
    work_off(daemon)
    assert app.cycle.made == ["a"]
    app.clock.advance(1)
    work_off(daemon)
    assert app.cycle.passes[1] == ("a", "retry", ())


def test_intervals_follow_the_plan_else_the_default(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    app.source.put(a_plan("b", interval=60.0))
    daemon.load("start")
    assert daemon.schedule.intervals == {"a": 300.0, "b": 60.0}
    app.source.put(a_plan("b", digest="2", interval=90.0))
    daemon.load("change")
    assert daemon.schedule.intervals["b"] == 90.0


def test_a_defect_in_a_pass_costs_neither_the_worker_nor_the_receipt(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")

    def explode(_plan: object) -> None:
        raise RuntimeError("defect")

    app.cycle.during = explode
    receipt = daemon.request_sync(["a"], "http")
    work_off(daemon)
    stored = app.store.receipt(receipt.id)
    assert stored is not None
    assert stored.outcomes == {"a": PlanState.FAILED}
    assert daemon.queue.delays() == {"a": 5.0}
    assert daemon.queue.running == frozenset()


# two daemons


def test_a_plan_that_another_process_works_on_waits_without_a_failure(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b")
    app.cycle.busy = {"a"}
    receipt = daemon.request_sync(None, "SIGHUP")
    with structlog.testing.capture_logs() as lines:
        for _ in range(30):
            work_off(daemon)
            assert app.cycle.made == ["b"]
            assert app.store.status(PlanName("a")) is None
            assert daemon.receipts.find(receipt.id) is not None
            app.clock.advance(daemon.queue.delays()["a"])
    said = [line for line in lines if line["event"] == "plan is worked on elsewhere"]
    assert [line["plan"] for line in said] == ["a"]
    assert "process 4711 on build-7" in said[0]["reason"]
    app.cycle.busy = set()
    work_off(daemon)
    assert app.cycle.passes[1:] == [("a", "SIGHUP", (receipt.id,))]
    answered = app.store.receipt(receipt.id)
    assert answered is not None
    assert answered.runs == {"a": "run-2", "b": "run-1"}


def test_a_plan_that_is_busy_again_later_is_said_again(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            app.cycle.busy = {"a"}
            daemon.request_sync(None, "http")
            work_off(daemon)
            app.cycle.busy = set()
            app.clock.advance(2)
            work_off(daemon)
    assert [line["event"] for line in lines].count("plan is worked on elsewhere") == 2


def test_a_busy_plan_that_vanishes_keeps_nobody_waiting(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    app.cycle.busy = {"a"}
    receipt = daemon.request_sync(["a"], "http")
    work_off(daemon)
    app.source.remove("a")
    daemon.load("change")
    app.clock.advance(2)
    work_off(daemon)
    stored = app.store.receipt(receipt.id)
    assert stored is not None
    assert stored.answered
    assert app.cycle.made == []


def test_two_daemons_that_answer_one_receipt_lose_no_answer(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b")
    receipt = daemon.request_sync(None, "http")
    other = Daemon(app)
    other.load("start")
    other._take_up_receipts()
    assert daemon.passes.next(0)
    assert other.passes.next(0)
    stored = app.store.receipt(receipt.id)
    assert stored is not None
    assert stored.runs == {"a": "run-1"}, "the first answer stays"
    assert daemon.passes.next(0)
    answered = app.store.receipt(receipt.id)
    assert answered is not None
    assert answered.runs == {"a": "run-1", "b": "run-3"}
    app.clock.advance(1)
    assert other.passes.next(0)
    assert app.store.receipt(receipt.id) == answered, "an answered receipt doesn't change"
    assert daemon.receipts.waiting() == other.receipts.waiting() == ()


# single flight under threads


def test_one_pass_a_plan_at_a_time_while_a_thousand_requests_coalesce(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b", "c")
    gate = threading.Event()
    app.cycle.during = lambda _plan: gate.wait(10) and None
    daemon.load("start")
    daemon.passes.start(4)
    receipts = [daemon.request_sync(None, "http") for _ in range(1000)]
    gate.set()
    daemon.queue.close(drain=True)
    assert daemon.queue.join(20)
    assert not app.cycle.overlaps
    assert len(app.cycle.passes) <= 6, "the first pass of each, and one more for a thousand requests"
    assert all(app.store.receipt(receipt.id).answered for receipt in receipts)  # type: ignore[union-attr]
    assert not daemon.receipts.waiting()


def test_concurrent_requests_share_a_load_of_the_source(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    entered, gate = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        gate.wait(10)

    app.source.on_load = slow
    first = threading.Thread(target=daemon.load, args=("change",))
    first.start()
    assert entered.wait(5)
    others = [threading.Thread(target=daemon.load, args=("change",)) for _ in range(20)]
    for thread in others:
        thread.start()
    gate.set()
    for thread in (first, *others):
        thread.join(5)
    assert 2 <= app.source.loads <= 21
    assert app.source.loads < 21, "those that waited together were served by one load"


# receipts


def test_a_receipt_names_the_passes_that_answered_it(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b")
    receipt = daemon.request_sync(None, "http")
    assert receipt.plans == ("a", "b")
    assert not receipt.answered
    app.clock.advance(3)
    work_off(daemon)
    stored = app.store.receipt(receipt.id)
    assert stored is not None
    assert stored.runs == {"a": "run-1", "b": "run-2"}
    assert set(stored.outcomes.values()) == {PlanState.IN_SYNC}
    assert stored.answered_at == app.clock.now()
    assert app.metrics.counts["resync", "http"] == 1


def test_a_request_during_a_pass_is_answered_by_the_next_one(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    asked: list[Receipt] = []

    def ask_once(_plan: object) -> None:
        if not asked:
            asked.append(daemon.request_sync(["a"], "http"))

    app.cycle.during = ask_once
    daemon.load("start")
    assert daemon.passes.next(0)
    assert not app.store.receipt(asked[0].id).answered  # type: ignore[union-attr]
    assert daemon.passes.next(0)
    stored = app.store.receipt(asked[0].id)
    assert stored is not None
    assert stored.runs == {"a": "run-2"}
    assert stored.answered
    assert not daemon.passes.next(0), "exactly one more pass"


def test_a_request_sees_what_was_saved_before_it(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    daemon.load("start")
    app.source.put(a_plan("new"))
    assert daemon.request_sync(["new"], "http").plans == ("new",)


def test_a_request_without_plans_is_answered_at_once(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    receipt = daemon.request_sync(None, "SIGHUP")
    assert receipt.answered
    assert app.store.receipt(receipt.id) == receipt


def test_a_request_for_an_unknown_plan_is_refused(tmp_path: Path) -> None:
    daemon, _ = make(tmp_path, "web")
    with pytest.raises(ConfigurationError, match="no plan named wbe; there are web"):
        daemon.request_sync(["wbe"], "http")


def test_a_request_for_an_invalid_plan_says_so_at_once(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    app.source.break_("bad", Problem("no", file="bad.yaml"))
    receipt = daemon.request_sync(None, "http")
    assert receipt.answered
    assert receipt.outcomes == {"bad": PlanState.INVALID}


def test_a_plan_that_goes_away_keeps_nobody_waiting(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b")
    receipt = daemon.request_sync(None, "http")
    app.source.remove("b")
    daemon.load("change")
    work_off(daemon)
    stored = app.store.receipt(receipt.id)
    assert stored is not None
    assert stored.answered
    assert stored.plans == ("a",)


def test_receipts_left_open_by_an_earlier_process_are_answered(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", workers=1)
    plans = (PlanName("a"), PlanName("gone"))
    app.store.save_receipt(Receipt(RequestId("req-old"), "SIGHUP", START, plans))
    daemon.start()
    daemon.queue.close(drain=True)
    assert daemon.queue.join(10)
    daemon.shut_down()
    stored = app.store.receipt(RequestId("req-old"))
    assert stored is not None
    assert stored.answered
    assert stored.outcomes == {"a": PlanState.IN_SYNC}


def test_a_broken_store_does_not_stop_a_forced_resync(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    daemon.load("start")
    work_off(daemon)
    app.store.failing = "disk full"
    receipt = daemon.request_sync(None, "SIGUSR1")
    assert daemon.receipts.find(receipt.id) == receipt
    assert daemon.queue.depth == 1
    assert daemon.readiness()["store"] == "disk full"


# plans that go or break


def test_a_vanished_plan_with_resources_is_orphaned_not_deleted(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    daemon.load("start")
    work_off(daemon)
    app.metrics.record(None, a_status("web"))
    app.store.save_record(a_record("web"))
    app.source.remove("web")
    daemon.load("change")
    work_off(daemon)
    status = app.store.status(PlanName("web"))
    assert status is not None
    assert status.orphaned
    assert "1 resources are left as they are" in status.message
    assert len(app.store.records(PlanName("web"))) == 1
    assert daemon.schedule.intervals == {}
    assert app.metrics.shown["web"].orphaned
    assert app.cycle.made == ["web"]


def left_a_branch(daemon: Daemon, app: FakeApp, state: str = "open") -> None:
    """The plan is gone from the source, and a branch with its change is underway."""
    daemon.load("start")
    work_off(daemon)
    branch = BranchInfo("r", "main", "feature/add-web", state, number=7, url="https://x/7")
    app.store.save_status(replace(a_status("web"), branch=branch))
    app.source.remove("web")
    daemon.load("change")


def test_the_branch_of_a_withdrawn_plan_is_retired(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    app.store.save_record(a_record("web"))
    left_a_branch(daemon, app)
    work_off(daemon)
    status = app.store.status(PlanName("web"))
    assert app.cycle.withdrawn == ["web"]
    assert status is not None
    assert status.branch is not None
    assert (status.orphaned, status.branch.state, status.branch.url) == (True, "obsolete", "https://x/7")
    assert daemon.queue.depth == 0


def test_a_withdrawn_plan_without_resources_is_known_until_its_branch_is_retired(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    app.cycle.unretired = "the service is away"
    left_a_branch(daemon, app)
    daemon.passes.next(0)
    status = app.store.status(PlanName("web"))
    assert status is not None
    assert not status.orphaned
    assert list(daemon.queue.delays()) == ["web"]
    app.cycle.unretired = ""
    app.clock.sleep(3600)
    work_off(daemon)
    assert app.cycle.withdrawn == ["web", "web"]
    assert app.store.status(PlanName("web")) is None
    assert "web" not in app.metrics.shown


@pytest.mark.parametrize("orphaned", [True, False])
def test_a_branch_that_an_earlier_process_left_is_retired_by_this_one(tmp_path: Path, orphaned: bool) -> None:
    daemon, app = make(tmp_path)
    branch = BranchInfo("r", "main", "feature/add-web", "open")
    app.store.save_status(replace(a_status("web"), branch=branch, orphaned=orphaned))
    daemon.load("start")
    work_off(daemon)
    assert app.cycle.withdrawn == ["web"]


@pytest.mark.parametrize("state", ["deployed", "obsolete"])
def test_a_branch_that_is_done_is_left_when_its_plan_goes(tmp_path: Path, state: str) -> None:
    daemon, app = make(tmp_path, "web")
    left_a_branch(daemon, app, state)
    work_off(daemon)
    assert app.cycle.withdrawn == []


def test_a_branch_is_not_retired_on_the_word_of_a_source_that_is_broken(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    left_a_branch(daemon, app)
    app.source.snapshot = replace(app.source.snapshot, healthy=False, problem="can't be read")
    daemon.load("change")
    daemon.passes.next(0)
    assert app.cycle.withdrawn == []
    app.source.snapshot = replace(app.source.snapshot, healthy=True, problem="")
    app.source.break_("web", Problem("web.yaml", "not YAML"))
    daemon.load("change")
    app.clock.sleep(3600)
    work_off(daemon)
    assert app.cycle.withdrawn == []
    app.source.mend("web")
    daemon.load("change")
    work_off(daemon)
    assert app.cycle.withdrawn == ["web"]


def test_a_vanished_plan_without_resources_leaves_nothing(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    daemon.load("start")
    work_off(daemon)
    app.source.remove("web")
    daemon.load("change")
    assert app.store.status(PlanName("web")) is None


def test_a_plan_removed_while_no_daemon_ran_is_orphaned_at_the_start(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "other")
    app.store.save_record(a_record("web"))
    app.store.save_status(a_status("web"))
    daemon.load("start")
    assert app.store.status(PlanName("web")).orphaned  # type: ignore[union-attr]


def test_a_plan_that_vanishes_during_its_pass_ends_up_orphaned(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    app.store.save_record(a_record("web"))
    app.cycle.retry_after = 1.0

    def vanish(_plan: object) -> None:
        app.source.remove("web")
        daemon.load("change")

    app.cycle.during = vanish
    daemon.load("start")
    work_off(daemon)
    assert app.store.status(PlanName("web")).orphaned  # type: ignore[union-attr]
    assert daemon.queue.delays() == {}


def test_an_unreadable_source_makes_nothing_vanish(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    daemon.load("start")
    work_off(daemon)
    app.store.save_record(a_record("web"))
    app.source.snapshot = replace(app.source.snapshot, healthy=False, problem="no such directory")
    daemon.load("poll")
    assert not app.store.status(PlanName("web")).orphaned  # type: ignore[union-attr]
    assert daemon.readiness()["plans"] == "no such directory"
    assert app.metrics.healthy is False


def test_a_source_that_is_unreadable_and_empty_orphans_nothing_at_the_start(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    app.store.save_record(a_record("web"))
    app.store.save_status(a_status("web"))
    app.source.snapshot = Snapshot(healthy=False, problem="gone")
    daemon.load("start")
    assert not app.store.status(PlanName("web")).orphaned  # type: ignore[union-attr]


def test_a_plan_that_was_never_good_is_shown_as_invalid(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "good")
    problem = Problem("no target", file="bad.yaml", line=3, reason="schema")
    app.source.break_("bad", problem)
    daemon.load("start")
    work_off(daemon)
    status = app.store.status(PlanName("bad"))
    assert status is not None
    assert status.state is PlanState.INVALID
    assert status.problems == ("bad.yaml:3: no target",)
    assert status.file == "bad.yaml"
    assert app.metrics.shown[PlanName("bad")].state is PlanState.INVALID
    assert app.cycle.made == ["good"]


def test_each_wrong_content_counts_once(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    app.source.break_("bad", Problem("one", reason="yaml"), Problem("two", reason="yaml"))
    for _ in range(3):
        daemon.load("poll")
    assert app.metrics.counts["plan_problem", "yaml"] == 1
    app.source.break_("bad", Problem("three", reason="yaml"))
    daemon.load("change")
    assert app.metrics.counts["plan_problem", "yaml"] == 2


def test_the_last_good_version_stays_in_force_and_says_what_is_wrong(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "web")
    daemon.load("start")
    work_off(daemon)
    app.source.break_("web", Problem("typo", file="web.yaml", line=9))
    daemon.load("change")
    daemon.request_sync(["web"], "http")
    work_off(daemon)
    status = app.store.status(PlanName("web"))
    assert status is not None
    assert status.state is PlanState.IN_SYNC, "the good version had its pass"
    assert status.problems == ("web.yaml:9: typo",), "and the pass didn't hide the problem"
    app.source.mend("web")
    daemon.load("change")
    assert app.store.status(PlanName("web")).problems == ()  # type: ignore[union-attr]


def test_after_a_restart_a_broken_file_is_invalid_not_vanished(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    app.store.save_record(a_record("web"))
    app.store.save_status(a_status("web"))
    app.source.break_("web.yaml", Problem("not YAML", file="web.yaml"))
    daemon.load("start")
    assert not app.store.status(PlanName("web")).orphaned  # type: ignore[union-attr]


def test_a_mended_file_without_a_name_is_forgotten(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    app.source.break_("web.yaml", Problem("not YAML", file="web.yaml"))
    daemon.load("start")
    assert app.store.status(PlanName("web.yaml")) is not None
    app.source.mend("web.yaml")
    app.source.put(a_plan("web"))
    daemon.load("change")
    assert app.store.status(PlanName("web.yaml")) is None


# commands


def test_equal_signals_are_one_resync_and_all_are_acknowledged(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    for _ in range(1000):
        daemon.inbox.post(Command.RESYNC)
    daemon.turn()
    work_off(daemon)
    assert len(app.store.receipts()) == 1
    assert app.store.receipts()[0].answered
    assert len(app.cycle.passes) == 1


def test_sighup_reloads_configuration_policies_and_plans_then_syncs(tmp_path: Path) -> None:
    app = an_app(tmp_path, a_plan("a"))
    newer = an_app(tmp_path, a_plan("a"))
    newer.store, newer.cycle, newer.metrics = app.store, app.cycle, app.metrics
    newer.settings.daemon.interval = 60.0
    daemon = Daemon(app, reload=lambda _old: newer)
    daemon.load("start")
    work_off(daemon)
    command(daemon, Command.RELOAD_EVERYTHING)
    work_off(daemon)
    assert daemon.app is newer
    assert newer.policy.reloads == 1
    assert daemon.schedule.intervals == {"a": 60.0}
    assert app.cycle.passes[-1][1] == "SIGHUP"
    assert app.store.receipts()[0].answered


def test_a_wrong_configuration_leaves_the_old_one_in_force(tmp_path: Path) -> None:
    def refuse(_old: object) -> FakeApp:
        raise ConfigurationError("typo")

    app = an_app(tmp_path, a_plan("a"))
    daemon = Daemon(app, reload=refuse)  # type: ignore[arg-type]
    command(daemon, Command.RELOAD_EVERYTHING)
    work_off(daemon)
    assert daemon.app is app
    assert app.store.receipts()[0].answered, "the resync is made nevertheless"


def test_changed_policies_are_reloaded_and_every_plan_decided_again(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", "b")
    daemon.load("start")
    work_off(daemon)
    command(daemon, Command.POLICY_CHANGED)
    assert app.policy.reloads == 0, "nothing changed"
    app.policy.on_reload = lambda policy: setattr(policy, "revision", "r2")
    (tmp_path / "policies" / "x.rego").write_text("package x")
    command(daemon, Command.POLICY_CHANGED)
    work_off(daemon)
    assert app.cycle.passes[2:] == [("a", "policy", ()), ("b", "policy", ())]


def test_policies_that_do_not_compile_are_reported_and_change_nothing(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    daemon.load("start")
    work_off(daemon)
    app.policy.on_reload = lambda policy: setattr(policy, "problem", "line 1: oops")
    (tmp_path / "policies" / "x.rego").write_text("pack")
    command(daemon, Command.POLICY_CHANGED)
    assert daemon.queue.depth == 0
    assert app.metrics.stale is True
    assert daemon.readiness()["policy"] == "line 1: oops"


def test_the_source_is_looked_at_when_it_is_time_whatever_was_noticed(tmp_path: Path) -> None:
    daemon, app = make(tmp_path)
    daemon.load("start")
    app.source.put(a_plan("missed"))
    app.clock.advance(30)
    daemon.turn()
    work_off(daemon)
    assert app.cycle.made == ["missed"]


def test_a_command_that_breaks_does_not_end_the_loop(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")

    def explode() -> None:
        raise RuntimeError("defect")

    app.source.on_load = explode
    command(daemon, Command.RESYNC)
    app.source.on_load = lambda: None
    command(daemon, Command.RESYNC)
    work_off(daemon)
    assert app.cycle.made == ["a"]


def test_writing_the_state_changes_nothing(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a")
    daemon.load("start")
    command(daemon, Command.WRITE_STATE)
    app.store.failing = "disk full"
    command(daemon, Command.WRITE_STATE)
    assert daemon.queue.depth == 1


# stopping


def test_a_graceful_stop_waits_for_the_pass_in_hand(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", grace_period=10.0)
    entered = threading.Event()

    def until_stopped(_plan: object) -> None:
        entered.set()
        app.cycle.stopped.wait(10)

    app.cycle.during = until_stopped
    daemon.start()
    assert entered.wait(5)
    assert daemon.shut_down() is True
    assert app.store.status(PlanName("a")) is not None, "the pass ended and was recorded"
    assert daemon.readiness()["daemon"] == "stopping"


def test_a_pass_that_outlives_the_grace_period_is_an_unclean_stop(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "a", grace_period=0.05)
    entered, gate = threading.Event(), threading.Event()

    def hang(_plan: object) -> None:
        entered.set()
        gate.wait(20)

    app.cycle.during = hang
    daemon.start()
    assert entered.wait(5)
    assert daemon.shut_down() is False
    gate.set()


def test_passes_begun_before_a_reload_are_told_to_stop_too(tmp_path: Path) -> None:
    old, new = an_app(tmp_path, a_plan("a"), grace_period=5.0), an_app(tmp_path, a_plan("a"), grace_period=5.0)
    new.store, new.metrics = old.store, old.metrics
    daemon = Daemon(old, reload=lambda _old: new)
    entered = threading.Event()

    def until_stopped(_plan: object) -> None:
        entered.set()
        old.cycle.stopped.wait(10)

    old.cycle.during = until_stopped
    daemon.start()
    assert entered.wait(5)
    command(daemon, Command.RELOAD_EVERYTHING)
    assert daemon.shut_down() is True
    assert new.cycle.stopped.is_set()


# the API's view


def test_the_api_knows_plans_that_have_not_had_a_pass(tmp_path: Path) -> None:
    daemon, app = make(tmp_path, "new", "old")
    app.store.save_status(a_status("old"))
    daemon.load("start")
    backend = Backend(daemon)
    assert [status.plan for status in backend.statuses()] == ["new", "old"]
    first = backend.status(PlanName("new"))
    assert first is not None
    assert first.state is not PlanState.IN_SYNC
    assert backend.status(PlanName("none")) is None
    receipt = backend.request_sync((PlanName("new"),), "api")
    assert backend.receipt(receipt.id) == receipt
    assert set(backend.ready()) == {"plans", "policy", "store", "daemon"}


def an_approval(plan: str) -> Approval:
    return Approval(
        name="bob",
        plan=PlanName(plan),
        digest=a_plan(plan).digest,
        approver="bob@example.com",
        approved_at=START,
        expires_at=START,
        scope=frozenset({"create"}),
    )
