"""Folding first and resolving later gives what doing both at once gives, for any expression."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.errors import SourceError
from reconciler.model.values import Unknown
from reconciler.template import fold, references, resolve
from tests.unit.template._template import Live, make_scope

TEXTS = st.sampled_from(
    ["", "a", "b-c", "1", "true", "10.0.0.0/16", "{{resolve:ssm:/x}}", "{{resolve:ssm:", "}}", "${Env}", ",", "a,b"]
)
LEAVES = st.one_of(
    TEXTS,
    st.integers(-2, 4),
    st.booleans(),
    st.sampled_from(
        [
            {"Ref": "Vpc"},
            {"Ref": "Db"},
            {"Ref": "Env"},
            {"Ref": "Names"},
            {"Ref": "Password"},
            {"Ref": "AWS::NoValue"},
            {"Fn::GetAtt": "Vpc.CidrBlock"},
            {"Fn::GetAtt": ["Db", "Endpoint.Port"]},
            {"Fn::GetAZs": ""},
            {"Fn::ImportValue": "net-vpc"},
            {"Fn::ImportValue": "nobody"},
            {"Fn::Sub": "{{resolve:secretsmanager:${Db}:x}}"},
            {"Fn::Sub": "${Vpc}/${Env}"},
        ]
    ),
)


def _extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["k", "l"]), inner, max_size=2),
        st.builds(lambda d, v: {"Fn::Join": [d, v]}, TEXTS, st.lists(inner, max_size=3)),
        st.builds(lambda i, v: {"Fn::Select": [i, v]}, st.integers(0, 2), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda i, v: {"Fn::Select": [i, v]}, st.integers(0, 2), inner),
        st.builds(lambda v: {"Fn::Split": [",", v]}, inner),
        st.builds(lambda v: {"Fn::Base64": v}, inner),
        st.builds(lambda v: {"Fn::ToJsonString": v}, inner),
        st.builds(lambda v: {"Fn::Length": v}, inner),
        st.builds(lambda v: {"Fn::Cidr": [v, 2, 8]}, inner),
        st.builds(lambda v: {"Fn::Sub": ["x${V}-${Env}", {"V": v}]}, inner),
        st.builds(lambda c, a, b: {"Fn::If": [c, a, b]}, st.sampled_from(["Yes", "No"]), inner, inner),
    )


NODES = st.recursive(LEAVES, _extend, max_leaves=12)
LIVES = st.sampled_from(
    [
        Live(),
        Live(references={"Vpc": "vpc-1"}, attributes={"Vpc.CidrBlock": "10.0.0.0/16"}),
        Live(references={"Vpc": "vpc-1", "Db": "db"}, attributes={"Vpc.CidrBlock": "x,y", "Db.Endpoint.Port": 5432}),
        Live(references={"Vpc": "{{resolve:ssm:/evil}}", "Db": Unknown("later")}),
    ]
)


def _outcome(work: Any) -> Any:
    try:
        return work()
    except SourceError:
        return "refused"


@settings(max_examples=400, deadline=None)
@given(NODES, LIVES)
def test_two_steps_equal_one(node: Any, live: Live) -> None:
    scope = make_scope()
    folded = _outcome(lambda: fold(node, scope))
    if folded == "refused":
        assert _outcome(lambda: fold(node, make_scope(lookup=live))) == "refused"
        return
    assert fold(folded, scope) == folded, "folding twice changes nothing"
    twice = _outcome(lambda: resolve(folded, live))
    assert twice == _outcome(lambda: fold(node, make_scope(lookup=live)))
    if twice != "refused" and not any("Db" in str(name) or "Vpc" in str(name) for name in references(folded)):
        assert references(twice) == frozenset()


@settings(max_examples=200, deadline=None)
@given(NODES)
def test_a_secret_never_shows(node: Any) -> None:
    folded = _outcome(lambda: fold(node, make_scope()))
    assert "hunter2" not in repr(folded)
    assert "hunter2" not in repr(_outcome(lambda: resolve(folded, Live())) if folded != "refused" else "")
