"""Comparison, central and pure: which managed fields of a live resource differ from what is wanted, and why.

Three-way: *applied* (what this plan last set), *desired*, *live*. A field the plan doesn't set is not managed; one
it has stopped setting is taken back, at whatever depth. Meaning, not spelling, is compared: ``schema.canonical`` and
``schema.same`` know sets, policy documents, tags and the rest. An object is compared field by field, a list as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.live.view import has_secret
from reconciler.model.change import FieldChange
from reconciler.model.secrecy import is_comparable, is_sealed
from reconciler.model.values import Properties, Sensitive, has_unknown, leaves, sealed
from reconciler.schema import (
    EMPTY,
    MISSING,
    Around,
    Path,
    TypeSchema,
    canonical,
    conceal,
    defaults,
    is_tags,
    overlaps,
    pairs,
    same,
    tag_values,
    whole,
)

#: Stands for what the plan last applied where it did apply something, but not this.
_NEVER = object()


def compare(
    schema: TypeSchema | None,
    desired: Properties,
    live: Properties,
    applied: Properties | None = None,
    ignore: Sequence[str] = (),
) -> tuple[FieldChange, ...]:
    """The fields that would have to change for ``live`` to be as ``desired``.

    ``applied`` is None when the plan has never applied the resource. ``ignore`` holds JSON pointers to fields that
    another controller owns.
    """
    changes = tuple(_changes(schema, desired, live, applied or {}))
    if not ignore:
        return changes
    return tuple(change for change in changes if not _ignored(change.path, ignore))


def _changes(
    schema: TypeSchema | None, desired: Properties, live: Properties, applied: Properties
) -> Iterator[FieldChange]:
    read_only = schema.read_only if schema else frozenset()
    for name, wanted in desired.items():
        yield from _walk(schema, (name,), wanted, live.get(name), _before(applied, name), (desired,))
    for name in applied.keys() - desired.keys():
        if (name,) not in read_only and name in live:
            yield from _taken_back(schema, (name,), applied[name], live[name])


def _before(applied: Mapping[str, Any], key: str) -> Any:
    """What the plan last applied at ``key``; None where it isn't known to have applied anything."""
    return applied.get(key, _NEVER if applied else None)


def _walk(
    schema: TypeSchema | None, path: Path, wanted: Any, live: Any, applied: Any, around: Around
) -> Iterator[FieldChange]:
    """Descend through objects, where only the keys that the plan sets count; compare everything else whole."""
    if wanted == live or (schema is not None and path in schema.read_only):
        return
    if schema is not None and live is None and schema.is_secret(path):
        yield from _unobservable(schema, path, wanted, applied)
        return
    if is_tags(schema, path):
        wanted, live = tag_values(wanted or []), tag_values(live or [])
        if wanted == live:
            return
        applied = tag_values([] if applied is _NEVER else applied or [])
    if isinstance(wanted, Mapping) and (isinstance(live, Mapping) or _nothing_to_see(schema, path, wanted, live)):
        yield from _object(schema, path, wanted, live or {}, applied, around)
        return
    applied = None if applied is _NEVER else applied
    if isinstance(wanted, list) and isinstance(live, list):
        yield from _list(schema, path, wanted, live, applied, around)
    elif not same(schema, path, wanted, live, around, _settled(schema, path, wanted, applied)):
        yield _field(schema, path, live, wanted, _reason(schema, path, wanted, applied), applied)


def _object(
    schema: TypeSchema | None,
    path: Path,
    wanted: Mapping[str, Any],
    live: Mapping[str, Any],
    applied: Any,
    around: Around,
) -> Iterator[FieldChange]:
    new = applied is _NEVER
    applied = None if new else applied
    before = applied if isinstance(applied, Mapping) else {}
    gone = before.keys() - wanted.keys()
    if not gone and not _hides(schema, path) and canonical(schema, path, wanted) == canonical(schema, path, live):
        return
    if whole(schema, path, wanted):
        if not same(schema, path, wanted, live, around):
            yield _field(schema, path, live, wanted, _reason(schema, path, wanted, applied), applied)
        return
    for key, value in wanted.items():
        former = _NEVER if new else _before(before, key)
        yield from _walk(schema, (*path, key), value, live.get(key), former, (*around, wanted))
    for key in gone:
        yield from _taken_back_key(schema, path, key, before, live)


