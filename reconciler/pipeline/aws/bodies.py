"""What a mapping makes of a resource before it is printed: attributes, blocks, and resources that belong to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.pipeline.aws.rules import Apart
from reconciler.pipeline.hcl import Block


@dataclass(slots=True)
class Body:
    """What a resource or block consists of.

    ``shared``: blocks to which several properties add. ``apart``: the resources that belong to it.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    shared: dict[str, Body] = field(default_factory=dict)
    apart: list[Part] = field(default_factory=list)

    def add(self, other: Body) -> None:
        """Take over what ``other`` has."""
        self.attributes.update(other.attributes)
        self.blocks.extend(other.blocks)
        self.apart.extend(other.apart)
        for name, inner in other.shared.items():
            self.shared.setdefault(name, Body()).add(inner)

    def block(self, kind: str, labels: tuple[str, ...] = (), last: tuple[Block, ...] = ()) -> Block:
        """It as a block. Attributes by name, tags last."""
        names = sorted(self.attributes, key=lambda name: (name == "depends_on", name == "tags", name))
        shared = (self.shared[name].block(name) for name in sorted(self.shared))
        return Block(kind, labels, {name: self.attributes[name] for name in names}, (*self.blocks, *shared, *last))


@dataclass(frozen=True, slots=True)
class Part:
    """A resource that belongs to another one: its rule, what is added to the label, and what it was made for.

    ``item`` is the value or the list item, ``prop`` the property of CloudFormation that holds it.
    """

    rule: Apart
    label: str
    item: Any
    body: Body
    prop: str = ""
