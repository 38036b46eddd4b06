"""A resource that goes from one plan to another."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.resource import Record


@dataclass(frozen=True, slots=True)
class Claim:
    """What the former plan's record says of a resource that another plan is to take over.

    ``problem``: why it can't be taken over now; empty: it can.
    """

    record: Record
    problem: str = ""