def _list(
    schema: TypeSchema | None, path: Path, wanted: list[Any], live: list[Any], applied: Any, around: Around
) -> Iterator[FieldChange]:
    """A list differs as one: an item that differs, write-only parts the plan changed, or keys it no longer sets."""
    settled = _settled(schema, path, wanted, applied)
    seen, shown = wanted, live
    if _hides(schema, path):
        seen, shown = _visible(schema, path, wanted), _visible(schema, path, live)
    if not same(schema, path, seen, shown, around, settled):
        yield _field(schema, path, live, wanted, _reason(schema, path, wanted, applied), applied)
        return
    if settled or not isinstance(applied, list) or has_unknown(wanted) or _made_elsewhere(applied):
        return
    hidden = seen is not wanted and _conceals_change(schema, (*path, "*"), wanted, applied)
    if hidden or _drops(schema, path, seen, shown, applied, around):
        yield _field(schema, path, live, wanted, "plan", applied)


def _conceals_change(schema: TypeSchema | None, path: Path, wanted: list[Any], applied: list[Any]) -> bool:
    """Whether the plan has changed an item with write-only parts; AWS doesn't say whether they are as wanted."""
    before = [canonical(schema, path, item) for item in applied]
    return any(
        _visible(schema, path, item) != item and _sealed_form(schema, path, item) not in before for item in wanted
    )


def _drops(
    schema: TypeSchema | None, path: Path, wanted: list[Any], live: list[Any], applied: list[Any], around: Around
) -> bool:
    """Whether an item still has a key that the plan set in it and no longer sets."""
    item = (*path, "*")
    for left, right in pairs(schema, path, wanted, live, around) or ():
        now = live[right]
        if not isinstance(now, Mapping) or not isinstance(wanted[left], Mapping):
            continue
        # what the plan had set there is all still there; of several such items the one most like the new one is meant
        former = [entry for entry in applied if isinstance(entry, Mapping) and same(schema, item, entry, now)]
        if former and all(_lost(schema, item, entry, wanted[left], now) for entry in former):
            return True
    return False


def _lost(schema: TypeSchema | None, path: Path, before: Any, wanted: Any, live: Any) -> bool:
    if not (isinstance(before, Mapping) and isinstance(wanted, Mapping) and isinstance(live, Mapping)):
        return False
    gone = before.keys() - wanted.keys()
    return any(True for key in gone for _ in _taken_back_key(schema, path, key, before, live)) or any(
        _lost(schema, (*path, key), before[key], wanted[key], live.get(key)) for key in before.keys() & wanted.keys()
    )


def _taken_back_key(
    schema: TypeSchema | None, path: Path, key: str, before: Mapping[str, Any], live: Mapping[str, Any]
) -> Iterator[FieldChange]:
    if key in live and not _is_read_only(schema, (*path, key)):
        yield from _taken_back(schema, (*path, key), before[key], live[key])


def _is_read_only(schema: TypeSchema | None, path: Path) -> bool:
    return schema is not None and path in schema.read_only


def _settled(schema: TypeSchema | None, path: Path, wanted: Any, applied: Any) -> bool:
    """Whether the plan says what it said when it was applied last, so that it can't be the plan that changed."""
    if applied is None or wanted == applied:
        return True
    return bool(_sealed_form(schema, path, wanted) == canonical(schema, path, applied))


def _sealed_form(schema: TypeSchema | None, path: Path, wanted: Any) -> Any:
    return canonical(schema, path, sealed(wanted) if has_secret(wanted) else wanted)


