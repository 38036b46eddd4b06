"""The shipped Rego tests on both engines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from policy_oracle import SHIPPED

from reconciler.policy.testing import run_tests


@pytest.mark.opa
def test_rego_tests_pass_on_opa(opa: Path) -> None:
    done = subprocess.run([opa, "test", str(SHIPPED)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "PASS: 103/103" in done.stdout


@pytest.mark.opa
def test_policies_are_strict_and_formatted(opa: Path) -> None:
    assert subprocess.run([opa, "check", "--strict", str(SHIPPED)], check=False).returncode == 0
    assert subprocess.run([opa, "fmt", "--list", "--fail", str(SHIPPED)], check=False).returncode == 0


def test_rego_tests_pass_on_the_embedded_engine() -> None:
    results = run_tests(SHIPPED)
    assert len(results) == 103
    assert [result for result in results if not result.passed] == []


def test_a_wrong_policy_fails_its_tests(policies: Path) -> None:
    for path in policies.glob("*_test.rego"):
        if path.stem not in ("guardrail_test", "fixtures_test", "harness_test", "expectations_test"):
            path.unlink()
    rules = policies / "guardrail.rego"
    rules.write_text(rules.read_text() + '\nguardrail_ok if guardrail_status == "waived"\n')
    failed = {result.name.rpartition(".")[2] for result in run_tests(policies) if not result.passed}
    assert failed == {"test_unknown_status_is_denied"}


@pytest.mark.opa
def test_a_file_that_uses_with_is_left_to_opa(opa: Path, policies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in policies.glob("*_test.rego"):
        path.unlink()
    (policies / "own_test.rego").write_text(
        'package own_test\n\ntest_deny if data.reconciler.mode == "deny" with input as {}\n\n'
        'test_apply if data.reconciler.mode == "apply" with input as {}\n'
    )
    monkeypatch.setenv("RECONCILER_OPA", str(opa))
    assert [result.passed for result in run_tests(policies)] == [True, False]
    monkeypatch.setenv("RECONCILER_OPA", "/nowhere/opa")
    assert [result.passed for result in run_tests(policies)] == [False, False]
