"""Every Protocol that the stages talk through. Adapters are built in ``wiring`` and nowhere else.

Contracts are written here, on the interface; ``reconciler.testing`` ships an in-memory implementation of each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

from reconciler.model.audit import AuditEntry, AuditEvent
from reconciler.model.change import ChangeSet
from reconciler.model.claim import Claim
from reconciler.model.contest import Contest
from reconciler.model.decision import Decision, Facts, Identity
from reconciler.model.errors import AwsFault
from reconciler.model.events import Event
from reconciler.model.ids import (
    ClientToken,
    Identifier,
    LogicalId,
    Owner,
    PlanName,
    RequestId,
    RunId,
    TypeName,
)
from reconciler.model.journal import JournalEntry
from reconciler.model.lease import LeaseRow
from reconciler.model.plan import Plan, Snapshot, Target
from reconciler.model.progress import Handle, Progress
from reconciler.model.pullrequest import Proposal, PullRequest
from reconciler.model.report import BranchInfo, Context, PlanStatus, Receipt, RunReport, StepResult
from reconciler.model.resource import Located, Observation, Record, Sought, Unreadable, Wanted
from reconciler.model.revision import Pin, Revision
from reconciler.model.values import Properties

T = TypeVar("T")


class Clock(Protocol):
    """Time. Tests run on a virtual one, so nothing else may ask for the time or sleep."""

    def now(self) -> datetime:
        """The wall clock, UTC, timezone-aware."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Source(Protocol):
    """Plans and approvals from a directory or a Git repository."""

    def load(self) -> Snapshot:
        """Read everything now. Never raises for bad content: that is in the snapshot, file by file."""


