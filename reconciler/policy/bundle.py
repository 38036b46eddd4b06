"""A policy set: the Rego modules and the data of a directory, read as one, identified by their content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from reconciler.model.errors import PolicyUnavailable

PACKAGE = "reconciler"
RULE = "decision"
_DATA_FILES = ("data.yaml", "data.yml", "data.json")

#: Destructive scopes: their approval is used up unless the data says otherwise.
USUALLY_SINGLE_USE = frozenset({"replace", "delete", "rollback"})

Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Module:
    """One Rego file; ``name`` is its path relative to the policy directory."""

    name: str
    source: str

    @property
    def is_test(self) -> bool:
        """Whether it holds tests, which take no part in decisions."""
        return self.name.endswith("_test.rego")


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Everything that decides. ``revision`` is a hash over rules and data."""

    modules: tuple[Module, ...]
    tests: tuple[Module, ...]
    data: Mapping[str, Any]
    revision: str

    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The permission matrix: environment to operation to cell."""
        matrix = self.data.get("matrix")
        return matrix if isinstance(matrix, Mapping) else {}

    def single_use(self, environment: str) -> frozenset[str]:
        """The approval scopes that one pass in ``environment`` uses up; the usual ones where the data says nothing."""
        approvals = self.data.get("approvals")
        approvals = approvals if isinstance(approvals, Mapping) else {}
        scopes: Any = None
        for name in ("default", environment):
            rules = approvals.get(name)
            if isinstance(rules, Mapping):
                scopes = rules.get("single_use", scopes)
        return frozenset(str(scope) for scope in scopes) if isinstance(scopes, list) else USUALLY_SINGLE_USE


def signature(directory: Path) -> Signature:
    """Changes whenever a file of the set does. Cheap: it only looks at names, sizes and times."""
    return tuple(
        (str(path), status.st_mtime_ns, status.st_size, status.st_ino)
        for path in _files(directory)
        if (status := _status(path)) is not None
    )


def load(directory: Path) -> PolicySet:
    """Read the set. Raises PolicyUnavailable: empty (no directory, no rules), compile (unreadable, broken data)."""
    paths = list(_files(directory))
    modules = tuple(Module(str(p.relative_to(directory)), _read(p)) for p in paths if p.suffix == ".rego")
    rules = tuple(module for module in modules if not module.is_test)
    if not rules:
        raise PolicyUnavailable("empty", f"{directory}: no policies (*.rego) there, so nothing is allowed")
    data_files = [path for path in paths if path.suffix != ".rego"]
    if len(data_files) > 1:
        names = ", ".join(path.name for path in data_files)
        raise PolicyUnavailable("compile", f"{directory}: more than one data file ({names}); keep one")
    data = _parse_data(data_files[0]) if data_files else {}
    for zone in _zones(data.get("windows"), data.get("freezes")):
        if not _is_zone(zone):
            # Engines differ on one that they don't know: one leaves the window closed, the other can't answer at all.
            raise PolicyUnavailable("compile", f"{data_files[0]}: {zone!r} is no time zone (such as Europe/Berlin)")
    tests = tuple(module for module in modules if module.is_test)
    return PolicySet(rules, tests, data, _revision(rules, data))


def _files(directory: Path) -> Iterator[Path]:
    """Rego files at any depth and the data file at the top; hidden directories are left out."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.endswith(".rego") or (here == directory and name in _DATA_FILES):
                yield here / name


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # gone since it was listed: the signature differs next time
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyUnavailable("compile", f"{path}: can't be read: {error}") from error


def _parse_data(path: Path) -> dict[str, Any]:
    text = _read(path)
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        # Through JSON and back: what the engines get is exactly what is kept here.
        data = json.loads(json.dumps(data, default=_date_text, allow_nan=False))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise PolicyUnavailable("compile", f"{path}: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise PolicyUnavailable("compile", f"{path}: must be a mapping at the top")
    if PACKAGE in data:
        raise PolicyUnavailable("compile", f"{path}: the key {PACKAGE} is the rules' own; choose another")
    return data


def _zones(*values: Any) -> Iterator[Any]:
    """Every ``timezone`` anywhere in the values."""
    for value in values:
        if isinstance(value, dict):
            yield from (item for key, item in value.items() if key == "timezone")
            yield from _zones(*value.values())
        elif isinstance(value, list):
            yield from _zones(*value)


def _is_zone(name: Any) -> bool:
    try:
        return isinstance(name, str) and bool(name) and ZoneInfo(name) is not None
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return False


def _date_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no meaning in policy data")


def _revision(rules: tuple[Module, ...], data: Mapping[str, Any]) -> str:
    content = json.dumps([[[module.name, module.source] for module in rules], data], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
