"""The daemon: composition, the control loop, and requests for a pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import structlog

from reconciler.daemon.app import AppLike
from reconciler.daemon.control import Command, Inbox
from reconciler.daemon.loader import Loader
from reconciler.daemon.passes import Passes
from reconciler.daemon.receipts import Receipts
from reconciler.daemon.registry import Registry
from reconciler.daemon.schedule import Schedule
from reconciler.daemon.watch import Watcher, fingerprint
from reconciler.model.errors import ConfigurationError, ReconcilerError, StoreError
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState, Receipt
from reconciler.queue import WorkQueue

log = structlog.get_logger(__name__)


class Daemon:
    """Keeps every plan's pass coming until told to stop.

    ``reload`` makes the App that SIGHUP's new configuration asks for, from the one in force (same store, metrics,
    clock and events); it raises ReconcilerError when the configuration is wrong, and the old one stays in force.
    """

    def __init__(
        self, app: AppLike, *, inbox: Inbox | None = None, reload: Callable[[AppLike], AppLike] | None = None
    ) -> None:
        self._app = app
        self._reload = reload
        self.inbox = inbox or Inbox()
        self.registry = Registry()
        self.queue = WorkQueue(app.clock, app.metrics)
        self.receipts = Receipts(app.store, app.clock)
        self.schedule = Schedule(self._due)
        self._loader = Loader(self.registry, self.queue, self.schedule, self.receipts)
        self.passes = Passes(lambda: self._app, self.registry, self.queue, self.receipts, self._loader.settle)
        self._policies = fingerprint(app.settings.policy.directory)
        self._stopping = threading.Event()
        self._next_look = app.clock.monotonic() + app.settings.poll_interval
        self._watchers: tuple[Watcher, ...] = ()

    @property
    def app(self) -> AppLike:
        """The application in force."""
        return self._app

    def run(self) -> bool:
        """Start, serve until stopped, stop. Whether every pass ended within the grace period."""
        self.start()
        while not self._stopping.is_set():
            self.turn()
        return self.shut_down()

    def start(self) -> None:
        """Load the plans, ask for a first pass of each, and start every thread. Returns at once."""
        self.load("start")
        self._take_up_receipts()
        self._show_stored()
        self.schedule.start()
        self._watchers = (
            self._watcher("source", lambda: self._app.source.watch_paths(), Command.SOURCE_CHANGED),
            self._watcher("policy", lambda: (self._app.settings.policy.directory,), Command.POLICY_CHANGED),
        )
        for watcher in self._watchers:
            watcher.start()
        self.passes.start(self._app.settings.daemon.workers)
        log.info("daemon started", plans=len(self.registry.snapshot.plans), workers=self._app.settings.daemon.workers)

    def turn(self) -> None:
        """One turn of the control loop: wait for a command or for the time to look at the source; carry it out."""
        commands = self.inbox.take(max(0.0, self._next_look - self._app.clock.monotonic()))
        if self._app.clock.monotonic() >= self._next_look:
            self._next_look = self._app.clock.monotonic() + self._app.settings.poll_interval
            commands += [(Command.POLICY_CHANGED, 0), (Command.SOURCE_CHANGED, 0)]
        for command, count in commands:
            try:
                self._carry_out(command, count)
            except Exception:
                # The loop outlives whatever one command ran into; the next poll tries again.
                log.exception("command failed", command=command.name)
            if self._stopping.is_set():
                return

    def stop(self) -> None:
        """Stop gracefully; returns at once, ``run`` returns when it is done."""
        self.inbox.post(Command.STOP)

    def shut_down(self) -> bool:
        """End all threads, letting passes finish the step in hand for at most the grace period."""
        self._stopping.set()
        grace = self._app.settings.daemon.grace_period
        log.info("stopping", running=sorted(self.queue.running), grace_period=grace)
        self.queue.close()
        self.passes.stop()
        self.schedule.stop()
        for watcher in self._watchers:
            watcher.stop()
        clean = self.queue.join(grace)
        if clean:
            log.info("stopped")
        else:
            log.error("grace period over", running=sorted(self.queue.running), consequence="resumed at the next start")
        return clean

    def load(self, trigger: str) -> None:
        """Bring into force what the source holds now."""
        self._loader.load(self._app, trigger)

    def request_sync(self, plans: Collection[str] | None, trigger: str) -> Receipt:
        """Ask for a pass of ``plans`` (None: of all) that begins after this call.

        The source is read first, so that what was saved before the request is what the pass sees.
        Raises ConfigurationError for a plan that there isn't.
        """
        asked = self._app.clock.monotonic()
        self.load(trigger)
        snapshot = self.registry.snapshot
        known = {*snapshot.plans, *(PlanName(name) for name in snapshot.invalid)}
        wanted = known if plans is None else {PlanName(name) for name in plans}
        if unknown := wanted - known:
            raise ConfigurationError(f"no plan named {', '.join(sorted(unknown))}; there are {_listing(known)}")
        ready = wanted & snapshot.plans.keys()
        receipt = self.receipts.open(ready, trigger, dict.fromkeys(wanted - ready, PlanState.INVALID))
        self._app.metrics.resync(trigger)
        log.info("resync requested", request=receipt.id, trigger=trigger, plans=receipt.plans)
        for name in self.registry.by_place(ready):
            if not self.queue.add(name, trigger, receipt.id, asked=asked):
                log.warning("resync not possible", request=receipt.id, plan=name, reason="stopping")
        return receipt

    def readiness(self) -> dict[str, str]:
        """What ``/readyz`` shows: by check, what is wrong; an empty text means that it passed."""
        snapshot, policy = self.registry.snapshot, self._app.policy
        return {
            "plans": "" if self.registry.loaded and snapshot.healthy else snapshot.problem or "not loaded yet",
            "policy": policy.problem or ("" if policy.revision else "no policies loaded"),
            "store": self._store_problem(),
            "daemon": "stopping" if self._stopping.is_set() else "",
        }

    def write_state(self) -> None:
        """Write what is going on to the log."""
        snapshot = self.registry.snapshot
        log.info(
            "state",
            plans={name: self._state_of(name) for name in sorted({*snapshot.plans, *snapshot.invalid})},
            revision=snapshot.revision,
            policy_revision=self._app.policy.revision,
            not_ready={check: wrong for check, wrong in self.readiness().items() if wrong},
            queue_depth=self.queue.depth,
            running=sorted(self.queue.running),
            delayed={name: round(seconds, 1) for name, seconds in self.queue.delays().items()},
            intervals=self.schedule.intervals,
            open_requests=[receipt.id for receipt in self.receipts.waiting()],
            threads=sorted(thread.name for thread in threading.enumerate()),
        )

    def _carry_out(self, command: Command, count: int) -> None:
        match command:
            case Command.STOP:
                self._stopping.set()
            case Command.RELOAD_EVERYTHING:
                self._reload_settings()
                self._load_policies(force=True)
                self._forced("SIGHUP", count)
            case Command.RESYNC:
                self._forced("SIGUSR1", count)
            case Command.SOURCE_CHANGED:
                self.load("change")
            case Command.POLICY_CHANGED:
                self._load_policies(force=False)
            case Command.WRITE_STATE:
                self.write_state()

    def _forced(self, signal: str, count: int) -> None:
        receipt = self.request_sync(None, signal)
        log.info("signals acknowledged", signal=signal, signals=count, request=receipt.id)

    def _reload_settings(self) -> None:
        if self._reload is None:
            return
        try:
            self._app = self._reload(self._app)
        except ReconcilerError as error:
            log.error("configuration rejected", error=str(error), consequence="the old one stays in force")
        else:
            log.info("configuration reloaded")

    def _load_policies(self, *, force: bool) -> None:
        """Reload changed policies; when another set is in force, every plan is decided again."""
        policy, found = self._app.policy, fingerprint(self._app.settings.policy.directory)
        if found == self._policies and not force:
            return
        self._policies = found
        revision = policy.revision
        try:
            policy.reload()
        except ReconcilerError as error:
            self._app.metrics.policy_stale(True)
            log.error("policies rejected", error=str(error), consequence="the last good set stays in force")
            return
        self._app.metrics.policy_stale(bool(policy.problem))
        if policy.problem:
            log.error("policies rejected", error=policy.problem, consequence="the last good set stays in force")
        if policy.revision != revision:
            log.info("policies reloaded", revision=policy.revision)
            self._ask_for(self.registry.snapshot.plans, "policy")

    def _take_up_receipts(self) -> None:
        """Requests that an earlier process didn't live to answer are answered by this one."""
        try:
            left = [receipt for receipt in self._app.store.receipts(1000) if not receipt.answered]
        except StoreError as error:
            log.error("store not readable", error=str(error))
            return
        for receipt in reversed(left):
            self.receipts.resume(receipt)
            for name in set(receipt.plans) - receipt.outcomes.keys():
                if name in self.registry.snapshot.plans:
                    self.queue.add(name, receipt.trigger, receipt.id)
                else:
                    self.receipts.withdraw(name)

    def _show_stored(self) -> None:
        """Metrics begin with what was known when the last process ended, not with nothing."""
        try:
            for status in self._app.store.statuses():
                self._app.metrics.record(None, status, self.registry.snapshot.plans.get(status.plan))
        except StoreError as error:
            log.error("store not readable", error=str(error))

    def _due(self, name: str) -> None:
        self.queue.add(name, "interval")

    def _ask_for(self, names: Iterable[PlanName], trigger: str) -> None:
        asked = self._app.clock.monotonic()
        for name in self.registry.by_place(names):
            self.queue.add(name, trigger, asked=asked)

    def _state_of(self, name: str) -> str:
        try:
            status = self._app.store.status(PlanName(name))
        except StoreError as error:
            return f"unknown: {error}"
        return f"{status.state}: {status.message}" if status else "no pass yet"

    def _store_problem(self) -> str:
        try:
            self._app.store.ping()
        except StoreError as error:
            return str(error)
        return ""

    def _watcher(self, name: str, paths: Callable[[], Collection[Path]], command: Command) -> Watcher:
        return Watcher(name, paths, self._app.settings.daemon.debounce, lambda: self.inbox.post(command))


def _listing(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
