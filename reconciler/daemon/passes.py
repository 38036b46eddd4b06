"""Workers: take a plan's name off the queue, make its pass, put it back when it is to be tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import structlog

from reconciler.daemon.app import AppLike, CycleLike
from reconciler.daemon.importers import Importers
from reconciler.daemon.receipts import Receipts
from reconciler.daemon.registry import Registry
from reconciler.model.errors import PlanBusy, ReconcilerError, StoreError
from reconciler.model.ids import PlanName
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState, PlanStatus
from reconciler.ports import Turn
from reconciler.queue import Work, WorkQueue

log = structlog.get_logger(__name__)

#: Seconds until a plan that another process works on is looked at again.
BUSY_PAUSE = 2.0


class Passes:
    """Makes the passes. ``app`` is asked for at each, so that a reload takes effect with the next one."""

    def __init__(
        self,
        app: Callable[[], AppLike],
        registry: Registry,
        queue: WorkQueue,
        receipts: Receipts,
        after: Callable[[AppLike, str], None],
    ) -> None:
        self._app = app
        self._registry = registry
        self._queue = queue
        self._receipts = receipts
        self._after = after
        self._importers = Importers(registry, queue)
        self._recovered: set[str] = set()
        self._failures: dict[str, int] = {}
        self._cycles: dict[str, CycleLike] = {}
        self._busy: set[str] = set()

    def start(self, workers: int) -> None:
        """Start the worker threads; they end when the queue is closed."""
        for number in range(1, workers + 1):
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True).start()

    def next(self, timeout: float | None) -> bool:
        """Take one piece of work and make its pass. False: there was none within ``timeout`` seconds."""
        work = self._queue.get(timeout)
        if work is None:
            return False
        try:
            self._make(work)
        except PlanBusy as busy:
            self._put_back(work, busy)
        except Exception:
            # A defect in the loop must not cost a worker, nor leave anybody waiting.
            log.exception("pass broke", plan=work.key)
            self._fail(self._app(), work, "internal error; the log says more")
        finally:
            self._cycles.pop(work.key, None)
            self._queue.done(work.key)
        return True

    def stop(self) -> None:
        """Let running passes finish the step in hand; those begun before a reload run in an older App's cycle."""
        for cycle in {id(cycle): cycle for cycle in (self._app().cycle, *self._cycles.copy().values())}.values():
            cycle.stop()

    def _work(self) -> None:
        while self.next(None):
            pass

    def _make(self, work: Work) -> None:
        found = self._registry.plan(work.key)
        app = self._app()
        if found is None:
            self._withdraw(app, work)
            return
        plan, approvals = found
        self._cycles[work.key] = app.cycle
        if problem := self._recover(app, plan):
            self._fail(app, work, problem)
            return
        exported = self._importers.exported(app, plan)
        report = app.cycle.run(plan, approvals, work.trigger, work.requests, Turn(work.asked, self._open))
        self._busy.discard(work.key)
        self._failures.pop(work.key, None)
        self._receipts.answer(plan.name, work.requests, report)
        if report.retry_after is not None:
            self._queue.add_after(work.key, report.retry_after, "retry")
        self._importers.wake(app, plan, exported)
        self._after(app, work.key)

    def _withdraw(self, app: AppLike, work: Work) -> None:
        """The plan is gone: nothing is left to do but to retire its branch, if the source is to be believed."""
        name = PlanName(work.key)
        self._receipts.withdraw(name)
        if self._registry.problems(name):
            return
        snapshot = self._registry.snapshot
        if problem := app.cycle.withdraw(name) if snapshot.healthy else snapshot.problem:
            log.warning("branch of a withdrawn plan not retired", plan=name, problem=problem)
            self._fail(app, work, problem)
            return
        self._failures.pop(work.key, None)
        self._after(app, work.key)

    def _open(self) -> list[tuple[Plan, float]]:
        """The plans whose passes have been asked for and haven't ended, and when they were."""
        plans = self._registry.snapshot.plans
        found = ((plans.get(PlanName(name)), asked) for name, asked in self._queue.open().items())
        return [(plan, asked) for plan, asked in found if plan is not None]

    def _recover(self, app: AppLike, plan: Plan) -> str:
        """Before a plan's first pass, take up what a crash left half done; until that worked there is no pass."""
        if plan.name in self._recovered:
            return ""
        try:
            app.cycle.recover(plan)
        except PlanBusy:
            raise
        except ReconcilerError as error:
            log.error("recovery failed", plan=plan.name, reason=error.reason, error=str(error))
            return f"what an earlier process left half done can't be taken up: {error}"
        self._recovered.add(plan.name)
        return ""

    def _put_back(self, work: Work, busy: PlanBusy) -> None:
        """Another process works on the plan: no pass, no failure. Whoever asked is answered by a later pass of ours."""
        if work.key not in self._busy:
            self._busy.add(work.key)
            log.info("plan is worked on elsewhere", plan=work.key, reason=str(busy), looked_at_again_every=BUSY_PAUSE)
        self._queue.add_after(work.key, BUSY_PAUSE, work.trigger, work.requests)

    def _fail(self, app: AppLike, work: Work, message: str) -> None:
        """No report came: say so, try again with growing pauses, and tell those who asked."""
        settings = app.settings.daemon
        failures = self._failures[work.key] = self._failures.get(work.key, 0) + 1
        delay = min(settings.backoff_max, settings.backoff_base * 2 ** min(failures - 1, 30))
        self._queue.add_after(work.key, delay, "retry")
        self._receipts.answer(PlanName(work.key), work.requests, None)
        found = self._registry.plan(work.key)
        if found is None:
            return
        try:
            former = app.store.status(found[0].name) or initial_status(found[0])
            status = replace(
                former,
                state=PlanState.FAILED,
                message=message,
                failures=former.failures + 1,
                updated_at=app.clock.now(),
            )
            app.metrics.record(None, status, found[0])
            app.store.save_status(status)
        except StoreError as error:
            log.error("status not stored", plan=work.key, error=str(error))


def initial_status(plan: Plan) -> PlanStatus:
    """The status of a plan that has not had a pass."""
    return PlanStatus(
        plan=plan.name,
        environment=plan.target.environment,
        account=plan.target.account,
        region=plan.target.region,
        delivery=plan.delivery,
        digest=plan.digest,
        state=PlanState.FAILED,
        message="",
        file=plan.origin.file,
    )
