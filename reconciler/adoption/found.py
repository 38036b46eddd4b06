"""What a search has found, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.resource import Observation
from reconciler.model.values import Properties


@dataclass(frozen=True, slots=True)
class Declared:
    """What a stack's template says of a resource.

    ``names``: the properties that it sets, in its order. ``properties``: those among them that can be evaluated
    (``Unknown`` where a part can't). ``depends_on``, ``deletion_policy``, ``update_replace_policy``: as written.
    """

    names: tuple[str, ...] = ()
    properties: Properties = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    deletion_policy: str = ""
    update_replace_policy: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a resource may be: it counts once a read has confirmed it."""

    type: TypeName
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Subject:
    """One resource to take over. ``shown``: how the person or AWS named it. ``guesses``: the likeliest first.

    ``reference``: what Ref must give for it. ``place``: properties that tell where to look if no guess is right.
    ``arn``: its ARN, where that is what is known of it. ``stack``: the CloudFormation stack that its tags name.
    """

    shown: str
    guesses: tuple[Guess, ...]
    logical_id: LogicalId | None = None
    reference: str = ""
    arn: str = ""
    stack: str = ""
    place: Properties = field(default_factory=dict)
    declared: Declared | None = None

    @property
    def type(self) -> TypeName:
        """The likeliest type."""
        return self.guesses[0].type


@dataclass(frozen=True, slots=True)
class Taken:
    """A subject that was read."""

    subject: Subject
    type: TypeName
    live: Observation


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a search has found and that isn't taken over, and why."""

    shown: str
    why: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A property that the plan lacks although the resource may have it. ``pointer``: a JSON pointer to it.

    ``needed``: the plan isn't valid until a person has filled it in.
    """

    pointer: str
    why: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands in a draft's properties for ``Ref`` (no attribute) or ``Fn::GetAtt``; ``value``: what it gives now."""

    logical_id: LogicalId
    attribute: str
    value: str

    def written(self) -> dict[str, Any]:
        """The function as a template has it."""
        if not self.attribute:
            return {"Ref": str(self.logical_id)}
        return {"Fn::GetAtt": [str(self.logical_id), self.attribute]}


@dataclass(frozen=True, slots=True)
class Draft:
    """A resource of the plan. ``properties`` are plain values and ``Reference``."""

    logical_id: LogicalId
    type: TypeName
    identifier: Identifier
    properties: Mapping[str, Any]
    gaps: tuple[Gap, ...] = ()
    depends_on: tuple[LogicalId, ...] = ()
    deletion_policy: str = ""
    update_replace_policy: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came of it: the plan's text, the resources in it, and what isn't in it.

    ``problems``: what keeps the plan from being valid. ``managed``: by logical id, the stack that goes on managing a
    resource although it was imported by itself.
    """

    text: str
    drafts: tuple[Draft, ...]
    left: tuple[Left, ...] = ()
    problems: tuple[str, ...] = ()
    managed: Mapping[LogicalId, str] = field(default_factory=dict)
