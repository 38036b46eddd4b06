"""A synthesized CDK app: which stacks it has, in which order, for which account, and their templates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from reconciler.model.errors import DeploymentError
from reconciler.model.plan import Target

_STACK, _STAGE = "aws:cloudformation:stack", "cdk:cloud-assembly"
_UNKNOWN = ("unknown-account", "unknown-region")


@dataclass(frozen=True, slots=True)
class AppStack:
    """One stack. ``id``: how the CDK's command line names it; ``name``: its name in CloudFormation."""

    id: str
    name: str
    body: str
    tags: Mapping[str, str] = field(default_factory=dict)


def stacks_in(directory: Path, target: Target, wanted: Sequence[str]) -> tuple[AppStack, ...]:
    """The stacks of an assembly, those that others depend on first; ``wanted``: only these (all, if empty), by name
    or pattern; of a stage as in ``Stage/Stack``.

    Raises DeploymentError for what can't be deployed to ``target``: other accounts and regions above all.
    """
    found = list(_found(directory.resolve()))
    missing = [pattern for pattern in wanted if not any(one.matches(pattern) for one in found)]
    if missing:
        text = f"the app has no stack {missing[0]}; it has {', '.join(sorted(one.id for one in found)) or 'none'}"
        raise DeploymentError("No such stack", text, ("Correct spec.cdk.stacks",))
    chosen = [one for one in found if not wanted or any(one.matches(pattern) for pattern in wanted)]
    return tuple(_stack(one, target) for one in chosen)


def digest_of(directory: Path) -> str:
    """One digest over every file of an assembly."""
    total = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        total.update(path.relative_to(directory).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{total.hexdigest()}"


@dataclass(frozen=True, slots=True)
class _Found:
    """A stack as a manifest has it. ``id``: its place in the app, stages included; ``key``: in the manifest."""

    directory: Path
    id: str
    key: str
    entry: Mapping[str, Any]

    def matches(self, pattern: str) -> bool:
        """As the CDK's command line selects stacks: by name, or by a pattern such as ``Dev/*`` or ``Dev/**``."""
        if pattern in (self.key, self.id):
            return True
        wanted, parts = pattern.split("/"), self.id.split("/")
        if wanted[-1] == "**":
            wanted, parts = wanted[:-1], parts[: len(wanted) - 1]
        return len(wanted) == len(parts) and all(fnmatchcase(*pair) for pair in zip(parts, wanted, strict=True))


def _found(directory: Path) -> Iterator[_Found]:
    """The stacks of an assembly and of the stages in it, those that others depend on first."""
    artifacts = _manifest(directory)
    for key in _ordered(artifacts):
        entry = artifacts[key]
        if entry.get("type") == _STACK:
            yield _Found(directory, str(entry.get("displayName") or key), key, entry)
        if entry.get("type") == _STAGE:
            yield from _found(_inside(directory, key, (entry.get("properties") or {}).get("directoryName")))


def _inside(directory: Path, key: str, name: object) -> Path:
    """What a manifest names, which has to be below it: so nothing is read from elsewhere, or in a circle."""
    path = (directory / str(name)).resolve()
    if not path.is_relative_to(directory) or path == directory:
        raise DeploymentError("App not readable", f"what {key} consists of isn't in the assembly")
    return path


def _manifest(directory: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((directory / "manifest.json").read_text())["artifacts"]
    except (OSError, ValueError, LookupError, TypeError):
        raise DeploymentError("App not readable", "cdk synth left no assembly that can be read") from None
    return found if isinstance(found, Mapping) else {}


def _ordered(artifacts: Mapping[str, Any]) -> list[str]:
    try:
        graph = {name: list(one.get("dependencies") or ()) for name, one in sorted(artifacts.items())}
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        raise DeploymentError("App not readable", "the stacks of the app depend on each other in a circle") from None


def _stack(found: _Found, target: Target) -> AppStack:
    properties = found.entry.get("properties") or {}
    account, _, region = str(found.entry.get("environment") or "").removeprefix("aws://").partition("/")
    if account not in (target.account, _UNKNOWN[0]) or region not in (target.region, _UNKNOWN[1]):
        text = (
            f"the stack {found.id} is for account {account}, {region}; the plan is for {target.account}, "
            f"{target.region}: nothing is deployed anywhere else"
        )
        options = (
            "Take CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION in the app",
            "Correct spec.target, or spec.cdk.stacks",
        )
        raise DeploymentError("Another account or region", text, options)
    path = _inside(found.directory, found.id, properties.get("templateFile"))
    tags = {str(key): str(value) for key, value in (properties.get("tags") or {}).items()}
    return AppStack(found.id, str(properties.get("stackName") or found.key), path.read_text(), tags)
