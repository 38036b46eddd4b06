"""The order of the files: the longest first, lest one be left to one process when the other has finished."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Files that take more than a quarter of a minute, the longest first. All others follow in their usual order.
LONGEST = (
    "tests/contract/providers_native/test_contract.py",
    "tests/stress/test_two_daemons.py",
    "tests/e2e/test_daemon.py",
    "tests/faults/test_faults.py",
    "tests/integration/iac/test_cdk.py",
    "tests/crash/test_kill.py",
    "tests/integration/policy/test_policy_equivalence.py",
    "tests/contract/elsewhere/test_lives.py",
    "tests/integration/iac/test_stack_killed.py",
    "tests/e2e/test_fail_closed.py",
    "tests/e2e/test_cli.py",
    "tests/stress/test_soak.py",
    "tests/e2e/test_adoption.py",
    "tests/e2e/test_exact_approval.py",
    "tests/e2e/test_pull_requests.py",
    "tests/corpus/test_rendering.py",
    "tests/corpus/test_corpus.py",
    "tests/integration/iac/test_stack.py",
    "tests/integration/iac/test_terraform.py",
    "tests/corpus/deploying/test_deploying.py",
    "tests/e2e/test_drift.py",
    "tests/unit/store/test_leases.py",
)


def longest_first(items: list[pytest.Item]) -> None:
    """Sort them in place; what a file has stays together, in its own order."""
    rank = {ROOT / path: place for place, path in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
