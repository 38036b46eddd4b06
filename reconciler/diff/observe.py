"""Observe: read everything a plan is about, in as few calls as AWS allows.

First what the store knows, type by type in batches; then, in dependency order, what it doesn't know is looked for
by ownership tag, name or deterministic identifier (so that losing the store loses nothing).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from reconciler.diff import moving
from reconciler.diff.waves import waves
from reconciler.live.finding import choose, halves_in, in_force, look_for, old_names
from reconciler.live.ownership import foreign
from reconciler.live.parts import adding_types, own_parts
from reconciler.live.reads import Fresh, referenced_attributes, wanted_properties
from reconciler.live.view import Outside, Seen, View
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner, TypeName
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.resource import Located, Observation, Record, Sought, Unreadable, Wanted
from reconciler.model.values import reveal
from reconciler.ports import Claims, Providers, Reads, Scope, Store
from reconciler.template import resolve

T = TypeVar("T")

_TYPES_AT_ONCE = 8


def observe(
    plan: Plan,
    scope: Scope,
    providers: Providers,
    store: Store,
    outside: Outside,
    claims: Claims,
    reads: Reads | None = None,
) -> View:
    """Everything live that ``plan`` declares or once applied. Raises AwsFault only if nothing can be read at all.

    ``reads``: for what the store knows; what has to be looked for first is always the pass's own read.
    """
    own = Fresh(providers)
    reads = reads or own
    records = {
        name: record
        for name, record in in_force(store.records(plan.name)).items()
        if (record.account, record.region) == (scope.account, scope.region)
    }
    view = View(region=plan.target.region, outside=outside, exporter=partial(claims.exporter, plan))
    attributes = referenced_attributes(plan)
    for name in (*plan.resources, *(name for name in records if name not in plan.resources)):
        view.seen[name] = _expected(plan.resources.get(name), records.get(name))
    moving.incoming(plan, view, scope, store, claims)
    _read(view, view.seen, plan, attributes, scope, reads)
    reads.close()
    _locate_missing(view, plan, attributes, scope, providers, store)
    _read(view, moving.by_tags(plan, view, scope, providers, store, claims), plan, attributes, scope, own)
    moving.outgoing(plan, view, scope, store, claims)
    _leave_out_parts(plan, view, scope, store)
    return view


def _leave_out_parts(plan: Plan, view: View, scope: Scope, store: Store) -> None:
    """What others have added to a list of a resource isn't that one's."""
    if types := adding_types(plan):
        view.records = tuple(store.records_in(scope.account, scope.region, types))
    for name, entry in view.seen.items():
        if isinstance(entry.live, Observation):
            entry.live = own_parts(plan, view, name, entry.live)


def _expected(planned: PlannedResource | None, record: Record | None) -> Seen:
    if planned is None or (record is not None and record.type == planned.type):
        if record is None:
            raise ValueError("a resource is either planned or recorded")
        return Seen(type=record.type, identifier=record.identifier, record=record)
    if planned.adopt is not None:
        return Seen(type=planned.type, identifier=planned.adopt, adopting=True)
    return Seen(type=planned.type)


def _read(
    view: View,
    names: Iterable[LogicalId],
    plan: Plan,
    attributes: Mapping[LogicalId, frozenset[str]],
    scope: Scope,
    reads: Reads,
) -> None:
    """Fill in ``live`` of every named resource that has an identifier; one batch a type, types in parallel."""
    batches: dict[TypeName, dict[Identifier, list[LogicalId]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        entry = view.seen[name]
        if entry.identifier is not None:
            batches[entry.type][entry.identifier].append(name)

    def read(item: tuple[TypeName, dict[Identifier, list[LogicalId]]]) -> None:
        type_name, by_identifier = item
        wanted = [
            Wanted(identifier, frozenset().union(*(_wanted(view, plan, name, attributes) for name in owners)))
            for identifier, owners in by_identifier.items()
        ]
        answers = reads.read(scope, type_name, wanted)
        for identifier, owners in by_identifier.items():
            for name in owners:
                view.seen[name].live = answers.get(identifier)

    _side_by_side(read, batches.items())


def _wanted(view: View, plan: Plan, name: LogicalId, attributes: Mapping[LogicalId, frozenset[str]]) -> frozenset[str]:
    record = view.seen[name].record
    applied = record.applied if record is not None else ()
    return wanted_properties(plan.resources.get(name), applied, attributes.get(name, ()))


def _locate_missing(
    view: View,
    plan: Plan,
    attributes: Mapping[LogicalId, frozenset[str]],
    scope: Scope,
    providers: Providers,
    store: Store,
) -> None:
    """Look, wave by wave in dependency order, for resources that the store doesn't know or that have gone."""
    for wave in waves({name: resource.needs for name, resource in plan.resources.items()}):
        lost = [name for name in wave if view.seen[name].live is None and not _spoken_for(view.seen[name])]
        if not lost:
            continue
        _locate(view, plan, lost, scope, providers, store)
        found = [name for name in lost if view.seen[name].located]
        _read(view, found, plan, attributes, scope, Fresh(providers))


def _spoken_for(entry: Seen) -> bool:
    """Whether it is known already where the resource would come from, or that it can't be had."""
    return entry.adopting or bool(entry.foreign)


def _locate(
    view: View, plan: Plan, names: Collection[LogicalId], scope: Scope, providers: Providers, store: Store
) -> None:
    """Look for resources, those of a type together and types in parallel."""
    alike: dict[TypeName, list[LogicalId]] = defaultdict(list)
    for name in names:
        alike[plan.resources[name].type].append(name)
    halves = halves_in(view.seen)

    def look(item: tuple[TypeName, list[LogicalId]]) -> None:
        provider = providers.get(item[0])
        if provider is None:
            text = f"{item[0]} is not supported by this version"
            for name in item[1]:
                view.seen[name].live = Unreadable(Identifier(""), FaultKind.INTERNAL, text)
            return
        sought = [_sought(view, plan, name) for name in item[1]]
        for name, found in zip(item[1], look_for(provider, scope, sought), strict=True):
            old = {known for half in old_names(halves, name) if (known := view.seen[half].identifier) is not None}
            _found(view, plan, name, found, old, scope, store)

    _side_by_side(look, alike.items())


def _sought(view: View, plan: Plan, name: LogicalId) -> Sought:
    return Sought(reveal(resolve(plan.resources[name].properties, view)), Owner(plan.name, name))


def _found(
    view: View,
    plan: Plan,
    name: LogicalId,
    located: tuple[Located, ...] | AwsFault,
    old: Collection[Identifier],
    scope: Scope,
    store: Store,
) -> None:
    entry = view.seen[name]
    try:
        if isinstance(located, AwsFault):
            raise located
        found = choose(located, Owner(plan.name, name), old)
    except AwsFault as fault:
        entry.live = Unreadable(Identifier(""), fault.kind, str(fault))
        return
    if found is None:
        return
    entry.identifier, entry.located = found.identifier, True
    entry.foreign = foreign(view, plan, name, found.identifier, found.owner, scope, store)


def _side_by_side(work: Callable[[T], None], items: Collection[T]) -> None:
    """By type; the calls themselves are made on the pool that all passes share."""
    if len(items) == 1:
        work(next(iter(items)))
    elif items:
        with ThreadPoolExecutor(min(_TYPES_AT_ONCE, len(items)), thread_name_prefix="observe") as pool:
            list(pool.map(work, items))
