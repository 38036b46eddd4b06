"""What stands between a plan and its execution, beside policy itself. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sized
from dataclasses import replace
from datetime import datetime

from reconciler.live import View
from reconciler.model.change import Action, ChangeSet
from reconciler.model.decision import Decision, Mode, deny
from reconciler.model.errors import AwsFault, FaultKind, PolicyUnavailable, Problem, SourceError
from reconciler.model.ids import Digest
from reconciler.model.plan import Approval, Delivery, Plan, PlannedResource
from reconciler.model.report import Context, PlanState
from reconciler.model.resource import SyncState, Unreadable
from reconciler.ports import Providers, Scope
from reconciler.schema import why_unmanageable
from reconciler.status.outcome import Outcome, next_steps


def check_supported(plan: Plan, providers: Providers, deliveries: Collection[Delivery] = ()) -> None:
    """Raise SourceError, with every place, for what can't be done. ``deliveries``: those that there is a tool for."""
    problems = unsupported(plan, providers)
    if plan.delivery is not Delivery.RESOURCES and plan.delivery not in deliveries:
        text = f'the delivery "{plan.delivery.value}" is not supported by this version'
        path, hint = f"spec/{plan.delivery.value}", "use resources or template"
        problems = [Problem(text, plan.origin.file, plan.origin.line, path, hint, "unsupported")]
    if problems:
        raise SourceError(problems)


_UNHEEDED = {
    "CreationPolicy": "written directly, nothing waits for signals: it counts as made once AWS says so",
    "UpdatePolicy": "written directly, its settings change at once and instances that run stay as they are; sizes "
    "that schedules change belong under spec.ignore",
}


def unsupported(plan: Plan, providers: Providers) -> list[Problem]:
    """Types that nothing can manage, and properties that their providers don't know, with their places."""
    return [problem for resource in plan.resources.values() for problem in _unsupported(plan, resource, providers)]


def unheeded(plan: Plan) -> list[str]:
    """What a template asks of CloudFormation that isn't done where resources are written directly."""
    return [
        f"{resource.logical_id}: {key} is followed by CloudFormation alone; {_UNHEEDED[key]}"
        for resource in plan.resources.values()
        for key in resource.by_stack
    ]


def operation_of(plan: Plan) -> str:
    """The operation of the permission matrix that changes of a plan are."""
    return "cli_mutation" if plan.delivery is Delivery.RESOURCES else "iac_deploy"


def _unsupported(plan: Plan, resource: PlannedResource, providers: Providers) -> Iterator[Problem]:
    provider, path = providers.get(resource.type), f"Resources/{resource.logical_id}"
    if provider is None:
        text = f"{resource.type} {why_unmanageable(resource.type) or 'is not supported by this version'}"
        yield Problem(text, plan.origin.file, resource.line, f"{path}/Type", reason="unsupported")
        return
    for name in sorted(resource.properties.keys() - provider.supported):
        text = f"property {name} of {resource.type} is not supported by this version"
        yield Problem(text, plan.origin.file, resource.line, f"{path}/Properties/{name}", reason="unsupported")


def narrowed(decision: Decision, plan: Plan, writable: Collection[str]) -> Decision:
    """It takes both the configuration and the decision for a direct write."""
    environment = plan.target.environment
    if decision.mode is Mode.APPLY and environment not in writable:
        return deny("writable_environments", f"{environment} is read-only by configuration, whatever policy says")
    return decision


def usable(
    approval: Approval, used: Collection[tuple[str, str]], now: datetime, change: Digest | None = None
) -> Approval:
    """The approval without the scopes that earlier passes used up; unverified if it has expired by ``now``.

    ``change``: the digest of the change under review; an approval of another one doesn't count. None: not known yet.
    """
    if not approval.verified:
        return approval
    if approval.expires_at <= now:
        return replace(approval, verified=False, reason=f"expired on {approval.expires_at:%Y-%m-%d %H:%M} UTC")
    if change is not None and approval.change not in ("", change):
        return replace(approval, verified=False, reason=_another_change(approval, change))
    spent = {scope for name, scope in used if name == approval.name} & approval.scope
    if not spent:
        return approval
    left = approval.scope - spent
    reason = f"used up by an earlier pass for {', '.join(sorted(spent))}"
    return replace(approval, scope=left, verified=bool(left), reason=approval.reason or reason)


def _another_change(approval: Approval, change: Digest) -> str:
    given, now = _short(approval.change), _short(change)
    return (
        f"it approves the change {given}, this is {now}: look again, then `reconciler approve {approval.plan} --change`"
    )


