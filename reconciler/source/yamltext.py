"""YAML to documents, straight from libyaml's event stream.

Events rather than a loader: the nesting depth is known before anything recurses (libyaml's composer overflows the C
stack on hostile input), aliases are counted as they expand, duplicate keys are seen, and each line number is at hand.
"""

from __future__ import annotations

from typing import Any

import yaml

from reconciler.model.errors import SourceError
from reconciler.source.document import Document, Limits, Marks, failure
from reconciler.source.scalars import plain
from reconciler.template.problems import did_you_mean

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML built without libyaml: correct, only slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_STANDARD = "tag:yaml.org,2002:"
# fmt: off
_FUNCTIONS = frozenset({
    "And", "Base64", "Cidr", "Contains", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join",
    "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform", "ForEach",
    "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll",
})
# fmt: on
_UNPREFIXED = frozenset({"Ref", "Condition"})


def read_yaml(text: str, file: str, limits: Limits) -> tuple[Document, ...]:
    """Every document of a YAML text; null documents are left out. Raises SourceError."""
    loader = _Loader(text)
    try:
        return _Builder(loader, file, limits).documents()
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise failure(f"control characters are not allowed ({error.reason})", file, line) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, file) from None
    finally:
        loader.dispose()


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> SourceError:
    mark = error.context_mark if error.problem_mark is None else error.problem_mark
    line = int(getattr(mark, "line", -1)) + 1
    lines = text.splitlines()
    at = lines[line - 1] if 0 < line <= len(lines) else ""
    tab = "\t" in at[: len(at) - len(at.lstrip())]
    message = ", ".join(part for part in (error.context, error.problem) if part)
    return failure(f"not valid YAML: {message}", file, line, suggestion="indent with spaces, not tabs" if tab else "")


