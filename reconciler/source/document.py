"""What a text file turns into: plain JSON data, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.errors import Problem, SourceError

#: a place inside a document: keys of mappings and indices of lists
Place = Sequence[str | int]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold; more than that is refused instead of eaten.

    ``aliased`` counts the nodes that YAML aliases add once expanded, which is what makes a "billion laughs" file.
    """

    size: int = 5 * MIB  # bytes
    depth: int = 100
    documents: int = 200
    aliased: int = 20_000
    tree_files: int = 2_000
    tree_size: int = 50 * MIB  # bytes of a whole Terraform or CDK directory


@dataclass(slots=True)
class Marks:
    """Line numbers of a mapping or list: its own, that of each entry, and the marks of entries that nest."""

    line: int
    lines: dict[str | int, int] = field(default_factory=dict)
    inner: dict[str | int, Marks] = field(default_factory=dict)

    def locate(self, place: Place) -> int:
        """The line of the deepest part of ``place`` that exists."""
        marks, line = self, self.line
        for part in place:
            if part not in marks.lines:
                break
            line = marks.lines[part]
            if part not in marks.inner:
                break
            marks = marks.inner[part]
        return line


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. ``data`` is plain JSON; short YAML tags have become their long form."""

    data: Any
    file: str
    marks: Marks

    @property
    def line(self) -> int:
        """The line that the document starts on."""
        return self.marks.line

    def locate(self, place: Place) -> tuple[str, int]:
        """File and line of a place in the document, or of the nearest thing around it."""
        return self.file, self.marks.locate(place)

    def problem(self, place: Place, message: str, *, suggestion: str = "", reason: str = "schema") -> Problem:
        """Something wrong at a place of this document."""
        return Problem(message, self.file, self.marks.locate(place), path_of(place), suggestion, reason)


def path_of(place: Place) -> str:
    """A place as people read it: ``spec/resources/Vpc/Type``."""
    return "/".join(str(part) for part in place)


def value_at(data: Any, place: Place, absent: Any = None) -> Any:
    """The value at a place, or ``absent`` where there is nothing."""
    for part in place:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return absent
    return data


def failure(message: str, file: str, line: int = 0, *, suggestion: str = "", reason: str = "yaml") -> SourceError:
    """A file that can't be used, for one reason."""
    return SourceError([Problem(message, file, line, "", suggestion, reason)])
