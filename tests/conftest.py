"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.secrecy import forget_all
from reconciler.testing.watching import WATCH
from tests.databases import postgresql
from tests.order import longest_first

__all__ = ["no_secrets_of_other_tests", "postgresql"]

_COUNT = "reconciler_read_only_calls"
_others: list[tuple[int, int]] = []


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """A process knows the secrets that it has met; what one test made up must not be masked in the next."""
    forget_all()
    yield


@pytest.fixture(autouse=True)
def nothing_is_written_where_nothing_may_be() -> Iterator[None]:
    """No call of the program that changes something reaches a staging or production account of a local AWS."""
    before = len(WATCH.writes)
    yield
    assert WATCH.writes[before:] == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files are begun first."""
    longest_first(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its counts to the process that prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_COUNT] = (WATCH.reads, len(WATCH.writes))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take a worker's counts."""
    found = getattr(node, "workeroutput", {}).get(_COUNT)
    if found is not None:
        _others.append(tuple(found))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what the program asked of staging and production accounts over the whole session."""
    counts = [(WATCH.reads, len(WATCH.writes)), *_others]
    reads, writes = (sum(column) for column in zip(*counts, strict=True))
    if reads or writes:
        terminalreporter.write_line(f"staging and production: {reads} calls that read, {writes} that change something")
