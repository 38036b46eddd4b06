"""A plan with any part replaced by anything: refused in words or loaded, never an exception, never another's fault."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.source.parse import parse
from tests.unit.source._plans import PLAN, QUICK, plan, source, write

DATA: dict[str, Any] = parse(PLAN.encode(), "plan.yaml")[0].data

ODD = st.recursive(
    st.sampled_from(
        [None, True, -1, 2**62, 0.5, "", "x", "a/b", "{{resolve:ssm:x", "${", "AWS::NoValue", "\u2028", "é"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Ref", "Fn::Sub", "Fn::If", "Fn::GetAtt", "Type", "a", ""]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place] if place else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*place, key))
    return found


@QUICK
@given(st.sampled_from(places(DATA)), ODD, st.booleans())
def test_no_mutation_gets_out_of_its_plan(place: tuple[Any, ...], odd: Any, add: bool) -> None:
    data = copy.deepcopy(DATA)
    inner = data
    for part in place[:-1]:
        inner = inner[part]
    inner["Extra" if add else place[-1]] = odd
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory), good=plan(name="good"), **{"odd.json": json.dumps(data)})
        snapshot = source(Path(directory)).load()
    assert "good" in snapshot.plans
    assert snapshot.healthy
    for problems in snapshot.invalid.values():
        for problem in problems:
            assert "internal error" not in problem.message
            assert problem.file == "odd.json"
            assert problem.line > 0
