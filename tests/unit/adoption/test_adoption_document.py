"""The text: what our reader reads is what was meant, whatever the values are."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.adoption.document import Head, plan_text
from reconciler.adoption.found import Draft, Gap, Left, Reference
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Target
from reconciler.source.document import Limits
from reconciler.source.yamltext import read_yaml

HEAD = Head("lab", "alice@example.com", Target("sandbox", "012345678901", "eu-central-1"), "a test")

#: what YAML takes for something else, or can't take at all unless it is quoted
ODD = [
    *(
        "no",
        "1e3",
        "0x1F",
        "012345678901",
        "2012-10-17",
        "22:22",
        "~",
        "- a",
        "a: b",
        "# c",
        "@x",
        "!Ref Vpc",
        "'",
        '"',
    ),
    *(
        "",
        " ",
        "a\n",
        "\ta",
        "a\nb\n",
        "a\n\n  b",
        "  a\nb",
        "{{x}}",
        "=",
        "<<",
        "*a",
        "&a",
        "%a",
        "|",
        "\u2028",
        "\x85",
    ),
]
TEXTS = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"), max_size=40),
)
SCALARS = st.one_of(
    TEXTS, st.integers(-(2**53), 2**53), st.booleans(), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def draft(properties: dict[str, Any], **more: Any) -> Draft:
    return Draft(LogicalId("Thing"), TypeName("AWS::EC2::VPC"), Identifier("vpc-1"), properties, **more)


def read(text: str) -> Any:
    return read_yaml(text, "plan", Limits())[0].data


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Za-z]{0,8}", fullmatch=True), VALUES, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_value_is_read_as_it_was_written(properties: dict[str, Any]) -> None:
    found = read(plan_text(HEAD, [draft(properties)]))
    assert found["spec"]["resources"]["Thing"]["Properties"] == properties


def test_the_whole_plan() -> None:
    reference = Reference(LogicalId("Other"), "", "vpc-9")
    attribute = Reference(LogicalId("Other"), "Endpoint.Address", "x")
    one = draft(
        {"VpcId": reference, "Where": [attribute]},
        gaps=(Gap("/Code", "AWS doesn't show it", needed=True), Gap("/Odd", "a\nb")),
        depends_on=(LogicalId("First"), LogicalId("Second")),
        deletion_policy="Retain",
        update_replace_policy="Nonsense",
    )
    text = plan_text(HEAD, [one], [Left("arn:x\ny", "no type\nis known")])
    assert read(text) == {
        "apiVersion": "reconciler/v1",
        "kind": "Plan",
        "metadata": {"name": "lab", "author": "alice@example.com", "description": "a test"},
        "spec": {
            "target": {"environment": "sandbox", "account": "012345678901", "region": "eu-central-1"},
            "guardrail": {"status": "passed", "reference": ""},
            "rollback": "automatic",
            "prune": False,
            "resources": {
                "Thing": {
                    "Type": "AWS::EC2::VPC",
                    "DependsOn": ["First", "Second"],
                    "DeletionPolicy": "Retain",
                    "Metadata": {"Reconciler": {"adopt": "vpc-1"}},
                    "Properties": {
                        "VpcId": {"Ref": "Other"},
                        "Where": [{"Fn::GetAtt": ["Other", "Endpoint.Address"]}],
                    },
                }
            },
        },
    }
    assert "VpcId: !Ref Other" in text
    assert "    # /Code (needed): AWS doesn't show it\n    # /Odd: a b\n    Thing:" in text
    assert "#   arn:x y: no type is known\n" in text


def test_long_text_keeps_its_lines_and_small_things_stay_on_one() -> None:
    text = plan_text(HEAD, [draft({"Body": "first line\nsecond line\n", "Tags": [{"Key": "a", "Value": "b"}]})])
    assert "        Body: |\n          first line\n          second line\n" in text
    assert "        Tags: [{Key: a, Value: b}]\n" in text
