"""Logical ids and plan names: readable, unique, and the same every time. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adoption.found import Taken
from reconciler.model.ids import LogicalId
from reconciler.schema import TypeSchema, schema_for, tag_values

_LONGEST, _LONGEST_PLAN = 64, 63
_WORD = re.compile(r"[A-Za-z0-9]+")
#: an identifier that AWS made up: nothing to call a resource by
_MADE_UP = re.compile(r"(?:[a-z]+-)*[0-9a-f]{8,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z0-9]{10,}|\d+")


def logical_ids(taken: Sequence[Taken], region: str) -> list[LogicalId]:
    """A logical id for each, in order. Those that a stack has already given stay.

    From the Name tag, else the resource's own name, else its type; where several are alike the type is added, then
    a number. Letter case doesn't tell two apart, because it may not in what a plan is rendered as.
    """
    given = [entry.subject.logical_id for entry in taken]
    stems = [str(name) if name else _stem(entry, region) for name, entry in zip(given, taken, strict=True)]
    often = Counter(stem.lower() for stem in stems)
    used = {str(name).lower() for name in given if name}
    found: list[LogicalId] = []
    for entry, name, stem in zip(taken, given, stems, strict=True):
        if name is None:
            if often[stem.lower()] > 1:
                stem = _with_type(stem, entry)
            name = LogicalId(_free(stem, used))
            used.add(name.lower())
        found.append(name)
    return found


def _stem(entry: Taken, region: str) -> str:
    schema = schema_for(entry.type, region)
    names = (camel(text) for text in _called(entry, schema))
    return next((name for name in names if name), _short(entry))[:_LONGEST]


def _called(entry: Taken, schema: TypeSchema | None) -> list[str]:
    properties: Mapping[str, Any] = entry.live.properties
    tags = tag_values(properties.get(schema.tag_property)) if schema is not None and schema.tag_property else {}
    names = [tags.get("Name")] if isinstance(tags, Mapping) else []
    names += [properties.get(name) for name in (f"{_short(entry)}Name", "Name", "GroupName")]
    last = re.split(r"[|/:]", entry.live.identifier.rstrip("/"))[-1]
    own = entry.live.identifier if entry.live.identifier.startswith("/") else last
    names.append("" if _MADE_UP.fullmatch(last) else own)
    return [name for name in names if isinstance(name, str)]


def camel(text: str) -> str:
    """``dev-web_sg`` to ``DevWebSg``; what isn't a Latin letter or a digit separates words."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = _WORD.findall(plain)
    return "".join(word[0].upper() + word[1:] for word in words)


def _with_type(stem: str, entry: Taken) -> str:
    short = _short(entry)
    return stem if stem.lower().endswith(short.lower()) else f"{stem}{short}"


def _short(entry: Taken) -> str:
    return camel(entry.type.rpartition("::")[2])


def _free(stem: str, used: set[str]) -> str:
    if stem.lower() not in used:
        return stem
    number = 2
    while f"{stem}{number}".lower() in used:
        number += 1
    return f"{stem}{number}"


def plan_name(*parts: str) -> str:
    """A plan name (DNS-1123) out of what a person has asked for."""
    words = _WORD.findall(unicodedata.normalize("NFKD", "-".join(parts)).encode("ascii", "ignore").decode().lower())
    return "-".join(words)[:_LONGEST_PLAN].strip("-") or "imported"
