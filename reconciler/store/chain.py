"""The audit trail's chain: how an entry is hashed, written down, and checked against the one before it. Pure.

An entry's hash is the SHA-256 over the canonical JSON (sorted keys, no spaces, ASCII) of its number, time, kind, plan,
run, facts and the hash before it. So no entry can be changed, left out or put in without every later hash changing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.model.audit import AuditEntry, AuditEvent
from reconciler.model.codec import to_json
from reconciler.model.ids import PlanName, RunId

#: The hash before the first entry.
GENESIS = "0" * 64

_FIELDS = frozenset({"seq", "at", "kind", "plan", "run", "facts", "previous", "hash"})


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is broken, by its sequence number, and why."""

    seq: int
    reason: str


def chained(event: AuditEvent, seq: int, previous: str) -> AuditEntry:
    """``event`` as the entry after the one with the hash ``previous``; secrets masked.

    Raises ValueError if the facts have no JSON form.
    """
    clean = AuditEvent(event.kind, event.at, event.plan, event.run, json.loads(to_json(event.facts)))
    return AuditEntry(seq, clean, previous, _hash(seq, clean, previous))


def document(entry: AuditEntry) -> dict[str, Any]:
    """An entry as the object that an export, an archive and a row of the table hold."""
    return {**_content(entry.seq, entry.event, entry.previous), "hash": entry.hash}


def canonical(value: Any) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def entry_of(found: Any) -> AuditEntry:
    """The entry that ``document`` wrote. Raises ValueError for anything else."""
    if not isinstance(found, Mapping) or found.keys() != _FIELDS:
        raise ValueError("its fields are others")
    texts = {name: found[name] for name in ("at", "kind", "plan", "run", "previous", "hash")}
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(found["facts"], Mapping):
        raise ValueError("a field has another type")
    if type(found["seq"]) is not int:
        raise ValueError("a field has another type")
    at = datetime.fromisoformat(texts["at"])
    if at.tzinfo is None:
        raise ValueError("its time has no zone")
    event = AuditEvent(texts["kind"], at, PlanName(texts["plan"]), RunId(texts["run"]), found["facts"])
    return AuditEntry(found["seq"], event, texts["previous"], texts["hash"])


class Check:
    """Reads a chain from its oldest entry on; stops at the first break.

    ``after`` and ``previous``: the number and hash before the first entry; None where they aren't known. ``gaps``: take
    missing numbers as left out on purpose; then only neighbours' links can be checked. ``noted``: a hash to look for.
    """

    def __init__(
        self, after: int | None = 0, previous: str | None = GENESIS, *, gaps: bool = False, noted: str = ""
    ) -> None:
        self._after, self._previous, self._looked_for = after, previous, noted
        self.gaps = gaps
        self.entries = 0
        self.first = 0
        #: The number of the entry with the hash that was looked for; 0 if it wasn't met.
        self.noted = 0

    @property
    def seq(self) -> int:
        """The number of the newest entry that was read; before the first, what it is to follow."""
        return self._after or 0

    @property
    def head(self) -> str:
        """The hash of the newest entry that was read."""
        return self._previous or GENESIS

    def read(self, entries: Iterable[AuditEntry]) -> Break | None:
        """Go on with ``entries``; the first break, if there is one."""
        for entry in entries:
            broken = self._broken(entry)
            if broken is not None:
                return broken
            self.first = self.first or entry.seq
            self.entries += 1
            self._after, self._previous = entry.seq, entry.hash
            if entry.hash == self._looked_for:
                self.noted = entry.seq
        return None

    def _broken(self, entry: AuditEntry) -> Break | None:
        expected = entry.seq if self._after is None else self._after + 1
        if entry.seq < expected:
            return Break(entry.seq, f"it stands where entry {expected} belongs")
        if entry.seq > expected and not self.gaps:
            return Break(expected, "it is missing")
        if entry.hash != _hash(entry.seq, entry.event, entry.previous):
            return Break(entry.seq, "it was changed: its content and its hash differ")
        before = GENESIS if entry.seq == 1 else self._previous
        if entry.seq == expected and before is not None and entry.previous != before:
            return Break(entry.seq, "it isn't linked to the one before, either was replaced")
        return None


def _content(seq: int, event: AuditEvent, previous: str) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": event.at.astimezone(UTC).isoformat(),
        "kind": event.kind,
        "plan": event.plan,
        "run": event.run,
        "facts": event.facts,
        "previous": previous,
    }


def _hash(seq: int, event: AuditEvent, previous: str) -> str:
    return hashlib.sha256(canonical(_content(seq, event, previous)).encode()).hexdigest()
