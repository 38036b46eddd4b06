"""``movedFrom``: the plan and logical id that a resource had before."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import SourceError
from reconciler.model.ids import LogicalId, Owner, PlanName
from reconciler.model.plan import PlannedResource
from reconciler.template import load_template
from tests.unit.template._template import TARGET


def load(own: Any) -> PlannedResource:
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}, "Metadata": {"Reconciler": own}}
    loaded = load_template(
        {"Parameters": {"Old": {"Type": "String"}}, "Resources": {"Vpc": vpc}},
        parameters={"Old": "net"},
        target=TARGET,
        plan_name="web",
        locate=lambda path: ("web.yaml", 7),
    )
    return loaded.resources[LogicalId("Vpc")]


def test_it_arrives_and_may_be_computed() -> None:
    assert load({"movedFrom": "network/Main"}).moved_from == Owner(PlanName("network"), LogicalId("Main"))
    assert load({"movedFrom": {"Fn::Sub": "${Old}/Main"}}).moved_from == Owner(PlanName("net"), LogicalId("Main"))
    assert load({"adopt": "vpc-1"}).moved_from is None


@pytest.mark.parametrize(
    "value", ["", "network", "network/", "/Main", "a/b/C", "Net/Main", "net/Ma-in", 5, ["a/B"], None]
)
def test_anything_else_is_refused_with_its_place(value: Any) -> None:
    with pytest.raises(SourceError, match=r"web.yaml:7: movedFrom takes the plan and logical id") as caught:
        load({"movedFrom": value})
    assert caught.value.problems[0].path == "Resources/Vpc/Metadata/Reconciler/movedFrom"


def test_it_is_not_for_adoptions() -> None:
    with pytest.raises(SourceError, match="exclude each other"):
        load({"movedFrom": "network/Main", "adopt": "vpc-1"})
