"""Resources that go from one plan to another: what this one takes over, and what it must leave to others."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from reconciler.live.view import Seen, View
from reconciler.model.claim import Claim
from reconciler.model.errors import AwsFault
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.resource import Record, Unreadable
from reconciler.model.values import reveal
from reconciler.ports import Claims, Providers, Scope, Store
from reconciler.template import resolve


def incoming(plan: Plan, view: View, scope: Scope, store: Store, claims: Claims) -> None:
    """Mark what ``plan`` is to take over, by the former plans' records, so that it is read and not made again."""
    if plan.absent or all(view.seen[name].record is not None for name in plan.resources):
        return
    found = claims.incoming(plan, store.records_in(scope.account, scope.region))
    for name, claim in found.items():
        if view.seen[name].record is None:
            _take(view.seen[name], claim)


def by_tags(
    plan: Plan, view: View, scope: Scope, providers: Providers, store: Store, claims: Claims
) -> list[LogicalId]:
    """Look for what ``movedFrom`` names and no record tells of, by its ownership tags. The resources found."""
    lost = [planned for planned in plan.resources.values() if planned.moved_from is not None]
    lost = [planned for planned in lost if not plan.absent and _unknown(view.seen[planned.logical_id])]
    if lost:
        records = store.records_in(scope.account, scope.region)
        scope.gather([partial(_by_tags, plan, planned, view, scope, providers, claims, records) for planned in lost])
    return [planned.logical_id for planned in lost if view.seen[planned.logical_id].moved is not None]


def outgoing(plan: Plan, view: View, scope: Scope, store: Store, claims: Claims) -> None:
    """Mark what ``plan`` has dropped and must not delete."""
    dropped = {
        name: entry.record or _record(Owner(plan.name, name), entry, scope)
        for name, entry in view.seen.items()
        if (plan.absent or name not in plan.resources) and entry.identifier is not None
    }
    if not dropped:
        return
    for name, reason in claims.kept(dropped.values(), store.records_in(scope.account, scope.region)).items():
        view.seen[name].kept = reason


def _take(entry: Seen, claim: Claim) -> None:
    entry.identifier, entry.foreign, entry.located = claim.record.identifier, claim.problem, False
    entry.moved = None if claim.problem else claim.record


def _unknown(entry: Seen) -> bool:
    """Neither recorded nor the plan's by tags; what stands under its name may be the very one that moves."""
    if entry.record is not None or entry.moved is not None:
        return False
    return entry.located if entry.foreign else entry.live is None


def _by_tags(
    plan: Plan,
    planned: PlannedResource,
    view: View,
    scope: Scope,
    providers: Providers,
    claims: Claims,
    records: Iterable[Record],
) -> None:
    entry, former, provider = view.seen[planned.logical_id], planned.moved_from, providers.get(planned.type)
    assert former is not None
    if provider is None:
        return
    try:
        found = provider.locate(scope, reveal(resolve(planned.properties, view)), former)
    except AwsFault as fault:
        entry.live = Unreadable(Identifier(""), fault.kind, str(fault))
        return
    tagged = [located.identifier for located in found if located.owner == former]
    where = f"plan {former.plan} ({former.logical_id})"
    if len(tagged) != 1:
        what = f"{len(tagged)} resources carry the tags of it" if tagged else "there is no such resource"
        entry.foreign = f"is to be taken over from {where}, but {what}: correct or remove Metadata.Reconciler.movedFrom"
        return
    entry.identifier = tagged[0]
    record = _record(former, entry, scope)
    claim = claims.incoming(plan, [*records, record]).get(planned.logical_id)
    _take(entry, claim or Claim(record, f"{tagged[0]} of {where} is claimed by another plan too: remove one claim"))


def _record(owner: Owner, entry: Seen, scope: Scope) -> Record:
    """What the store would remember of a resource that only its tags tell of."""
    assert entry.identifier is not None
    return Record(owner.plan, owner.logical_id, entry.type, entry.identifier, scope.account, scope.region)
