"""Plans and approvals from a directory."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import structlog

from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import PlanName
from reconciler.model.plan import Approval, Plan, Snapshot
from reconciler.ports import Clock
from reconciler.source.approvals import ReadApproval
from reconciler.source.digest import content_digest
from reconciler.source.document import Limits
from reconciler.source.exchange import without_circles
from reconciler.source.files import Listing, Tree
from reconciler.source.inforce import Invalid, plans_in_force
from reconciler.source.lint import Linter
from reconciler.source.reading import Files, Reading
from reconciler.source.signers import load_signers

log = structlog.get_logger(__name__)


class DirectorySource:
    """Implements ``ports.Source`` over a directory tree.

    ``root`` is searched for YAML and JSON files; names that start with ``.`` or ``_`` are passed over. Nothing outside
    of it is read, wherever links and references lead. ``allowed_signers`` says who may sign approvals; without it no
    approval counts. ``cache`` is a directory for validation results that outlive the process. Thread-safe.
    """

    def __init__(
        self,
        root: Path,
        *,
        allowed_signers: Path | None,
        clock: Clock,
        cache: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.root = root
        self._allowed_signers = allowed_signers
        self._clock = clock
        self._tree = Tree(root, limits)
        self._files = Files(self._tree, Linter(cache))
        self._last = Snapshot(healthy=False, problem="not read yet")
        self._lock = threading.Lock()

    def watch_paths(self) -> tuple[Path, ...]:
        """What to watch for changes."""
        return (self.root,) if self._allowed_signers is None else (self.root, self._allowed_signers)

    def load(self, revision: str = "") -> Snapshot:
        """Read everything now. ``revision`` names the state of the directory; without one its content does."""
        with self._lock:
            try:
                listing = self._tree.listing()
            except SourceError as error:
                return self._unhealthy(error.problems[0].message)
            if not listing.files and not listing.problems:
                return self._unhealthy("the source holds no plan files")
            self._last = self._snapshot(listing, revision)
            return self._last

    def _unhealthy(self, problem: str) -> Snapshot:
        """A source that is gone or empty is not an order to forget its plans."""
        if self._last.problem != problem:
            log.warning("source unhealthy", root=str(self.root), problem=problem)
        self._last = dataclasses.replace(self._last, healthy=False, problem=problem)
        return self._last

    def _snapshot(self, listing: Listing, revision: str) -> Snapshot:
        readings = self._files.read(listing.files)
        entries = [entry for reading in readings.values() for entry in reading.entries]
        broken, aside = _file_problems(readings, listing)
        plans, invalid = plans_in_force(entries, broken, self._last.plans)
        plans, invalid = without_circles(plans, invalid, self._last.plans)
        current = {id(entry.plan) for entry in entries}
        if revision:
            plans = {name: _stamped(plan, revision) if id(plan) in current else plan for name, plan in plans.items()}
        read = [approval for reading in readings.values() for approval in reading.approvals]
        approvals = self._approvals(read, plans)
        for approval in read:
            if approval.plan not in plans and approval.plan not in invalid:
                _add(
                    aside,
                    approval.document.problem(("spec", "plan"), f"there is no plan {approval.plan}", reason="approval"),
                )
        for place, problems in aside.items():
            invalid[place] = (*invalid.get(place, ()), *problems)
        content = {file: reading.digest for file, reading in readings.items()}
        return Snapshot(plans, approvals, invalid, revision or content_digest(content))

    def _approvals(
        self, read: list[ReadApproval], plans: Mapping[PlanName, Plan]
    ) -> dict[PlanName, tuple[Approval, ...]]:
        signers = load_signers(self._allowed_signers)
        now = self._clock.now()
        names = Counter((approval.plan, approval.name) for approval in read)
        found: defaultdict[PlanName, list[Approval]] = defaultdict(list)
        for approval in read:
            namesakes = names[approval.plan, approval.name] > 1
            found[approval.plan].append(approval.verified(plans.get(approval.plan), signers, now, namesakes=namesakes))
        return {plan: tuple(approvals) for plan, approvals in found.items()}


def _file_problems(readings: Mapping[str, Reading], listing: Listing) -> tuple[Invalid, Invalid]:
    """Problems of files and directories: those that may hide plans, and those beside the plans of a file.

    A file that a plan refers to is that plan's business: it is no plan itself, and its faults show there.
    """
    used = {path for reading in readings.values() for path in reading.uses}
    directories = tuple(path for path in used if path.endswith("/"))
    broken: Invalid = {}
    aside: Invalid = {}
    for problem in listing.problems:
        _add(broken, problem)
    for file, reading in readings.items():
        if file in used or file.startswith(directories):
            continue
        for problem in (*reading.problems, *reading.foreign):
            _add(broken if reading.broken else aside, problem)
    return broken, aside


def _add(problems: Invalid, problem: Problem) -> None:
    problems[problem.file] = (*problems.get(problem.file, ()), problem)


def _stamped(plan: Plan, revision: str) -> Plan:
    return dataclasses.replace(plan, origin=dataclasses.replace(plan.origin, revision=revision))
