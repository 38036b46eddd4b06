"""Runs the Rego tests of a policy directory on the embedded engine, for ``reconciler policy test``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
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


def run_tests(policy_dir: Path, *, timeout: float = 60.0) -> tuple[TestResult, ...]:
    """Every test rule of ``*_test.rego`` under ``policy_dir``, in file order, in a process of its own.

    regopy can crash or go on for ever on tests that replace the input (``with``), hence the process.
    Raises PolicyUnavailable when the policies or their tests don't compile, there are none, or that happens.
    """
    load(policy_dir)  # says plainly what is wrong with the files
    command = [sys.executable, "-m", "reconciler.policy.testing", str(policy_dir)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603  # fixed words
    except subprocess.TimeoutExpired as error:
        raise PolicyUnavailable("timeout", f"the tests didn't end within {timeout:g} s; run `opa test`") from error
    if done.returncode != 0:
        message = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise PolicyUnavailable(
            "malformed", f"the embedded engine can't run these tests ({message[0]}); run `opa test`"
        )
    return tuple(TestResult(**result) for result in json.loads(done.stdout))


def _run_here(policy_dir: Path) -> tuple[TestResult, ...]:
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


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(result) for result in _run_here(Path(sys.argv[1]))]))
