"""Dependency order."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from graphlib import TopologicalSorter
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def waves(needs: Mapping[K, Collection[K]]) -> list[list[K]]:
    """The keys of ``needs`` in groups, each of which needs only earlier ones; needs that are no keys don't count.

    Raises ValueError (graphlib's CycleError) on a cycle.
    """
    sorter: TopologicalSorter[K] = TopologicalSorter()
    for key in needs:  # first, so that the order given decides wherever dependencies don't
        sorter.add(key)
    for key, its in needs.items():
        sorter.add(key, *(need for need in its if need in needs and need != key))
    sorter.prepare()
    groups: list[list[K]] = []
    while sorter.is_active():
        group = list(sorter.get_ready())
        groups.append(group)
        sorter.done(*group)
    return groups
