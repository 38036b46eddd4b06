"""The text against the validation that every plan goes through, and what gives way where AWS and the schemas disagree.

AWS shows some things in a form that it doesn't take (two spellings of one setting, a value no longer allowed). What is
refused is put back: a reference to the value it stands for, a property out of the plan, with a word about it.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.adoption.document import Head, plan_text
from reconciler.adoption.found import Draft, Gap, Left, Reference
from reconciler.model.errors import Problem
from reconciler.model.ids import LogicalId
from reconciler.ports import Clock
from reconciler.schema import schema_for
from reconciler.source import DirectorySource

_PLACE = re.compile(r"spec/resources/(?P<name>[A-Za-z0-9]+)/Properties/(?P<property>[^/]+)(?P<rest>(?:/.*)?)")
_ROUNDS = 8


def valid_text(
    head: Head, drafts: Sequence[Draft], left: Sequence[Left], clock: Clock, cache: Path | None = None
) -> tuple[str, list[Draft], list[Problem]]:
    """The plan's text, the drafts in it, and the problems that only a person can put right.

    ``cache``: where the source keeps its answers, so that the plan isn't looked at once more.
    """
    kept = list(drafts)
    for _ in range(_ROUNDS):
        text = plan_text(head, kept, left)
        problems = _problems(text, clock, cache)
        refused = _refused(problems, {draft.logical_id: draft for draft in kept}, head.target.region)
        if not refused:
            return text, kept, problems
        kept = [_without(draft, *refused[draft.logical_id]) if draft.logical_id in refused else draft for draft in kept]
    return text, kept, problems


def _problems(text: str, clock: Clock, cache: Path | None) -> list[Problem]:
    with tempfile.TemporaryDirectory(prefix="reconciler-import-") as folder:
        (Path(folder) / "plan.yaml").write_text(text, encoding="utf-8")
        snapshot = DirectorySource(Path(folder), allowed_signers=None, clock=clock, cache=cache).load()
    return [replace(problem, file="") for found in snapshot.invalid.values() for problem in found]


def _refused(
    problems: Iterable[Problem], drafts: Mapping[LogicalId, Draft], region: str
) -> dict[LogicalId, tuple[str, str]]:
    """One property of each resource that has to give way, and why; never one that the type can't be without."""
    candidates: dict[LogicalId, list[tuple[str, str]]] = defaultdict(list)
    for problem in problems:
        place = _PLACE.fullmatch(problem.path)
        draft = drafts.get(LogicalId(place["name"])) if place else None
        if place is None or draft is None or place["property"] not in draft.properties:
            continue
        schema = schema_for(draft.type, region)
        needed = schema is not None and place["property"] in schema.required
        if not needed or _has_reference(draft.properties[place["property"]]):
            candidates[draft.logical_id].append((place["property"], problem.message))
    # Of two that exclude each other the later one goes.
    return {name: max(found) for name, found in candidates.items()}


def _without(draft: Draft, name: str, why: str) -> Draft:
    value = draft.properties[name]
    if _has_reference(value):
        return replace(draft, properties={**draft.properties, name: _literal(value)})
    properties = {key: item for key, item in draft.properties.items() if key != name}
    gap = Gap(f"/{name}", f"the schema refuses what AWS shows ({why})")
    return replace(draft, properties=properties, gaps=(*draft.gaps, gap))


def _has_reference(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_reference(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_reference(item) for item in value)
    return isinstance(value, Reference)


def _literal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return value.value if isinstance(value, Reference) else value
