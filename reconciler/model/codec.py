"""Model values to JSON and back: one codec for the store, the API and the reports written as files.

Kept out of ``reconciler.model``'s own imports because it needs pydantic; import it by its full name.
Secrets are masked on the way out (``values.mask``), so what was written can never give one back.
Times are RFC 3339. Fields unknown to this version are ignored and missing ones take their defaults, so that a
newer version reads what an older one wrote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, NewType, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError
from pydantic_core import to_json as core_to_json

from reconciler.model.journal import JournalEntry
from reconciler.model.progress import Handle
from reconciler.model.resource import Record
from reconciler.model.secrecy import knows_any, scrubbed
from reconciler.model.values import MAPPINGS, PLAIN, Deferred, Sensitive, Unknown, mask

T = TypeVar("T")

#: What is looked up by identifiers, and what within it is.
_LOOKED_UP: Mapping[type, Mapping[str, type]] = {
    Record: {},
    Handle: {},
    JournalEntry: {"handle": Handle, "record": Record},
}
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def to_json(value: Any) -> str:
    """``value`` (a model dataclass, a sequence of them, or plain JSON values) as compact JSON, secrets masked.

    Raises ValueError for a value that has no JSON form.
    """
    clean = masked(value)
    try:
        if dataclasses.is_dataclass(clean) and not isinstance(clean, type):
            adapter = _adapter(type(clean))
            if not knows_any():
                return adapter.dump_json(clean).decode()
            written = adapter.dump_python(clean, mode="json")
            return core_to_json(_findable(type(clean), written, scrubbed(written))).decode()
        return core_to_json(scrubbed(clean)).decode()
    except (PydanticSerializationError, UnicodeError) as error:
        raise ValueError(f"a {type(value).__name__} can't be written as JSON: {error}") from error


def from_json(kind: type[T], text: str | bytes) -> T:
    """The value of type ``kind`` that ``to_json`` wrote. Raises ValueError when the text is something else."""
    adapter: TypeAdapter[T] = _adapter(kind)
    return adapter.validate_json(text)


def masked(value: Any) -> Any:
    """``value`` with every secret in it masked; dataclasses keep their type, other values become plain JSON."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, MAPPINGS):  # plain ones are asked for here, too: a call for each takes longer than the rest
        return {key: item if isinstance(item, PLAIN) else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, Sensitive | Unknown | Deferred):
        return mask(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        loose = _loose_fields(type(value))
        if not loose:
            return value
        return dataclasses.replace(value, **{name: masked(getattr(value, name)) for name in loose})
    if isinstance(value, tuple):
        return tuple(masked(item) for item in value)
    return value


def _findable(kind: type, written: Any, clean: Any) -> Any:
    """``clean`` with its identifiers as they are, where something is looked up by them.

    A secret may be an ordinary word. A resource whose name has it in would be lost with its identifier masked, and the
    identifier is no secret: AWS shows it to everybody.
    """
    if not isinstance(written, dict) or kind not in _LOOKED_UP:
        return clean
    kept = {"identifier": written["identifier"]} if "identifier" in written else {}
    below = {name: _findable(inner, written.get(name), clean.get(name)) for name, inner in _LOOKED_UP[kind].items()}
    return {**clean, **kept, **below}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


@cache
def _loose_fields(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that can hold arbitrary values: the only ones worth walking through.

    A status carries thousands of resource states and nothing loose in them; this is what keeps masking cheap.
    """
    hints = get_type_hints(kind)
    return tuple(field.name for field in dataclasses.fields(kind) if _is_loose(hints[field.name], frozenset({kind})))


def _is_loose(hint: Any, seen: frozenset[type]) -> bool:
    if isinstance(hint, NewType):
        return _is_loose(hint.__supertype__, seen)
    if hint is Any or hint is object:
        return True
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if hint in seen:
            return False
        if hint in (Sensitive, Unknown, Deferred):
            return True
        return any(_is_loose(inner, seen | {hint}) for inner in get_type_hints(hint).values())
    return any(_is_loose(inner, seen) for inner in get_args(hint))
