"""How a CloudFormation type is written as a resource of Terraform's aws provider: the words that the mappings use.

A mapping is data: for each property a rule. What has no rule isn't covered, and a plan that sets it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.errors import PipelineError
from reconciler.model.ids import LogicalId
from reconciler.pipeline.files import Place
from reconciler.pipeline.naming import attribute_name

#: What the members of a value are to Terraform: what CloudFormation takes for granted is said, what goes without saying
#: to Terraform isn't. What has no rule then is refused.
Reading = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _as_it_is(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return value


def assuming(**defaults: Any) -> Reading:
    """Members that CloudFormation takes to be so where they aren't set, and Terraform otherwise."""
    return lambda value: {**defaults, **value}


@dataclass(frozen=True, slots=True)
class As:
    """An attribute that takes the value as it is; ``many``: as the one item of a list.

    ``words`` replaces values, which have to be known then.
    """

    name: str
    words: Mapping[str, Any] = field(default_factory=dict)
    many: bool = False


@dataclass(frozen=True, slots=True)
class Json:
    """An attribute that takes the value as a JSON string; ``renamed``: keys that are called otherwise in it."""

    name: str
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joined:
    """An attribute that takes a list as a text with commas."""

    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An attribute that takes a list of mappings as that of their only member ``key``."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """An attribute for what Fn::Base64 was given; ``other`` takes a value that is encoded already."""

    name: str
    other: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """An attribute that takes a list of pairs as a map: tags, variables."""

    name: str = "tags"
    key: str = "Key"
    value: str = "Value"


@dataclass(frozen=True, slots=True)
class Nested:
    """A block for the value, or one for each item of a list. ``constant``: attributes that it always has.

    ``read`` and ``needs`` are as those of ``Inside``. ``item``: the rule for items that are no mappings. ``nothing``:
    values that make no block.
    """

    name: str
    rules: Rules = field(default_factory=dict)
    constant: Mapping[str, Any] = field(default_factory=dict)
    read: Reading = _as_it_is
    needs: tuple[str, ...] = ()
    item: Rule | None = None
    nothing: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """A block for each entry of a mapping; ``key``: the attribute for what the entry is called."""

    name: str
    key: str
    rules: Rules
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A block of which the value is the only attribute."""

    name: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Into:
    """What the rule gives belongs into a block that several properties share."""

    name: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Inside:
    """The members of the value belong to the resource itself, with ``constant`` attributes.

    ``read``: what the members are to Terraform, before the rules. ``needs``: those that Terraform insists on.
    """

    rules: Rules
    constant: Mapping[str, Any] = field(default_factory=dict)
    read: Reading = _as_it_is
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keyed:
    """A list of pairs in which each key has a rule for its value."""

    key: str
    value: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class Chosen:
    """A list of words, each of which has a rule that is given an empty mapping."""

    rules: Rules


@dataclass(frozen=True, slots=True)
class Implied:
    """Nothing: Terraform knows it from elsewhere."""


@dataclass(frozen=True, slots=True)
class First:
    """A list that can only have one item here; the rule is the item's."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Apart:
    """A resource of its own, one for each item of a list, that points back to the first.

    ``back``: the attribute that does, ``to``: what of the first it names. Without ``back`` there is no first one: the
    items have what the type's other properties come to. An item that is no mapping is the value of ``item``.
    ``imported``: the resource's id in Terraform from that of the first and the item; None: it isn't imported.
    ``label`` is added to the first one's. ``constant``: attributes that it has unless the item says otherwise.
    ``key``: members by which an item is told from the others. ``nothing``: values that make no resource.
    """

    resource: str
    label: str
    back: str
    rules: Rules = field(default_factory=dict)
    to: str = "id"
    item: Rule | None = None
    imported: Callable[[str, Any], str | None] | None = None
    constant: Mapping[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    nothing: tuple[Any, ...] = ()


class Contrary(Exception):
    """What a ``Reading`` raises for a member that can't be had beside the others."""

    def __init__(self, member: str, why: str) -> None:
        super().__init__(f"{member} {why}")
        self.member = member
        self.why = why


class NotCovered(PipelineError):
    """Something that a mapping leaves out; ``logical_id`` is the resource whose mapping it is."""

    def __init__(self, place: Place, logical_id: str, why: str, otherwise: str = "pipeline.provider awscc") -> None:
        super().__init__(f"{place}: {why} (or use {otherwise} for this plan)")
        self.logical_id = LogicalId(logical_id)
        self.retryable = False
        self._about = (place, logical_id, why)

    def without_awscc(self) -> NotCovered:
        """The same of a type that the awscc provider hasn't got."""
        return NotCovered(*self._about, otherwise="format cloudformation")


Rule = (
    As
    | Json
    | Joined
    | Listed
    | Decoded
    | Pairs
    | Nested
    | Entries
    | Wrapped
    | Into
    | Inside
    | Keyed
    | Chosen
    | Implied
    | First
    | Apart
)
Rules = Mapping[str, Rule]


def _own(identifier: str, _properties: Mapping[str, Any]) -> str | None:
    return identifier


def never(_identifier: str, _properties: Mapping[str, Any]) -> str | None:
    """For a resource that can't be imported, or whose id CloudFormation's identifier doesn't tell."""
    return None


@dataclass(frozen=True, slots=True)
class AwsType:
    """A type's mapping. ``ref`` and ``attributes``: what Ref and Fn::GetAtt are in Terraform.

    ``imported``: the id that ``import`` wants, from CloudFormation's identifier and the live properties; None if it
    can't be told. ``constant``: attributes that it always has. ``needs``: properties that CloudFormation does without
    and Terraform doesn't. ``read``: as that of ``Inside``; it may add and leave out, but not change. An attribute may
    have a text behind it: ``arn|:*``.
    """

    resource: str
    rules: Rules
    ref: str = "id"
    attributes: Mapping[str, str] = field(default_factory=dict)
    imported: Callable[[str, Mapping[str, Any]], str | None] = _own
    constant: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    read: Reading = _as_it_is

    @property
    def several(self) -> bool:
        """Whether it is nothing of its own in Terraform: each item of a property is a resource."""
        return any(isinstance(rule, Apart) and not rule.back for rule in self.rules.values())


def name_of(prop: str) -> str:
    """The usual name of a property's attribute: as the words are, digits with the word before them."""
    return re.sub(r"_(?=[0-9])", "", attribute_name(prop))


def names(words: str, **others: str) -> dict[str, Rule]:
    """Rules for properties that are called as usual (``words``) or otherwise (``CidrIp="cidr_ipv4"``)."""
    usual: dict[str, Rule] = {word: As(name_of(word)) for word in words.split()}
    return usual | {prop: As(name) for prop, name in others.items()}


TAGS: dict[str, Rule] = {"Tags": Pairs()}
