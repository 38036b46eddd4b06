"""One file: which plans and approvals it holds. Read again only when it, or a file that its plans refer to, changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Plan
from reconciler.source.approvals import ReadApproval
from reconciler.source.content import Reader
from reconciler.source.digest import content_digest
from reconciler.source.document import Document, value_at
from reconciler.source.files import Tree
from reconciler.source.lint import Linter
from reconciler.source.parse import parse
from reconciler.source.plans import build_plan
from reconciler.template.problems import did_you_mean

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_KINDS = ("Plan", "Approval")
_API = "reconciler/"


@dataclass(frozen=True, slots=True)
class Entry:
    """One plan document: the plan, or what is wrong with it. ``name`` is None where it can't be told."""

    name: PlanName | None
    file: str
    line: int
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything in one file.

    ``broken``: it can't be read at all, and ``problems`` say why; otherwise those are its bad approvals. ``foreign``:
    what is wrong with documents that would be fine as somebody's template. ``uses``: files and (with a trailing ``/``)
    directories that its plans refer to, with their digests; an empty one could not be read.
    """

    digest: Digest
    broken: bool = False
    entries: tuple[Entry, ...] = ()
    approvals: tuple[ReadApproval, ...] = ()
    problems: tuple[Problem, ...] = ()
    foreign: tuple[Problem, ...] = ()
    uses: Mapping[str, Digest] = field(default_factory=dict)


class Files:
    """Reads files and remembers what it read."""

    def __init__(self, tree: Tree, linter: Linter) -> None:
        self._tree = tree
        self._linter = linter
        self._readings: dict[str, Reading] = {}

    def read(self, files: Iterable[str]) -> dict[str, Reading]:
        """The reading of each file; never raises for what is in them."""
        self._readings = {file: self._current(file) for file in files}
        used = {path for reading in self._readings.values() for path in reading.uses}
        directories = tuple(path for path in used if path.endswith("/"))
        self._tree.forget_except(frozenset(used.union(self._readings)), directories)
        return self._readings

    def _current(self, file: str) -> Reading:
        known = self._readings.get(file)
        try:
            digest = self._tree.digest(file)
            if known and known.digest == digest and all(self._state(path) == was for path, was in known.uses.items()):
                return known
        except SourceError as error:
            return Reading(Digest(""), broken=True, problems=error.problems)
        try:
            return self._read(file, digest)
        except SourceError as error:
            return Reading(digest, broken=True, problems=error.problems)

    def _state(self, path: str) -> Digest:
        try:
            if path.endswith("/"):
                return content_digest(self._tree.directory_digests(path[:-1]))
            return self._tree.digest(path)
        except SourceError:
            return Digest("")

    def _read(self, file: str, digest: Digest) -> Reading:
        documents = parse(self._tree.read(file), file, self._tree.limits)
        reader = Reader(self._tree)
        entries: list[Entry] = []
        approvals: list[ReadApproval] = []
        problems: list[Problem] = []
        foreign: list[Problem] = []
        for document in documents:
            kind = _kind(document.data)
            if kind == "Plan":
                entries.append(self._plan(document, reader))
            elif kind == "Approval":
                try:
                    approvals.append(ReadApproval(document))
                except SourceError as error:
                    problems += error.problems
            elif kind == "typo":
                entries.append(_mistyped(document))
            elif kind == "foreign":
                foreign.append(_unknown(document))
        paths = [*sorted(reader.files), *(f"{path}/" for path in sorted(reader.directories))]
        uses = {path: self._state(path) for path in paths}
        return Reading(digest, False, tuple(entries), tuple(approvals), tuple(problems), tuple(foreign), uses)

    def _plan(self, document: Document, reader: Reader) -> Entry:
        name = _name(document.data)
        try:
            plan = build_plan(document, reader, self._linter)
        except SourceError as error:
            return Entry(name, document.file, document.line, problems=error.problems)
        except Exception as error:
            # One plan's fault must never be another's: whatever it provokes, it is refused and the rest goes on.
            log.exception("plan provoked an internal error", file=document.file, line=document.line)
            problem = document.problem((), f"internal error while reading the plan ({type(error).__name__})")
            return Entry(name, document.file, document.line, problems=(problem,))
        return Entry(plan.name, document.file, document.line, plan)


def _kind(data: Any) -> str:
    """Plan, Approval, template, typo (ours, but misspelt) or foreign."""
    if not isinstance(data, dict):
        return "foreign"
    ours = isinstance(version := data.get("apiVersion"), str) and version.startswith(_API)
    kind = data.get("kind")
    if kind in _KINDS and ("apiVersion" not in data or ours):
        return str(kind)
    if ours:
        return "typo"
    return "template" if "Resources" in data or "AWSTemplateFormatVersion" in data else "foreign"


def _name(data: Any) -> PlanName | None:
    name = value_at(data, ("metadata", "name"))
    return PlanName(name) if isinstance(name, str) and _NAME.fullmatch(name) else None


def _mistyped(document: Document) -> Entry:
    kind = document.data.get("kind")
    if kind is None:
        problem = document.problem(("kind",), "kind is missing", suggestion="kind: Plan or kind: Approval")
    else:
        suggestion = did_you_mean(str(kind), _KINDS)
        problem = document.problem(("kind",), f"kind must be Plan or Approval, found {kind!r}", suggestion=suggestion)
    return Entry(_name(document.data), document.file, document.line, problems=(problem,))


def _unknown(document: Document) -> Problem:
    message = "neither a plan, nor an approval, nor a CloudFormation template"
    if not isinstance(document.data, dict):
        kind = "list" if isinstance(document.data, list) else "plain value"
        return document.problem((), f"{message}: a {kind} at the top", reason="foreign")
    version = document.data.get("apiVersion")
    meant = did_you_mean(version, ["reconciler/v1"]) if isinstance(version, str) else ""
    suggestion = meant or "a plan starts with apiVersion: reconciler/v1 and kind: Plan"
    return document.problem(("apiVersion",), message, suggestion=suggestion, reason="schema" if meant else "foreign")
