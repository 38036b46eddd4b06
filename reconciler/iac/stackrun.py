"""Executing what was prepared for one stack, journalled, and followed to its end; and taking that up after a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from reconciler.iac import changesets, stacks
from reconciler.iac.following import Ended, Follower, since_the_start
from reconciler.iac.looking import Look, WantedStack
from reconciler.iac.stacks import STACK_TYPE
from reconciler.iac.steps import STALE, Progress
from reconciler.model.change import Verb
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind, ReconcilerError, StoreError
from reconciler.model.ids import ClientToken, Identifier, RunId, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan
from reconciler.model.progress import Handle
from reconciler.model.resource import Record
from reconciler.ports import Clock, Deployment, Scope, Store

log = structlog.get_logger(__name__)

CHANGE_SET, DELETION = "change-set", "stack-deletion"


class Overtaken(ReconcilerError):
    """What was decided on isn't what there is any more."""

    reason = STALE


@dataclass(frozen=True, slots=True)
class StackRun:
    """Executes and settles. ``timeout``: how long an operation is followed in one pass. Seconds."""

    store: Store
    clock: Clock
    timeout: float

    def execute(self, plan: Plan, scope: Scope, look: Look, deployment: Deployment, progress: Progress) -> bool | None:
        """Carry one stack out. Whether it was rolled back, as in ``Deployed``. Raises StoreError."""
        try:
            deleting = look.wanted.absent
            self.check_unchanged(scope, look)
            entry = self._intent(plan, scope, look, deployment)
            follower = Follower(scope, self.clock, self._stack_id(look), progress)
            follower.skip_past()
            deployment.lease.ensure()
            self.store.write_journal(entry)
            deployment.lease.ensure()
            self._call(scope, plan, look, entry)
            entry = replace(entry, state=JournalState.PENDING)
            self.store.write_journal(entry)
            deadline = self.clock.monotonic() + self.timeout
            ended = follower.follow(deadline, deployment.stopping, gone_is_end=deleting)
            return self._concluded(look, entry, ended, progress, deployment.stopping)
        except StoreError:
            raise
        except Overtaken as error:
            progress.fail_first(str(error), STALE)
        except ReconcilerError as error:
            progress.fail_first(error, error.reason if not isinstance(error, AwsFault) else "")
        return None

    def check_unchanged(self, scope: Scope, look: Look) -> None:
        """Raise Overtaken if the stack, or its change set, isn't what was looked at any more."""
        now = stacks.read(scope, look.wanted.name)
        seen = look.stack
        facts = [None if one is None or one.empty else (one.id, one.status, one.updated) for one in (now, seen)]
        if facts[0] != facts[1]:
            raise Overtaken(f"the stack {look.wanted.name} has changed since it was looked at")
        if look.described is None:
            return
        found = changesets.find(scope, look.described.stack, look.described.id)
        if found is None or not found.ready or found.changes != look.described.changes:
            raise Overtaken(f"the change set {look.described.name} isn't what was decided on any more")

    def _stack_id(self, look: Look) -> Identifier:
        if look.described is not None:
            return look.described.stack
        assert look.stack is not None
        return look.stack.id

    def _intent(self, plan: Plan, scope: Scope, look: Look, deployment: Deployment) -> JournalEntry:
        deleting, name = look.wanted.absent, look.wanted.logical_id
        step = StepId(f"{name}:{'delete-stack' if deleting else 'execute-change-set'}")
        verb = Verb.DELETE if deleting else Verb.CREATE if look.stack is None or look.stack.empty else Verb.UPDATE
        stack = self._stack_id(look)
        handle = Handle(stack, DELETION) if deleting or look.described is None else None
        return JournalEntry(
            run=deployment.run,
            plan=plan.name,
            step=step,
            logical_id=name,
            type=STACK_TYPE,
            verb=verb,
            token=token_of(deployment.run, step),
            account=scope.account,
            region=scope.region,
            at=self.clock.now(),
            identifier=stack,
            handle=handle or Handle(Identifier(look.described.id if look.described else stack), CHANGE_SET),
            record=None if deleting else record_of(plan, scope, look.wanted, stack, self.clock),
        )

    def _call(self, scope: Scope, plan: Plan, look: Look, entry: JournalEntry) -> None:
        """Begin it. An answer that never came is found out about from what the stack does."""
        try:
            if look.wanted.absent:
                scope.call("cloudformation", "delete_stack", StackName=entry.identifier, ClientRequestToken=entry.token)
                return
            assert look.described is not None
            arguments: dict[str, Any] = {"ChangeSetName": look.described.id, "ClientRequestToken": entry.token}
            if entry.verb is Verb.UPDATE and plan.rollback.mode != "automatic":
                arguments["DisableRollback"] = True
            scope.call("cloudformation", "execute_change_set", **arguments)
        except AwsFault as fault:
            if fault.ambiguous and self._has_begun(scope, entry):
                return
            state = JournalState.LOST if fault.ambiguous else JournalState.FAILED
            self.store.write_journal(replace(entry, state=state, error=str(fault), at=self.clock.now()))
            raise

    def _has_begun(self, scope: Scope, entry: JournalEntry) -> bool:
        """Whether an operation took effect of which no answer came. Raises AwsFault."""
        if entry.handle is not None and entry.handle.kind == CHANGE_SET:
            found = changesets.find(scope, str(entry.identifier), entry.handle.identifier)
            if found is not None:
                return found.execution not in ("AVAILABLE", "UNAVAILABLE", "OBSOLETE")
        stack = stacks.read(scope, str(entry.identifier))
        return stack is None or stack.busy

    def _concluded(
        self, look: Look, entry: JournalEntry, ended: Ended | None, progress: Progress, stopping: Callable[[], bool]
    ) -> bool | None:
        if ended is None:
            if not stopping():
                text = f"the stack {look.wanted.name} isn't through after {self.timeout:.0f} s; AWS goes on with it"
                progress.fail_first(f"{text}, and the next pass follows it", FaultKind.TIMEOUT.value)
            return None
        self.close(entry, ended)
        if _succeeded(entry, ended):
            progress.finish_all()
            return None
        reasons = "; ".join(ended.reasons) or "AWS gives no reason; see the stack's events"
        if not progress.any_failed:
            progress.fail_first(f"the stack {look.wanted.name} ended as {ended.status or 'deleted'}: {reasons}")
        gone = not ended.status and entry.verb is Verb.CREATE
        rolled_back = True if gone else ended.rolled_back
        if rolled_back:
            progress.rolled_back()
        return rolled_back

    def close(self, entry: JournalEntry, ended: Ended) -> None:
        """Journal the outcome; what is there is remembered first. Raises StoreError."""
        if _succeeded(entry, ended):
            if entry.verb is Verb.DELETE:
                self.store.drop_record(entry.plan, entry.logical_id)
            elif entry.record is not None:
                self.store.save_record(replace(entry.record, updated_at=self.clock.now()))
            state, error = JournalState.DONE, ""
        else:
            state = JournalState.FAILED
            error = f"{ended.status or 'deleted'}: {'; '.join(ended.reasons)}"
        self.store.write_journal(replace(entry, state=state, error=error, at=self.clock.now()))

    # after a crash

    def settle(self, scope: Scope, entry: JournalEntry) -> None:
        """Find out what became of an operation that was under way. Raises AwsFault, or DeploymentError while it is."""
        if (entry.account, entry.region) != (scope.account, scope.region):
            where = f"the plan's target is account {scope.account}, {scope.region} by now"
            self._write(entry, JournalState.UNDECIDABLE, where)
            return
        if not self._has_begun(scope, entry):
            stack = stacks.read(scope, str(entry.identifier))
            done = entry.verb is Verb.DELETE and stack is None
            if not done:
                self._write(entry, JournalState.LOST, "it was never begun, as far as AWS shows")
                return
        follower = Follower(scope, self.clock, Identifier(str(entry.identifier)))
        since_the_start(follower)
        deadline = self.clock.monotonic() + self.timeout
        log.info("deployment followed", plan=entry.plan, stack=entry.identifier, step=entry.step)
        ended = follower.follow(deadline, lambda: False, gone_is_end=entry.verb is Verb.DELETE)
        if ended is None:
            text = f"the operation on {entry.identifier} that an earlier pass began still goes on"
            raise DeploymentError("Deployment still going on", text, ("Wait: it is followed",), passing=True)
        self.close(entry, ended)
        log.warning(
            "interrupted deployment settled",
            plan=entry.plan,
            stack=entry.identifier,
            outcome=ended.status or "deleted",
            reasons="; ".join(ended.reasons),
        )

    def _write(self, entry: JournalEntry, state: JournalState, error: str) -> None:
        self.store.write_journal(replace(entry, state=state, error=error, at=self.clock.now()))
        log.warning("interrupted deployment settled", plan=entry.plan, stack=entry.identifier, outcome=state.value)


def _succeeded(entry: JournalEntry, ended: Ended) -> bool:
    return not ended.status if entry.verb is Verb.DELETE else ended.succeeded


def token_of(run: RunId, step: StepId) -> ClientToken:
    """The client request token of an operation: the same for every repetition of it."""
    return ClientToken("r-" + hashlib.sha256(f"{run}/{step}".encode()).hexdigest()[:60])


def record_of(plan: Plan, scope: Scope, wanted: WantedStack, stack: Identifier, clock: Clock) -> Record:
    """What is remembered of a stack."""
    return Record(
        plan.name, wanted.logical_id, STACK_TYPE, stack, scope.account, scope.region, wanted.applied(),
        updated_at=clock.now(),
    )  # fmt: skip
