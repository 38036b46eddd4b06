"""An update as a JSON patch (RFC 6902), as small as it can be. Pure.

Cloud Control reads the resource, applies the patch and hands the result to the update handler. What reading doesn't
return, the write-only properties, is lost on the way unless the patch adds it, each time. What can only be set at
creation must not be in it, changed or not, and neither must what only AWS writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.model.values import Properties
from reconciler.providers.cloudcontrol.shapes import covered, pruned, typed
from reconciler.schema import Path, TypeSchema

Operation = dict[str, Any]

_ABSENT: Final = object()


def patch(schema: TypeSchema, before: Properties, after: Properties, changed: frozenset[str]) -> list[Operation]:
    """The operations that bring ``before`` (as read) to ``after`` in the properties ``changed``.

    Empty: nothing that can be changed differs. Both without hidden secrets; ``after`` typed as the schema says or not.
    """
    return list(_operations(schema, before, typed(schema, (), after), changed))


def _operations(
    schema: TypeSchema, before: Properties, after: Mapping[str, Any], changed: frozenset[str]
) -> Iterator[Operation]:
    differing = [
        operation
        for name in sorted(changed)
        for operation in _difference(schema, (name,), before.get(name, _ABSENT), after.get(name, _ABSENT))
    ]
    if not differing:
        return
    yield from differing
    again = {path[0] for path in schema.write_only} - changed
    for name in sorted(again & after.keys()):
        yield from _difference(schema, (name,), before.get(name, _ABSENT), after[name])


def _difference(schema: TypeSchema, path: Path, old: Any, new: Any) -> Iterator[Operation]:
    if _fixed(schema, path):
        return
    if new is _ABSENT:
        if old is not _ABSENT:
            yield {"op": "remove", "path": pointer(path)}
    elif old is _ABSENT or schema.is_secret(path):
        yield from _added(schema, path, new)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _difference(schema, (*path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif not _same(old, new):
        yield {"op": "replace", "path": pointer(path), "value": _given(schema, path, new)}


def _added(schema: TypeSchema, path: Path, new: Any) -> Iterator[Operation]:
    value = _given(schema, path, new)
    if value or value == new:  # not what has become empty because all of it is fixed
        yield {"op": "add", "path": pointer(path), "value": value}


def _given(schema: TypeSchema, path: Path, value: Any) -> Any:
    return pruned(value, path, lambda below: _fixed(schema, below))


def _fixed(schema: TypeSchema, path: Path) -> bool:
    return covered(schema.create_only, path) or covered(schema.read_only, path)


def _same(old: Any, new: Any) -> bool:
    """Python holds True for 1; JSON doesn't."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
