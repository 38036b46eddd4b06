"""Runs the Rego tests of a policy directory on the embedded engine, for ``reconciler policy test``."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.bundle import Module, load
from reconciler.policy.machine import Machine

_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TestResult:
    """The outcome of one ``test_`` rule. ``seconds`` is its evaluation time."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    name: str
    file: str
    passed: bool
    message: str = ""
    seconds: float = 0.0


def run_tests(policy_dir: Path) -> tuple[TestResult, ...]:
    """Every test rule of ``*_test.rego`` under ``policy_dir``, in file order.

    Raises PolicyUnavailable when the policies or their tests don't compile, or there are no policies.
    """
    policies = load(policy_dir)
    found = [(module.name, path) for module in policies.tests for path in _tests(module)]
    if not found:
        return ()
    machine = Machine((*policies.modules, *policies.tests), policies.data, [path for _, path in found])
    return tuple(_run(machine, file, path) for file, path in found)


def _tests(module: Module) -> list[str]:
    package = _PACKAGE.search(module.source)
    if package is None:
        return []
    prefix = package[1].replace(".", "/")
    return [f"{prefix}/{name}" for name in dict.fromkeys(_TEST.findall(module.source))]


def _run(machine: Machine, file: str, path: str) -> TestResult:
    name = path.replace("/", ".")
    started = time.perf_counter()
    try:
        value = machine.ask(path, {})
    except PolicyUnavailable as error:
        message = "didn't hold" if error.cause == "undefined" else str(error)
        return TestResult(name, file, False, message, time.perf_counter() - started)
    message = "" if value is True else f"was {value!r}, not true"
    return TestResult(name, file, value is True, message, time.perf_counter() - started)