def denied_reads(view: View) -> tuple[str, ...]:
    """What could not be read for lack of permission, as the permission item of the checklist wants it."""
    reads = (entry.live for entry in view.seen.values())
    denied = (r.message for r in reads if isinstance(r, Unreadable) and r.kind is FaultKind.ACCESS_DENIED)
    return tuple(sorted(set(denied)))


def context_of(plan: Plan, scope: Scope) -> Context:
    """What is restated before anything is executed."""
    target = plan.target
    profile = target.profile or target.role_arn or "(default credentials)"
    return Context(plan.name, target.environment, target.account, target.region, profile, scope.identity, plan.digest)


def reviewed(base: Outcome) -> Outcome:
    """The outcome before anything is carried out: what stands in the way, or what would be done."""
    changes, decision = base.changes, base.decision
    assert changes is not None
    assert decision is not None
    if changes.conflicts:
        text = "; ".join(f"{conflict.logical_id}: {conflict.message}" for conflict in changes.conflicts)
        return replace(base, state=PlanState.FAILED, message=text, error=AwsFault(FaultKind.ALREADY_EXISTS, text))
    if changes.unknown:
        first = changes.unknown[0]
        if all(state.logical_id in changes.waiting for state in changes.unknown):  # nothing is wrong with this plan
            return replace(base, state=PlanState.DRIFTED, message=f"{first.logical_id} {first.message}")
        text = f"{_count(changes.unknown, 'resource')} could not be judged; {first.logical_id}: {first.message}"
        return replace(base, state=PlanState.FAILED, message=text, error=AwsFault(FaultKind.UNAVAILABLE, text))
    if not changes.changes:
        return _unchanged(base, changes)
    state = {Mode.WAIT: PlanState.PENDING_APPROVAL, Mode.DENY: PlanState.DENIED}.get(decision.mode, PlanState.DRIFTED)
    message = "; ".join([next_steps(decision) or _count(changes.changes, "change"), *changes.notes])
    return replace(base, state=state, message=message)


def _unchanged(base: Outcome, changes: ChangeSet) -> Outcome:
    """Nothing can be done: because nothing differs, or because what deploys the plan doesn't put this right."""
    drifted = [state for state in changes.resources if state.state is not SyncState.IN_SYNC]
    notes = "".join(f"; {note}" for note in changes.notes)
    if not drifted or changes.plan.delivery is Delivery.RESOURCES:
        message = f"{_count(changes.resources, 'resource')} in sync{notes}"
        return replace(base, state=PlanState.IN_SYNC, message=message)
    first = drifted[0]
    message = (
        f"{_count(drifted, 'resource')} changed outside of the plan; {first.logical_id}: {first.message}; deploying "
        f"the same again doesn't put that right: undo it there, or take it over into what the plan deploys{notes}"
    )
    return replace(base, state=PlanState.DRIFTED, message=message)


def exact(changes: ChangeSet, revision: str) -> Digest:
    """What an approval of exactly this change binds to: the change set (``change_digest``) under this policy set."""
    return Digest("sha256:" + hashlib.sha256(f"{changes.digest} {revision}".encode()).hexdigest())


def check_same_policy(admitted: Decision, decision: Decision) -> None:
    """Raise PolicyUnavailable if the policies were replaced between the two questions: then neither answer holds."""
    if decision.revision and decision.revision != admitted.revision:
        raise PolicyUnavailable("contradictory", "the policies changed during the pass: the next one asks again")


def spent(approvals: Collection[Approval], changes: ChangeSet, decision: Decision) -> tuple[tuple[str, str], ...]:
    """(approval name, scope) pairs that a pass over ``changes`` uses up from the moment it begins to act.

    An approval of exactly this change goes whole, the others lose the scopes that policy marks as single use.
    """
    needed = needed_scopes(changes)
    return tuple(
        (approval.name, scope)
        for approval in approvals
        if approval.verified and needed & approval.scope
        for scope in sorted(approval.scope if approval.change else needed & decision.single_use & approval.scope)
    )


def needed_scopes(changes: ChangeSet) -> frozenset[str]:
    """The scopes that an approval of ``changes`` has to name: their actions, or that it is a rollback."""
    if changes.plan.rolling_back is not None:
        return frozenset({Action.ROLLBACK.value}) if changes.changes else frozenset()
    return frozenset(change.action.value for change in changes.changes)


def _count(things: Sized, noun: str) -> str:
    number = len(things)
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(digest: Digest) -> str:
    return f"{digest[: len('sha256:') + 12]}…"
