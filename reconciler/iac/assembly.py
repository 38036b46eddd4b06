"""A synthesized CDK app: which stacks it has, in which order, for which account, and their templates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from reconciler.model.errors import DeploymentError
from reconciler.model.plan import Target

_STACK, _NESTED = "aws:cloudformation:stack", "cdk:cloud-assembly"
_UNKNOWN = ("unknown-account", "unknown-region")


@dataclass(frozen=True, slots=True)
class AppStack:
    """One stack. ``id``: how the CDK names it; ``name``: its name in CloudFormation."""

    id: str
    name: str
    body: str
    tags: Mapping[str, str] = field(default_factory=dict)


def stacks_in(directory: Path, target: Target, wanted: Sequence[str]) -> tuple[AppStack, ...]:
    """The stacks of an assembly, those that others depend on first; ``wanted``: only these (all, if empty).

    Raises DeploymentError for what can't be deployed to ``target``: other accounts and regions above all.
    """
    artifacts = _manifest(directory)
    if any(one.get("type") == _NESTED for one in artifacts.values()):
        text = "the app has stages, each for a place of its own"
        raise DeploymentError("App not supported", text, ("Make it an app of stacks, a plan for each place",))
    found = {name: one for name, one in artifacts.items() if one.get("type") == _STACK}
    names = {one.get("displayName") or name: name for name, one in found.items()}
    missing = [name for name in wanted if name not in found and name not in names]
    if missing:
        text = f"the app has no stack {missing[0]}; it has {', '.join(sorted(names)) or 'none'}"
        raise DeploymentError("No such stack", text, ("Correct spec.cdk.stacks",))
    chosen = {names.get(name, name) for name in wanted} or set(found)
    ordered = [name for name in _ordered(artifacts) if name in chosen]
    return tuple(_stack(directory, name, found[name], target) for name in ordered)


def digest_of(directory: Path) -> str:
    """One digest over every file of an assembly."""
    total = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        total.update(path.relative_to(directory).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{total.hexdigest()}"


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


def _stack(directory: Path, name: str, one: Mapping[str, Any], target: Target) -> AppStack:
    properties = one.get("properties") or {}
    account, _, region = str(one.get("environment") or "").removeprefix("aws://").partition("/")
    if account not in (target.account, _UNKNOWN[0]) or region not in (target.region, _UNKNOWN[1]):
        text = (
            f"the stack {name} is for account {account}, {region}; the plan is for {target.account}, {target.region}: "
            "nothing is deployed anywhere else"
        )
        options = (
            "Take CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION in the app",
            "Correct spec.target, or spec.cdk.stacks",
        )
        raise DeploymentError("Another account or region", text, options)
    path = (directory / str(properties.get("templateFile"))).resolve()
    if not path.is_relative_to(directory.resolve()):
        raise DeploymentError("App not readable", f"the template of {name} isn't in the assembly")
    tags = {str(key): str(value) for key, value in (properties.get("tags") or {}).items()}
    return AppStack(name, str(properties.get("stackName") or name), path.read_text(), tags)
