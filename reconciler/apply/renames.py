"""New names for old: what a resource made again is called now, carried into all that named the old one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation
from reconciler.model.values import transform
from reconciler.schema import TypeSchema

#: Shorter values, and those without a digit, are states and counters, not names of anything.
_SHORTEST = 5
#: Where ``own_names`` has the identifier itself.
PLACE: tuple[str, ...] = ()
_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+[a-z]?\Z")


def own_names(schema: TypeSchema | None, live: Observation) -> dict[tuple[str, ...], str]:
    """What a resource is called by others, by the place where it says so: its identifier, and what AWS gave it."""
    found = {PLACE: str(live.identifier)}
    for path in schema.read_only if schema else ():
        found.update(_texts(path, _at(live.properties, path)))
    read_only = {path[0] for path in found if path != PLACE}
    given = [value for name, value in live.properties.items() if name not in read_only]
    return {path: text for path, text in found.items() if path == PLACE or (_is_name(text) and text not in given)}


class Renames:
    """Old names and the new ones; besides the names of what is gone and hasn't been made again (yet)."""

    def __init__(self) -> None:
        self._new: dict[str, str] = {}
        self._gone: set[str] = set()
        self._places: dict[str, str] = {}

    def lost(self, names: Mapping[tuple[str, ...], str]) -> None:
        """A resource with these names has been deleted."""
        self._gone.update(filter(_is_name, names.values()))

    def found(self, old: Mapping[tuple[str, ...], str], new: Mapping[tuple[str, ...], str]) -> dict[str, str]:
        """It was made again and has these names now. What is called otherwise than before."""
        self._gone.difference_update(old.values())
        self._places[old[PLACE]] = new[PLACE]
        renamed = {text: new[path] for path, text in old.items() if path in new and new[path] != text}
        renamed = {text: name for text, name in renamed.items() if _is_name(text)}
        self._new.update(renamed)
        return renamed

    def place(self, identifier: Identifier) -> Identifier:
        """Where what had an identifier is now."""
        return Identifier(self._places.get(identifier, identifier))

    def __call__(self, value: Any) -> Any:
        """``value`` with every old name in it replaced, inside of longer texts (ARNs, policies) too."""
        if not self._new:
            return value
        pattern = _pattern(self._new)
        return transform(
            value, lambda leaf: pattern.sub(lambda m: self._new[m[0]], leaf) if isinstance(leaf, str) else leaf
        )

    def touches(self, value: Any) -> bool:
        """Whether ``value`` names something by an old name."""
        return mentions(value, self._new)

    def dangles(self, value: Any) -> bool:
        """Whether ``value`` names something that is gone and hasn't been made again."""
        return mentions(value, self._gone)


def mentions(value: Any, names: Mapping[str, Any] | set[str]) -> bool:
    """Whether any text in ``value`` has one of ``names`` in it."""
    if not names:
        return False
    pattern = _pattern(names)
    return any(pattern.search(text) for _, text in _texts((), value))


def _pattern(names: Mapping[str, Any] | set[str]) -> re.Pattern[str]:
    longest = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")


def _is_name(text: str) -> bool:
    return len(text) >= _SHORTEST and any(map(str.isdigit, text)) and not text.isdigit() and not _ZONE.match(text)


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        properties = properties.get(part) if isinstance(properties, Mapping) else None
    return properties


def _texts(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in ``value`` with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts((*path, str(key)), item)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _texts((*path, str(number)), item)
