"""Live resources: what a pass has seen of them, whose they are, and how they compare with what is wanted."""

from __future__ import annotations

from reconciler.live.compare import compare
from reconciler.live.desired import desired_of, veil
from reconciler.live.merge import changed_properties, target
from reconciler.live.ownership import foreign, owner_in, with_ownership
from reconciler.live.records import record_of
from reconciler.live.view import Outside, Seen, View

__all__ = [
    "Outside",
    "Seen",
    "View",
    "changed_properties",
    "compare",
    "desired_of",
    "foreign",
    "owner_in",
    "record_of",
    "target",
    "veil",
    "with_ownership",
]
