"""The order of a replacement: the new resource comes first where both can exist at once."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diff.order import steps_of
from reconciler.model.change import Action, Change
from reconciler.model.ids import Identifier, LogicalId, TypeName
from tests.unit.cycle.conftest import make_plan


@pytest.mark.parametrize(
    ("kind", "before", "after", "first"),
    [
        (
            "AWS::Lambda::LayerVersion",
            {"LayerName": "shared", "Content": {"S3Bucket": "code", "S3Key": "1.zip"}},
            {"LayerName": "shared", "Content": {"S3Bucket": "code", "S3Key": "2.zip"}},
            "CREATE",
        ),
        ("AWS::Lambda::Version", {"FunctionName": "f", "Description": "1"}, {"FunctionName": "f"}, "CREATE"),
        ("AWS::CloudWatch::Dashboard", {"DashboardName": "d"}, {"DashboardName": "d"}, "DELETE"),
    ],
)
def test_versions_of_the_same_thing_can_exist_at_once(
    kind: str, before: dict[str, Any], after: dict[str, Any], first: str
) -> None:
    plan = make_plan({"It": {"Type": kind, "Properties": after, "UpdateReplacePolicy": "Delete"}})
    change = Change(LogicalId("It"), TypeName(kind), Action.REPLACE, Identifier("old"), before, after)
    assert steps_of(plan, [change], {})[0].verb.name == first
