"""What the API shows of a plan and of a run where the whole would be too much. Field names are the API's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.decision import Decision
from reconciler.model.ids import Digest, PlanName, RequestId, RunId
from reconciler.model.report import ChangeSummary, PlanState, PlanStatus, RunReport
from reconciler.model.resource import SyncState


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """One line of the list of plans. ``resources`` counts them by state."""

    plan: PlanName
    environment: str
    account: str
    region: str
    delivery: str
    digest: Digest
    state: PlanState
    message: str
    change_count: int
    resources: Mapping[SyncState, int]
    run: RunId | None
    suspended: bool
    orphaned: bool
    problems: tuple[str, ...]
    failures: int
    verified_at: datetime | None
    updated_at: datetime | None
    last_success_at: datetime | None
    drift_since: datetime | None


@dataclass(frozen=True, slots=True)
class PlanList:
    """Every plan known, by name."""

    plans: tuple[PlanSummary, ...]


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """What the last pass found to differ, when it looked, and what policy said of it."""

    plan: PlanName
    state: PlanState
    verified_at: datetime | None
    changes: tuple[ChangeSummary, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a plan's history."""

    run: RunId
    trigger: str
    started_at: datetime
    finished_at: datetime
    state: PlanState
    message: str
    change_count: int
    step_count: int
    error: str
    requests: tuple[RequestId, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The runs of a plan, newest first."""

    plan: PlanName
    runs: tuple[RunSummary, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the daemon can do its work; ``problems`` maps a check to what is wrong."""

    ready: bool
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: ``code`` is a constant for programs, ``message`` and ``hint`` are for people."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """Every answer that isn't a success."""

    error: Failure


def plan_summary(status: PlanStatus) -> PlanSummary:
    """The one-line form of a status."""
    return PlanSummary(
        plan=status.plan,
        environment=status.environment,
        account=status.account,
        region=status.region,
        delivery=status.delivery,
        digest=status.digest,
        state=status.state,
        message=status.message,
        change_count=len(status.changes),
        resources=dict(Counter(resource.state for resource in status.resources)),
        run=status.run,
        suspended=status.suspended,
        orphaned=status.orphaned,
        problems=status.problems,
        failures=status.failures,
        verified_at=status.verified_at,
        updated_at=status.updated_at,
        last_success_at=status.last_success_at,
        drift_since=status.drift_since,
    )


def plan_diff(status: PlanStatus) -> PlanDiff:
    """The difference as the last pass saw it."""
    return PlanDiff(status.plan, status.state, status.verified_at, status.changes, status.decision)


def run_summary(report: RunReport) -> RunSummary:
    """The one-line form of a report."""
    return RunSummary(
        run=report.run,
        trigger=report.trigger,
        started_at=report.started_at,
        finished_at=report.finished_at,
        state=report.state,
        message=report.message,
        change_count=len(report.changes),
        step_count=len(report.steps),
        error=report.error,
        requests=report.requests,
    )
