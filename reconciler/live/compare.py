"""Comparison, central and pure: which managed fields of a live resource differ from what is wanted, and why.

Three-way: *applied* (what this plan last set), *desired*, *live*. A field the plan doesn't set is not managed; one
it has stopped setting is taken back. Meaning, not spelling, is compared: ``schema.canonical`` knows sets, policy
documents, tags and the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.live.desired import has_secret
from reconciler.model.change import FieldChange
from reconciler.model.secrecy import is_comparable, is_sealed
from reconciler.model.values import Properties, Sensitive, has_unknown, leaves, sealed
from reconciler.schema import MISSING, Path, TypeSchema, accepts, canonical, conceal, defaults

_EMPTY: tuple[Any, ...] = (None, [], {}, "")


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
        path = (name,)
        if path in read_only:
            continue
        yield from _walk(schema, path, wanted, live.get(name), applied.get(name))
    for name in applied.keys() - desired.keys():
        if (name,) not in read_only and name in live:
            yield from _taken_back(schema, (name,), applied[name], live[name])


def _walk(schema: TypeSchema | None, path: Path, wanted: Any, live: Any, applied: Any) -> Iterator[FieldChange]:
    """Descend through objects, where only the keys that the plan sets count; compare everything else whole."""
    if wanted == live:
        return
    if live is None and schema is not None and schema.is_secret(path):
        yield from _unobservable(schema, path, wanted, applied)
        return
    shown = {} if live is None and _hides(schema, path, wanted) else live
    yield from _differing(schema, path, wanted, shown, applied)


def _differing(schema: TypeSchema | None, path: Path, wanted: Any, live: Any, applied: Any) -> Iterator[FieldChange]:
    if _is_tags(schema, path):
        wanted, live, applied = (canonical(schema, path, value or []) for value in (wanted, live, applied))
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        if canonical(schema, path, wanted) == canonical(schema, path, live):
            return
        if not _whole(schema, path, wanted):
            before = applied if isinstance(applied, Mapping) else {}
            for key, value in wanted.items():
                yield from _walk(schema, (*path, key), value, live.get(key), before.get(key))
            for key in before.keys() - wanted.keys():
                if key in live:
                    yield from _taken_back(schema, (*path, key), before[key], live[key])
            return
    if _same(schema, path, wanted, live):
        return
    yield _field(schema, path, live, wanted, _reason(schema, path, wanted, applied))


def _hides(schema: TypeSchema | None, path: Path, wanted: Any) -> bool:
    """Whether something in an object is never returned: one of which nothing else is set may read as absent."""
    if schema is None or not isinstance(wanted, Mapping):
        return False
    return any(path == other[: len(path)] for other in schema.write_only)


def _is_tags(schema: TypeSchema | None, path: Path) -> bool:
    return schema is not None and schema.tag_property is not None and path == (schema.tag_property,)


def _whole(schema: TypeSchema | None, path: Path, wanted: Mapping[str, Any]) -> bool:
    """Policy documents and free-form JSON change as one: a key the plan leaves out isn't somebody else's."""
    if "Statement" in wanted or "Version" in wanted:
        return True
    if _is_tags(schema, path) or schema is None:
        return False
    node = schema.node(path)
    return (
        node is not None and not node.get("properties") and not any(key in node for key in ("oneOf", "anyOf", "allOf"))
    )


def _same(schema: TypeSchema | None, path: Path, wanted: Any, live: Any) -> bool:
    if live is None:
        if wanted in _EMPTY:
            return True
        default = defaults(schema, path) if schema else MISSING
        return default is not MISSING and canonical(schema, path, wanted) == canonical(schema, path, default)
    left, right = canonical(schema, path, wanted), canonical(schema, path, live)
    if left == right or _covers(left, right):
        return True
    return schema is not None and accepts(schema, path, wanted, live)


def _covers(wanted: Any, live: Any) -> bool:
    """Whether ``live`` is ``wanted`` plus keys in nested objects that the plan doesn't set."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return all(key in live and _covers(value, live[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return len(wanted) == len(live) and _paired(wanted, live)
    return bool(wanted == live)


def _paired(wanted: list[Any], live: list[Any]) -> bool:
    """Items in order, or, for objects, in any order: canonical sets are sorted by keys the plan may not set."""
    if all(_covers(left, right) for left, right in zip(wanted, live, strict=True)):
        return True
    if not all(isinstance(item, Mapping) for item in (*wanted, *live)):
        return False
    rest = list(live)
    for item in wanted:
        match = next((index for index, candidate in enumerate(rest) if _covers(item, candidate)), None)
        if match is None:
            return False
        rest.pop(match)
    return True


def _unobservable(schema: TypeSchema, path: Path, wanted: Any, applied: Any) -> Iterator[FieldChange]:
    """AWS never returns the value: only a change of the plan can be seen, not drift."""
    if applied is None or has_unknown(wanted) or _made_elsewhere(applied):
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
    if live in _EMPTY:
        return
    default = defaults(schema, path) if schema else MISSING
    if default is not MISSING and canonical(schema, path, live) == canonical(schema, path, default):
        return
    if _is_tags(schema, path):
        current = canonical(schema, path, live)
        for key in sorted(canonical(schema, path, applied).keys() & current.keys()):
            yield _field(schema, (*path, key), current[key], None, "plan")
        return
    yield _field(schema, path, Sensitive(live) if has_secret(applied) else live, None, "plan")


def _reason(schema: TypeSchema | None, path: Path, wanted: Any, applied: Any) -> str:
    if has_unknown(wanted):
        return "reference"
    if isinstance(wanted, Sensitive) or applied is None:
        return "drift" if applied is not None else "plan"
    return "drift" if _same(schema, path, wanted, applied) else "plan"


def _field(schema: TypeSchema | None, path: Path, before: Any, after: Any, reason: str) -> FieldChange:
    return FieldChange(
        path=pointer(path),
        before=Sensitive(before) if before is not None and has_secret(after) else _hidden(schema, path, before),
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
