"""Over every type that has a schema: another spelling is no difference, and a real one is seen, there and nowhere else.

Every type once and some more by seed; ``RECONCILER_CORPUS=full`` takes more seeds and every leaf.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.live.compare import compare
from reconciler.schema import TypeSchema, declared, known_types, schema_for
from tests.unit.schema.generated import (
    Maker,
    Speller,
    Trail,
    case_matters,
    changed,
    named_path,
    ordered_lists,
    schema_path,
    trails,
)

TYPES = sorted(known_types())
FULL = os.environ.get("RECONCILER_CORPUS") == "full"
EXAMPLES, LEAVES = 150, 5


def schema_of(name: str) -> TypeSchema:
    found = schema_for(name)
    assert found is not None
    return found


def differences(name: str, seed: int) -> list[str]:
    """What is reported of a document and the same document respelt: nothing, if all is well."""
    schema = schema_of(name)
    made = Maker(schema, seed).properties()
    live = Speller(schema, seed, more=True).properties(made)
    return [
        f"{name} {seed} {change.path}: {change.before!r} for {change.after!r}" for change in compare(schema, made, live)
    ]


def misses(name: str, seed: int, most: int) -> list[str]:
    """Leaves of which a change isn't reported as just that; ``most`` leaves are tried."""
    schema = schema_of(name)
    made = Maker(schema, seed).properties()
    speller = Speller(schema, seed, more=False)
    places = [trail for trail in trails(made) if visible(schema, schema_path(trail))]
    found = []
    for trail in speller.dice.sample(places, min(most, len(places))):
        live = speller.properties(changed(made, trail))
        paths = [change.path for change in compare(schema, made, live)]
        if paths != [named_path(schema, made, trail)]:
            found.append(f"{name} {seed} {trail}: {paths} instead of {named_path(schema, made, trail)}")
    return found


def overlooked(name: str, seed: int) -> list[str]:
    """Changes of letter case and order, where they mean something, that nobody would see."""
    schema = schema_of(name)
    made = Maker(schema, seed).properties()
    found = []
    for trail in trails(made):
        path, value = schema_path(trail), at(made, trail)
        plain = isinstance(value, str) and value.startswith("V") and case_matters(schema, path)
        if plain and visible(schema, path) and not compare(schema, made, changed(made, trail, str.swapcase)):
            found.append(f"{name} {seed} {trail}: letter case")
    for trail in ordered_lists(schema, made):
        path = schema_path(trail)
        reordered = changed(made, trail, lambda items: items[::-1])
        if visible(schema, path) and seen_of(schema, path, made, trail) and not compare(schema, made, reordered):
            found.append(f"{name} {seed} {trail}: order")
    return found


def at(value: Any, trail: Trail) -> Any:
    for part in trail:
        value = value[part]
    return value


def seen_of(schema: TypeSchema, path: tuple[str, ...], made: Any, trail: Trail) -> bool:
    """Whether the items of a list differ in what AWS shows of them, and none of them are tags."""
    items = at(made, trail)
    tags = all(isinstance(item, dict) and set(item) <= {"Key", "Value"} for item in items)
    return not tags and all(
        any(visible(schema, (*path, "*", *schema_path(leaf))) for leaf in trails(item)) for item in items
    )


def visible(schema: TypeSchema, path: tuple[str, ...]) -> bool:
    """Whether AWS answers the value at all, and neither a transform nor more being as good lets it answer another."""
    if schema.is_secret(path) or (schema.type_name, path) in declared.AT_LEAST:
        return False
    return path not in schema.transforms or path[-1] == "IpProtocol"


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(st.sampled_from(TYPES), st.integers(0, 2**16))
def test_another_spelling_is_no_difference(name: str, seed: int) -> None:
    assert differences(name, seed) == []


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(st.sampled_from(TYPES), st.integers(0, 2**16))
def test_a_changed_leaf_is_reported_and_nothing_else(name: str, seed: int) -> None:
    assert misses(name, seed, LEAVES) == []


@pytest.mark.parametrize("seed", range(10 if FULL else 1))
def test_every_type(seed: int) -> None:
    leaves = 100 if FULL else LEAVES
    found = [
        line
        for name in TYPES
        for line in (*differences(name, seed), *misses(name, seed, leaves), *overlooked(name, seed))
    ]
    assert found == [], f"{len(found)} in {len(TYPES)} types"
