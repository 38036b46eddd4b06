"""Bytes to documents: values, line numbers, limits, and that nothing but SourceError ever comes out."""

from __future__ import annotations

import gc
import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.errors import SourceError
from reconciler.source.document import Limits
from reconciler.source.parse import parse
from tests.unit.source._plans import QUICK

LIMITS = Limits(size=100_000, depth=20, documents=3, aliased=50)


def data(text: str, file: str = "a.yaml") -> Any:
    (document,) = parse(text.encode(), file)
    return document.data


def refusal(text: str | bytes, file: str = "a.yaml", limits: Limits = LIMITS) -> str:
    with pytest.raises(SourceError) as caught:
        parse(text.encode() if isinstance(text, str) else text, file, limits)
    return str(caught.value)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref Vpc", {"Ref": "Vpc"}),
        ("!Condition IsProd", {"Condition": "IsProd"}),
        ("!GetAtt Vpc.VpcId", {"Fn::GetAtt": ["Vpc", "VpcId"]}),
        ("!GetAtt Db.Endpoint.Address", {"Fn::GetAtt": ["Db", "Endpoint.Address"]}),
        ("!GetAtt [Vpc, VpcId]", {"Fn::GetAtt": ["Vpc", "VpcId"]}),
        ('!Sub "${Vpc}-x"', {"Fn::Sub": "${Vpc}-x"}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
        ("!Join [',', [a, !Ref B]]", {"Fn::Join": [",", ["a", {"Ref": "B"}]]}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!If [C, 1, !Ref AWS::NoValue]", {"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]}),
        ("!Equals [!Ref A, true]", {"Fn::Equals": [{"Ref": "A"}, True]}),
        ("!ImportValue x", {"Fn::ImportValue": "x"}),
        ("!ToJsonString {a: 1}", {"Fn::ToJsonString": {"a": 1}}),
    ],
)
def test_short_tags_become_their_long_form(short: str, long: Any) -> None:
    assert data(f"value: {short}") == {"value": long}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2012-10-17", "2012-10-17"),
        ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z"),
        ("22:22", "22:22"),
        ("012345670123", "012345670123"),
        ("123456789012", 123456789012),
        ("0x1F", 31),
        ("1_000", 1000),
        ("-5", -5),
        ("1.5", 1.5),
        ("yes", True),
        ("Off", False),
        ("n", "n"),
        ("~", None),
        ("", None),
        ("'yes'", "yes"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
    ],
)
def test_plain_scalars(text: str, value: Any) -> None:
    assert data(f"value: {text}") == {"value": value}


def test_merge_keys_yield_to_own_keys() -> None:
    text = "base: &b {a: 1, c: {d: 2}}\nother:\n  <<: *b\n  a: 3\nlist:\n  <<: [*b, {e: 4}]\n"
    assert data(text) == {
        "base": {"a": 1, "c": {"d": 2}},
        "other": {"a": 3, "c": {"d": 2}},
        "list": {"a": 1, "c": {"d": 2}, "e": 4},
    }


def test_keys_are_text() -> None:
    assert data("on: 1\n5: 2\nnull: 3") == {"on": 1, "5": 2, "null": 3}


def test_several_documents_know_their_lines() -> None:
    first, second = parse(b"# c\na: 1\n---\n---\nb:\n  - x\n  - y: 2\n", "a.yaml")
    assert (first.data, second.data) == ({"a": 1}, {"b": ["x", {"y": 2}]})
    assert first.locate(("a",)) == ("a.yaml", 2)
    assert second.line == 5
    assert second.locate(("b", 1, "y")) == ("a.yaml", 7)
    assert second.locate(("b", 1, "nothing", "here")) == ("a.yaml", 7)


