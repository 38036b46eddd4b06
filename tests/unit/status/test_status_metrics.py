"""The metrics' names, labels and values are what alerts and dashboards are written against."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.model.change import ResourceState
from reconciler.model.ids import LogicalId, PlanName, TypeName
from reconciler.model.plan import Guardrail, Origin, Plan, RollbackPolicy, Target
from reconciler.model.report import BranchInfo, ChangeSummary, PlanState, PlanStatus
from reconciler.model.resource import SyncState
from reconciler.ports import Telemetry
from reconciler.status.metrics import BRANCH_STATES, BUCKETS, Metrics
from reconciler.testing.samples import AT, a_report, a_status

WEB = {"plan": "web", "environment": "development"}

#: SPEC: every metric, its type and its labels.
CONTRACT = {
    "reconciler_build_info": ("gauge", {"version"}),
    "reconciler_plans": ("gauge", {"environment", "status"}),
    "reconciler_plan_info": ("gauge", {"plan", "environment", "delivery", "digest"}),
    "reconciler_plan_status": ("gauge", {"plan", "environment", "status"}),
    "reconciler_drift_resources": ("gauge", {"plan", "environment", "action"}),
    "reconciler_drift_since_timestamp_seconds": ("gauge", {"plan", "environment"}),
    "reconciler_reconcile_total": ("counter", {"plan", "environment", "result"}),
    "reconciler_reconcile_duration_seconds": ("histogram", {"environment", "phase"}),
    "reconciler_last_success_timestamp_seconds": ("gauge", {"plan", "environment"}),
    "reconciler_apply_actions_total": ("counter", {"environment", "type", "action", "result"}),
    "reconciler_rollbacks_total": ("counter", {"environment", "result"}),
    "reconciler_policy_decisions_total": ("counter", {"environment", "mode"}),
    "reconciler_policy_errors_total": ("counter", {"reason"}),
    "reconciler_policy_duration_seconds": ("histogram", set()),
    "reconciler_aws_calls_total": ("counter", {"service", "operation", "code"}),
    "reconciler_aws_call_duration_seconds": ("histogram", {"service"}),
    "reconciler_aws_throttles_total": ("counter", {"service"}),
    "reconciler_guard_blocked_total": ("counter", {"service", "operation"}),
    "reconciler_pipeline_branches": ("gauge", {"plan", "state"}),
    "reconciler_pending_approvals": ("gauge", set()),
    "reconciler_queue_depth": ("gauge", set()),
    "reconciler_plan_errors_total": ("counter", {"reason"}),
    "reconciler_resync_total": ("counter", {"trigger"}),
    "reconciler_plan_suspended": ("gauge", {"plan", "environment"}),
    "reconciler_plan_orphaned": ("gauge", {"plan", "environment"}),
    "reconciler_unknown_resources": ("gauge", {"plan", "environment"}),
    "reconciler_last_verified_timestamp_seconds": ("gauge", {"plan", "environment"}),
    "reconciler_plan_interval_seconds": ("gauge", {"plan", "environment"}),
    "reconciler_policy_stale": ("gauge", set()),
    "reconciler_source_healthy": ("gauge", set()),
    "reconciler_breaker_open": ("gauge", {"plan", "environment", "kind"}),
    "reconciler_account_throttled": ("gauge", {"account", "region"}),
}


def value(metrics: Metrics, name: str, labels: Mapping[str, str] | None = None) -> float | None:
    return metrics.registry.get_sample_value(name, dict(labels or {}))


def series(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def feed_everything(metrics: Metrics) -> None:
    metrics.record(a_report(), a_status(branch=a_branch("open")), a_plan())
    metrics.aws_call("ec2", "DescribeVpcs", "", 0.2)
    metrics.aws_throttled("ec2")
    metrics.account_throttled("123456789012", "eu-central-1", left_alone=True)
    metrics.guard_blocked("ec2", "CreateVpc")
    metrics.policy_decided("development", "apply", 0.02)
    metrics.policy_failed("timeout")
    metrics.phase("development", "observe", 1.5)
    metrics.action_applied("development", "AWS::EC2::VPC", "create", "done")
    metrics.rolled_back("development", "succeeded")
    metrics.plan_problem("yaml")
    metrics.resync("sighup")
    metrics.queue_depth(3)


def a_branch(state: str) -> BranchInfo:
    return BranchInfo("git@example.com:x.git", "main", "feature/web", state)


def a_plan(**changes: Any) -> Plan:
    plan = Plan(
        name=PlanName("web"),
        author="alice@example.com",
        target=Target("development", "123456789012", "eu-central-1"),
        guardrail=Guardrail("passed"),
        rollback=RollbackPolicy("automatic"),
        digest="sha256:0",
        origin=Origin("web.yaml"),
    )
    return replace(plan, **changes)


def a_change(action: str, name: str = "R") -> ChangeSummary:
    return ChangeSummary(LogicalId(name), TypeName("AWS::EC2::VPC"), action)


def test_it_is_a_telemetry() -> None:
    telemetry: Telemetry = Metrics()
    telemetry.queue_depth(1)


def test_names_types_and_labels_are_the_contract() -> None:
    metrics = Metrics()
    feed_everything(metrics)
    found = {}
    for family in metrics.registry.collect():
        if family.name.startswith("reconciler_"):
            labels = set().union(*(sample.labels for sample in family.samples)) - {"le"}
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[name] = (family.type, labels)
    assert found == CONTRACT


def test_breakers_are_shown_from_the_first_record_and_end_with_the_plan() -> None:
    metrics = Metrics()

    def shown() -> list[float | None]:
        return [value(metrics, "reconciler_breaker_open", {**WEB, "kind": kind}) for kind in ("plan", "field")]

    metrics.record(None, a_status())
    assert shown() == [0, 0]
    metrics.record(None, a_status(held_until=AT, held=("Queue/DelaySeconds …", "Vpc …")))
    assert shown() == [1, 2]
    metrics.record(None, a_status())
    assert shown() == [0, 0]
    metrics.forget(PlanName("web"))
    assert shown() == [None, None]


def test_an_account_that_is_left_alone_is_shown_until_it_is_not() -> None:
    metrics, labels = Metrics(), {"account": "123456789012", "region": "eu-central-1"}
    for left_alone in (False, True, False):
        metrics.account_throttled(*labels.values(), left_alone=left_alone)
        assert value(metrics, "reconciler_account_throttled", labels) == left_alone


def test_no_label_ever_holds_a_resources_name_or_identifier() -> None:
    metrics = Metrics()
    state = ResourceState(LogicalId("MySecretVpc"), TypeName("T"), SyncState.UNKNOWN, "vpc-0abc")
    metrics.record(a_report(), a_status(changes=(a_change("update", "MySecretVpc"),), resources=(state,)))
    text = metrics.exposition()[0].decode()
    assert "MySecretVpc" not in text
    assert "vpc-0abc" not in text


def test_histograms_run_from_a_tenth_of_a_second_to_an_hour() -> None:
    metrics = Metrics()
    feed_everything(metrics)
    assert (BUCKETS[0], BUCKETS[-1]) == (0.1, 3600.0)
    assert value(metrics, "reconciler_policy_duration_seconds_bucket", {"le": "0.1"}) == 1
    observed = {"environment": "development", "phase": "observe"}
    assert value(metrics, "reconciler_reconcile_duration_seconds_bucket", {**observed, "le": "1.0"}) == 0
    assert value(metrics, "reconciler_reconcile_duration_seconds_bucket", {**observed, "le": "2.5"}) == 1
    assert value(metrics, "reconciler_aws_call_duration_seconds_count", {"service": "ec2"}) == 1


@pytest.mark.parametrize("state", list(PlanState))
def test_the_state_is_one_hot_over_all_nine(state: PlanState) -> None:
    metrics = Metrics()
    metrics.record(None, a_status(state=PlanState.APPLYING))
    metrics.record(a_report(state=state), a_status(state=state))
    shown = {labels[2]: hot for labels, hot in series(metrics, "reconciler_plan_status").items()}
    assert len(shown) == 9
    assert {name for name, hot in shown.items() if hot} == {state.value}
    assert value(metrics, "reconciler_reconcile_total", {**WEB, "result": state.value}) == 1


def test_plans_are_counted_by_environment_and_state() -> None:
    metrics = Metrics()
    metrics.record(None, a_status("a", state=PlanState.IN_SYNC))
    metrics.record(None, a_status("b", state=PlanState.IN_SYNC))
    metrics.record(None, a_status("c", state=PlanState.PENDING_APPROVAL, environment="production"))
    plans = series(metrics, "reconciler_plans")
    assert plans["development", "in_sync"] == 2
    assert plans["production", "pending_approval"] == 1
    assert sum(plans.values()) == 3
    assert value(metrics, "reconciler_pending_approvals") == 1
    metrics.record(None, a_status("c", state=PlanState.PIPELINE_OPEN, environment="production"))
    assert series(metrics, "reconciler_plans")["production", "pending_approval"] == 0
    assert value(metrics, "reconciler_pending_approvals") == 0


def test_drift_is_counted_by_action_and_goes_back_to_zero() -> None:
    metrics = Metrics()
    changes = (a_change("update"), a_change("update"), a_change("create"))
    metrics.record(a_report(), a_status(changes=changes, drift_since=AT))
    assert value(metrics, "reconciler_drift_resources", {**WEB, "action": "update"}) == 2
    assert value(metrics, "reconciler_drift_resources", {**WEB, "action": "create"}) == 1
    assert value(metrics, "reconciler_drift_resources", {**WEB, "action": "delete"}) == 0
    assert value(metrics, "reconciler_drift_since_timestamp_seconds", WEB) == AT.timestamp()
    metrics.record(a_report(), a_status(changes=(), drift_since=None, state=PlanState.IN_SYNC))
    assert set(series(metrics, "reconciler_drift_resources").values()) == {0}
    assert value(metrics, "reconciler_drift_since_timestamp_seconds", WEB) == 0


def test_times_suspension_and_unknown_resources_are_metrics_of_their_own() -> None:
    metrics = Metrics()
    unknown = ResourceState(LogicalId("A"), TypeName("T"), SyncState.UNKNOWN)
    later = AT + timedelta(hours=1)
    metrics.record(
        None, a_status(suspended=True, orphaned=True, resources=(unknown,), verified_at=AT, last_success_at=later)
    )
    assert value(metrics, "reconciler_plan_suspended", WEB) == 1
    assert value(metrics, "reconciler_plan_orphaned", WEB) == 1
    assert value(metrics, "reconciler_unknown_resources", WEB) == 1
    assert value(metrics, "reconciler_last_verified_timestamp_seconds", WEB) == AT.timestamp()
    assert value(metrics, "reconciler_last_success_timestamp_seconds", WEB) == later.timestamp()
    metrics.record(None, a_status(verified_at=None))
    for name in ("plan_suspended", "plan_orphaned", "unknown_resources", "last_verified_timestamp_seconds"):
        assert value(metrics, f"reconciler_{name}", WEB) == 0, name


def test_the_interval_is_the_plans_own_or_the_default() -> None:
    metrics = Metrics(default_interval=120)
    metrics.record(None, a_status())
    assert value(metrics, "reconciler_plan_interval_seconds", WEB) == 120
    metrics.record(None, a_status(), a_plan(interval=3600.0))
    metrics.record(None, a_status())
    assert value(metrics, "reconciler_plan_interval_seconds", WEB) == 3600
    metrics.record(None, a_status(), a_plan())
    assert value(metrics, "reconciler_plan_interval_seconds", WEB) == 120


@pytest.mark.parametrize("state", BRANCH_STATES)
def test_a_branch_has_one_state(state: str) -> None:
    metrics = Metrics()
    metrics.record(None, a_status(branch=a_branch("open")))
    metrics.record(None, a_status(branch=a_branch(state)))
    branches = {labels[1]: hot for labels, hot in series(metrics, "reconciler_pipeline_branches").items()}
    assert branches == {**dict.fromkeys(BRANCH_STATES, 0), state: 1}
    metrics.record(None, a_status())
    assert set(series(metrics, "reconciler_pipeline_branches").values()) == {0}


def test_a_new_digest_replaces_the_old_info() -> None:
    metrics = Metrics()
    metrics.record(None, a_status(digest="sha256:old"))
    metrics.record(None, a_status(digest="sha256:new"))
    assert series(metrics, "reconciler_plan_info") == {("web", "development", "resources", "sha256:new"): 1}


def test_a_plan_that_moves_to_another_environment_leaves_nothing_behind() -> None:
    metrics = Metrics()
    metrics.record(a_report(), a_status())
    metrics.record(a_report(), a_status(environment="production"))
    text = metrics.exposition()[0].decode()
    assert not [line for line in text.splitlines() if 'plan="web"' in line and 'environment="development"' in line]
    assert {labels[0] for labels in series(metrics, "reconciler_plans")} == {"production"}


def test_a_forgotten_plan_leaves_no_series_and_takes_no_others_with_it() -> None:
    metrics = Metrics()
    metrics.record(a_report(), a_status(branch=a_branch("open")), a_plan())
    metrics.record(a_report(plan="web2"), a_status("web2"))
    metrics.forget(PlanName("web"))
    metrics.forget(PlanName("never-seen"))
    text = metrics.exposition()[0].decode()
    assert 'plan="web"' not in text
    assert 'plan="web2"' in text
    assert sum(series(metrics, "reconciler_plans").values()) == 1


def test_a_pass_is_timed_as_a_whole() -> None:
    metrics = Metrics()
    metrics.record(a_report(), a_status())
    total = {"environment": "development", "phase": "total"}
    assert value(metrics, "reconciler_reconcile_duration_seconds_sum", total) == 3.0


def test_policy_errors_are_counted_from_zero_so_that_the_first_is_an_increase() -> None:
    metrics = Metrics()
    before = series(metrics, "reconciler_policy_errors_total")
    assert set(before) == {
        (reason,)
        for reason in (
            "unreachable",
            "timeout",
            "undefined",
            "malformed",
            "contradictory",
            "compile",
            "crashed",
            "empty",
        )
    }
    assert set(before.values()) == {0}


def test_rollbacks_are_counted_from_zero_in_every_environment_that_has_a_plan() -> None:
    metrics = Metrics()
    metrics.record(None, a_status())
    metrics.rolled_back("development", "failed")
    counts = series(metrics, "reconciler_rollbacks_total")
    assert counts == {("development", "succeeded"): 0, ("development", "failed"): 1}


def test_health_gauges_follow_what_they_are_told() -> None:
    metrics = Metrics()
    assert value(metrics, "reconciler_source_healthy") == 1
    assert value(metrics, "reconciler_policy_stale") == 0
    metrics.source_healthy(False)
    metrics.policy_stale(True)
    assert value(metrics, "reconciler_source_healthy") == 0
    assert value(metrics, "reconciler_policy_stale") == 1


def test_a_call_without_an_error_code_is_ok() -> None:
    metrics = Metrics()
    metrics.aws_call("ec2", "DescribeVpcs", "", 0.1)
    metrics.aws_call("ec2", "DescribeVpcs", "Throttling", 0.1)
    assert set(series(metrics, "reconciler_aws_calls_total")) == {
        ("ec2", "DescribeVpcs", "OK"),
        ("ec2", "DescribeVpcs", "Throttling"),
    }


def test_two_instances_do_not_share_a_registry() -> None:
    one, other = Metrics(), Metrics()
    one.queue_depth(5)
    assert value(other, "reconciler_queue_depth") == 0


def test_a_scrape_never_sees_a_plan_in_two_states_or_none() -> None:
    metrics = Metrics()
    states = (PlanState.IN_SYNC, PlanState.DRIFTED)
    statuses: list[PlanStatus] = [a_status(state=state) for state in states]
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            for status in statuses:
                metrics.record(None, status)

    metrics.record(None, statuses[0])
    flipping = threading.Thread(target=flip)
    flipping.start()
    try:
        for _ in range(60):
            lines = metrics.exposition()[0].decode().splitlines()
            hot = [line for line in lines if line.startswith("reconciler_plan_status{") and line.endswith(" 1.0")]
            assert len(hot) == 1
    finally:
        stop.set()
        flipping.join()
