"""The difference: one change set is shown, approved, decided on, applied and rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.model.ids import Digest, Identifier, LogicalId, Owner, StepId, TypeName
from reconciler.model.plan import Plan
from reconciler.model.resource import SyncState
from reconciler.model.values import Properties


class Action(StrEnum):
    """What a change does, in the words that people, approvals and policy use."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    ROLLBACK = "rollback"


DESTRUCTIVE = frozenset({Action.REPLACE, Action.DELETE})


class Verb(StrEnum):
    """What a step does. A replacement is a create and a delete step, in the order the diff chose."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One property that differs. ``path`` is a JSON pointer; ``None`` stands for absent.

    ``reason``: changed in the plan (plan), changed behind our back (drift), or follows another change (reference).
    """

    path: str
    before: Any
    after: Any
    forces_replacement: bool = False
    reason: str = "drift"


@dataclass(frozen=True, slots=True)
class Change:
    """What will happen to one resource. ``before``/``after`` hold managed properties only.

    ``after`` may contain ``Unknown`` (known after apply) and ``Sensitive`` values. ``loss``: what undoing a delete or
    replacement can't bring back, in words; empty where all of it can. ``moved_from``: who gives it up.
    ``broadens``: which permissions or network rules it opens further, in words (stacks and CDK only).
    """

    logical_id: LogicalId
    type: TypeName
    action: Action
    identifier: Identifier | None = None
    before: Properties | None = None
    after: Properties | None = None
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    loss: tuple[str, ...] = ()
    moved_from: Owner | None = None
    broadens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, after ``needs``. ``id`` is ``<logical id>:<verb>``."""

    id: StepId
    logical_id: LogicalId
    type: TypeName
    verb: Verb
    action: Action
    identifier: Identifier | None = None
    before: Properties | None = None
    after: Properties | None = None
    changed: frozenset[str] = frozenset()
    needs: frozenset[StepId] = frozenset()

    @property
    def deleted_first(self) -> bool:
        """Whether it makes again what a step before it deletes: a replacement of what can't exist twice."""
        return self.verb is Verb.CREATE and StepId(f"{self.logical_id}:{Verb.DELETE.value}") in self.needs


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One line of status: a resource and whether it is as the plan wants it."""

    logical_id: LogicalId
    type: TypeName
    state: SyncState
    identifier: Identifier | None = None
    message: str = ""
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it is in the source; ``path`` is relative to what the plan delivers."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Everything a pass would do, and the state of every resource it looked at.

    ``desired``: resolved properties of every planned resource, for renderers and the policy totals.
    ``live``: what each existing resource looked like, by logical id, for the re-check before each step.
    ``conflicts``: resources that exist but belong to nobody or another plan; a pass with any applies nothing.
    ``gone``: recorded resources to forget: deleted behind our back after they left the plan, or retained.
    ``found``: resources that are the plan's by their tags although the store had forgotten them, and those in sync of
    which it remembers something else.
    ``waiting``: those of the unknown ones that only wait for what another plan has yet to export.
    ``notes``: what a reader must know beside the changes. ``files``: what a plan that isn't reconciled resource by
    resource delivers, as it is in the source, where it goes to a Git branch. ``output``: what the tool that deploys it
    prints of the changes itself.
    """

    plan: Plan
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    resources: tuple[ResourceState, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    desired: Mapping[LogicalId, Properties] = field(default_factory=dict)
    live: Mapping[LogicalId, Properties] = field(default_factory=dict)
    identifiers: Mapping[LogicalId, Identifier] = field(default_factory=dict)
    gone: frozenset[LogicalId] = frozenset()
    found: frozenset[LogicalId] = frozenset()
    waiting: frozenset[LogicalId] = frozenset()
    digest: Digest = Digest("")
    notes: tuple[str, ...] = ()
    files: tuple[SourceFile, ...] = ()
    output: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes and not self.conflicts

    @property
    def unknown(self) -> tuple[ResourceState, ...]:
        """Resources whose state could not be established."""
        return tuple(state for state in self.resources if state.state is SyncState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A resource the plan wants to create exists already and isn't the plan's."""

    logical_id: LogicalId
    type: TypeName
    identifier: Identifier
    message: str