class Scope(Protocol):
    """Calls to one account and region as one identity: the only way to AWS.

    Retries of throttled and failed reads, the rate budget, error mapping, metrics and the read-only guard all
    live behind ``call``. A mutating call is repeated only when AWS certainly did not execute it (throttled).
    """

    @property
    def account(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def partition(self) -> str: ...

    @property
    def identity(self) -> Identity: ...

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """One API call; ``operation`` is boto3's method name (``describe_vpcs``).

        Raises AwsFault (any kind, NOT_FOUND included) or GuardBlocked.
        """

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """All pages of a paginated read, concatenated under ``key``. Raises as ``call``."""

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        """What is true or not of the endpoint for as long as the process lives: asked for once, then remembered."""

    def gather(self, jobs: Iterable[Callable[[], T]]) -> list[T]:
        """Run jobs on the bounded pool, results in order; the first exception is raised after all ended.

        May be nested: called from inside a job it runs the jobs one after the other.
        """


@dataclass(frozen=True, slots=True)
class Turn:
    """A pass's turn among others, which it may share reads with.

    ``since``: when it was asked for last, by the monotonic clock; it uses no read that began before. ``others``: the
    plans whose passes have been asked for by now and haven't ended, each with when it was asked for last.
    """

    since: float
    others: Callable[[], Collection[tuple[Plan, float]]]


class Reads(Protocol):
    """The first look of one pass at what it knows. Looks again, and after a step, are never shared: ``Providers``."""

    def read(
        self, scope: Scope, type_name: TypeName, wanted: Collection[Wanted]
    ) -> Mapping[Identifier, Observation | Unreadable]:
        """Live state by identifier, as ``ResourceProvider.read_many`` tells it. A fault is ``Unreadable``."""

    @property
    def since(self) -> datetime | None:
        """When the oldest shared read that was used began; None if all were the pass's own."""

    def close(self) -> None:
        """The first look is over."""


class AwsAccess(Protocol):
    """Opens scopes. Sessions and clients are shared between passes."""

    def open(self, target: Target, *, read_only: bool, asked: bool = False, since: float | None = None) -> Scope:
        """A scope for a target, its account verified by sts:GetCallerIdentity.

        ``asked``: for a pass that a person asked for, which an account that is left alone lets through. ``since``: a
        verification that began at or after this time of the monotonic clock will do; None: a new one is made.

        Raises AwsFault CREDENTIALS (none, expired, profile unknown), WRONG_ACCOUNT, REGION_DISABLED, or as ``call``.
        """


class ResourceProvider(Protocol):
    """One resource type. Observes and acts; never compares, never decides.

    Properties have the shape of the type's CloudFormation schema. All methods raise AwsFault.
    A provider holds no state: one instance serves every account and thread.
    """

    type_name: TypeName

    @property
    def supported(self) -> frozenset[str]:
        """The top-level properties that it can write; a plan that sets another one is refused before any call."""

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """Read live state in as few calls as AWS allows. An identifier that doesn't exist is left out.

        One that can't be read is ``Unreadable`` and doesn't spoil the others. At least ``Wanted.properties`` are
        observed; a property that isn't set in AWS is left out.
        """

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """Find every resource that this owner made (by ownership tags) or that stands where ``desired`` would go.

        That is by name or deterministic identifier. Empty: a create would not collide as far as can be told. Several:
        a replacement was interrupted between its halves, or somebody copied the tags; the caller tells them apart.
        ``desired`` may contain ``Unknown`` values.
        """

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Create from fully known properties (ownership tags are among them). ALREADY_EXISTS if it is there.

        A create made of several calls must be safe to repeat with the same token.
        """

    def update(
        self,
        scope: Scope,
        identifier: Identifier,
        before: Properties,
        after: Properties,
        changed: frozenset[str],
    ) -> Progress:
        """Bring the top-level properties in ``changed`` from ``before`` (live) to ``after`` (complete target).

        A changed property that is missing from ``after`` is reset to AWS's default or removed. Idempotent. What AWS
        doesn't know as a thing of its own (a policy on several queues) may have another identifier from then on.
        """

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Delete. Already gone is Done, not an error."""

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """Ask how a Pending operation stands. Raises AwsFault when it failed; NOT_FOUND: AWS doesn't know it (now).

        A retryable fault, or one of credentials or permissions, only says that it couldn't be asked, unless it is
        marked as ``failed``.
        """


@runtime_checkable
class Revivable(Protocol):
    """A provider of resources that AWS only schedules for deletion, so that it can be taken back for a while."""

    def revive(self, scope: Scope, identifier: Identifier, before: Properties) -> Progress:
        """Take the deletion back; ``before`` is what the resource was. Idempotent. Raises AwsFault."""


@runtime_checkable
class Seeking(Protocol):
    """A provider that looks for many resources in fewer calls than one by one."""

    def locate_many(self, scope: Scope, sought: Sequence[Sought]) -> Sequence[tuple[Located, ...] | AwsFault]:
        """What ``locate`` finds for each, in order; a fault where that can't be told. May raise one for all."""


@runtime_checkable
class Guarding(Protocol):
    """A provider whose create itself refuses whatever has the resource's name, in or just before its call.

    Nothing has to be looked for before it. What the same owner has made it takes up where it was left.
    """

    guards_name: bool


@runtime_checkable
class Emptying(Protocol):
    """A provider of resources that AWS deletes with something in them only when told to, as a property of theirs says.

    ``emptied_by``: that property, which no call but the deletion heeds.
    """

    emptied_by: str

    def delete_whole(self, scope: Scope, identifier: Identifier) -> Progress:
        """Delete with all that is in it. Already gone is Done, not an error."""


class Providers(Protocol):
    """The registry of providers."""

    def get(self, type_name: TypeName) -> ResourceProvider | None:
        """The provider of a type, or None if this version has none."""


class PolicyEngine(Protocol):
    """Asks Rego. Raises PolicyUnavailable when there is no trustworthy answer; callers then deny."""

    def admit(self, plan: Plan, facts: Facts) -> Decision:
        """Before any AWS call: may this plan be looked at (environment, account, guardrail, checklist)?"""

    def review(self, changes: ChangeSet, facts: Facts) -> Decision:
        """After the diff: may these actions be executed, and how?"""


class Pipeline(Protocol):
    """Carries changes to a Git repository instead of to AWS."""

    def publish(self, changes: ChangeSet, decision: Decision) -> BranchInfo:
        """Render, commit and push on one stable branch, with one pull request where there is a forge for it.

        State ``open``, or ``merged`` if the base holds it all. Same change again: no new commit, no second pull
        request. ``problem`` says what keeps the pull request from being as it should. Raises PipelineError.
        """

    def retire(self, plan: Plan, known: BranchInfo | None = None) -> BranchInfo | None:
        """The change is gone: close the plan's pull request and delete its branch, as far as they are only ours.

        ``known``: what was last known of it, so that one that people merged and deleted is recognised. State
        ``deployed`` if it was merged, else ``obsolete``; None if there is nothing. With a ``problem`` the state
        stays ``open``: to be tried again. Raises PipelineError.
        """

    def abandon(self, plan: PlanName, known: BranchInfo) -> BranchInfo:
        """The plan itself is gone: as ``retire``, from what was ``known`` alone. Raises PipelineError.

        State ``obsolete``, whatever people have done with it; with a ``problem`` as it was: to be tried again.
        """


class Forge(Protocol):
    """The pull requests of one repository on a hosting service. All methods raise PipelineError, with what to do.

    After a rate limit nothing is asked until the service says so; calls before that raise at once.
    """

    @property
    def name(self) -> str:
        """``github`` or ``gitlab``."""

    def newest(self, branch: str) -> PullRequest | None:
        """The open pull request from a branch of this repository, else the newest one."""

    def open(self, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        """Open a pull request, or bring the one that somebody opened meanwhile in line. Notes: what couldn't be had."""

    def update(self, number: int, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        """Bring an open pull request in line: title, body, base, draft or not; labels and reviewers are only added."""

    def comment(self, number: int, text: str) -> None:
        """Say something, in Markdown."""

    def close(self, number: int) -> None:
        """Close without merging, and take our mark out of its body. One that isn't open any more stays as it is."""


class Forges(Protocol):
    """Knows which repository is on which hosting service, and has the right to speak to it."""

    def at(self, address: str) -> Forge | None:
        """The forge of a repository's address; None: people open the pull request by the printed command."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One execution of a prepared change: of which pass, under which lease; ``stopping``: whether to come to rest."""

    run: RunId
    context: Context
    lease: Lease
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Deployed:
    """How a deployment went. ``rolled_back``: None if nothing had to be taken back, else whether all of it was."""

    steps: tuple[StepResult, ...]
    rolled_back: bool | None = None


class Prepared(Protocol):
    """What another tool would do, worked out and kept so that exactly this can be done. Of one pass."""

    @property
    def changes(self) -> ChangeSet: ...

    def execute(self, deployment: Deployment) -> Deployed:
        """Do it, journalled. What was decided on is looked at again first: if it isn't the same, nothing is done.

        Raises StoreError if it can't be journalled; what the tool says went wrong is in the steps.
        """

    def remember(self) -> None:
        """What looking has taught: the store may have lost it. Raises StoreError."""

    def close(self, *, keep: bool) -> None:
        """Nothing more is done with it. Never raises.

        ``keep``: what preparing made may stay for the next pass; else it is taken away, unless it was executed.
        """


class Deployer(Protocol):
    """Carries out plans of one delivery that isn't reconciled resource by resource."""

    def prepare(self, plan: Plan, scope: Scope, *, writable: bool) -> Prepared:
        """Find out what would change. Where not ``writable`` nothing but reads leave the process.

        Raises AwsFault, DeploymentError.
        """

    def settle(self, plan: Plan, scope: Scope) -> None:
        """Find out what became of a deployment that a crash interrupted, before anything else is done with the plan.

        Raises AwsFault or DeploymentError while that can't be told yet.
        """


class Store(Protocol):
    """Durable memory. Every write is on disk when the method returns. Raises StoreError, then nothing is mutated.

    Thread-safe. Losing it loses nothing that can't be rebuilt from tags and the API.
    """

    def ping(self) -> None:
        """Raise StoreError unless the store can be written."""

    # what plans manage
    def records(self, plan: PlanName) -> Mapping[LogicalId, Record]: ...
    def owner_of(self, type_name: TypeName, identifier: Identifier, account: str, region: str) -> Record | None: ...
    def save_record(self, record: Record) -> None: ...
    def move_record(self, record: Record, former: Owner) -> None:
        """Save ``record`` and drop the one of ``former``, both or neither."""

    def records_in(self, account: str, region: str, types: Collection[TypeName] | None = None) -> Collection[Record]:
        """The records of every plan in one place: of some types (None: of all)."""

    def identifiers(self, account: str, region: str, type_name: TypeName) -> Mapping[Owner, Identifier]:
        """The recorded resources of one type of every plan in one place, by owner, in order. Cheaper than records."""

    def drop_record(self, plan: PlanName, logical_id: LogicalId) -> None: ...
    def recorded_plans(self) -> Collection[PlanName]: ...

    # the journal
    def write_journal(self, *entries: JournalEntry) -> None:
        """Insert or update entries (at least one) by (run, step): all or none.

        The audit trail gets each call or outcome with it.
        """

    def unfinished(self, plan: PlanName) -> Sequence[JournalEntry]:
        """Entries in state intent or pending, oldest first."""

    def unresolved(self, plan: PlanName) -> Sequence[JournalEntry]:
        """Entries in state undecidable, oldest first."""

    def lost(self, plan: PlanName) -> Mapping[LogicalId, JournalEntry]:
        """The newest entries of a plan's resources, of those where its state is lost."""

    def journal(self, run: RunId) -> Sequence[JournalEntry]: ...

    # leases: compare and swap, so that of several that try one gets it
    def lease(self, plan: PlanName) -> LeaseRow | None: ...
    def take_lease(self, row: LeaseRow, former: LeaseRow | None) -> bool:
        """Write ``row`` if the stored lease still is ``former`` (None: there is none). Whether it was written."""

    def drop_lease(self, row: LeaseRow) -> None:
        """Give a lease up; one that is somebody else's by now stays."""

    # earlier contents of plans, and rollbacks asked for
    def save_revision(self, revision: Revision) -> None:
        """Keep a revision. Old ones beyond a bound are dropped, the one that a pin names never."""

    def revisions(self, plan: PlanName) -> Sequence[Revision]:
        """Newest first, complete with their bodies."""

    def save_pin(self, pin: Pin) -> None: ...
    def pin(self, plan: PlanName) -> Pin | None: ...
    def drop_pin(self, plan: PlanName) -> None: ...

    # fights with other actors
    def save_contest(self, contest: Contest) -> None: ...
    def contests(self, plan: PlanName) -> Sequence[Contest]: ...
    def drop_contest(self, contest: Contest) -> None: ...

    # the audit trail
    def audit(self, event: AuditEvent) -> None:
        """Append to the chain; durable when the method returns."""

    def audit_entries(self, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        """Entries with a higher sequence number than ``after``, oldest first."""

    def audit_head(self) -> tuple[int, str]:
        """The number and hash of the newest entry, as the appends remember them."""

    def last_audited(self, plan: PlanName, kind: str) -> AuditEntry | None:
        """The newest entry of a kind about a plan, unless it has been archived."""

    # reports and status
    def save_run(self, report: RunReport) -> None: ...
    def run(self, run: RunId) -> RunReport | None: ...
    def history(self, plan: PlanName, limit: int = 50) -> Sequence[RunReport]: ...
    def save_status(self, status: PlanStatus) -> None: ...
    def status(self, plan: PlanName) -> PlanStatus | None: ...
    def statuses(self) -> Sequence[PlanStatus]: ...
    def drop_status(self, plan: PlanName) -> None: ...

    # approvals that a pass used up
    def consume_approval(self, digest: str, approval: str, scope: str, run: RunId) -> None:
        """Use up a scope from now on; if ``run`` never ends (a crash), the pass that goes on may use it again."""

    def release_approvals(self, run: RunId) -> None:
        """Give back what ``run`` used up: it was interrupted and the next pass goes on with the same change."""

    def consumed_approvals(self, plan_digest: str) -> Collection[tuple[str, str]]:
        """(approval name, scope) pairs that passes which ended (``save_run``) used up for this plan digest."""

    # requests for a pass, and their receipts
    def save_receipt(self, receipt: Receipt) -> None: ...
    def receipt(self, request: RequestId) -> Receipt | None: ...
    def receipts(self, limit: int = 20) -> Sequence[Receipt]: ...

    # templates' outputs for Fn::ImportValue
    def save_exports(self, plan: PlanName, account: str, region: str, exports: Mapping[str, Any]) -> None: ...
    def export(self, account: str, region: str, name: str) -> Any | None: ...


class Locks(Protocol):
    """Keeps passes over one plan apart, across processes."""

    def hold(self, plan: PlanName) -> AbstractContextManager[Lease]:
        """Hold the plan's lease while the context is entered.

        Never waits: raises PlanBusy if another process has it and isn't known to be gone, StoreError if it can't be
        read or written.
        """


class Lease(Protocol):
    """The right to work on a plan."""

    def ensure(self) -> None:
        """Raise LeaseLost unless the lease is held and will be for as long as a call may take."""


class Claims(Protocol):
    """Which plan of the source wants which resource now: a resource that another plan claims is never deleted."""

    def kept(self, dropped: Collection[Record], records: Collection[Record]) -> Mapping[LogicalId, str]:
        """Why resources that their plan has dropped must not be deleted: another one claims them, or may.

        ``records``: those of every plan in the same place. What isn't in the answer is nobody's any more.
        """

    def incoming(self, plan: Plan, records: Collection[Record]) -> Mapping[LogicalId, Claim]:
        """What ``plan`` is to take over, by its own logical ids; ``records`` as above."""

    def exporter(self, plan: Plan, name: str) -> str:
        """The plan whose output ``plan`` gets by importing ``name``; empty if no plan in its place exports it."""


class Quotas(Protocol):
    """Asks AWS for the quota behind an error."""

    def __call__(self, scope: Scope, fault: AwsFault) -> Mapping[str, str]:
        """``name``, ``code``, ``value``, ``service``, ``url`` as far as Service Quotas tells. Never raises."""


class EventSink(Protocol):
    """Receives events as they happen. Must be quick and must not raise."""

    def emit(self, event: Event) -> None: ...


class Telemetry(Protocol):
    """Counters and timers that the stages feed; ``status.metrics`` turns them into Prometheus metrics."""

    def aws_call(self, service: str, operation: str, code: str, seconds: float) -> None: ...
    def aws_throttled(self, service: str) -> None: ...
    def account_throttled(self, account: str, region: str, *, left_alone: bool) -> None: ...
    def guard_blocked(self, service: str, operation: str) -> None: ...
    def policy_decided(self, environment: str, mode: str, seconds: float) -> None: ...
    def policy_failed(self, reason: str) -> None: ...
    def phase(self, environment: str, phase: str, seconds: float) -> None: ...
    def action_applied(self, environment: str, type_name: str, action: str, result: str) -> None: ...
    def rolled_back(self, environment: str, result: str) -> None: ...
    def plan_problem(self, reason: str) -> None: ...
    def resync(self, trigger: str) -> None: ...
    def queue_depth(self, depth: int) -> None: ...