def test_json_knows_its_lines_too() -> None:
    text = '{"a": 1,\n "b": [1,\n  {"c": "x\\"",\n   "d": {}}],\n "e": []}'
    (document,) = parse(text.encode(), "a.json")
    assert document.data == json.loads(text)
    for place, line in [(("a",), 1), (("b",), 2), (("b", 0), 2), (("b", 1), 3), (("b", 1, "d"), 4), (("e",), 5)]:
        assert document.locate(place) == ("a.json", line), place


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbfa: 1", "a.yaml")[0].data == {"a": 1}


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no document"),
        (b"# only comments\n\n", "no document"),
        (b"a: \xff\xfe", "not UTF-8"),
        (b"a: 'x\0'", "NUL"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 10_000, "nested deeper"),
        (b"x" * 100_001, "larger than"),
        (b'{"a": 1, "a": 2}', "duplicate key 'a'"),
        (b'{"a": 99999999999999999999999999}', "too large"),
        (b'{"a": [1, 2}', "not valid"),
    ],
)
def test_refused_in_both_languages(file: str, content: bytes, message: str) -> None:
    if file == "a.json" and content.startswith(b"#"):
        message = "not valid JSON"
    assert message in refusal(content, file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- " * 5_000 + "x", "a.yaml:1: nested deeper"),
        ("a: &a [*a]", "a.yaml:1: alias *a refers to no anchor before it, or to itself"),
        ("a: &a [1,2,3,4,5,6,7]\n" + "b: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]", "a.yaml:3: aliases expand"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "a.yaml:4: duplicate key 'c', first on line 3"),
        ("a: !Reff b", "a.yaml:1: unknown YAML tag !Reff (did you mean !Ref?)"),
        ("a: !!python/object/apply:os.system ['true']", "!!python/object/apply:os.system is not allowed"),
        ("a: !!python/name:os.system ''", "!!python/name:os.system is not allowed"),
        ("a: !!binary aGk=", "!!binary is not allowed"),
        ("a: !!int x", "not a YAML int"),
        ("? [a]\n: b", "a key must be plain text"),
        ("a:\n\tb: 1", "a.yaml:2: not valid YAML"),
        ("a:\n\tb: 1", "indent with spaces, not tabs"),
        ("a: b: c", "not valid YAML"),
        ("a: .nan", "not a number that JSON can carry"),
        ("a: -.inf", "not a number that JSON can carry"),
        ("a: 1\nb: \x07", "a.yaml:2: control characters"),
        ("<<: 5", "<< can only merge mappings"),
        ("--- 1\n--- 2\n--- 3\n--- 4", "more than 3 documents"),
    ],
)
def test_refused_in_yaml(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 1}\n\n{"b": 2}', "a.json:3: not valid JSON: Extra data"),
        ('{"a": 1,\n "b": {"c": 1,\n  "c": 2}}', "a.json:3: duplicate key 'c'"),
        ('{"a": 1, // x\n}', "not valid JSON"),
    ],
)
def test_refused_in_json(text: str, message: str) -> None:
    assert message in refusal(text, "a.json")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@QUICK
@given(PLAIN.filter(lambda value: value is not None), st.sampled_from([None, 1, 4]))
def test_json_is_read_as_the_standard_library_reads_it(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert data(text, "a.json") == value


@QUICK
@given(PLAIN.filter(lambda value: value is not None), st.booleans())
def test_yaml_as_pyyaml_writes_it_reads_back(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    if "<<" not in text:
        assert data(text) == value


@QUICK
@given(st.binary(max_size=200), st.sampled_from(["a.yaml", "a.json"]))
def test_arbitrary_bytes_never_raise_anything_else(content: bytes, file: str) -> None:
    try:
        parse(content, file, LIMITS)
    except SourceError as error:
        assert error.problems[0].file == file


@QUICK
@given(
    st.text(st.sampled_from("{}[]:,-&*!<>|?#'\"\\ \n\tab1.~%@`"), max_size=60), st.sampled_from(["a.yaml", "a.json"])
)
def test_arbitrary_punctuation_never_raises_anything_else(text: str, file: str) -> None:
    try:
        parse(text.encode(), file, LIMITS)
    except SourceError as error:
        assert error.problems


def test_escaped_quotes_do_not_cost_quadratic_time() -> None:
    began = time.process_time()
    refusal('{"a": ' + '"\\"' * 300_000, "a.json", Limits())
    assert time.process_time() - began < 3


def test_a_thousand_security_groups_parse_fast() -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
    group = {"GroupDescription": "x", "VpcId": {"Ref": "Vpc"}, "SecurityGroupIngress": [rule, dict(rule)]}
    resources = {
        f"Sg{i}": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {**group, "Tags": [{"Key": "Name", "Value": f"{i}"}]},
        }
        for i in range(1000)
    }

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    for text, file in [(yaml.dump(resources, Dumper=Plain), "a.yaml"), (json.dumps(resources, indent=1), "a.json")]:
        gc.freeze()  # what other tests have left isn't to be looked through meanwhile
        began = time.process_time()
        (document,) = parse(text.encode(), file)
        took = time.process_time() - began
        gc.unfreeze()
        assert took < 0.6
        assert document.data == resources
