"""Rules: assertions on the parameters, evaluated as CloudFormation does, and refused where only AWS could tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.errors import Problem, SourceError
from tests.unit.template._template import load, problems_of

PARAMETERS: dict[str, Any] = {
    "Env": {"Type": "String", "Default": "prod"},
    "Count": {"Type": "Number", "Default": 3},
    "Names": {"Type": "CommaDelimitedList", "Default": "a,b"},
    "None": {"Type": "CommaDelimitedList", "Default": ""},
    "Secret": {"Type": "String", "NoEcho": True, "Default": "hunter2"},
    "Bootstrap": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/qualifier/version"},
    "Ami": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/ami"},
}
ENV, COUNT, NAMES = {"Ref": "Env"}, {"Ref": "Count"}, {"Ref": "Names"}
IS_PROD = {"Fn::Equals": [ENV, "prod"]}
ASKED = {"Fn::Contains": [{"Fn::RefAll": "AWS::EC2::VPC::Id"}, "vpc-1"]}


def document(assertion: Any, description: str = "", **rule: Any) -> dict[str, Any]:
    said = {"AssertDescription": description} if description else {}
    return {
        "Parameters": PARAMETERS,
        "Conditions": {"Big": {"Fn::Equals": [COUNT, 3]}},
        "Rules": {"Sane": {"Assertions": [{"Assert": assertion, **said}], **rule}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }


def problem(assertion: Any, **rule: Any) -> Problem | None:
    """What is said of a rule with one assertion; None if the template is taken."""
    try:
        load(document(assertion, **rule))
    except SourceError as error:
        assert len(error.problems) == 1
        return error.problems[0]
    return None


@pytest.mark.parametrize(
    "assertion",
    [
        IS_PROD,
        {"Fn::Equals": [COUNT, "3"]},
        {"Fn::Equals": [3, COUNT]},
        {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]},
        {"Fn::Equals": [NAMES, ["a", "b"]]},
        {"Fn::Equals": [{"Fn::Equals": [ENV, "x"]}, False]},
        {"Fn::Not": [{"Fn::Equals": [ENV, "Prod"]}]},
        {"Fn::And": [IS_PROD, {"Fn::Equals": [COUNT, 3]}]},
        {"Fn::Or": [{"Fn::Equals": [ENV, "dev"]}, IS_PROD]},
        {"Fn::Contains": [["dev", "prod"], ENV]},
        {"Fn::Contains": [NAMES, "b"]},
        {"Fn::EachMemberEquals": [["prod", "prod"], ENV]},
        {"Fn::EachMemberIn": [NAMES, ["a", "b", "c"]]},
        {"Fn::Equals": [{"Ref": "Secret"}, "hunter2"]},
        {"Condition": "Big"},
    ],
)
def test_an_assertion_that_holds_is_no_matter(assertion: Any) -> None:
    assert problem(assertion) is None
    denied = problem({"Fn::Not": [assertion]})
    assert denied is not None
    assert (denied.reason, denied.path) == ("rule", "Rules/Sane/Assertions/0")


@pytest.mark.parametrize(
    "assertion",
    [
        {"Fn::Equals": [COUNT, "03"]},
        {"Fn::Contains": [["dev", "test"], ENV]},
        {"Fn::Contains": [{"Ref": "None"}, ENV]},
        {"Fn::EachMemberEquals": [NAMES, "a"]},
        {"Fn::EachMemberIn": [NAMES, ["a"]]},
    ],
)
def test_an_assertion_that_does_not_hold_is_refused(assertion: Any) -> None:
    found = problem(assertion)
    assert found is not None
    assert found.reason == "rule"


def test_a_refusal_has_the_description_and_the_place() -> None:
    (found,) = problems_of(document({"Fn::Equals": [ENV, "dev"]}, "Only for development"))
    assert str(found) == (
        "web.cfn.yaml:14: rule Sane: Only for development at Rules/Sane/Assertions/0 (give other parameters)"
    )


def test_the_parameters_that_a_plan_gives_count() -> None:
    rule = document({"Fn::Equals": [ENV, "dev"]})
    assert load(rule, Env="dev").resources
    assert problems_of(rule, Env="test")[0].reason == "rule"


def test_assertions_count_only_where_the_rule_applies() -> None:
    wrong = {"Fn::Equals": [COUNT, 4]}
    assert problem(wrong, RuleCondition={"Fn::Equals": [ENV, "dev"]}) is None
    assert problem(wrong, RuleCondition=IS_PROD) is not None


def test_every_assertion_that_fails_is_told() -> None:
    wrong = {"Assert": {"Fn::Equals": [COUNT, 4]}, "AssertDescription": "four"}
    right = {"Assert": IS_PROD}
    found = problems_of(document(IS_PROD, Assertions=[wrong, right, {**wrong, "AssertDescription": "again"}]))
    assert [one.message for one in found] == ["rule Sane: four", "rule Sane: again"]


def test_a_secret_is_compared_and_not_shown() -> None:
    found = problem({"Fn::Equals": [{"Ref": "Secret"}, "other"]})
    assert found is not None
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        (ASKED, "Fn::RefAll asks AWS for all values of a parameter type"),
        ({"Fn::EachMemberIn": [{"Fn::ValueOfAll": ["AWS::EC2::Subnet::Id", "VpcId"]}, ["vpc-1"]]}, "Fn::ValueOfAll"),
        ({"Fn::Equals": [{"Fn::ValueOf": ["Vpc", "Tags.Env"]}, "prod"]}, "Fn::ValueOf asks AWS for an attribute"),
        ({"Fn::Equals": [{"Ref": "Ami"}, "ami-1"]}, "parameter Ami is looked up in AWS"),
        ({"Fn::EachMemberIn": [{"Ref": "None"}, ["a"]]}, "each member of an empty list"),
        ({"Fn::EachMemberEquals": [[], "a"]}, "each member of an empty list"),
    ],
)
def test_what_only_aws_could_tell_is_refused_either_way(assertion: Any, why: str) -> None:
    for asserted in (assertion, {"Fn::Not": [assertion]}):
        found = problem(asserted)
        assert found is not None
        assert (found.reason, found.path) == ("unsupported", "Rules/Sane/Assertions/0")
        assert why in found.message
        assert "spec.stack" in found.suggestion


def test_what_only_aws_could_tell_does_not_matter_where_the_outcome_is_the_same() -> None:
    assert problem({"Fn::Or": [ASKED, IS_PROD]}) is None
    assert problem({"Fn::And": [ASKED, {"Fn::Equals": [ENV, "dev"]}]}, RuleCondition={"Fn::Equals": [ENV, "x"]}) is None
    assert problem(IS_PROD, RuleCondition=ASKED) is None
    false = problem({"Fn::And": [ASKED, {"Fn::Equals": [ENV, "dev"]}]})
    assert false is not None
    assert false.reason == "rule"
    unclear = problem({"Fn::Equals": [ENV, "dev"]}, RuleCondition=ASKED)
    assert unclear is not None
    assert unclear.reason == "unsupported"


@pytest.mark.parametrize(
    ("rule", "message", "path"),
    [
        ([], "must be a mapping, not a list", "Rules/Sane"),
        ({}, "needs Assertions", "Rules/Sane"),
        ({"Assertions": []}, "needs Assertions", "Rules/Sane"),
        ({"Assertions": [{"AssertDescription": "x"}]}, "has an Assert", "Rules/Sane/Assertions/0"),
        ({"Assertions": [{"Assert": IS_PROD, "Why": 1}]}, "has an Assert", "Rules/Sane/Assertions/0"),
        ({"Assertions": [{"Assert": IS_PROD}], "Condition": 1}, "not part of a rule", "Rules/Sane/Condition"),
        ({"Assertions": [{"Assert": True}]}, "must be one of", "Rules/Sane/Assertions/0/Assert"),
        (
            {"Assertions": [{"Assert": {"Fn::Equal": [1, 2]}}]},
            "Fn::Equal is no condition of a rule",
            "Rules/Sane/Assertions/0/Assert",
        ),
        (
            {"Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "Topic"}, "x"]}}]},
            "a rule can refer to parameters only",
            "Rules/Sane/Assertions/0/Assert/Fn::Equals/0/Ref",
        ),
        (
            {"Assertions": [{"Assert": {"Fn::Equals": [{"Fn::Sub": "x"}, "x"]}}]},
            "the functions of rules, not Fn::Sub",
            "Rules/Sane/Assertions/0/Assert",
        ),
        (
            {"Assertions": [{"Assert": {"Fn::Contains": ["a", "a"]}}]},
            "a list is needed",
            "Rules/Sane/Assertions/0/Assert",
        ),
        (
            {"Assertions": [{"Assert": {"Fn::Contains": [["a"], NAMES]}}]},
            "a string is needed",
            "Rules/Sane/Assertions/0/Assert",
        ),
        (
            {"Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "AWS::NoValue"}, ""]}}]},
            "AWS::NoValue",
            "Rules/Sane/Assertions/0/Assert",
        ),
        (
            {"Assertions": [{"Assert": {"Condition": "Huge"}}]},
            "there is no condition 'Huge'",
            "Rules/Sane/Assertions/0/Assert",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_once(rule: Any, message: str, path: str) -> None:
    found = problems_of({**document(IS_PROD), "Rules": {"Sane": rule}})
    assert [(one.path, message in one.message) for one in found] == [(path, True)]


# any expression


def _sides(test: Any) -> Any:
    return st.lists(test, min_size=2, max_size=3)


_WORDS = st.sampled_from(["a", "b", "c"])
_LISTS = st.lists(_WORDS, min_size=1, max_size=3)
_LEAVES = st.one_of(
    st.tuples(_WORDS, _WORDS).map(lambda pair: ({"Fn::Equals": list(pair)}, pair[0] == pair[1])),
    st.tuples(_LISTS, _WORDS).map(lambda pair: ({"Fn::Contains": list(pair)}, pair[1] in pair[0])),
    st.tuples(_LISTS, _WORDS).map(lambda pair: ({"Fn::EachMemberEquals": list(pair)}, {*pair[0]} == {pair[1]})),
    st.tuples(_LISTS, _LISTS).map(lambda pair: ({"Fn::EachMemberIn": list(pair)}, {*pair[0]} <= {*pair[1]})),
)


def _trees(leaves: Any) -> Any:
    """Expressions with what they come to, by Python."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: ({"Fn::Not": [one[0]]}, not one[1])),
            _sides(inner).map(lambda all_: ({"Fn::And": [one[0] for one in all_]}, all(one[1] for one in all_))),
            _sides(inner).map(lambda any_: ({"Fn::Or": [one[0] for one in any_]}, any(one[1] for one in any_))),
        ),
        max_leaves=8,
    )


