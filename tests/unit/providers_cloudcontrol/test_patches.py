"""Patches hold by an applier written apart from them: applied to what was read, they give what is wanted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.providers.cloudcontrol.patches import patch
from reconciler.schema import TypeSchema
from reconciler.testing.cloudhandlers import patched


def schema(**facts: Any) -> TypeSchema:
    names = ("A", "B", "C", "Deep")
    document = {"properties": {name: {} for name in names}}
    return TypeSchema("AWS::Test::Thing", "us-east-1", properties=frozenset(names), document=document, **facts)


PLAIN = schema()
KEYS = st.sampled_from(["a", "b", "a/b", "~", "~1", "", "c d"])
LEAVES = st.one_of(st.booleans(), st.integers(-2, 2), st.text(max_size=3), st.just(1.5))
VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3))
)
MODELS = st.dictionaries(st.sampled_from(["A", "B", "C"]), VALUES, max_size=3)


@settings(max_examples=300, deadline=None)
@given(before=MODELS, after=MODELS)
def test_a_patch_leads_from_before_to_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    operations = patch(PLAIN, before, after, frozenset({"A", "B", "C"}))
    found = patched(before, operations) if operations else before
    assert found == after
    same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert before == after if operations == [] else not same  # Python takes False for 0, JSON doesn't


@settings(max_examples=100, deadline=None)
@given(before=MODELS, after=MODELS)
def test_only_the_changed_properties_are_touched(before: dict[str, Any], after: dict[str, Any]) -> None:
    for operation in patch(PLAIN, before, after, frozenset({"A"})):
        assert operation["path"].split("/")[1] == "A"


def test_a_patch_is_as_small_as_it_can_be() -> None:
    before = {"Deep": {"x": {"y": 1, "z": [1, 2]}, "gone": 1, "kept": "k"}, "A": 1}
    after = {"Deep": {"x": {"y": 2, "z": [1, 2]}, "kept": "k", "a/b~c": True}, "A": 1}
    assert patch(PLAIN, before, after, frozenset({"Deep", "A"})) == [
        {"op": "add", "path": "/Deep/a~1b~0c", "value": True},
        {"op": "remove", "path": "/Deep/gone"},
        {"op": "replace", "path": "/Deep/x/y", "value": 2},
    ]


def test_write_only_properties_are_added_each_time() -> None:
    hidden = schema(write_only=frozenset({("B",), ("Deep", "Secret")}))
    after = {"A": 2, "B": "password", "Deep": {"Secret": "s", "Name": "n"}}
    assert patch(hidden, {"A": 1, "Deep": {"Name": "n"}}, after, frozenset({"A"})) == [
        {"op": "replace", "path": "/A", "value": 2},
        {"op": "add", "path": "/B", "value": "password"},
        {"op": "add", "path": "/Deep/Secret", "value": "s"},
    ]
    assert patch(hidden, {"A": 2, "Deep": {"Name": "n"}}, after, frozenset({"A"})) == []
    # an object of which nothing is returned has to be added as one
    assert patch(hidden, {"A": 1}, after, frozenset({"A"}))[-1] == {
        "op": "add", "path": "/Deep", "value": {"Secret": "s", "Name": "n"},
    }  # fmt: skip


def test_what_is_create_only_or_read_only_stays_out_even_below_what_is_added() -> None:
    fixed = schema(
        create_only=frozenset({("A",), ("Deep", "Topic"), ("B", "*", "Id")}),
        read_only=frozenset({("Deep", "Arn")}),
        write_only=frozenset({("A",), ("Deep",)}),
    )
    after = {"A": "x", "B": [{"Id": 1, "Size": 2}], "Deep": {"Topic": "t", "Arn": "arn", "Batch": 5}}
    assert patch(fixed, {"B": []}, after, frozenset({"B"})) == [
        {"op": "replace", "path": "/B", "value": [{"Size": 2}]},
        {"op": "add", "path": "/Deep", "value": {"Batch": 5}},
    ]


@pytest.mark.parametrize(
    ("kind", "given_value", "sent"),
    [
        ("integer", "80", 80), ("number", "1.5", 1.5), ("boolean", "true", True), ("boolean", "False", False),
        ("string", 80, "80"), ("string", True, "true"), ("integer", "eighty", "eighty"),
        ("string", {"a": 1}, '{"a": 1}'),
        ("object", '{"a": 1}', {"a": 1}), (["integer", "string"], "80", "80"),
    ],
)  # fmt: skip
def test_values_are_put_into_the_types_of_the_schema(kind: Any, given_value: Any, sent: Any) -> None:
    typed = TypeSchema("AWS::Test::Thing", "us-east-1", document={"properties": {"A": {"type": kind}}})
    assert patch(typed, {}, {"A": given_value}, frozenset({"A"})) == [{"op": "add", "path": "/A", "value": sent}]
    assert patch(typed, {"A": sent}, {"A": given_value}, frozenset({"A"})) == []
