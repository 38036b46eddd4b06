"""Which of the resources found in AWS is meant: the one that its owner made, never a guess among several.

While a replacement is under way there are two: until it is deleted, the old half is remembered under a name of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.resource import Located, Record, Sought
from reconciler.ports import ResourceProvider, Scope, Seeking

_OLD = re.compile(r"#replaced\d*\Z")


def replaced(logical_id: LogicalId, number: int = 1) -> LogicalId:
    """The name under which an old half is remembered; a number beyond the first if there are several by now."""
    return LogicalId(f"{logical_id}#replaced{number if number > 1 else ''}")


def planned_name(recorded: LogicalId) -> LogicalId:
    """The logical id that a record's name belongs to: the reverse of ``replaced``, or the name itself."""
    return LogicalId(_OLD.sub("", recorded))


def halves_in(names: Iterable[LogicalId]) -> frozenset[LogicalId]:
    """Those of ``names`` that stand for old halves."""
    return frozenset(name for name in names if planned_name(name) != name)


def old_names(names: Iterable[LogicalId], logical_id: LogicalId) -> tuple[LogicalId, ...]:
    """Those of ``names`` that stand for old halves of a resource."""
    beginning = f"{logical_id}#"
    return tuple(name for name in names if name.startswith(beginning) and planned_name(name) == logical_id)


def name_for_old(records: Mapping[LogicalId, Record], logical_id: LogicalId, identifier: Identifier) -> LogicalId:
    """The name to remember an old half under: the one that it has, else one that no other has."""
    number = 1
    while (record := records.get(replaced(logical_id, number))) is not None and record.identifier != identifier:
        number += 1
    return replaced(logical_id, number)


def rejoined(records: Mapping[LogicalId, Record], logical_id: LogicalId) -> tuple[LogicalId, ...]:
    """Names of old halves that are what the resource's own record still names: nothing has replaced them."""
    own = records.get(logical_id)
    if own is None:
        return ()
    return tuple(name for name in old_names(records, logical_id) if records[name].identifier == own.identifier)


def in_force(records: Mapping[LogicalId, Record]) -> dict[LogicalId, Record]:
    """The records without old halves that nothing has replaced: what they name is still the resource itself."""
    return {
        name: record
        for name, record in records.items()
        if planned_name(name) == name or name not in rejoined(records, planned_name(name))
    }


def look_for(
    provider: ResourceProvider, scope: Scope, sought: Sequence[Sought]
) -> Sequence[tuple[Located, ...] | AwsFault]:
    """What ``locate`` finds for each, in few calls where the provider knows how; a fault where that can't be told."""
    if not isinstance(provider, Seeking):
        return scope.gather([partial(_located, provider, scope, one) for one in sought])
    try:
        return provider.locate_many(scope, sought)
    except AwsFault as fault:
        return [fault for _ in sought]


def _located(provider: ResourceProvider, scope: Scope, sought: Sought) -> tuple[Located, ...] | AwsFault:
    try:
        return provider.locate(scope, sought.desired, sought.owner)
    except AwsFault as fault:
        return fault


def choose(found: Collection[Located], owner: Owner, old: Collection[Identifier] = ()) -> Located | None:
    """The resource meant by ``owner`` among those ``locate`` found: the one with his tags, else what is in the place.

    ``old``: identifiers known to be the old half of an interrupted replacement, which is never meant. None: nothing
    is left. Raises AwsFault CONFLICT if several carry the owner's tags.
    """
    left = [located for located in found if located.identifier not in old]
    own = [located for located in left if located.owner == owner]
    if len(own) > 1:
        raise AwsFault(FaultKind.CONFLICT, _several(own, owner))
    return own[0] if own else left[0] if left else None


def _several(own: Collection[Located], owner: Owner) -> str:
    names = sorted(located.identifier for located in own)
    return (
        f"{len(names)} resources carry the tags of {owner.logical_id} (plan {owner.plan}): {', '.join(names)}; "
        "they can't be told apart: delete the one that isn't wanted, or take its reconciler: tags off"
    )
