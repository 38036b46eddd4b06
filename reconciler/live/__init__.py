"""Live resources: what a pass has seen of them, whose they are, and how they compare with what is wanted."""

from __future__ import annotations

from reconciler.live.compare import compare
from reconciler.live.desired import desired_of, veil
from reconciler.live.finding import choose, halves_in, look_for, name_for_old, old_names, planned_name, rejoined
from reconciler.live.loss import loss_of
from reconciler.live.merge import changed_properties, target
from reconciler.live.ownership import foreign, owner_in, with_ownership
from reconciler.live.parts import adding_types, own_parts
from reconciler.live.reads import as_far_as_known, has_no_call
from reconciler.live.records import record_of
from reconciler.live.view import Outside, Seen, View, has_secret

__all__ = [
    "Outside",
    "Seen",
    "View",
    "adding_types",
    "as_far_as_known",
    "changed_properties",
    "choose",
    "compare",
    "desired_of",
    "foreign",
    "halves_in",
    "has_no_call",
    "has_secret",
    "look_for",
    "loss_of",
    "name_for_old",
    "old_names",
    "own_parts",
    "owner_in",
    "planned_name",
    "record_of",
    "rejoined",
    "target",
    "veil",
    "with_ownership",
]
