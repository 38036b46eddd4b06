"""Tags of declared types: read, written and taken away as the declaration says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from reconciler.ports import Scope
from reconciler.providers.declared.declaration import Tagging
from reconciler.providers.declared.shaping import at, filled, input_shape
from reconciler.providers.native.tagging import Tags, as_list, as_map

Fields = Mapping[str, Any]


class Tagger:
    """Reads and writes the tags of the resources of one type. ``fields``: what the constants may name."""

    def __init__(self, tagging: Tagging, service: str) -> None:
        self._tagging = tagging
        self._service = tagging.service or service

    @property
    def separate(self) -> bool:
        """Whether reading tags takes a call of its own."""
        return not self._tagging.inline

    @property
    def checked(self) -> bool:
        """Whether tags are looked at after a create."""
        return self._tagging.checked

    def inline(self, item: Mapping[str, Any]) -> Tags:
        """The tags in what the read answers."""
        return parsed(at(item, self._tagging.inline))

    def read(self, scope: Scope, fields: Fields) -> Tags:
        """The tags by a call of their own. Raises AwsFault, NOT_FOUND included."""
        target = filled(self._tagging.asks or self._tagging.target, fields)
        answer = scope.call(self._service, self._tagging.read, **target)
        return parsed(at(answer, self._tagging.answer))

    def write(self, scope: Scope, fields: Fields, tags: Tags) -> None:
        """Add tags, or give those that are there another value."""
        shape = input_shape(self._service, self._tagging.write).members[self._tagging.tags]
        self._send(scope, self._tagging.write, fields, {self._tagging.tags: worded(shape, tags)})

    def remove(self, scope: Scope, fields: Fields, keys: list[str]) -> None:
        """Take tags away."""
        shape = input_shape(self._service, self._tagging.remove).members[self._tagging.keys]
        self._send(scope, self._tagging.remove, fields, {self._tagging.keys: keys_worded(shape, keys)})

    def change(self, scope: Scope, fields: Fields, before: Tags, after: Tags) -> None:
        """Bring tags from ``before`` to ``after``; what neither names stays."""
        if stale := sorted(before.keys() - after.keys()):
            self.remove(scope, fields, stale)
        if fresh := {key: text for key, text in after.items() if before.get(key) != text}:
            self.write(scope, fields, fresh)

    def created(self, operation: str, tags: Tags) -> dict[str, Any]:
        """The parameter of the create call; nothing where there are no tags or it takes none."""
        if not tags or not self._tagging.create:
            return {}
        if self._tagging.specification:
            return {self._tagging.create: [{"ResourceType": self._tagging.specification, "Tags": as_list(tags)}]}
        return {self._tagging.create: worded(input_shape(self._service, operation).members[self._tagging.create], tags)}

    def _send(self, scope: Scope, operation: str, fields: Fields, given: Mapping[str, Any]) -> None:
        constants = {**self._tagging.target, **self._tagging.constants}
        scope.call(self._service, operation, **filled(constants, fields), **given)


def worded(shape: Shape, tags: Tags) -> Any:
    """Tags as a parameter of that shape: a map, or a list of pairs."""
    if not isinstance(shape, ListShape):
        return dict(tags)
    key, value = _pair(shape)
    return as_list(tags, key, value)


def keys_worded(shape: Shape, keys: list[str]) -> list[Any]:
    """Keys as a parameter of that shape: texts, or pairs without their value."""
    if isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
        return [{_pair(shape)[0]: key} for key in keys]
    return list(keys)


def parsed(answer: Any) -> Tags:
    """Tags of an answer, whichever way they are written."""
    if not isinstance(answer, list) or not answer:
        return as_map(answer)
    names = {name.lower().removeprefix("tag"): name for name in answer[0]}
    return as_map(answer, names.get("key", "Key"), names.get("value", "Value"))


def _pair(shape: ListShape) -> tuple[str, str]:
    item = shape.member
    assert isinstance(item, StructureShape)
    names = {name.lower().removeprefix("tag"): name for name in item.members}
    return names["key"], names.get("value", "Value")
