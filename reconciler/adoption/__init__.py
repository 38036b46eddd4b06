"""Adoption: live resources become a plan that manages them as they are. Reads AWS, changes nothing.

    search (TYPE ID…, tags, a stack) ──► candidates ──► read ──► names, properties, references ──► document ──► checked

``arns`` and ``stacks`` tell what a search has found, ``finding`` reads it and is sure of it; ``properties``, ``naming``
and ``references`` make resources of a plan out of what was read, and ``document`` writes them down: those four are
pure. ``checking`` holds the text against the same validation that every plan goes through. Nothing is left out
silently: what can't be taken over is ``Left``, what can't be read a ``Gap``.
"""

from __future__ import annotations

from reconciler.adoption.found import Adoption, Draft, Gap, Left, Subject
from reconciler.adoption.searching import Asked, Search

__all__ = ["Adoption", "Asked", "Draft", "Gap", "Left", "Search", "Subject"]
