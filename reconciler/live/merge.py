"""What a resource should look like after an update: the plan's fields over the live ones it doesn't manage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.live.view import has_secret
from reconciler.model.change import FieldChange
from reconciler.model.values import Properties, Sensitive
from reconciler.schema import TypeSchema, tag_values


def target(
    schema: TypeSchema | None,
    desired: Properties,
    live: Properties,
    fields: Sequence[FieldChange],
) -> dict[str, Any]:
    """The complete target of an update, for the properties that ``desired`` and ``fields`` name.

    Live values that the plan doesn't manage (foreign tags, nested keys, ignored fields) are kept as they are; one that
    is as the plan wants it is as secret as there.
    """
    changed = {_top(field.path) for field in fields}
    removed = frozenset(field.path for field in fields if field.after is None)
    result: dict[str, Any] = {}
    for name in desired.keys() | changed:
        if name not in changed:
            result[name] = _kept(live, desired, name)
            continue
        if name not in desired and f"/{name}" in removed:
            continue
        result[name] = _merged(schema, name, desired.get(name), live.get(name), fields, removed)
    return result


def _merged(
    schema: TypeSchema | None,
    name: str,
    desired: Any,
    live: Any,
    fields: Sequence[FieldChange],
    removed: frozenset[str],
) -> Any:
    if schema is not None and name == schema.tag_property:
        return _merged_tags(schema, name, desired, live, removed)
    if any(field.path == f"/{name}" for field in fields):
        return desired
    return _overlay(desired, live, f"/{name}", removed, frozenset(field.path for field in fields))


def _overlay(desired: Any, live: Any, path: str, removed: frozenset[str], changed: frozenset[str]) -> Any:
    """``live`` with the changed fields taken from ``desired``; both are objects as long as a field lies deeper."""
    if path in changed or not isinstance(desired, Mapping) or not isinstance(live, Mapping):
        return desired
    result: dict[str, Any] = {}
    for key in live.keys() | desired.keys():
        below = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if below in removed and key not in desired:
            continue
        if key not in desired:
            result[key] = live[key]
        elif not any(field == below or field.startswith(below + "/") for field in changed):
            result[key] = _kept(live, desired, key)
        else:
            result[key] = _overlay(desired[key], live.get(key), below, removed, changed)
    return result


def _kept(live: Mapping[str, Any], desired: Mapping[str, Any], key: str) -> Any:
    if key not in live:
        return desired.get(key)
    return Sensitive(live[key]) if has_secret(desired.get(key)) else live[key]


def _merged_tags(schema: TypeSchema, name: str, desired: Any, live: Any, removed: frozenset[str]) -> Any:
    tags = {**tag_values(live or []), **tag_values(desired or [])}
    for path in removed:
        tags.pop(path.removeprefix(f"/{name}/").replace("~1", "/").replace("~0", "~"), None)
    if schema.tag_style == "map":
        return tags
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _top(path: str) -> str:
    return path.split("/", 2)[1].replace("~1", "/").replace("~0", "~")


def changed_properties(fields: Sequence[FieldChange]) -> frozenset[str]:
    """The top-level properties that ``fields`` touch."""
    return frozenset(_top(field.path) for field in fields)
