"""Receipts: which pass answered a request, when, and with what outcome."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from reconciler.model.errors import StoreError
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.report import PlanState, Receipt, RunReport
from reconciler.ports import Clock, Store

log = structlog.get_logger(__name__)


class Receipts:
    """Open receipts, kept in memory and in the store. Thread-safe.

    Two daemons on one store may answer the same receipt, one of them having taken it up when it started: what either
    has answered stays answered. A store that fails doesn't stop a request: its receipt is then only in memory and in
    the log.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.RLock()
        self._open: dict[RequestId, Receipt] = {}

    def open(self, plans: Iterable[PlanName], trigger: str, settled: Mapping[PlanName, PlanState]) -> Receipt:
        """A new receipt for ``plans``; ``settled`` ones (invalid: no pass is possible) are answered at once."""
        receipt = Receipt(
            id=RequestId(f"req-{secrets.token_hex(6)}"),
            trigger=trigger,
            requested_at=self._clock.now(),
            plans=tuple(sorted({*plans, *settled})),
            outcomes=dict(settled),
        )
        with self._lock:
            return self._keep(receipt)

    def resume(self, receipt: Receipt) -> None:
        """Take up a receipt that an earlier process left open."""
        with self._lock:
            self._open[receipt.id] = receipt

    def answer(self, plan: PlanName, requests: Iterable[RequestId], report: RunReport | None) -> None:
        """A pass of ``plan`` that began after ``requests`` has ended; no report: it failed before it had one."""
        run = report.run if report else None
        self._settle(plan, requests, report.state if report else PlanState.FAILED, run)

    def withdraw(self, plan: PlanName) -> None:
        """``plan`` is gone: nobody need wait for its pass."""
        with self._lock:
            waiting = [receipt for receipt in self._open.values() if plan in _missing(receipt)]
            for receipt in waiting:
                self._keep(replace(receipt, plans=tuple(name for name in receipt.plans if name != plan)))

    def find(self, request: RequestId) -> Receipt | None:
        """An open receipt."""
        with self._lock:
            return self._open.get(request)

    def waiting(self) -> tuple[Receipt, ...]:
        """The receipts not answered yet, oldest first."""
        with self._lock:
            return tuple(self._open.values())

    def _settle(self, plan: PlanName, requests: Iterable[RequestId], state: PlanState, run: RunId | None) -> None:
        with self._lock:
            for request in requests:
                receipt = self._open.get(request)
                if receipt is None:
                    continue
                runs = {**receipt.runs, plan: run} if run else receipt.runs
                self._keep(replace(receipt, runs=runs, outcomes={**receipt.outcomes, plan: state}))

    def _keep(self, receipt: Receipt) -> Receipt:
        stored = self._stored(receipt.id)
        if stored is not None and stored.answered:
            self._open.pop(receipt.id, None)
            return stored
        if stored is not None:
            receipt = _joined(receipt, stored)
        if _missing(receipt):
            self._open[receipt.id] = receipt
        else:
            receipt = replace(receipt, answered_at=self._clock.now())
            self._open.pop(receipt.id, None)
        try:
            self._store.save_receipt(receipt)
        except StoreError as error:
            log.error("receipt not stored", request=receipt.id, error=str(error))
        if receipt.answered_at:
            _log_answer(receipt, receipt.answered_at)
        return receipt

    def _stored(self, request: RequestId) -> Receipt | None:
        try:
            return self._store.receipt(request)
        except StoreError:
            return None


def _joined(ours: Receipt, stored: Receipt) -> Receipt:
    """Our answers beside those that another daemon has stored meanwhile; the first answer for a plan stays."""
    return replace(
        ours,
        plans=tuple(plan for plan in ours.plans if plan in stored.plans),
        runs={**ours.runs, **stored.runs},
        outcomes={**ours.outcomes, **stored.outcomes},
    )


def _missing(receipt: Receipt) -> frozenset[PlanName]:
    return frozenset(receipt.plans) - receipt.outcomes.keys()


def _log_answer(receipt: Receipt, at: datetime) -> None:
    log.info(
        "resync answered",
        request=receipt.id,
        trigger=receipt.trigger,
        seconds=round((at - receipt.requested_at).total_seconds(), 3),
        runs=dict(receipt.runs),
        outcomes={plan: str(state) for plan, state in receipt.outcomes.items()},
    )
