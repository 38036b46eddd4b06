"""What still stands in an account once everything is withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.corpus.deploying.emulator import GONE, KEPT

#: where answers say what has become of a thing
_STATES = ("State", "Status", "status", "KeyState", "ExecutionStatusDetail")


def standing(value: Any) -> Any:
    """Answers without what AWS shows of things that are gone, and without what it has made for itself."""
    if isinstance(value, list):
        return [item for item in map(standing, value) if item not in (None, {}, [])]
    if not isinstance(value, Mapping):
        return value
    if any(_state(value.get(key)) in GONE for key in _STATES) or KEPT.search(str(value.get("GroupName", ""))):
        return None
    kept = {key: standing(item) for key, item in value.items()}
    if value.get("Instances") and not kept["Instances"]:  # nothing is left of the reservation
        return None
    return {key: item for key, item in kept.items() if item not in (None, {}, [])}


def _state(value: Any) -> str:
    found = value.get("Name", value.get("State", "")) if isinstance(value, Mapping) else value
    return str(found).lower()
