"""Lists that EC2 changes by what is added and what is removed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.model.values import Properties


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


def added_and_removed(names: Iterable[str], before: Properties, after: Properties) -> dict[str, Any]:
    """``after`` with ``AddX`` and ``RemoveX`` in the place of each list ``X`` that it has; empty ones are left out."""
    found = dict(after)
    for name in names:
        if name not in found:
            continue
        old, new = _texts(before.get(name)), _texts(found.pop(name))
        if added := [value for value in new if value not in old]:
            found[f"Add{name}"] = added
        if removed := [value for value in old if value not in new]:
            found[f"Remove{name}"] = removed
    return found
