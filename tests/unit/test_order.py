"""The files that are begun first are there, and come in that order."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.order import LONGEST, ROOT, longest_first


def item(path: Path, name: str) -> Any:
    return SimpleNamespace(path=path, name=name)


def test_every_file_of_the_list_is_there() -> None:
    assert [path for path in LONGEST if not (ROOT / path).is_file()] == []


def test_long_files_come_first_and_stay_whole() -> None:
    usual, second, first = ROOT / "tests/unit/test_order.py", ROOT / LONGEST[1], ROOT / LONGEST[0]
    items = [item(usual, "a"), item(second, "b"), item(second, "c"), item(usual, "d"), item(first, "e")]
    longest_first(items)
    assert [one.name for one in items] == ["e", "b", "c", "a", "d"]