class _Builder:
    """Builds values and marks from events; one per file."""

    def __init__(self, loader: Any, file: str, limits: Limits) -> None:
        self.loader = loader
        self.file = file
        self.limits = limits
        self.anchors: dict[str, tuple[Any, Marks | None, int]] = {}
        self.nodes = 0
        self.aliased = 0

    def documents(self) -> tuple[Document, ...]:
        found: list[Document] = []
        while True:
            event = self.loader.get_event()
            kind = type(event)
            if kind is yaml.StreamEndEvent:
                return tuple(found)
            if kind is yaml.StreamStartEvent or kind is yaml.DocumentStartEvent or kind is yaml.DocumentEndEvent:
                continue
            self.anchors = {}
            value, marks = self.node(event, 1)
            if value is not None:
                found.append(Document(value, self.file, marks or Marks(event.start_mark.line + 1)))
            if len(found) > self.limits.documents:
                raise failure(f"more than {self.limits.documents} documents in one file", self.file, reason="size")

    def node(self, event: Any, depth: int) -> tuple[Any, Marks | None]:
        """The value and marks of the node that starts with ``event``."""
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self.alias(event)
        if depth > self.limits.depth:
            raise self.failure(event, f"nested deeper than {self.limits.depth} levels", reason="size")
        before = self.nodes
        self.nodes += 1
        marks: Marks | None = None
        value: Any
        if kind is yaml.ScalarEvent:
            value = self.scalar(event)
        elif kind is yaml.MappingStartEvent:
            value, marks = self.mapping(event, depth)
        else:
            value, marks = self.sequence(event, depth)
        if event.tag is not None and kind is not yaml.ScalarEvent:
            value, marks = self.tagged(event, value, marks)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, marks, self.nodes - before)
        return value, marks

    def alias(self, event: Any) -> tuple[Any, Marks | None]:
        if event.anchor not in self.anchors:
            raise self.failure(event, f"alias *{event.anchor} refers to no anchor before it, or to itself")
        value, marks, size = self.anchors[event.anchor]
        self.nodes += size
        self.aliased += size
        if self.aliased > self.limits.aliased:
            raise self.failure(event, "aliases expand to more than is reasonable (an alias bomb?)", reason="size")
        return value, marks

    def mapping(self, start: Any, depth: int) -> tuple[dict[str, Any], Marks]:
        value: dict[str, Any] = {}
        marks = Marks(start.start_mark.line + 1)
        merged: list[tuple[Any, Marks | None]] = []
        get = self.loader.get_event
        while type(event := get()) is not yaml.MappingEndEvent:
            line = event.start_mark.line + 1
            if type(event) is not yaml.ScalarEvent or event.tag not in (None, _STANDARD + "str", "!"):
                raise self.failure(event, "a key must be plain text")
            key = event.value
            if key == "<<" and event.implicit[0]:
                merged.append(self.node(get(), depth + 1))
                continue
            if key in value:
                raise self.failure(
                    event, f"duplicate key {key!r}, first on line {marks.lines[key]}", reason="duplicate"
                )
            item, inner = self.node(get(), depth + 1)
            value[key] = item
            marks.lines[key] = line
            if inner is not None:
                marks.inner[key] = inner
        for source in merged:
            self.merge(start, value, marks, source)
        return value, marks

    def merge(self, start: Any, value: dict[str, Any], marks: Marks, source: tuple[Any, Marks | None]) -> None:
        """``<<``: keys that the mapping doesn't have itself."""
        item, origin = source
        if isinstance(item, list) and origin is not None:
            for index, part in enumerate(item):
                self.merge(start, value, marks, (part, origin.inner.get(index)))
            return
        if not isinstance(item, dict) or origin is None:
            raise self.failure(start, "<< can only merge mappings")
        for key, part in item.items():
            if key not in value:
                value[key] = part
                marks.lines[key] = origin.lines.get(key, origin.line)
                if key in origin.inner:
                    marks.inner[key] = origin.inner[key]

    def sequence(self, start: Any, depth: int) -> tuple[list[Any], Marks]:
        value: list[Any] = []
        marks = Marks(start.start_mark.line + 1)
        get = self.loader.get_event
        while type(event := get()) is not yaml.SequenceEndEvent:
            index = len(value)
            item, inner = self.node(event, depth + 1)
            value.append(item)
            marks.lines[index] = event.start_mark.line + 1
            if inner is not None:
                marks.inner[index] = inner
        return value, marks

    def scalar(self, event: Any) -> Any:
        tag, text = event.tag, event.value
        if tag is None or tag == "!":
            if tag is not None or not event.implicit[0]:
                return text
            try:
                return plain(text)
            except ValueError as error:
                raise self.failure(event, str(error)) from None
        if tag.startswith(_STANDARD):
            return self.standard(event, tag.removeprefix(_STANDARD))
        name = self.function(event)
        return {name: text.split(".", 1) if name == "Fn::GetAtt" and "." in text else text}

    def standard(self, event: Any, tag: str) -> Any:
        """``!!str 1`` and the like."""
        if tag == "str":
            return event.value
        try:
            value = plain(event.value)
        except ValueError as error:
            raise self.failure(event, str(error)) from None
        kinds: dict[str, tuple[type, ...]] = {
            "int": (int,),
            "float": (int, float),
            "bool": (bool,),
            "null": (type(None),),
        }
        if tag not in kinds:
            raise self.failure(event, f"the YAML tag !!{tag} is not allowed")
        if not isinstance(value, kinds[tag]) or (tag in ("int", "float") and isinstance(value, bool)):
            raise self.failure(event, f"{event.value!r} is not a YAML {tag}")
        return value

    def tagged(self, event: Any, value: Any, marks: Marks | None) -> tuple[Any, Marks | None]:
        """A mapping or list under a tag: a short-form intrinsic, or the tag it has anyway."""
        tag = event.tag
        if tag == "!" or tag == _STANDARD + ("map" if isinstance(value, dict) else "seq"):
            return value, marks
        if tag.startswith(_STANDARD):
            raise self.failure(event, f"the YAML tag !!{tag.removeprefix(_STANDARD)} is not allowed")
        name = self.function(event)
        line = event.start_mark.line + 1
        outer = Marks(line, {name: line})
        if marks is not None:
            outer.inner[name] = marks
        return {name: value}, outer

    def function(self, event: Any) -> str:
        """The long name of a short tag."""
        name = event.tag.removeprefix("!")
        if name in _UNPREFIXED:
            return str(name)
        if name in _FUNCTIONS:
            return f"Fn::{name}"
        raise self.failure(
            event,
            f"unknown YAML tag {event.tag}",
            did_you_mean(event.tag, (f"!{known}" for known in _FUNCTIONS | _UNPREFIXED)),
        )

    def failure(self, event: Any, message: str, suggestion: str = "", reason: str = "yaml") -> SourceError:
        return failure(message, self.file, event.start_mark.line + 1, suggestion=suggestion, reason=reason)
