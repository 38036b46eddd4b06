"""Brings the source's newest snapshot into force: schedules, queue, and the status of plans that can't have a pass."""

from __future__ import annotations

import threading
from dataclasses import replace

import structlog

from reconciler.daemon.app import AppLike
from reconciler.daemon.receipts import Receipts
from reconciler.daemon.registry import Registry
from reconciler.daemon.schedule import Schedule
from reconciler.model.errors import Problem, StoreError
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState, PlanStatus
from reconciler.queue import WorkQueue
from reconciler.review import unheeded
from reconciler.status.branches import is_underway

log = structlog.get_logger(__name__)


class Loader:
    """Loads snapshots, one at a time, and carries their consequences out."""

    def __init__(self, registry: Registry, queue: WorkQueue, schedule: Schedule, receipts: Receipts) -> None:
        self._registry = registry
        self._queue = queue
        self._schedule = schedule
        self._receipts = receipts
        self._loading = threading.Lock()
        self._begun = 0

    def load(self, app: AppLike, trigger: str) -> None:
        """Bring into force what the source holds now; a load that another thread began after this call will do."""
        newer = self._begun + 1
        with self._loading:
            if self._begun >= newer:
                return
            self._begun += 1
            self._load(app, trigger)

    def settle(self, app: AppLike, name: str) -> None:
        """After a pass: what happened to the plan's file meanwhile goes for its status, whatever the pass wrote."""
        if self._registry.plan(name) or self._registry.problems(name):
            self._show_problems(app, name)
        else:
            self._vanish(app, PlanName(name))

    def _show_problems(self, app: AppLike, name: str) -> None:
        problems = tuple(str(problem) for problem in self._registry.problems(name))
        try:
            status = app.store.status(PlanName(name))
            if status is not None and status.problems != problems:
                app.store.save_status(replace(status, problems=problems))
        except StoreError as error:
            log.error("status not stored", plan=name, error=str(error))

    def _load(self, app: AppLike, trigger: str) -> None:
        before = self._registry.snapshot
        snapshot = app.source.load()
        app.metrics.source_healthy(snapshot.healthy)
        if (snapshot.healthy, snapshot.problem) != (before.healthy, before.problem):
            _log_health(snapshot.healthy, snapshot.problem)
        remembered = {} if self._registry.loaded else _remembered(app)
        difference = self._registry.take(snapshot, remembered)
        for key, problems in (difference.rejected or {}).items():
            self._reject(app, key, problems, in_force=PlanName(key) in snapshot.plans)
        for key in difference.mended:
            if PlanName(key) in snapshot.plans:
                self._show_problems(app, key)
        for name in difference.vanished:
            self._vanish(app, name)
        for name, plan in snapshot.plans.items():
            self._time(app, name, plan)
        for name in difference.changed:
            _log_unheeded(snapshot.plans[name])
        asked = app.clock.monotonic()
        for name in self._registry.by_place(difference.changed):
            self._queue.add(name, trigger, asked=asked)
        if difference.changed or difference.vanished:
            log.info(
                "plans loaded",
                trigger=trigger,
                revision=snapshot.revision,
                plans=len(snapshot.plans),
                changed=difference.changed,
                vanished=difference.vanished,
            )

    def _time(self, app: AppLike, name: PlanName, plan: Plan) -> None:
        settings = app.settings.daemon
        self._schedule.set(name, plan.interval or settings.interval, settings.jitter)

    def _reject(self, app: AppLike, key: str, problems: tuple[Problem, ...], *, in_force: bool) -> None:
        """The newest content of a plan can't be used: say so once, in the log, the metrics and the status."""
        texts = tuple(str(problem) for problem in problems)
        log.warning("plan rejected", plan=key, last_good_version_in_force=in_force, problems=texts)
        for reason in sorted({problem.reason for problem in problems}):
            app.metrics.plan_problem(reason)
        if in_force:
            self._show_problems(app, key)
            return
        name = PlanName(key)
        self._drop_work(name)
        try:
            former = app.store.status(name) or _blank(name)
            status = replace(
                former,
                state=PlanState.INVALID,
                message=texts[0] if texts else "invalid",
                file=problems[0].file if problems else former.file,
                problems=texts,
                decision=None,
                orphaned=False,
                updated_at=app.clock.now(),
            )
            app.metrics.record(None, status)
            app.store.save_status(status)
        except StoreError as error:
            log.error("status not stored", plan=name, error=str(error))

    def _vanish(self, app: AppLike, name: PlanName) -> None:
        """A plan's file is gone. That deletes nothing: what it manages is reported as orphaned, its branch retired."""
        self._drop_work(name)
        try:
            resources, former = app.store.records(name), app.store.status(name) or _blank(name)
            if is_underway(former.branch):
                self._queue.add(name, "withdrawn")
            elif not resources:
                app.metrics.forget(name)
                app.store.drop_status(name)
                log.info("plan gone", plan=name)
                return
            if former.orphaned:
                app.metrics.record(None, former)
                return
            status = replace(
                former,
                orphaned=bool(resources),
                message=f"the plan's file is gone; {len(resources)} resources are left as they are",
                problems=(),
                updated_at=app.clock.now(),
            )
            app.metrics.record(None, status)
            app.store.save_status(status)
            log.warning("plan orphaned", plan=name, resources=len(resources))
        except StoreError as error:
            log.error("status not stored", plan=name, error=str(error))

    def _drop_work(self, name: PlanName) -> None:
        self._schedule.remove(name)
        self._queue.forget(name)
        self._receipts.withdraw(name)


def _remembered(app: AppLike) -> dict[PlanName, str]:
    """Plans of an earlier life, and the file each came from; a store that can't be read remembers nothing."""
    try:
        statuses = {status.plan: status for status in app.store.statuses()}
        names = {*app.store.recorded_plans(), *statuses}
        known = {name: statuses[name].file if name in statuses else "" for name in names}
        settled = {name for name, status in statuses.items() if status.orphaned and not is_underway(status.branch)}
        return {name: file for name, file in known.items() if name not in settled}
    except StoreError as error:
        log.error("store not readable", error=str(error))
        return {}


def _blank(name: PlanName) -> PlanStatus:
    return PlanStatus(
        plan=name,
        environment="",
        account="",
        region="",
        delivery="",
        digest=Digest(""),
        state=PlanState.INVALID,
        message="",
    )


def _log_unheeded(plan: Plan) -> None:
    if notes := unheeded(plan):
        log.warning("plan asks for what is not done", plan=plan.name, notes=notes)


def _log_health(healthy: bool, problem: str) -> None:
    if healthy:
        log.info("source readable again")
    else:
        log.error("source not readable", problem=problem, consequence="the last good plans stay in force")
