"""What of a value must be as the diff saw it for a resource to be deleted: what the plan has set of it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.apply.checking import managed_part

GROUP = {"Name": "core", "InstanceCount": 2}


@pytest.mark.parametrize(
    ("value", "applied", "part"),
    [
        (
            {"CoreInstanceGroup": GROUP, "TaskInstanceGroups": [GROUP]},
            {"CoreInstanceGroup": {"InstanceCount": 1}},
            {"CoreInstanceGroup": {"InstanceCount": 2}},
        ),
        ([{"Key": "a"}], [{"Key": "b"}], [{"Key": "a"}]),
        ({"a": 1}, None, {"a": 1}),
        (None, {"a": 1}, None),
    ],
)
def test_what_a_plan_has_set_of_an_object_counts(value: Any, applied: Any, part: Any) -> None:
    assert managed_part(value, applied) == part
