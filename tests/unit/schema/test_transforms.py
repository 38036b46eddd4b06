"""AWS's own word on what it makes of a value: every expression that it ships is understood, within bounds."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from reconciler.schema import known_types, schema_for, transforms

VALUES: tuple[Any, ...] = ("role/abc:def.1", "10.1.2.3/16", "2001:db8:0:0:0:0:0:0/64", 5, "03:04:05Z", ["a"])


def expressions() -> list[tuple[str, tuple[str, ...], str]]:
    found = []
    for name in sorted(known_types()):
        schema = schema_for(name)
        assert schema is not None
        found += [(name, path, part) for path, parts in schema.transforms.items() for part in parts]
    return found


def worth(expression: str, path: tuple[str, ...]) -> bool:
    """Whether it has a value for any of ``VALUES``, or where none is given."""
    for value in (*VALUES, None):
        around: dict[str, Any] = {} if value is None else {path[-1]: value}
        for parent in reversed([part for part in path[:-1] if part != "*"]):
            around = {**around, parent: dict(around)}
        try:
            if transforms.evaluate(expression, around) is not None:
                return True
        except ValueError:
            continue
    return False


def test_every_expression_that_aws_ships_has_a_value() -> None:
    every = expressions()
    assert len(every) > 240
    assert [entry for entry in every if not worth(entry[2], entry[1])] == []


def test_an_endless_expression_ends() -> None:
    started = time.monotonic()
    with pytest.raises(ValueError, match="no value"):
        transforms.evaluate("($f := function($n){ $f($n + 1) }; $f(1))", {})
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("expression", ["$lowercase(", "$nope(Name)", "$number(Name)", "$split(Name, 5)"])
def test_an_expression_that_is_none_accepts_nothing(expression: str) -> None:
    with pytest.raises(ValueError, match="no value"):
        transforms.evaluate(expression, {"Name": "abc"})


def test_the_library_leaves_the_interpreter_as_it_was() -> None:
    limit = sys.getrecursionlimit()
    transforms._library.cache_clear()
    sys.modules.pop("jsonata", None)
    for name in [name for name in sys.modules if name.startswith("jsonata.")]:
        del sys.modules[name]
    assert transforms.evaluate("1 + 1", {}) == 2
    assert sys.getrecursionlimit() == limit
