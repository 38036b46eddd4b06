"""The digest: what counts and what doesn't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.source.digest import canonical_json, content_digest, plan_digest
from reconciler.source.parse import parse
from tests.unit.source._plans import PLAN, QUICK, TEMPLATE, TEMPLATED, load, plan

KEYS = st.text(st.sampled_from("abcé1 :#'-~"), max_size=4).filter(lambda key: key != "<<")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


def digest_of(text: str, file: str = "a.yaml") -> str:
    (document,) = parse(text.encode(), file)
    return plan_digest(document.data)


def shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@QUICK
@given(DOCUMENTS, st.randoms(use_true_random=False), st.booleans(), st.integers(1, 6))
def test_order_comments_and_style_do_not_count(document: Any, random: Any, flow: bool, indent: int) -> None:
    again = shuffled(document, random)
    wanted = plan_digest(document)
    dumped = yaml.dump(
        again,
        Dumper=yaml.CSafeDumper,
        default_flow_style=flow,
        allow_unicode=True,
        sort_keys=False,
        indent=max(2, indent),
    )
    assert digest_of(f"# a comment\n---\n{dumped}# the end\n") == wanted
    assert digest_of(json.dumps(again, indent=indent), "a.json") == wanted


@QUICK
@given(DOCUMENTS, DOCUMENTS)
def test_different_content_has_a_different_digest(one: Any, other: Any) -> None:
    assert (plan_digest(one) == plan_digest(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref A", "{Ref: A}"),
        ("!GetAtt A.B", "{'Fn::GetAtt': [A, B]}"),
        ("!GetAtt A.B", "{'Fn::GetAtt': A.B}"),
        ("!GetAtt A.B.C", "{'Fn::GetAtt': [A, B.C]}"),
        ("!Sub '${A}'", "{'Fn::Sub': '${A}'}"),
        ("!If [C, !Ref A, 1]", "{'Fn::If': [C, {Ref: A}, 1]}"),
        ("1.0", "1"),
        ("0x10", "16"),
        ("'a'", "a"),
    ],
)
def test_spellings_of_the_same_thing(short: str, long: str) -> None:
    assert digest_of(f"v: {short}") == digest_of(f"v: {long}")


@pytest.mark.parametrize(("one", "other"), [("1", "'1'"), ("true", "'true'"), ("~", "''"), ("[a, b]", "[b, a]")])
def test_things_that_only_look_alike(one: str, other: str) -> None:
    assert digest_of(f"v: {one}") != digest_of(f"v: {other}")


def test_the_form_is_fixed() -> None:
    assert canonical_json({"b": [1.0, "é", None], "a": True}) == '{"a":true,"b":[1,"é",null]}'.encode()
    assert content_digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_referenced_template_counts_but_not_its_layout(tmp_path: Path) -> None:
    def digest(template: str) -> str:
        (loaded,) = load(tmp_path, web=TEMPLATED, **{"web.cfn.yaml": template}).plans.values()
        return loaded.digest

    first = digest(TEMPLATE)
    assert digest("# comment\n" + TEMPLATE.replace("!Ref Cidr", "{Ref: Cidr}")) == first
    assert digest(TEMPLATE.replace("    Properties:", "    DeletionPolicy: Retain\n    Properties:")) != first


def test_every_byte_of_a_referenced_directory_counts(tmp_path: Path) -> None:
    text = PLAN[: PLAN.index("  parameters:")] + "  terraform: {directory: infra, varFiles: [dev.tfvars]}\n"
    files = {"web": text, "infra__main.tf": "a", "infra__dev.tfvars": "b", "infra__.terraform__x.lock": "1"}

    def digest(**changed: str) -> str:
        (loaded,) = load(tmp_path, **{**files, **changed}).plans.values()
        return loaded.digest

    first = digest()
    assert digest() == first
    assert digest(**{"infra__.terraform__x.lock": "2"}) == first  # what Terraform keeps for itself is not content
    assert digest(**{"infra__main.tf": "a "}) != first
    assert digest(**{"infra__more.tf": ""}) != first


def test_a_secret_parameter_is_part_of_the_digest_and_of_nothing_else(tmp_path: Path) -> None:
    template = TEMPLATE.replace("    Type: String\n", "    Type: String\n    NoEcho: true\n", 1).replace(
        '    AllowedPattern: "[0-9./]+"\n', ""
    )
    one = load(tmp_path, web=plan("10.20.0.0/16", "10.21.0.0/16", text=TEMPLATED), **{"web.cfn.yaml": template})
    other = load(tmp_path, web=TEMPLATED, **{"web.cfn.yaml": template})
    assert one.plans["dev-web"].digest != other.plans["dev-web"].digest
    assert "10.20" not in repr(other)
