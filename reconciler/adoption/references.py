"""Values that name another resource of the same plan become ``Ref`` and ``Fn::GetAtt``, where that is certain. Pure.

Only whole values count: an ARN, id or URL that is another resource's, or a name where the schema (or the property's own
name) says what it names. Nothing is guessed among several, and no reference closes a circle.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.adoption.found import Draft, Reference
from reconciler.model.ids import LogicalId
from reconciler.model.resource import Observation
from reconciler.schema import Path, TypeSchema, attribute_value, reference_value, schema_for, whole

#: what only one thing can be called: ARNs, ids that AWS makes up, addresses
_UNIQUE = re.compile(
    r"arn:aws[\w-]*:\S+|[a-z]{1,16}(?:-[a-z]{1,16}){0,2}-(?:[0-9a-f]{8}|[0-9a-f]{17})|https?://\S+"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a value comes from: a resource's Ref (no attribute) or one of its attributes."""

    logical_id: LogicalId
    type: str
    attribute: str


@dataclass(frozen=True, slots=True)
class _Edge:
    """A value in ``consumer`` that could be ``reference``; the lower the rank the more it should."""

    rank: int
    consumer: LogicalId
    path: tuple[str | int, ...]
    reference: Reference


def with_references(drafts: Sequence[Draft], live: Mapping[LogicalId, Observation], region: str) -> tuple[Draft, ...]:
    """The drafts with references between them. ``live``: every resource as it was read."""
    known = _Known.of(drafts, live, region)
    needs: dict[LogicalId, set[LogicalId]] = {draft.logical_id: set(draft.depends_on) for draft in drafts}
    edges = [edge for draft in drafts for edge in known.edges(draft)]
    chosen: dict[LogicalId, dict[tuple[str | int, ...], Reference]] = defaultdict(dict)
    for edge in sorted(edges, key=lambda edge: (edge.rank, edge.consumer, [str(part) for part in edge.path])):
        target = edge.reference.logical_id
        if _reaches(needs, target, edge.consumer):
            continue
        needs[edge.consumer].add(target)
        chosen[edge.consumer][edge.path] = edge.reference
    return tuple(_referring(draft, chosen[draft.logical_id]) for draft in drafts)


def _referring(draft: Draft, chosen: Mapping[tuple[str | int, ...], Reference]) -> Draft:
    properties = {name: _put(value, (name,), chosen) for name, value in draft.properties.items()}
    implied = {reference.logical_id for reference in chosen.values()}
    return replace(
        draft,
        properties=properties,
        depends_on=tuple(name for name in draft.depends_on if name not in implied),
    )


def _put(value: Any, path: tuple[str | int, ...], chosen: Mapping[tuple[str | int, ...], Reference]) -> Any:
    if isinstance(value, Mapping):
        return {key: _put(item, (*path, key), chosen) for key, item in value.items()}
    if isinstance(value, list):
        return [_put(item, (*path, index), chosen) for index, item in enumerate(value)]
    return chosen.get(path, value)


def _reaches(needs: Mapping[LogicalId, set[LogicalId]], start: LogicalId, goal: LogicalId) -> bool:
    todo, seen = [start], set[LogicalId]()
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo += needs.get(name, ())
    return False


@dataclass(slots=True)
class _Known:
    """Every value that a resource of the plan can be referred to by."""

    region: str
    sources: dict[str, list[_Source]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, drafts: Sequence[Draft], live: Mapping[LogicalId, Observation], region: str) -> _Known:
        known = cls(region)
        for draft in drafts:
            schema = schema_for(draft.type, region)
            if schema is None:
                continue
            name, seen = draft.logical_id, live[draft.logical_id]
            values = {"": reference_value(schema, seen), **_attributes(schema, seen)}
            for attribute, value in values.items():
                if isinstance(value, str) and value and (not attribute or value != values[""]):
                    known.sources[value].append(_Source(name, draft.type, attribute))
        return known

    def edges(self, draft: Draft) -> Iterator[_Edge]:
        """Every reference that could stand in ``draft``."""
        schema = schema_for(draft.type, self.region)
        for name, value in draft.properties.items():
            if schema is None or name == schema.tag_property or name == "Tags":
                continue
            rank = 0 if name in schema.required or schema.forces_replacement((name,)) else 1
            for path, at, text, free in _texts((name,), (name,), value, _freedom(schema)):
                source = self._meant(schema, at, text, draft, free=free)
                if source is not None:
                    reference = Reference(source.logical_id, source.attribute, text)
                    yield _Edge(2 if free else rank, draft.logical_id, path, reference)

    def _meant(self, schema: TypeSchema, at: Path, text: str, draft: Draft, *, free: bool) -> _Source | None:
        """The one resource that ``text`` names there for certain."""
        known = self.sources.get(text, ())
        found = [source for source in known if source.logical_id != draft.logical_id]
        if _UNIQUE.fullmatch(text):
            found = found if len(found) == len(known) else []  # else it is its own
        else:
            found = [] if free else [source for source in found if _names(schema, at, source)]
        if len({source.logical_id for source in found}) != 1:
            return None
        return min(found, key=lambda source: (source.attribute != "", source.attribute != "Arn", source.attribute))


def _attributes(schema: TypeSchema, live: Observation) -> dict[str, Any]:
    """What Fn::GetAtt can give: every text among what AWS alone writes."""
    found: dict[str, Any] = {}
    for path in sorted(schema.read_only):
        if "*" in path:
            continue
        try:
            found[".".join(path)] = attribute_value(live.properties, ".".join(path))
        except KeyError:
            continue
    return found


Free = Callable[[Path, Mapping[str, Any]], bool]


def _freedom(schema: TypeSchema) -> Free:
    return lambda at, value: whole(schema, at, value)


def _texts(
    path: tuple[str | int, ...], at: Path, value: Any, is_free: Free, free: bool = False
) -> Iterator[tuple[tuple[str | int, ...], Path, str, bool]]:
    """Each text in a value: where it is, where that is in the schema, and whether the schema says nothing of it."""
    if isinstance(value, str):
        yield path, at, value, free
    elif isinstance(value, Mapping):
        free = free or is_free(at, value)
        for key, item in value.items():
            yield from _texts((*path, key), (*at, key), item, is_free, free)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts((*path, index), (*at, "*"), item, is_free, free)


def _names(schema: TypeSchema, at: Path, source: _Source) -> bool:
    """Whether what stands at a place is the name of a resource of the source's type."""
    node = schema.node(at) or {}
    parent = schema.node(at[:-1]) or {} if at[-1] == "*" else {}
    for shape in (*_shapes(node), *_shapes(parent)):
        kind = shape.get("format")
        if isinstance(kind, str) and kind.startswith(f"{source.type}."):
            return True
        relation = shape.get("relationshipRef")
        if isinstance(relation, Mapping) and relation.get("typeName") == source.type:
            return True
    return source.type != schema.type_name and _called_after(schema, at, source.type)


def _shapes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for keyword in _ALTERNATIVES:
        yield from (one for one in node.get(keyword, ()) if isinstance(one, Mapping))


def _called_after(schema: TypeSchema, at: Path, type_name: str) -> bool:
    """Whether the property is called after the type: ``Bucket``, ``FunctionName``, ``Roles``, ``S3BucketName``."""
    _, service, kind = type_name.split("::", 2)
    name = next((part for part in reversed(at) if part != "*"), "")
    alike = {f"{kind}{ending}" for ending in ("", "s", "Name", "Names", "Id", "Ids", "Ref")}
    if schema.type_name.split("::")[1] == service and name in alike:
        return True
    return name in {f"{service}{one}" for one in alike}
