"""Earlier contents of plans: remembered when they are in sync, returned to when a rollback is asked for."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import structlog

from reconciler.model.audit import AuditEvent
from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import Digest, PlanName, RunId
from reconciler.model.plan import Delivery, Plan
from reconciler.model.plancodec import SecretMissing, plan_from_json, plan_to_json
from reconciler.model.revision import Pin, Revision
from reconciler.ports import Clock, Store

log = structlog.get_logger(__name__)

#: Deliveries of whose content a plan holds only the digests of files.
_FILES_ONLY = frozenset({Delivery.TERRAFORM, Delivery.CDK})

#: Plans whose newest revision is remembered, so that a pass without changes reads none.
_REMEMBERED = 10_000


class Revisions:
    """Remembers revisions and puts one in the place of a plan's file while a rollback to it is in force.

    Thread-safe as far as one plan is worked on by one thread.
    """

    def __init__(self, store: Store, clock: Clock, key: bytes) -> None:
        """``key``: for the keyed digests that stand in for secrets."""
        self._store, self._clock, self._key = store, clock, key
        self._newest: OrderedDict[PlanName, Digest] = OrderedDict()

    def wanted(self, plan: Plan) -> Plan:
        """The plan, or the revision that a rollback of exactly this content of it returns to (``rolling_back``).

        The file wins if it says ``suspend`` or ``state: absent``. Writes nothing. Raises StoreError, or SourceError if
        the revision can't be had any more.
        """
        if plan.rolling_back is not None or plan.suspend or plan.absent:
            return plan
        pin = self._store.pin(plan.name)
        if pin is None or pin.digest != plan.digest:
            return plan
        return self.at(plan, pin.revision)

    def at(self, plan: Plan, number: int) -> Plan:
        """``plan`` with the content of a revision: what it declares, and how; all else stays the file's.

        Raises SourceError if there is no such revision, or it can't be returned to.
        """
        if plan.delivery in _FILES_ONLY:
            text = f"earlier contents of a {plan.delivery.value} plan are kept in Git alone, not here"
            raise _refused(plan, text, "restore its files in Git")
        revisions = self._store.revisions(plan.name)
        revision = next((each for each in revisions if each.number == number), None)
        if revision is None:
            kept = ", ".join(str(each.number) for each in reversed(revisions)) or "none"
            raise _refused(plan, f"there is no revision {number}; kept are {kept}")
        content = self._content(plan, revision)
        if _place(content) != _place(plan):
            where = f"account {content.target.account}, {content.target.region} ({content.target.environment})"
            raise _refused(plan, f"revision {number} belongs to {where}, where the plan isn't applied any more")
        return replace(
            plan,
            guardrail=content.guardrail,
            delivery=content.delivery,
            ignore=content.ignore,
            parameters=content.parameters,
            resources=content.resources,
            outputs=content.outputs,
            stack=content.stack,
            rolling_back=number,
        )

    def reached(self, plan: Plan, run: RunId) -> None:
        """``plan`` is in sync: remember its content, or that the rollback has arrived. Raises StoreError."""
        if plan.rolling_back is not None:
            pin = self._store.pin(plan.name)
            if pin is not None and not pin.reached and pin.revision == plan.rolling_back:
                self._store.save_pin(replace(pin, reached=True))
            return
        if plan.absent or plan.delivery in _FILES_ONLY or self._known(plan):
            return
        revisions = self._store.revisions(plan.name)
        if not revisions or revisions[0].digest != plan.digest:
            self._keep(plan, run, revisions[0].number + 1 if revisions else 1)
        self._newest[plan.name] = plan.digest
        self._newest.move_to_end(plan.name)
        while len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)

    def pin(self, plan: Plan, number: int) -> Pin:
        """Ask for a rollback of this content of the plan to a revision. Raises as ``at``."""
        self.at(plan, number)
        pin = Pin(plan.name, plan.digest, number, self._clock.now())
        self._audit(plan, pin, "asked for")
        self._store.save_pin(pin)
        return pin

    def release(self, plan: Plan, why: str) -> Pin | None:
        """Give up a rollback, whatever content it was of; None if there was none. Raises StoreError."""
        pin = self._store.pin(plan.name)
        if pin is not None:
            self._audit(plan, pin, why)
            self._store.drop_pin(plan.name)
        return pin

    def renewed(self, plan: Plan) -> None:
        """A rollback of another content than the plan has now is over. Raises StoreError."""
        pin = self._store.pin(plan.name)
        if pin is not None and pin.digest != plan.digest:
            self.release(plan, "over: the plan was edited")
            log.info("rollback over", plan=plan.name, revision=pin.revision)

    def _known(self, plan: Plan) -> bool:
        """Whether it is certain that the newest revision is this content.

        Another process may have made a pass over another content since; then the status, too, has that one's digest.
        """
        if self._newest.get(plan.name) != plan.digest:
            return False
        status = self._store.status(plan.name)
        return status is not None and status.digest == plan.digest

    def _keep(self, plan: Plan, run: RunId, number: int) -> None:
        try:
            body = plan_to_json(plan, self._key)
        except ValueError as error:
            log.warning("revision not kept", plan=plan.name, error=str(error))
            return
        self._store.save_revision(Revision(plan.name, number, plan.digest, self._clock.now(), run, body))

    def _content(self, plan: Plan, revision: Revision) -> Plan:
        try:
            return plan_from_json(revision.body, self._key, plan)
        except SecretMissing:
            text = f"revision {revision.number} holds a secret that isn't kept and differs from today's"
            raise _refused(plan, text, "roll back by restoring the file in Git") from None
        except ValueError as error:
            text = f"revision {revision.number} can't be read: {type(error).__name__}"
            raise _refused(plan, text, "roll back by restoring the file in Git") from error

    def _audit(self, plan: Plan, pin: Pin, what: str) -> None:
        facts = {"revision": pin.revision, "digest": pin.digest, "what": what}
        self._store.audit(AuditEvent("rollback", self._clock.now(), plan.name, facts=facts))


def _place(plan: Plan) -> tuple[str, str, str]:
    return plan.target.environment, plan.target.account, plan.target.region


def _refused(plan: Plan, text: str, hint: str = "") -> SourceError:
    more = hint or f"see `reconciler rollback {plan.name} --list`"
    return SourceError([Problem(text, plan.origin.file, plan.origin.line, suggestion=more, reason="rollback")])
