"""Templates that nobody here wrote, each as the change set that a first pass over it would compute; no AWS involved.

``scripts/get-templates`` gets them: those that cfn-lint is tested with, good and bad, and what troposphere's examples
print. ``entries`` turns each into a plan by the code that reads plans from a source, and that into a change set that
creates every resource, by the code that computes one in a pass. What we refuse says why, by the reason that a problem
has in status and metrics.

Many of the templates are there because they are wrong. Those that only the schemas find fault with are loaded without
asking them: a renderer may refuse such a one, but mustn't write another one.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.diff import build
from reconciler.live import Seen, View, with_ownership
from reconciler.model.change import ChangeSet
from reconciler.model.errors import Problem, SourceError
from reconciler.model.plan import Plan
from reconciler.model.values import Unknown
from reconciler.source.content import Reader
from reconciler.source.document import Document, Marks
from reconciler.source.files import SUFFIXES, Tree
from reconciler.source.lint import Finding, Linter
from reconciler.source.parse import parse
from reconciler.source.plans import build_plan
from tests.corpus.values import ZONES, values_for

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One template of the corpus.

    ``problems``: why we refuse it. ``changes``: its change set; None for one that can't be loaded even without asking
    the schemas.
    """

    name: str  # path below the corpus, such as good/resources/rds/instance_sizes.yaml
    changes: ChangeSet | None
    problems: tuple[Problem, ...] = ()

    @property
    def change_set(self) -> ChangeSet:
        """The change set of a template that has one."""
        assert self.changes is not None, self.name
        return self.changes

    @property
    def reason(self) -> str:
        """Why it is refused, in one line that is the same for the same reason; empty for one that isn't."""
        if not self.problems:
            return ""
        # what a schema says of a template that has a transform, or a type we don't take, isn't what it fails for
        unsupported = [problem for problem in self.problems if problem.reason == "unsupported"]
        problem = (unsupported or self.problems)[0]
        return f"{problem.reason}: {_general(problem)}"


class _NoSchemas(Linter):
    """Finds nothing."""

    def check(self, template: Mapping[str, Any], region: str) -> tuple[Finding, ...]:
        return ()


class _NoAws:
    """What comes from neither plan nor resources, as in production: zones are known, secrets are not looked up."""

    def zones(self, region: str) -> list[str]:
        return list(ZONES)

    def imported(self, name: str) -> Any:
        return Unknown(f"ImportValue({name})")

    def parameter(self, name: str) -> Any:
        return Unknown(f"parameter {name}")

    def dynamic(self, service: str, key: str) -> Any:
        return Unknown(f"resolve:{service}:{key}")


def corpus_directory() -> Path:
    """Where the templates are. Skips the test where they can't be had; in CI that is a failure."""
    got = subprocess.run([ROOT / "scripts" / "get-templates"], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"scripts/get-templates got none; in CI it must: {got.stderr}")
        pytest.skip("no templates to be had on this machine (scripts/get-templates says why)")
    return Path(got.stdout.strip())


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Every template of the corpus, by name."""
    root = corpus_directory()
    tree = Tree(root)
    linter = Linter(root.with_name(f"{root.name}-answers"))
    names = sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.suffix in SUFFIXES
    )
    return tuple(_entry(name, tree, linter) for name in names)


def accepted() -> tuple[Entry, ...]:
    """The templates that are valid: those that every renderer has to render."""
    return tuple(entry for entry in entries() if entry.changes is not None and not entry.problems)


def faulty() -> tuple[Entry, ...]:
    """The templates with which only the schemas find fault: a renderer may refuse them."""
    return tuple(entry for entry in entries() if entry.changes is not None and entry.problems)


def change_set(plan: Plan) -> ChangeSet:
    """What a first pass computes for ``plan``: everything is still to be created."""
    owned = with_ownership(plan)
    view = View(plan.target.region, _NoAws(), {name: Seen(item.type) for name, item in owned.resources.items()})
    view.strangers = True
    return build(owned, view, _AT)


def _entry(name: str, tree: Tree, linter: Linter) -> Entry:
    try:
        plan = load_plan(name, tree, linter)
    except SourceError as error:
        return Entry(name, _unchecked(name, tree), tuple(error.problems))
    return Entry(name, change_set(plan))


def _unchecked(name: str, tree: Tree) -> ChangeSet | None:
    try:
        return change_set(load_plan(name, tree, _NoSchemas()))
    except SourceError:
        return None


def load_plan(name: str, tree: Tree, linter: Linter) -> Plan:
    """The plan that has the template ``name`` below the tree's root. Raises SourceError as a source would."""
    documents = parse(tree.read(name), name)
    data = documents[0].data
    declared = data.get("Parameters") if isinstance(data, dict) else None
    open_ones = {
        key: declaration
        for key, declaration in (declared if isinstance(declared, dict) else {}).items()
        if isinstance(declaration, dict) and "Default" not in declaration
    }
    return build_plan(_plan_document(name, values_for(open_ones)), Reader(tree), linter)


def _plan_document(name: str, parameters: dict[str, Any]) -> Document:
    spec = {
        "target": {"environment": "production", "account": ACCOUNT, "region": REGION},
        "guardrail": {"status": "passed", "reference": "https://ci.example.com/guardrail/4711"},
        "rollback": "automatic",
        "parameters": parameters,
        "template": name,
    }
    metadata = {"name": plan_name(name), "author": "alice@example.com"}
    document = {"apiVersion": "reconciler/v1", "kind": "Plan", "metadata": metadata, "spec": spec}
    return Document(document, "plan.yaml", Marks(1))


def plan_name(name: str) -> str:
    """A plan's name from a template's path."""
    words = "".join(char if char.isalnum() else "-" for char in name.rsplit(".", 1)[0].lower())
    return "-".join(part for part in words.split("-") if part)[-60:].strip("-")


def _general(problem: Problem) -> str:
    """A problem without the names that are the template's own."""
    words = problem.message.split()
    kept = [word for word in words if not any(char in word for char in "'\"/0123456789")]
    return " ".join(kept[:9])


def by_reason(rows: Iterable[Entry]) -> Counter[str]:
    """How many templates are refused for each reason; those that are taken under ``accepted``."""
    return Counter(entry.reason or "accepted" for entry in rows)


def table(title: str, counts: Counter[str]) -> Iterator[str]:
    """Lines that show counts, largest first."""
    yield f"{title}: {sum(counts.values())}"
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:5}  {reason}"


def resource_types(rows: Iterable[Entry]) -> Counter[str]:
    """How many resources of each type these templates have."""
    return Counter(
        str(item.type) for entry in rows if entry.changes is not None for item in entry.changes.plan.resources.values()
    )
