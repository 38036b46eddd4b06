"""What was done and what is: the report of a run, the status of a plan, the receipt of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.model.change import ResourceState, Verb
from reconciler.model.decision import Decision, Identity
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, RequestId, RunId, StepId, TypeName


class PlanState(StrEnum):
    """The one state of a plan; metrics show it one-hot."""

    IN_SYNC = "in_sync"
    DRIFTED = "drifted"
    APPLYING = "applying"
    PENDING_APPROVAL = "pending_approval"
    PIPELINE_OPEN = "pipeline_open"
    DENIED = "denied"
    FAILED = "failed"
    SUSPENDED = "suspended"
    INVALID = "invalid"


class StepState(StrEnum):
    """How a step ended, or that it has not begun."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of the report: what ran, what came of it, and whether live state agreed afterwards.

    ``service`` … ``resource`` say which AWS call failed, as in ``AwsFault``.
    """

    id: StepId
    logical_id: LogicalId
    type: TypeName
    verb: Verb
    state: StepState
    command: str = ""
    result: str = ""
    validation: str = ""  # passed | failed | ""
    identifier: Identifier | None = None
    error: str = ""
    error_kind: str = ""
    seconds: float = 0.0
    service: str = ""
    operation: str = ""
    code: str = ""
    permission: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """The restated context of a run: what, where, as whom."""

    plan: PlanName
    environment: str
    account: str
    region: str
    profile: str
    identity: Identity | None
    digest: Digest


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """A change as shown in status, reports and the API: plain JSON, secrets masked."""

    logical_id: LogicalId
    type: TypeName
    action: str
    identifier: Identifier | None = None
    fields: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""
    loss: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error in the form that people get it: what happened, the facts, the ways out (commands where there are).

    ``kind``: permission, conflict, partial_failure, quota, throttling, credentials, wrong_account, region, undecidable,
    validation, stale, policy, guard, failure. An option's further lines are commands, each complete by itself.
    ``completed``, ``failed``, ``pending`` belong to a partial failure. ``statement`` is an IAM policy statement to add.
    """

    kind: str
    title: str
    analysis: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    statement: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class BranchInfo:
    """Where a pipeline change stands.

    ``state``: open, merged (the base holds it, live state doesn't yet), drifted (it was deployed, and live state has
    changed since), deployed, obsolete (gone without having been merged) or failed. ``number``, ``url`` and ``review``
    (draft, open, merged, closed) are the pull request's, as last seen. ``problem``: what keeps it from being as it
    should; ``notes``: what people should know.
    """

    repository: str
    base: str
    branch: str
    state: str
    commit: str = ""
    files: tuple[str, ...] = ()
    title: str = ""
    body: str = ""
    command: str = ""
    number: int = 0
    url: str = ""
    review: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything a pass did: for people, for the planner (learnings) and for the guardrail (compliance).

    ``skipped``: a circuit breaker kept the pass from being made; such a report answers requests and isn't kept.
    """

    run: RunId
    plan: PlanName
    trigger: str
    started_at: datetime
    finished_at: datetime
    state: PlanState
    message: str
    context: Context | None = None
    decision: Decision | None = None
    changes: tuple[ChangeSummary, ...] = ()
    steps: tuple[StepResult, ...] = ()
    resources: tuple[ResourceState, ...] = ()
    branch: BranchInfo | None = None
    error: str = ""
    error_reason: str = ""
    retry_after: float | None = None  # seconds
    requests: tuple[RequestId, ...] = ()
    unexpected: tuple[str, ...] = ()  # what differed from the plan's expectation
    compliance: tuple[str, ...] = ()
    learnings: tuple[str, ...] = ()
    change_digest: Digest = Digest("")
    explanations: tuple[Explanation, ...] = ()
    rolling_back: int | None = None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """What is known of a plan now; written at the end of every pass, whatever happened.

    ``held_until``: a circuit breaker keeps passes away until then. ``held``: fields that are left alone because another
    actor keeps changing them. ``strikes``: failures in a row that the breaker counts, not all of ``failures``.
    ``rolling_back``: the earlier revision that is in force instead of the plan's file.
    """

    plan: PlanName
    environment: str
    account: str
    region: str
    delivery: str
    digest: Digest
    state: PlanState
    message: str
    file: str = ""
    run: RunId | None = None
    changes: tuple[ChangeSummary, ...] = ()
    resources: tuple[ResourceState, ...] = ()
    decision: Decision | None = None
    branch: BranchInfo | None = None
    problems: tuple[str, ...] = ()
    orphaned: bool = False
    suspended: bool = False
    updated_at: datetime | None = None
    verified_at: datetime | None = None
    last_success_at: datetime | None = None
    drift_since: datetime | None = None
    failures: int = 0
    held_until: datetime | None = None
    held: tuple[str, ...] = ()
    strikes: int = 0
    explanations: tuple[Explanation, ...] = ()
    rolling_back: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a request for a pass: which runs answered it and how they ended."""

    id: RequestId
    trigger: str
    requested_at: datetime
    plans: tuple[PlanName, ...] = ()
    runs: Mapping[PlanName, RunId] = field(default_factory=dict)
    outcomes: Mapping[PlanName, PlanState] = field(default_factory=dict)
    answered_at: datetime | None = None

    @property
    def answered(self) -> bool:
        """Whether every plan asked for has had its pass."""
        return self.answered_at is not None
