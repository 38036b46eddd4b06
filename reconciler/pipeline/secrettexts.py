"""The secrets that a change set carries, as the texts that no file may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.change import Change, ChangeSet
from reconciler.model.values import Sensitive, leaves, reveal
from reconciler.pipeline.writeonly import may_be_written
from reconciler.schema import TypeSchema, schema_for
from reconciler.schema.types import Path

#: Shorter than this, a secret can't be told from text that merely looks like it.
SHORTEST_SECRET = 5


def secret_texts(changes: ChangeSet) -> Iterator[str]:
    """Every secret that the change set carries and that is long enough to be recognised in a text.

    What is write-only and no secret isn't one. Live values are veiled as a whole where a part of them is secret: of
    those, what the plan itself says openly isn't one either.
    """
    plan = changes.plan
    yield from _texts([Sensitive(reveal(item.value)) if item.no_echo else item.value for item in plan.parameters])
    yield from _texts([(output.value, output.export) for output in plan.outputs])
    yield from _texts([(item.properties, item.metadata, item.by_stack) for item in plan.resources.values()])
    for name, properties in changes.desired.items():
        yield from _texts(_secret_parts(properties, _schema(changes, name)))
    said = {leaf for item in plan.resources.values() for leaf in leaves(item.properties) if isinstance(leaf, str)}
    yield from (text for text in _recalled(changes) if text not in said)


def _recalled(changes: ChangeSet) -> Iterator[str]:
    """What was and what will be of each resource that changes, and what is of every one."""
    for change in changes.changes:
        schema = schema_for(change.type, changes.plan.target.region)
        for properties in (change.before, change.after):
            yield from _texts(_secret_parts(properties or {}, schema))
        yield from _texts(list(_fields(change, schema)))
    for name, live in changes.live.items():
        yield from _texts(_secret_parts(live, _schema(changes, name)))


def _fields(change: Change, schema: TypeSchema | None) -> Iterator[Any]:
    for field in change.fields:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in field.path.removeprefix("/").split("/")]
        path = tuple("*" if part.isdigit() else part for part in parts)
        yield from (_secret_part(value, path, schema) for value in (field.before, field.after))


def _schema(changes: ChangeSet, name: Any) -> TypeSchema | None:
    planned = changes.plan.resources.get(name)
    return schema_for(planned.type, changes.plan.target.region) if planned else None


def _secret_parts(properties: Mapping[str, Any], schema: TypeSchema | None) -> list[Any]:
    """Properties without what is secret to the schema alone and may be written."""
    return [_secret_part(value, (name,), schema) for name, value in properties.items()]


def _secret_part(value: Any, path: Path, schema: TypeSchema | None) -> Any:
    if isinstance(value, Sensitive):
        return value if schema is None else [Sensitive(leaf) for leaf in _unwritten(value.reveal(), path, schema)]
    if isinstance(value, Mapping):
        return [_secret_part(item, (*path, str(name)), schema) for name, item in value.items()]
    if isinstance(value, list | tuple):
        return [_secret_part(item, (*path, "*"), schema) for item in value]
    return value


def _unwritten(value: Any, path: Path, schema: TypeSchema) -> Iterator[Any]:
    if isinstance(value, Sensitive):
        yield value.reveal()
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _unwritten(item, (*path, str(name)), schema)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _unwritten(item, (*path, "*"), schema)
    elif not (schema.is_secret(path) and may_be_written(schema, path, value)):
        yield value


def _texts(carriers: Any) -> Iterator[str]:
    for leaf in leaves(carriers):
        if isinstance(leaf, Sensitive):
            for value in leaves(reveal(leaf.reveal())):
                if isinstance(value, str) and len(value) >= SHORTEST_SECRET:
                    yield value
