"""What a resource should look like after an update: the plan's fields over the live ones it doesn't manage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.live.compare import pointer
from reconciler.live.view import has_secret
from reconciler.model.change import FieldChange
from reconciler.model.values import Properties, Sensitive
from reconciler.schema import Path, TypeSchema, tag_values


def target(
    schema: TypeSchema | None,
    desired: Properties,
    live: Properties,
    fields: Sequence[FieldChange],
) -> dict[str, Any]:
    """The complete target of an update, for the properties that ``desired`` and ``fields`` name.

    Live values that the plan doesn't manage (foreign tags, nested keys, ignored fields) are kept as they are; one that
    is as the plan wants it is as secret as there. What AWS never returns comes from the plan, because an update may
    have to give it again.
    """
    changed = {_top(field.path) for field in fields}
    removed = frozenset(field.path for field in fields if field.after is None)
    result: dict[str, Any] = {}
    for name in desired.keys() | changed:
        if name not in changed:
            result[name] = _kept(schema, (name,), live, desired)
            continue
        if name not in desired and f"/{name}" in removed:
            continue
        result[name] = _merged(schema, name, desired.get(name), live.get(name), fields, removed)
    return result


def _with_hidden(schema: TypeSchema | None, path: Path, desired: Any, live: Any) -> Any:
    """``live`` with the nested values that the schema calls write-only, as the plan has them."""
    if schema is None or live is desired or not any(path == other[: len(path)] for other in schema.write_only):
        return live
    if isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        return [_with_hidden(schema, (*path, "*"), *pair) for pair in zip(desired, live, strict=True)]
    if not isinstance(desired, Mapping) or not isinstance(live, Mapping):
        return live
    result = {key: _with_hidden(schema, (*path, key), desired.get(key), value) for key, value in live.items()}
    hidden = {key: value for key, value in desired.items() if key not in live and schema.is_secret((*path, key))}
    return {**result, **hidden}


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
    return _overlay(schema, (name,), desired, live, removed, frozenset(field.path for field in fields))


def _overlay(
    schema: TypeSchema | None, path: Path, desired: Any, live: Any, removed: frozenset[str], changed: frozenset[str]
) -> Any:
    """``live`` with the changed fields taken from ``desired``; both are objects as long as a field lies deeper."""
    if pointer(path) in changed or not isinstance(desired, Mapping) or not isinstance(live, Mapping):
        return desired
    result: dict[str, Any] = {}
    for key in live.keys() | desired.keys():
        below, at = (*path, key), pointer((*path, key))
        if at in removed and key not in desired:
            continue
        if key not in desired:
            result[key] = live[key]
        elif not any(field == at or field.startswith(at + "/") for field in changed):
            result[key] = _kept(schema, below, live, desired)
        else:
            result[key] = _overlay(schema, below, desired[key], live.get(key), removed, changed)
    return result


def _kept(schema: TypeSchema | None, path: Path, live: Mapping[str, Any], desired: Mapping[str, Any]) -> Any:
    """The value at the last key of ``path``, which is as the plan wants it."""
    key = path[-1]
    if key not in live:
        return desired.get(key)
    value = _with_hidden(schema, path, desired.get(key), live[key])
    return Sensitive(value) if has_secret(desired.get(key)) else value


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
