"""The templates to deploy: those of ``tests/corpus``, and those that moto's authors test its CloudFormation with."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.errors import SourceError
from reconciler.model.plan import Plan
from reconciler.source.content import Reader
from reconciler.source.document import Document, Marks
from reconciler.source.files import SUFFIXES, Tree
from reconciler.source.lint import Finding, Linter
from reconciler.source.parse import parse
from reconciler.source.plans import build_plan
from tests.corpus.loader import REGION, ROOT, corpus_directory
from tests.corpus.values import values_for

#: what a template's rules ask of its parameters
_RULED: Mapping[str, Mapping[str, Any]] = {"corpus/good/conditions/and.yaml": {"Users": ["", "another"]}}


class _NoSchemas(Linter):
    """Finds nothing."""

    def check(self, template: Mapping[str, Any], region: str) -> tuple[Finding, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template file. ``root``: the directory that ``name`` is in; ``source``: whose it is."""

    source: str
    root: Path
    name: str

    @property
    def title(self) -> str:
        """How it is called in tables."""
        return f"{self.source}/{self.name}"

    @property
    def plan_name(self) -> str:
        """The name of its plan and its stack; short, because services cut generated names, each at another length."""
        return f"t{hashlib.sha256(self.title.encode()).hexdigest()[:6]}"

    @property
    def text(self) -> str:
        """As its author wrote it."""
        return (self.root / self.name).read_text(encoding="utf-8")

    @property
    def data(self) -> Mapping[str, Any] | None:
        """The document; None if it isn't one template."""
        try:
            documents = parse(Tree(self.root).read(self.name), self.name)
        except SourceError:
            return None
        found = documents[0].data if len(documents) == 1 else None
        return found if isinstance(found, Mapping) and isinstance(found.get("Resources"), Mapping) else None

    @property
    def types(self) -> frozenset[str]:
        """The types of its resources, as written."""
        resources = (self.data or {}).get("Resources", {})
        return frozenset(str(one.get("Type")) for one in resources.values() if isinstance(one, Mapping))

    @property
    def parameters(self) -> dict[str, Any]:
        """Made-up values for the parameters that have no default."""
        declared = (self.data or {}).get("Parameters") or {}
        made_up = values_for({name: one for name, one in declared.items() if "Default" not in one})
        return made_up | dict(_RULED.get(self.title, {}))

    def plan(self, account: str, *, absent: bool = False, checked: bool = True) -> Plan:
        """The template as a sandbox plan, as a source would give it. Raises SourceError.

        ``checked``: let the provider schemas find fault with it.
        """
        linter = Linter(self.root.with_name(f"{self.root.name}-answers")) if checked else _NoSchemas(None)
        return build_plan(self._document(account, absent=absent), Reader(Tree(self.root)), linter)

    def _document(self, account: str, *, absent: bool) -> Document:
        spec = {
            "target": {"environment": "sandbox", "account": account, "region": REGION},
            "guardrail": {"status": "passed", "reference": "https://ci.example.com/guardrail/4711"},
            "rollback": "automatic",
            "state": "absent" if absent else "present",
            "parameters": self.parameters,
            "template": self.name,
        }
        metadata = {"name": self.plan_name, "author": "alice@example.com"}
        document = {"apiVersion": "reconciler/v1", "kind": "Plan", "metadata": metadata, "spec": spec}
        return Document(document, "plan.yaml", Marks(1))


def moto_directory() -> Path:
    """Where moto's own templates are. Skips the test where they can't be had; in CI that is a failure."""
    got = subprocess.run([ROOT / "scripts" / "get-moto-templates"], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"scripts/get-moto-templates got none; in CI it must: {got.stderr}")
        pytest.skip("moto's templates aren't to be had on this machine (scripts/get-moto-templates says why)")
    return Path(got.stdout.strip())


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Every file of the corpus, by name."""
    return tuple(_below("corpus", corpus_directory())) + tuple(_below("moto", moto_directory()))


def _below(source: str, root: Path) -> Iterator[Template]:
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    yield from (Template(source, root, name) for name in names if Path(name).suffix in SUFFIXES)


def named(title: str) -> Template:
    """The template of a title."""
    return next(template for template in templates() if template.title == title)
