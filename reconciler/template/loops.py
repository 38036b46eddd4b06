"""``Fn::ForEach``: loops written out before anything else is looked at, as AWS's language extensions do.

``Fn::ForEach::Name: [Identifier, Collection, {Key: Value}]`` stands for one ``Key: Value`` for each item, with
``${Identifier}`` (``&{Identifier}`` without what isn't a letter or digit) and ``Ref: Identifier`` replaced by the item.
Loops may be nested and stand in Conditions, Resources, Outputs and the properties of resources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.template.problems import Locate, Place, Problems, kind_of

LOOP = "Fn::ForEach::"
SECTIONS = ("Conditions", "Resources", "Outputs")
_NAME = re.compile(r"[A-Za-z0-9]{1,255}")
_NO_NAME = re.compile(r"[^A-Za-z0-9]")
#: more would be a mistake, or an attack on the memory of the daemon; CloudFormation takes 500 resources a template
_MOST_ITEMS, _MOST_MADE = 1_000, 20_000

#: a loop's collection, as a template writes it, to its items; None where that can't be told, which is reported then
Collect = Callable[[Any, Place], Any]


def has_loops(node: Any) -> bool:
    """Whether a template or a part of it has a loop to write out."""
    if isinstance(node, Mapping):
        return any((isinstance(key, str) and key.startswith(LOOP)) or has_loops(item) for key, item in node.items())
    return isinstance(node, list) and any(map(has_loops, node))


class Loops:
    """Writes the loops of one template out. ``origin``: for every place made, the place of the loop that made it."""

    def __init__(self, collect: Collect, problems: Problems) -> None:
        self._collect = collect
        self._problems = problems
        self._names: dict[str, Place] = {}
        self._made = 0
        self.origin: dict[Place, Place] = {}

    def written_out(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The template without loops. One that is wrong is reported and left out."""
        return {
            name: self._node(section, (name,), (name,), {}) if name in SECTIONS and has_loops(section) else section
            for name, section in document.items()
        }

    def located(self, locate: Locate) -> Locate:
        """``locate`` for the places of the template without loops."""

        def located(place: Place) -> tuple[str, int]:
            for length in range(len(place), 0, -1):
                if place[:length] in self.origin:
                    return locate(self.origin[place[:length]])
            return locate(place)

        return located

    def _node(self, node: Any, place: Place, source: Place, items: Mapping[str, str]) -> Any:
        """A part of the template with loops written out and the ``items`` of the loops around it put in."""
        if isinstance(node, str):
            return _filled(node, items) if items else node
        if isinstance(node, list):
            return [self._node(item, (*place, index), (*source, index), items) for index, item in enumerate(node)]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1 and isinstance(name := node.get("Ref"), str) and name in items:
            return items[name]
        result: dict[str, Any] = {}
        for key, value in node.items():
            if isinstance(key, str) and key.startswith(LOOP):
                for made, part in self._loop(key, value, place, (*source, key), items):
                    if made in result or made in node:
                        self._fail((*source, key), f"{key} makes {made}, which is there already")
                    result[made] = part
            else:
                filled = _filled(key, items) if isinstance(key, str) and items else key
                result[filled] = self._node(value, (*place, filled), (*source, key), items)
        return result

    def _loop(
        self, key: str, loop: Any, place: Place, source: Place, items: Mapping[str, str]
    ) -> Iterator[tuple[str, Any]]:
        checked = self._checked(key, loop, source, items)
        if checked is None:
            return
        identifier, collection, body = checked
        for item in collection:
            inside = {**items, identifier: item}
            for pattern, value in body.items():
                if pattern.startswith(LOOP):
                    yield from self._loop(pattern, value, place, (*source, 2, pattern), inside)
                    continue
                self._made += 1
                if self._made > _MOST_MADE:
                    self._fail(source, f"the loops of a template make more than {_MOST_MADE} entries")
                    return
                made = _filled(pattern, inside)
                self.origin.setdefault((*place, made), source)
                yield made, self._node(value, (*place, made), (*source, 2, pattern), inside)

    def _checked(
        self, key: str, loop: Any, source: Place, items: Mapping[str, str]
    ) -> tuple[str, list[str], Mapping[str, Any]] | None:
        name = key.removeprefix(LOOP)
        if not _NAME.fullmatch(name) or self._names.setdefault(name, source) != source:
            self._fail(source, f"{key}: a loop needs a name of letters and digits that no other loop has")
            return None
        if not isinstance(loop, list) or len(loop) != 3 or not isinstance(loop[2], Mapping):
            self._fail(source, f"{key} takes a list: [identifier, collection, {{key: value}}]")
            return None
        identifier, collection, body = loop
        if not isinstance(identifier, str) or not _NAME.fullmatch(identifier) or identifier in items:
            self._fail((*source, 0), f"{key}: the identifier must be a name that no loop around it uses")
            return None
        marks = ("${" + identifier + "}", "&{" + identifier + "}")
        for pattern in body:
            if not isinstance(pattern, str) or not (pattern.startswith(LOOP) or any(mark in pattern for mark in marks)):
                self._fail((*source, 2), f"{key}: the key {pattern!r} must hold {marks[0]}, or all items make the same")
                return None
        found = self._collect(self._node(collection, (*source, 1), (*source, 1), items), (*source, 1))
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(item, str | int | float) for item in found):
            self._fail((*source, 1), f"{key}: the collection must be a list of texts, not {kind_of(found)}")
            return None
        if len(found) > _MOST_ITEMS:
            self._fail((*source, 1), f"{key}: the collection has {len(found)} items, more than {_MOST_ITEMS}")
            return None
        return identifier, list(dict.fromkeys(str(item) for item in found)), body

    def _fail(self, place: Place, message: str) -> None:
        self._problems.add(place, message)


def _filled(text: str, items: Mapping[str, str]) -> str:
    """A text with the items of loops put in."""
    if "{" not in text:
        return text
    for identifier, item in items.items():
        text = text.replace("${" + identifier + "}", item).replace("&{" + identifier + "}", _NO_NAME.sub("", item))
    return text
