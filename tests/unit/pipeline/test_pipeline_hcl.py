"""The HCL printer against the real terraform (formatting, values) and an independent parser."""

from __future__ import annotations

import base64
import json
import math
import re
import unicodedata
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline_terraform import Terraform

from reconciler.pipeline.hcl import Block, Call, Raw, Template, document, expression, inline, quoted

pytestmark = pytest.mark.terraform

TRICKY = [
    "",
    "$",
    "${x}",
    "$${x}",
    "$$${x}",
    "%{if}",
    "%%{if}",
    "$%{",
    "%${",
    'say "hi"',
    "back\\slash",
    "\\${x}",
    "two\nlines\r\n\tand tab",
    "\x00\x07\x1b\x7f\x85\u2028\ufeff",
    "ümlaut 日本語 👩‍👩‍👧 e\u0301",
    "<<EOF\nx\nEOF",
    "trailing $",
    "$",
    "%",
    "{{resolve:ssm:x}}",
]
#: What python-hcl2 8.1 doesn't parse although Terraform does: an escaped introducer that isn't closed, or that stands
#: right after the other kind's sign.
PARSER_FAILS = re.compile(r"[$%]\{(?![^{}$%]*\})|\$%\{|%\$\{")
TEXTS = st.text(st.one_of(st.sampled_from('${}%\\"\n\t~ '), st.characters(exclude_categories=("Cs",))), max_size=24)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(-(10**6), 10**6), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def evaluated(terraform: Terraform, where: Path, values: list[Any]) -> list[Any]:
    """What terraform makes of values, by way of an output."""
    (where / "main.tf").write_text(document("test", [Block("output", ("v",), {"value": values})]), newline="")
    applied = terraform("apply", "-auto-approve", "-no-color")
    assert applied.returncode == 0, applied.stderr
    return list(json.loads(terraform("output", "-json", "v").stdout))


def normal(value: Any) -> Any:
    """Terraform normalises text to NFC."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [normal(item) for item in value]
    return {normal(key): normal(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_terraform_reads_back_what_was_written(terraform: Terraform, tmp_path: Path) -> None:
    assert evaluated(terraform, tmp_path, TRICKY) == normal(TRICKY)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, min_size=20, max_size=60))
def test_any_value_survives_and_is_formatted(terraform: Terraform, tmp_path: Path, values: list[Any]) -> None:
    assert normal(evaluated(terraform, tmp_path, values)) == normal(values)
    checked = terraform("fmt", "-check", "-diff", "main.tf")
    assert checked.returncode == 0, checked.stdout + checked.stderr


LINES = st.lists(st.text(st.sampled_from('${}%\\"\t ~aEOT#'), max_size=8), min_size=2, max_size=6).map(
    lambda lines: "\n".join(lines) + "\n"
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, min_size=30, max_size=60))
def test_text_of_several_lines_is_written_as_such_and_survives(
    terraform: Terraform, tmp_path: Path, texts: list[str]
) -> None:
    texts = [*texts, "#!/bin/sh\n\necho ${HOME}\n\tb\n"]
    templates = [Template((text, Raw('lower("X")'), text)) for text in texts]
    value = {
        f"k{index}": {"plain": text, "coded": Call("base64encode", (text,)), "template": template}
        for index, (text, template) in enumerate(zip(texts, templates, strict=True))
    }
    (found,) = evaluated(terraform, tmp_path, [value])
    for index, text in enumerate(texts):
        read = found[f"k{index}"]
        assert (read["plain"], read["template"]) == (text, f"{text}x{text}")
        assert base64.b64decode(read["coded"]).decode() == text
    checked = terraform("fmt", "-check", "-diff", "main.tf")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "base64encode(<<-EOT\n" in (tmp_path / "main.tf").read_text()


@settings(deadline=None)
@given(TEXTS.filter(lambda text: "\\" not in quoted(text) and not PARSER_FAILS.search(text)))
def test_another_parser_reads_back_plain_strings(text: str) -> None:
    parsed = hcl2.loads(f"a = {quoted(text)}\n")["a"]
    unquoted = parsed[1:-1].replace("$${", "${").replace("%%{", "%{")
    assert unquoted == text


def test_templates_keep_literal_text_apart_from_expressions(terraform: Terraform, tmp_path: Path) -> None:
    one = Raw('lower("X")')
    cases = [
        (Template(("a$", one)), "a$x"),
        (Template(("$$", one, "{y}")), "$$x{y}"),
        (Template(("%", one, "%{z}")), "%x%{z}"),
        (Template(('"', one, "\n\\", one)), '"x\n\\x'),
        (Template((one, one)), "xx"),
        (Template((Call("jsonencode", ({"a": ["b", {"c-d": one}]},)), "$")), '{"a":["b",{"c-d":"x"}]}$'),
    ]
    assert evaluated(terraform, tmp_path, [value for value, _ in cases]) == [text for _, text in cases]
    assert terraform("fmt", "-check", "main.tf").returncode == 0


def test_blocks_are_laid_out_as_fmt_does(terraform: Terraform) -> None:
    text = document(
        "two\nlines",
        [
            Block("data", ("a", "b")),
            Block(
                "resource",
                ("a", "b c"),
                {
                    "x": 1,
                    "long_name": [],
                    "object": {},
                    "list": ["x" * 50, "y" * 50],
                    "nested": [[1], [2, {"a.b": 1, "längs": 2, "for": 3, "null": None}]],
                    "after": 1.5,
                    "call": Call("jsonencode", ({"Version": "1", "S": [{"a": True}]},)),
                    "z": False,
                },
                (Block("lifecycle", (), {"a": 1}, (Block("inner", (), {"b": {"c": 1}}),)), Block("empty")),
            ),
        ],
    )
    formatted = terraform("fmt", "-", stdin=text)
    assert formatted.returncode == 0, formatted.stderr
    assert formatted.stdout == text
    assert hcl2.loads(text)["resource"]


@pytest.mark.parametrize(
    "value", [math.inf, math.nan, object(), "\ud800", {"a": "\udfff"}, Template(("\ud800", Raw("x")))]
)
def test_what_hcl_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"can't be written as HCL|lone surrogate"):
        expression(value)


def test_inline_stays_on_one_line() -> None:
    assert inline({"a": [{"b": Call("f", ({"c": 1},))}], "d": {}}) == "{ a = [{ b = f({ c = 1 }) }], d = {} }"
