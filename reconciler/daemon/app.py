"""What the daemon and the command line need of the application that ``wiring`` builds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision
from reconciler.model.errors import ReconcilerError
from reconciler.model.ids import PlanName, RequestId
from reconciler.model.plan import Approval, Plan
from reconciler.model.report import PlanStatus, RunReport
from reconciler.ports import Clock, EventSink, PolicyEngine, Source, Store, Telemetry, Turn


class PreviewLike(Protocol):
    """What a pass would do; ``error`` says why it can't be told."""

    @property
    def changes(self) -> ChangeSet | None: ...

    @property
    def decision(self) -> Decision | None: ...

    @property
    def error(self) -> ReconcilerError | None: ...


class CycleLike(Protocol):
    """The flow of one pass."""

    def run(
        self,
        plan: Plan,
        approvals: tuple[Approval, ...],
        trigger: str,
        requests: tuple[RequestId, ...] = (),
        turn: Turn | None = None,
    ) -> RunReport:
        """Make a pass, record its report and status. Raises PlanBusy alone: another process works on the plan.

        ``turn``: the passes that it may share reads with; None: it makes its own.
        """

    def preview(self, plan: Plan, approvals: tuple[Approval, ...]) -> PreviewLike:
        """What a pass would do, without doing it. Never raises."""

    def recover(self, plan: Plan) -> None:
        """Finish or undo what a crash left half done. Raises ReconcilerError; then no pass may be made yet.

        PlanBusy among them: another process works on the plan.
        """

    def withdraw(self, plan: PlanName) -> str:
        """A plan has left the source: retire its branch. Why that must be tried again; empty: it is done.

        Raises StoreError, and PlanBusy: another process works on the plan.
        """

    def stop(self) -> None:
        """Let running passes finish the step in hand and begin no other."""


class SourceLike(Source, Protocol):
    """A source that can say what to watch."""

    def watch_paths(self) -> Collection[Path]:
        """Files and directories whose change means that ``load`` would answer differently; none: poll only."""


class PolicyLike(PolicyEngine, Protocol):
    """A policy engine that reloads. ``problem`` says why the newest policies aren't in force; empty: they are."""

    @property
    def revision(self) -> str: ...

    @property
    def problem(self) -> str: ...

    def reload(self) -> object:
        """Read the policies again; ones that don't compile leave the last good set in force."""

    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The permission matrix in force. Raises PolicyUnavailable."""


class MetricsLike(Telemetry, Protocol):
    """Telemetry that also shows what is known of each plan."""

    def record(self, report: RunReport | None, status: PlanStatus, plan: Plan | None = None) -> None:
        """Show the status of a plan; ``report``: the pass that led to it, if one did."""

    def source_healthy(self, healthy: bool) -> None:
        """Whether the source as a whole could be read."""

    def policy_stale(self, stale: bool) -> None:
        """Whether newer policies than those in force were rejected."""

    def forget(self, plan: PlanName) -> None:
        """Show nothing more of ``plan``."""


class DaemonSettingsLike(Protocol):
    """Times in seconds; ``jitter`` is a share of the interval."""

    @property
    def interval(self) -> float: ...

    @property
    def jitter(self) -> float: ...

    @property
    def workers(self) -> int: ...

    @property
    def debounce(self) -> float: ...

    @property
    def poll(self) -> float: ...

    @property
    def grace_period(self) -> float: ...

    @property
    def backoff_base(self) -> float: ...

    @property
    def backoff_max(self) -> float: ...


class PolicySettingsLike(Protocol):
    @property
    def directory(self) -> Path: ...


class SettingsLike(Protocol):
    @property
    def daemon(self) -> DaemonSettingsLike: ...

    @property
    def policy(self) -> PolicySettingsLike: ...

    @property
    def poll_interval(self) -> float:
        """Seconds between two looks at the source, whether or not a change was noticed."""


class AppLike(Protocol):
    """Everything a pass needs, wired. A reload may bring another App with the same store, metrics, clock, events."""

    @property
    def settings(self) -> SettingsLike: ...

    @property
    def source(self) -> SourceLike: ...

    @property
    def cycle(self) -> CycleLike: ...

    @property
    def store(self) -> Store: ...

    @property
    def policy(self) -> PolicyLike: ...

    @property
    def metrics(self) -> MetricsLike: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def events(self) -> EventSink: ...
