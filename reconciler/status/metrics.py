"""Prometheus metrics: what the stages count as they go, and what every pass left behind.

Per-plan series exist from a plan's first record until ``forget``; a gauge that does not apply is 0, not absent, so that
an alert never depends on a series that vanished. Resource names are never labels.
"""

from __future__ import annotations

import threading
from collections import Counter as Tally
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder

import reconciler
from reconciler.model.change import Action
from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState, PlanStatus, RunReport
from reconciler.model.resource import SyncState

#: Seconds, from a tenth to an hour.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
#: Causes of ``model.errors.PolicyUnavailable``; counted from 0, or the first failure would not be an increase.
POLICY_ERRORS = ("unreachable", "timeout", "undefined", "malformed", "contradictory", "compile", "crashed", "empty")
#: Counted from 0 for every environment, for the same reason.
ROLLBACK_RESULTS = ("succeeded", "failed")
#: As in ``BranchInfo``.
BRANCH_STATES = ("open", "merged", "drifted", "deployed", "obsolete", "failed")

_PLAN = ("plan", "environment")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the plan's series say now."""

    environment: str
    delivery: str
    digest: str
    state: PlanState


class Metrics:
    """All metrics of the process, in a registry of its own. Implements ``ports.Telemetry``. Thread-safe.

    ``default_interval``: seconds between the passes of a plan that names no interval of its own.
    """

    def __init__(self, default_interval: float = 300.0) -> None:
        # The _created series would double the number of counters.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped in the library
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._default_interval = default_interval
        self._lock = threading.Lock()
        self._known: dict[PlanName, _Known] = {}
        self._make_plan_metrics()
        self._make_stage_metrics()

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"reconciler_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"reconciler_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Histogram:
        return Histogram(f"reconciler_{name}", text, labels, registry=self.registry, buckets=BUCKETS)

    def _make_plan_metrics(self) -> None:
        gauge = self._gauge
        self._plans = gauge("plans", "Plans by environment and state.", ("environment", "status"))
        self._info = gauge("plan_info", "Always 1; describes the plan.", (*_PLAN, "delivery", "digest"))
        self._status = gauge(
            "plan_status", "1 for the state that the plan is in, 0 for the others.", (*_PLAN, "status")
        )
        self._drift = gauge("drift_resources", "Resources that differ from the plan, by action.", (*_PLAN, "action"))
        self._drift_since = gauge("drift_since_timestamp_seconds", "When the drift was first seen; 0 if none.", _PLAN)
        self._passes = self._counter("reconcile", "Passes, by the state that they ended in.", (*_PLAN, "result"))
        self._success = gauge("last_success_timestamp_seconds", "When a pass last succeeded; 0 if never.", _PLAN)
        self._verified = gauge(
            "last_verified_timestamp_seconds", "When live state was last compared; 0 if never.", _PLAN
        )
        self._interval = gauge("plan_interval_seconds", "Time between the passes of the plan.", _PLAN)
        self._unknown = gauge("unknown_resources", "Resources whose state could not be established.", _PLAN)
        self._suspended = gauge("plan_suspended", "1 if the plan is suspended.", _PLAN)
        self._orphaned = gauge(
            "plan_orphaned", "1 if the plan's file vanished while it still manages resources.", _PLAN
        )
        self._breakers = gauge(
            "breaker_open", "Breakers that are open: 1 for a plan that is held, else how many fields.", (*_PLAN, "kind")
        )
        self._branches = gauge("pipeline_branches", "Pipeline branches of the plan, by state.", ("plan", "state"))
        self._pending = gauge("pending_approvals", "Plans waiting for an approval.")

    def _make_stage_metrics(self) -> None:
        gauge, counter, histogram = self._gauge, self._counter, self._histogram
        gauge("build_info", "Always 1; describes the program.", ("version",)).labels(reconciler.__version__).set(1)
        self._phases = histogram(
            "reconcile_duration_seconds", "Duration of a pass, by phase.", ("environment", "phase")
        )
        self._actions = counter("apply_actions", "Steps executed.", ("environment", "type", "action", "result"))
        self._rollbacks = counter("rollbacks", "Passes rolled back after a failure.", ("environment", "result"))
        self._decisions = counter("policy_decisions", "Decisions of the policy engine.", ("environment", "mode"))
        self._policy_errors = counter("policy_errors", "Decisions that could not be had; each denied.", ("reason",))
        self._policy_seconds = histogram("policy_duration_seconds", "Duration of a policy decision.")
        self._policy_stale = gauge(
            "policy_stale", "1 if the newest policy does not compile; the last good one is used."
        )
        self._source_healthy = gauge("source_healthy", "1 if the plans could be read from their source.")
        self._calls = counter("aws_calls", "AWS API calls.", ("service", "operation", "code"))
        self._call_seconds = histogram("aws_call_duration_seconds", "Duration of an AWS API call.", ("service",))
        self._throttles = counter("aws_throttles", "AWS API calls that were throttled.", ("service",))
        self._left_alone = gauge(
            "account_throttled", "1 while an account that throttled too much is left alone.", ("account", "region")
        )
        self._blocked = counter("guard_blocked", "Calls refused by the read-only guard.", ("service", "operation"))
        self._queue = gauge("queue_depth", "Plans waiting for a worker.")
        self._problems = counter("plan_errors", "Problems found in plan files.", ("reason",))
        self._resyncs = counter("resync", "Requests for a pass over every plan.", ("trigger",))
        for reason in POLICY_ERRORS:
            self._policy_errors.labels(reason)
        self._source_healthy.set(1)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics in the text format that the ``Accept`` header asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        with self._lock:  # a scrape never sees a plan between two states
            return encode(self.registry), content_type

    # what a pass left behind

    def record(self, report: RunReport | None, status: PlanStatus, plan: Plan | None = None) -> None:
        """Bring the plan's series up to date at the end of a pass.

        ``report`` is None when no pass was made: at the start, from stored status, or for a file that is invalid.
        ``plan`` is None when its content isn't known. Observes the pass's duration as phase ``total``; actions and
        rollbacks are counted by the stages as they happen.
        """
        now = _Known(status.environment, status.delivery, status.digest, status.state)
        with self._lock:
            before = self._known.get(status.plan)
            if before and before.environment != now.environment:
                self._remove(status.plan)
                before = None
            self._known[status.plan] = now
            self._record_info(status.plan, before, now)
            self._record_state(status)
            self._record_times(status, plan, first=before is None)
            self._record_branch(status)
            self._record_totals()
            for result in ROLLBACK_RESULTS:
                self._rollbacks.labels(now.environment, result)
            if report:
                self._record_pass(report, now)

    def forget(self, plan: PlanName) -> None:
        """Remove the series of a plan that is gone."""
        with self._lock:
            if self._known.pop(plan, None):
                self._remove(plan)
                self._record_totals()

    def source_healthy(self, healthy: bool) -> None:
        """Whether the source as a whole could be read."""
        self._source_healthy.set(healthy)

    def policy_stale(self, stale: bool) -> None:
        """Whether the newest policy does not compile, so that an older set decides."""
        self._policy_stale.set(stale)

    def _record_info(self, plan: PlanName, before: _Known | None, now: _Known) -> None:
        if before and (before.delivery, before.digest) != (now.delivery, now.digest):
            self._info.remove(plan, before.environment, before.delivery, before.digest)
        self._info.labels(plan, now.environment, now.delivery, now.digest).set(1)

    def _record_state(self, status: PlanStatus) -> None:
        labels = (status.plan, status.environment)
        for state in PlanState:
            self._status.labels(*labels, state.value).set(state is status.state)
        actions = Tally(change.action for change in status.changes)
        for action in Action:
            self._drift.labels(*labels, action.value).set(actions[action.value])
        unknown = sum(1 for resource in status.resources if resource.state is SyncState.UNKNOWN)
        self._unknown.labels(*labels).set(unknown)
        self._suspended.labels(*labels).set(status.suspended)
        self._orphaned.labels(*labels).set(status.orphaned)
        self._breakers.labels(*labels, "plan").set(status.held_until is not None)
        self._breakers.labels(*labels, "field").set(len(status.held))

    def _record_times(self, status: PlanStatus, plan: Plan | None, *, first: bool) -> None:
        labels = (status.plan, status.environment)
        self._drift_since.labels(*labels).set(_seconds(status.drift_since))
        self._success.labels(*labels).set(_seconds(status.last_success_at))
        self._verified.labels(*labels).set(_seconds(status.verified_at))
        if plan or first:
            interval = plan.interval if plan else None
            self._interval.labels(*labels).set(self._default_interval if interval is None else interval)

    def _record_branch(self, status: PlanStatus) -> None:
        state = getattr(status.branch, "state", "")
        for name in BRANCH_STATES:
            self._branches.labels(status.plan, name).set(name == state)

    def _record_pass(self, report: RunReport, now: _Known) -> None:
        self._passes.labels(report.plan, now.environment, report.state.value).inc()
        seconds = (report.finished_at - report.started_at).total_seconds()
        self._phases.labels(now.environment, "total").observe(max(0.0, seconds))

    def _record_totals(self) -> None:
        counts = Tally((known.environment, known.state) for known in self._known.values())
        self._plans.clear()
        for environment in {known.environment for known in self._known.values()}:
            for state in PlanState:
                self._plans.labels(environment, state.value).set(counts[environment, state])
        self._pending.set(sum(known.state is PlanState.PENDING_APPROVAL for known in self._known.values()))

    def _remove(self, plan: PlanName) -> None:
        for metric in (
            *(self._info, self._status, self._drift, self._drift_since, self._passes, self._success, self._verified),
            *(self._interval, self._unknown, self._suspended, self._orphaned, self._branches),
            self._breakers,
        ):
            metric.remove_by_labels({"plan": plan})

    # what the stages count: ports.Telemetry

    def aws_call(self, service: str, operation: str, code: str, seconds: float) -> None:
        self._calls.labels(service, operation, code or "OK").inc()
        self._call_seconds.labels(service).observe(seconds)

    def aws_throttled(self, service: str) -> None:
        self._throttles.labels(service).inc()

    def account_throttled(self, account: str, region: str, *, left_alone: bool) -> None:
        self._left_alone.labels(account, region).set(left_alone)

    def guard_blocked(self, service: str, operation: str) -> None:
        self._blocked.labels(service, operation).inc()

    def policy_decided(self, environment: str, mode: str, seconds: float) -> None:
        self._decisions.labels(environment, mode).inc()
        self._policy_seconds.observe(seconds)

    def policy_failed(self, reason: str) -> None:
        self._policy_errors.labels(reason).inc()

    def phase(self, environment: str, phase: str, seconds: float) -> None:
        self._phases.labels(environment, phase).observe(seconds)

    def action_applied(self, environment: str, type_name: str, action: str, result: str) -> None:
        self._actions.labels(environment, type_name, action, result).inc()

    def rolled_back(self, environment: str, result: str) -> None:
        self._rollbacks.labels(environment, result).inc()

    def plan_problem(self, reason: str) -> None:
        self._problems.labels(reason).inc()

    def resync(self, trigger: str) -> None:
        self._resyncs.labels(trigger).inc()

    def queue_depth(self, depth: int) -> None:
        self._queue.set(depth)


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
