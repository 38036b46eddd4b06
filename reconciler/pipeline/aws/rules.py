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
from reconciler.pipeline.hcl import Block
from reconciler.pipeline.naming import attribute_name


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
    """An attribute that takes the value as a JSON string."""

    name: str


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
    """A block for the value, or one for each item of a list. ``constant``: attributes that it always has."""

    name: str
    rules: Rules
    constant: Mapping[str, Any] = field(default_factory=dict)


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
    """The members of the value belong to the resource itself, with ``constant`` attributes."""

    rules: Rules
    constant: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A list of pairs in which each key has a rule for its value."""

    key: str
    value: str
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

    ``back``: the attribute that does, ``to``: what of the first it names. An item that is no mapping is the value of
    ``item``. ``imported``: the resource's id in Terraform from that of the first and the item; None: it isn't imported.
    ``label`` is added to the first one's. ``constant``: attributes that it has unless the item says otherwise.
    """

    resource: str
    label: str
    back: str
    rules: Rules = field(default_factory=dict)
    to: str = "id"
    item: Rule | None = None
    imported: Callable[[str, Any], str | None] | None = None
    constant: Mapping[str, Any] = field(default_factory=dict)


class NotCovered(PipelineError):
    """Something that a mapping leaves out; ``logical_id`` is the resource whose mapping it is."""

    def __init__(self, place: Place, logical_id: str, why: str) -> None:
        super().__init__(f"{place}: {why} (or use pipeline.provider awscc for this plan)")
        self.logical_id = LogicalId(logical_id)
        self.retryable = False


Rule = As | Json | Decoded | Pairs | Nested | Wrapped | Into | Inside | Keyed | Implied | First | Apart
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
    and Terraform doesn't. ``unset``: blocks that stand for properties that aren't set, where Terraform's own default is
    another one than CloudFormation's. An attribute may have a text behind it: ``arn|:*``.
    """

    resource: str
    rules: Rules
    ref: str = "id"
    attributes: Mapping[str, str] = field(default_factory=dict)
    imported: Callable[[str, Mapping[str, Any]], str | None] = _own
    constant: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    unset: Mapping[str, Block] = field(default_factory=dict)


def name_of(prop: str) -> str:
    """The usual name of a property's attribute: as the words are, digits with the word before them."""
    return re.sub(r"_(?=[0-9])", "", attribute_name(prop))


def names(words: str, **others: str) -> dict[str, Rule]:
    """Rules for properties that are called as usual (``words``) or otherwise (``CidrIp="cidr_ipv4"``)."""
    usual: dict[str, Rule] = {word: As(name_of(word)) for word in words.split()}
    return usual | {prop: As(name) for prop, name in others.items()}


TAGS: dict[str, Rule] = {"Tags": Pairs()}
