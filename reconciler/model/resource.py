"""What is: live resources as read, and what the store remembers of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.model.errors import FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.values import Properties


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request to read one resource: only ``properties`` (top-level names) need be filled in.

    Read-only attributes that come for free (ids, ARNs) are always filled in. An attribute another resource
    refers to is asked for like a property.
    """

    identifier: Identifier
    properties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Observation:
    """A live resource, in the shape of its CloudFormation schema, read-only attributes included."""

    identifier: Identifier
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that exists or may exist but could not be read: unknown, never in sync."""

    identifier: Identifier
    kind: FaultKind
    message: str


@dataclass(frozen=True, slots=True)
class Located:
    """A resource found by tag, name or deterministic identifier; ``owner`` as its tags say, if it has any."""

    identifier: Identifier
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """A resource to look for, as ``ports.ResourceProvider.locate`` is asked for one."""

    desired: Properties
    owner: Owner


@dataclass(frozen=True, slots=True)
class Record:
    """What the store remembers of a resource that a plan manages.

    ``applied``: the properties last applied, keyed digests for secrets (the third way of the three-way diff).
    ``adopted``: it was there before the plan.
    """

    plan: PlanName
    logical_id: LogicalId
    type: TypeName
    identifier: Identifier
    account: str
    region: str
    applied: Properties = field(default_factory=dict)
    adopted: bool = False
    deletion_policy: str = "Delete"
    needs: frozenset[LogicalId] = frozenset()
    updated_at: datetime | None = None


class SyncState(StrEnum):
    """The state of one resource. Only ``in_sync`` counts as in sync."""

    IN_SYNC = "in_sync"
    DRIFTED = "drifted"
    MISSING = "missing"
    UNKNOWN = "unknown"
    ORPHANED = "orphaned"