@settings(max_examples=150, deadline=None)
@given(_trees(_LEAVES), _trees(_LEAVES))
def test_any_rule_is_judged_as_logic_does(condition: tuple[Any, bool], assertion: tuple[Any, bool]) -> None:
    found = problem(assertion[0], RuleCondition=condition[0])
    assert (found is None) == (assertion[1] or not condition[1])


_OPEN = st.just(("open", None))


def _filled(node: Any, with_: Any) -> Any:
    if node == "open":
        return with_
    return (
        {name: [_filled(part, with_) for part in parts] for name, parts in node.items()}
        if isinstance(node, dict)
        else node
    )


@settings(max_examples=150, deadline=None)
@given(_trees(st.one_of(_OPEN, _LEAVES)))
def test_what_is_not_known_is_never_guessed(assertion: tuple[Any, Any]) -> None:
    """A rule is taken with a part that only AWS knows exactly if it is taken whatever that is."""
    true, false = {"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}
    taken = [problem(_filled(assertion[0], part)) is None for part in (true, false)]
    found = problem(_filled(assertion[0], ASKED))
    if found is None:
        assert all(taken)
    elif found.reason == "rule":
        assert not any(taken)


NEW_ENOUGH = {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Bootstrap"}]}]}


def test_that_the_cdk_has_been_set_up_is_not_asked_for() -> None:
    assert problem(NEW_ENOUGH) is None
    assert problem({"Fn::And": [NEW_ENOUGH, IS_PROD]}) is None


@pytest.mark.parametrize("other", [{"Fn::Equals": [{"Ref": "Ami"}, "ami-1"]}, {"Fn::Equals": [ENV, "dev"]}])
def test_what_else_is_asserted_beside_it_has_to_hold(other: Any) -> None:
    for assertion in ({"Fn::And": [NEW_ENOUGH, other]}, {"Fn::And": [other, NEW_ENOUGH]}):
        assert problem(assertion) is not None
