"""Runs the Rego tests of a policy directory on the embedded engine, for ``reconciler policy test``.

The embedded engine can't cope with ``with``: compiling it takes minutes and gigabytes, or crashes. A test therefore
hands its cases to ``data.reconciler_harness.hold``. For ``opa test`` that is the directory's own harness; here it is
one that gives the cases back, which are then put to the policies one by one. A test file that uses ``with`` itself
is run by OPA where there is one, and counts as failed where there is none.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.binary import opa_binary
from reconciler.policy.bundle import PACKAGE, RULE, Module, PolicySet, load
from reconciler.policy.machine import Machine
from reconciler.subprocesses import environment

_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)
_WITH = re.compile(r"^[^#\n]*\bwith\s+(?:input|data)\b", re.MULTILINE)
_HARNESS = "reconciler_harness"
_OWN_HARNESS = Module(
    "harness_test.rego",
    f"""package {_HARNESS}

import data.reconciler_expectations

hold(cases) := {{"cases": cases}}

unmet := [reconciler_expectations.unmet(asked.answer, asked.expect) | some asked in input.asked]
""",
)
#: Seconds for compiling, and for one evaluation: two hundred times what the shipped policies need.
_LIMIT = 10.0


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
    """Every test rule of ``*_test.rego`` under ``policy_dir``, in file order; ``timeout``: seconds for all together.

    Raises PolicyUnavailable when the policies or their tests don't compile.
    """
    policies = load(policy_dir)
    foreign = [module for module in policies.tests if _package(module) != _HARNESS and _WITH.search(module.source)]
    own = [module for module in policies.tests if module not in foreign and _package(module) != _HARNESS]
    helpers = [module for module in own if not _tests(module)]
    deadline = time.monotonic() + timeout
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the work is done in processes, two for each file
        files = [module for module in own if _tests(module)]
        ran = pool.map(lambda module: tuple(_run_file(policies, module, helpers, deadline)), files)
        results = [result for file in ran for result in file]
    return (*results, *_by_opa(policy_dir, foreign, timeout))


def _run_file(policies: PolicySet, module: Module, helpers: Sequence[Module], deadline: float) -> Iterator[TestResult]:
    """The tests of one file, apart from the other files: many tests compiled together crash regopy."""
    paths = _tests(module)
    try:
        run = _Run(policies, [*helpers, module], paths, deadline)
    except PolicyUnavailable as error:
        if error.cause == "compile":
            raise
        for path in paths:
            yield TestResult(path.replace("/", "."), module.name, False, f"not run: {error}")
        return
    try:
        for path in paths:
            yield run.test(module.name, path)
    finally:
        run.close()


class _Run:
    """The cases of the tests, and a machine that decides them, each under its data."""

    def __init__(self, policies: PolicySet, tests: Sequence[Module], paths: Sequence[str], deadline: float) -> None:
        self._policies, self._deadline = policies, deadline
        self._decider: tuple[str, Machine] | None = None
        entrypoints = list(paths)
        modules = [*policies.modules, *tests]
        if any(_package(module) == "reconciler_expectations" for module in tests):
            modules.append(_OWN_HARNESS)
            entrypoints.append(f"{_HARNESS}/unmet")
        self._tests = Machine(modules, policies.data, entrypoints, timeout=_LIMIT, load_timeout=_LIMIT)

    def close(self) -> None:
        self._tests.close()
        if self._decider is not None:
            self._decider[1].close()

    def test(self, file: str, path: str) -> TestResult:
        started = time.monotonic()
        try:
            message = self._failure(path)
        except PolicyUnavailable as error:
            message = "didn't hold" if error.cause == "undefined" else str(error)
        return TestResult(path.replace("/", "."), file, not message, message, round(time.monotonic() - started, 4))

    def _failure(self, path: str) -> str:
        """Why the test fails; empty if it doesn't."""
        if time.monotonic() > self._deadline:
            return "not run: the time for all tests was up"
        value = self._tests.ask(path, {})
        if not isinstance(value, dict):
            return "" if value is True else f"was {value!r}, not true"
        cases = value.get("cases")
        if not isinstance(cases, list) or not cases:
            return "holds no case"
        asked = [{"answer": self._decide(case), "expect": case["expect"]} for case in cases]
        unmet: list[list[str]] = self._tests.ask(f"{_HARNESS}/unmet", {"asked": asked})
        if len(unmet) != len(cases):
            return "its expectations can't be evaluated"
        return "; ".join(
            f"case {number}: {', '.join(names)} not as expected (mode {asked[number - 1]['answer'].get('mode')})"
            for number, names in enumerate(unmet, 1)
            if names
        )

    def _decide(self, case: Mapping[str, Any]) -> Any:
        return self._machine({**self._policies.data, **case["data"]}).ask(f"{PACKAGE}/{RULE}", case["given"])

    def _machine(self, data: Mapping[str, Any]) -> Machine:
        key = json.dumps(data, sort_keys=True)
        if self._decider is None:
            machine = Machine(self._policies.modules, data, [f"{PACKAGE}/{RULE}"], timeout=_LIMIT, load_timeout=_LIMIT)
            self._decider = (key, machine)
        elif self._decider[0] != key:
            machine = self._decider[1]
            self._decider = ("", machine)  # in case that fails
            machine.replace_data(data)
            self._decider = (key, machine)
        return self._decider[1]


def _package(module: Module) -> str:
    found = _PACKAGE.search(module.source)
    return found[1] if found else ""


def _tests(module: Module) -> list[str]:
    prefix = _package(module).replace(".", "/")
    return [f"{prefix}/{name}" for name in dict.fromkeys(_TEST.findall(module.source))] if prefix else []


def _by_opa(policy_dir: Path, modules: Sequence[Module], timeout: float) -> Iterator[TestResult]:
    wanted = [(module.name, path.replace("/", ".")) for module in modules for path in _tests(module)]
    if not wanted:
        return
    binary = opa_binary()
    if binary is None:
        for file, name in wanted:
            message = "not run: it uses `with`, which takes OPA (set RECONCILER_OPA), or cases (harness_test.rego)"
            yield TestResult(name, file, False, message)
        return
    failing = _opa_test(binary, policy_dir, timeout)
    for file, name in wanted:
        message = failing.get(name, "not run by OPA")
        yield TestResult(name, file, not message, message)


def _opa_test(binary: Path, policy_dir: Path, timeout: float) -> dict[str, str]:
    """Test name to what went wrong, empty where nothing did. Raises PolicyUnavailable."""
    command = [str(binary), "test", "--format", "json", str(policy_dir)]
    try:
        done = subprocess.run(  # noqa: S603  # fixed words
            command, capture_output=True, text=True, timeout=timeout, check=False, env=environment()
        )
        listed = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise PolicyUnavailable("timeout", f"`opa test` didn't end within {timeout:g} s") from error
    except (OSError, ValueError) as error:
        raise PolicyUnavailable("compile", "`opa test` can't run these tests; try it by hand") from error
    return {
        f"{test['package'].removeprefix('data.')}.{test['name']}": "failed on OPA"
        if test.get("fail") or test.get("error") or test.get("skip")
        else ""
        for test in listed
    }
