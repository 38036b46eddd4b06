"""Operations, and parts of them, that moto lacks and AWS has: taught to moto once a process, a module for a service."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def teach() -> None:
    """Teach moto what the providers' types need of AWS. moto is imported here, not before."""
    from reconciler.testing.taught import (
        clusters,
        dashboards,
        groups,
        images,
        keys,
        notebooks,
        pipelines,
        tables,
        topics,
    )

    for service in (clusters, dashboards, groups, images, keys, notebooks, pipelines, tables, topics):
        service.teach()


def give(owner: Any, *methods: Callable[..., Any], **named: Any) -> None:
    """Give a class of moto's methods, by their own names or by others."""
    for name, method in {**{method.__name__: method for method in methods}, **named}.items():
        setattr(owner, name, method)
