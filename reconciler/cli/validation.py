"""Checks files that people hand to ``reconciler validate``: plans, approvals, policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.errors import ConfigurationError, PolicyUnavailable, Problem

if TYPE_CHECKING:
    from reconciler.model.plan import Snapshot
    from reconciler.settings import Settings


@dataclass(frozen=True, slots=True)
class Validated:
    """What was checked, everything wrong with it, and what to know of it all the same (``notes``)."""

    checked: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def validate_paths(paths: Sequence[Path], settings: Settings) -> Validated:
    """Check every path. Raises ConfigurationError for one that isn't there."""
    checked: list[str] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for path in paths:
        if not path.exists():
            raise ConfigurationError(f"{path}: no such file or directory")
        found = _policies(path) if _is_policy(path) else _plans(path, settings)
        checked += found.checked
        problems += found.problems
        notes += found.notes
    return Validated(tuple(checked), tuple(problems), tuple(notes))


def _is_policy(path: Path) -> bool:
    return path.suffix == ".rego" if path.is_file() else any(path.rglob("*.rego"))


def _policies(path: Path) -> Validated:
    """A Rego file is checked with the others of its directory, without which it means nothing."""
    from reconciler.clock import SystemClock
    from reconciler.policy.embedded import EmbeddedEngine
    from reconciler.status.metrics import Metrics

    directory = path if path.is_dir() else path.parent
    try:
        problem = EmbeddedEngine(directory, Metrics(), SystemClock()).problem
    except PolicyUnavailable as error:
        problem = str(error)
    return Validated((str(path),), (Problem(problem, reason="policy"),) if problem else ())


def _plans(path: Path, settings: Settings) -> Validated:
    from reconciler.clock import SystemClock
    from reconciler.source import DirectorySource

    root = path if path.is_dir() else path.parent
    signers = settings.allowed_signers if settings.allowed_signers.exists() else None
    snapshot = DirectorySource(root, allowed_signers=signers, clock=SystemClock()).load()
    if not snapshot.healthy:
        return Validated((), (Problem(snapshot.problem, file=str(root), reason="unreadable"),))
    return _within(snapshot, None if path.is_dir() else path.name, path)


def _within(snapshot: Snapshot, file: str | None, path: Path) -> Validated:
    """The part of a snapshot that comes from one file (None: all of it)."""
    from reconciler.providers.registry import Registry
    from reconciler.review import unheeded, unsupported

    plans = [plan for plan in snapshot.plans.values() if file is None or plan.origin.file == file]
    registry = Registry()
    names = [f"{path}: plan {plan.name} ({plan.digest})" for plan in plans]
    problems = [
        problem
        for found in snapshot.invalid.values()
        for problem in found
        if file is None or problem.file in (file, "")
    ]
    problems += [problem for plan in plans for problem in unsupported(plan, registry)]
    for approvals in snapshot.approvals.values():
        for approval in approvals:
            if file is not None and approval.file != file:
                continue
            names.append(f"{path}: approval {approval.name} of {approval.plan}")
            if not approval.verified:
                text = f"approval {approval.name} does not count: {approval.reason}"
                problems.append(Problem(text, file=approval.file, reason="approval"))
    if not names and not problems:
        problems.append(Problem("holds no plan, approval or policy", file=str(path), reason="empty"))
    notes = tuple(f"{path}: plan {plan.name}: {note}" for plan in plans for note in unheeded(plan))
    return Validated(tuple(names), tuple(problems), notes)