def _hides(schema: TypeSchema | None, path: Path) -> bool:
    """Whether something below ``path`` is write-only."""
    if schema is None or not schema.hides(path[0]):
        return False
    return any(len(other) > len(path) and overlaps(path, other) for other in schema.write_only)


def _visible(schema: TypeSchema | None, path: Path, value: Any) -> Any:
    """``value`` without what is write-only in it."""
    if isinstance(value, Mapping):
        return {
            key: _visible(schema, (*path, key), item)
            for key, item in value.items()
            if schema is None or not schema.is_secret((*path, key))
        }
    if isinstance(value, list):
        return [_visible(schema, (*path, "*"), item) for item in value]
    return value


def _nothing_to_see(schema: TypeSchema | None, path: Path, wanted: Mapping[str, Any], live: Any) -> bool:
    """Whether an object that AWS doesn't show holds nothing but write-only values, so that it may well be there."""
    return live is None and bool(wanted) and _hides(schema, path) and not _visible(schema, path, wanted)


def _unobservable(schema: TypeSchema, path: Path, wanted: Any, applied: Any) -> Iterator[FieldChange]:
    """AWS never returns the value: only a change of the plan can be seen, not drift."""
    if applied is None or has_unknown(wanted) or _made_elsewhere(applied):
        return
    if applied is _NEVER:
        yield _field(schema, path, None, wanted, "plan")
        return
    if has_secret(wanted):
        same = sealed(wanted) == applied
    else:
        same = canonical(schema, path, wanted) == canonical(schema, path, applied)
    if not same:
        yield _field(schema, path, None, wanted, "plan")


def _made_elsewhere(applied: Any) -> bool:
    """Whether a digest in it was made with another installation's key: two daemons on one store may have one each."""
    return any(is_sealed(leaf) and not is_comparable(leaf) for leaf in leaves(applied))


def _taken_back(schema: TypeSchema | None, path: Path, applied: Any, live: Any) -> Iterator[FieldChange]:
    """The plan has stopped setting a field: revert it, unless live is back at the default already."""
    if live in EMPTY:
        return
    default = defaults(schema, path) if schema else MISSING
    if default is not MISSING and canonical(schema, path, live) == canonical(schema, path, default):
        return
    if is_tags(schema, path):
        current, former = tag_values(live), tag_values(applied)
        for key in sorted(former.keys() & current.keys()):
            yield _field(schema, (*path, key), current[key], None, "plan", former[key])
        return
    yield _field(schema, path, live, None, "plan", applied)


def _reason(schema: TypeSchema | None, path: Path, wanted: Any, applied: Any) -> str:
    if has_unknown(wanted):
        return "reference"
    if isinstance(wanted, Sensitive) or applied is None:
        return "drift" if applied is not None else "plan"
    unchanged = _settled(schema, path, wanted, applied) or same(schema, path, wanted, applied, settled=False)
    return "drift" if unchanged else "plan"


def _field(
    schema: TypeSchema | None, path: Path, before: Any, after: Any, reason: str, applied: Any = None
) -> FieldChange:
    """``before`` is a secret if the field holds one, or held one when the plan last set it (``applied``)."""
    secret = before is not None and (has_secret(after) or has_secret(applied))
    return FieldChange(
        path=pointer(path),
        before=Sensitive(before) if secret else _hidden(schema, path, before),
        after=_hidden(schema, path, after),
        forces_replacement=schema is not None and schema.forces_replacement(path),
        reason=reason,
    )


def _hidden(schema: TypeSchema | None, path: Path, value: Any) -> Any:
    """``value`` with everything that the schema calls write-only concealed, at whatever depth."""
    return value if schema is None or value is None else conceal(schema, path, value)


def pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def _ignored(path: str, ignore: Sequence[str]) -> bool:
    return any(path == rule or path.startswith(rule.rstrip("/") + "/") for rule in ignore)
