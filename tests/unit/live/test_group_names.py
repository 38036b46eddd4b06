"""A security group's Ref gives its name where nothing else is taken, and its id everywhere else."""

from __future__ import annotations

from typing import Any, cast

import pytest

from reconciler.live import View, desired_of
from reconciler.live.view import Outside, Seen
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import PlannedResource
from reconciler.model.resource import Observation
from reconciler.model.values import Deferred, Unknown, reveal

GROUP, OTHER = Deferred("Ref", "Group"), Deferred("Ref", "Role")


def _view(*, there: bool = True) -> View:
    live = {"GroupId": "sg-1", "GroupName": "web"}
    group = Observation(Identifier("sg-1"), live) if there else None
    role = Observation(Identifier("app"), {"RoleName": "app"})
    seen = {
        LogicalId("Group"): Seen(TypeName("AWS::EC2::SecurityGroup"), live=group),
        LogicalId("Role"): Seen(TypeName("AWS::IAM::Role"), live=role),
    }
    return View("us-east-1", cast("Outside", None), seen)


def _desired(type_name: str, properties: dict[str, Any], view: View) -> Any:
    return desired_of(PlannedResource(LogicalId("One"), TypeName(type_name), properties), view)


@pytest.mark.parametrize(
    ("type_name", "properties", "wanted"),
    [
        ("AWS::EC2::Instance", {"SecurityGroups": [GROUP, "db"]}, {"SecurityGroups": ["web", "db"]}),
        ("AWS::EC2::Instance", {"SecurityGroupIds": [GROUP]}, {"SecurityGroupIds": ["sg-1"]}),
        ("AWS::EC2::Instance", {"SecurityGroups": [OTHER]}, {"SecurityGroups": ["app"]}),
        (
            "AWS::EC2::LaunchTemplate",
            {"LaunchTemplateData": {"SecurityGroups": [GROUP], "SecurityGroupIds": [GROUP]}},
            {"LaunchTemplateData": {"SecurityGroups": ["web"], "SecurityGroupIds": ["sg-1"]}},
        ),
        ("AWS::AutoScaling::LaunchConfiguration", {"SecurityGroups": [GROUP]}, {"SecurityGroups": ["sg-1"]}),
    ],
)
def test_groups_go_by_name_only_where_they_must(type_name: str, properties: Any, wanted: Any) -> None:
    assert reveal(_desired(type_name, properties, _view())) == wanted


def test_the_name_of_a_group_that_is_not_there_yet_is_unknown() -> None:
    found = _desired("AWS::EC2::Instance", {"SecurityGroups": [GROUP]}, _view(there=False))
    assert isinstance(found["SecurityGroups"][0], Unknown)
