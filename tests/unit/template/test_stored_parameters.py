"""Parameters of type ``AWS::SSM::Parameter::Value<…>``: a name is given, its value is looked up at use."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.values import Deferred, Unknown
from reconciler.template import resolve
from tests.unit.template._template import Live, load, problems_of


def document(kind: str, use: Any) -> dict[str, Any]:
    return {
        "Parameters": {"P": {"Type": f"AWS::SSM::Parameter::Value<{kind}>"}},
        "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"X": use}}},
    }


def value(kind: str, name: str, use: Any = None) -> Any:
    loaded = load(document(kind, use or {"Ref": "P"}), P=name)
    assert loaded.parameters[0].value == name  # the name is what the plan holds, never the value
    return resolve(loaded.resources["Vpc"].properties["X"], Live())  # type: ignore[index]


@pytest.mark.parametrize("kind", ["String", "AWS::EC2::Image::Id"])
def test_a_value_is_looked_up_at_use_and_is_no_secret(kind: str) -> None:
    assert value(kind, "/ami") == "ami-1"
    assert value(kind, "/ami", {"Fn::Sub": "is ${P}"}) == "is ami-1"


@pytest.mark.parametrize("kind", ["List<String>", "CommaDelimitedList", "List<AWS::EC2::Subnet::Id>"])
def test_a_list_is_a_list(kind: str) -> None:
    assert value(kind, "/zones") == ["a", "b"]
    assert value(kind, "/zones", {"Fn::Select": [1, {"Ref": "P"}]}) == "b"


def test_until_then_it_is_deferred_and_unknown_if_it_is_not_there() -> None:
    loaded = load(document("String", {"Ref": "P"}), P="/ami")
    assert loaded.resources["Vpc"].properties["X"] == Deferred("Stored", "/ami")  # type: ignore[index]
    assert isinstance(value("String", "/none"), Unknown)


def test_a_condition_can_not_depend_on_it() -> None:
    given = document("String", "x") | {"Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}}
    assert [problem.path for problem in problems_of(given, P="/ami")] == ["Conditions/C"]
