"""Fleets of a cluster, which moto doesn't hold, and what can't be changed of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault
from reconciler.providers.native.emr_instances import change_instances, instances_shown
from tests.unit.providers_native.scripted import ScriptedScope

VOLUME = {"VolumeType": "gp3", "SizeInGB": 32}
OTHER = {"VolumeType": "gp3", "SizeInGB": 64}
FLEET = {
    "Id": "if-1",
    "Name": "first",
    "InstanceFleetType": "MASTER",
    "TargetOnDemandCapacity": 1,
    "TargetSpotCapacity": 0,
    "InstanceTypeSpecifications": [
        {
            "InstanceType": "m5.xlarge",
            "WeightedCapacity": 1,
            "EbsBlockDevices": [
                {"Device": "/dev/sdb", "VolumeSpecification": VOLUME},
                {"Device": "/dev/sdc", "VolumeSpecification": OTHER},
                {"Device": "/dev/sdd", "VolumeSpecification": VOLUME},
            ],
            "Configurations": [{"Classification": "core-site", "Properties": {"a": "1"}}],
        }
    ],
}
CLUSTER = {"Id": "j-1", "InstanceCollectionType": "INSTANCE_FLEET", "Ec2InstanceAttributes": {"Ec2SubnetId": "s-1"}}
CLUSTERS = {"Cluster": CLUSTER}
SHOWN = {
    "Name": "first",
    "TargetOnDemandCapacity": 1,
    "TargetSpotCapacity": 0,
    "InstanceTypeConfigs": [
        {
            "InstanceType": "m5.xlarge",
            "WeightedCapacity": 1,
            "Configurations": [{"Classification": "core-site", "ConfigurationProperties": {"a": "1"}}],
            "EbsConfiguration": {
                "EbsBlockDeviceConfigs": [
                    {"VolumeSpecification": VOLUME, "VolumesPerInstance": 2},
                    {"VolumeSpecification": OTHER, "VolumesPerInstance": 1},
                ]
            },
        }
    ],
}


def scripted() -> ScriptedScope:
    return ScriptedScope(describe_cluster=[CLUSTERS], list_instance_fleets=[{"InstanceFleets": [FLEET]}])


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    scope = scripted()
    change_instances(scope, "j-1", before, after)
    return [(name, given) for name, given in scope.asked if not name.startswith(("describe", "list"))]


def test_fleets_are_shown_as_they_are_given() -> None:
    assert instances_shown(scripted(), CLUSTER) == {
        "Ec2SubnetId": "s-1",
        "KeepJobFlowAliveWhenNoSteps": True,
        "MasterInstanceFleet": SHOWN,
    }


def test_a_fleets_capacity_is_changed_in_place() -> None:
    after = {"MasterInstanceFleet": {**SHOWN, "TargetOnDemandCapacity": "2"}}
    fleet = {"InstanceFleetId": "if-1", "TargetOnDemandCapacity": 2}
    assert changed({"MasterInstanceFleet": SHOWN}, after) == [
        ("modify_instance_fleet", {"ClusterId": "j-1", "InstanceFleet": fleet})
    ]


def test_a_switch_that_is_no_longer_set_is_as_it_is_by_itself() -> None:
    before = {"MasterInstanceFleet": SHOWN, "TerminationProtected": True}
    assert changed(before, {"MasterInstanceFleet": SHOWN}) == [
        ("set_termination_protection", {"JobFlowIds": ["j-1"], "TerminationProtected": False})
    ]


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ({"MasterInstanceFleet": SHOWN, "Ec2SubnetId": "s-2"}, "Ec2SubnetId"),
        (
            {"MasterInstanceFleet": {**SHOWN, "InstanceTypeConfigs": [{"InstanceType": "m5.large"}]}},
            "InstanceTypeConfigs",
        ),
        ({}, "MasterInstanceFleet"),
    ],
)
def test_what_only_a_new_cluster_can_have_is_refused(after: dict[str, Any], what: str) -> None:
    with pytest.raises(AwsFault, match=f"{what}.*can't be changed in place"):
        changed({"MasterInstanceFleet": SHOWN, "Ec2SubnetId": "s-1"}, after)
