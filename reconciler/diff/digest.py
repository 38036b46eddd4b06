"""The digest of a change set: what an approval of exactly this change binds to. Pure.

It covers the plan's content and target, and of every changed resource what it is now and what would be done to it:

    create           what would be made
    update, adopt    each field that differs, before and after, and everything that the plan wants of the resource:
                     where no field differs live state is as wanted, so this is all that the plan manages
    replace, delete  everything that would be destroyed, and what would be made instead

Meaning counts, not spelling or order. What AWS alone writes (read-only properties, times among them) and what the plan
ignores may change at any moment and isn't part of it; the identifier is. A property that holds a secret is represented
by a keyed digest, which is this installation's: nothing of it can be found out, and a change of it is seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.live.view import has_secret
from reconciler.model.change import DESTRUCTIVE, Change, ChangeSet, FieldChange
from reconciler.model.ids import Digest
from reconciler.model.secrecy import seal
from reconciler.model.values import Deferred, Properties, Unknown
from reconciler.schema import Path, TypeSchema, canonical, schema_for


def change_digest(changes: ChangeSet) -> Digest:
    """SHA-256 over everything that an approval of exactly this change would bind to, the policy set apart."""
    plan = changes.plan
    content = {
        "plan": [plan.name, plan.digest, plan.rolling_back],
        "target": [plan.target.environment, plan.target.account, plan.target.region],
        "changes": sorted(_text(_change(changes, change)) for change in changes.changes),
        "steps": sorted([step.id, *sorted(step.needs)] for step in changes.steps),
    }
    return Digest("sha256:" + hashlib.sha256(_text(content).encode()).hexdigest())


def _change(changes: ChangeSet, change: Change) -> dict[str, Any]:
    schema = schema_for(change.type, changes.plan.target.region)
    former = change.moved_from
    return {
        "resource": [change.logical_id, change.type, change.action.value, change.identifier],
        "from": None if former is None else [former.plan, former.logical_id],
        "fields": sorted(_text(_field(schema, field)) for field in change.fields),
        "wanted": None if change.after is None else _wanted(schema, changes, change),
        "destroyed": _destroyed(schema, changes, change) if change.action in DESTRUCTIVE else None,
    }


def _field(schema: TypeSchema | None, field: FieldChange) -> list[Any]:
    path = _path(field.path)
    sides = [_value(schema, path, value) for value in (field.before, field.after)]
    return [field.path, *sides, field.forces_replacement]


def _wanted(schema: TypeSchema | None, changes: ChangeSet, change: Change) -> dict[str, Any]:
    """All that the plan wants; ``after`` of an update also holds what others have set, which isn't the plan's."""
    return _properties(schema, changes.desired.get(change.logical_id, change.after or {}))


def _destroyed(schema: TypeSchema | None, changes: ChangeSet, change: Change) -> dict[str, Any]:
    """The whole resource as it was seen, veiled where the change's own sides are."""
    before, after = change.before or {}, change.after or {}
    live = {**changes.live.get(change.logical_id, {}), **before}
    ignored = [_path(rule.path) for rule in changes.plan.ignore if rule.resource == change.logical_id]
    dropped = [*(schema.read_only if schema else ()), *ignored]
    secret = {name for name in live if has_secret(before.get(name)) or has_secret(after.get(name))}
    kept = {name: _without(value, (name,), dropped) for name, value in live.items() if (name,) not in dropped}
    return _properties(schema, kept, secret)


def _properties(schema: TypeSchema | None, given: Properties, secret: Collection[str] = ()) -> dict[str, Any]:
    return {name: _value(schema, (name,), value, secret=name in secret) for name, value in given.items()}


def _value(schema: TypeSchema | None, path: Path, value: Any, *, secret: bool = False) -> Any:
    """One form for all spellings of a value; a keyed digest where there is a secret anywhere in it."""
    hidden = secret or has_secret(value) or (schema is not None and schema.is_secret(path))
    plain = _plain(canonical(schema, path, value))
    return seal(plain) if hidden and value is not None else plain


def _without(value: Any, path: Path, dropped: Collection[Path]) -> Any:
    """``value``, found at ``path``, without what is ``dropped`` inside of it."""
    if isinstance(value, Mapping):
        inside = {key: (*path, str(key)) for key in value}
        return {
            key: _without(value[key], place, dropped) for key, place in inside.items() if not _listed(place, dropped)
        }
    if isinstance(value, list | tuple):
        items = [(item, (*path, str(number))) for number, item in enumerate(value)]
        return [_without(item, place, dropped) for item, place in items if not _listed(place, dropped)]
    return value


def _listed(place: Path, dropped: Collection[Path]) -> bool:
    return any(
        len(other) == len(place) and all(part in ("*", here) for part, here in zip(other, place, strict=True))
        for other in dropped
    )


def _path(pointer: str) -> Path:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Unknown):
        return {"unknown": value.expression}
    if isinstance(value, Deferred):
        return {"deferred": [value.function, _plain(value.argument)]}
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
