"""AWS::EC2::SpotFleet."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import TAGS, Case
from tests.contract.providers_native.cases_ec2_networks import vpc_of
from tests.contract.providers_native.hands import ACCOUNT


def _config(capacity: int) -> dict[str, Any]:
    return {
        "AllocationStrategy": "lowestPrice",
        "IamFleetRole": f"arn:aws:iam::{ACCOUNT}:role/fleet",
        "SpotPrice": "0.12",
        "TargetCapacity": capacity,
        "LaunchSpecifications": [
            {
                "ImageId": "ami-12345678",
                "InstanceType": "t3.small",
                "SubnetId": "@fleet-a",
                "WeightedCapacity": 1,
                "EbsOptimized": False,
                "KeyName": "somebody",
                "Monitoring": {"Enabled": True},
                "SecurityGroups": [{"GroupId": "@fleet-group"}],
                "SpotPrice": "0.1",
            }
        ],
    }


SPOT_FLEET = Case(
    "AWS::EC2::SpotFleet",
    # moto shows no InstanceInterruptionBehavior, OnDemandTargetCapacity, ReplaceUnhealthyInstances, ValidUntil and
    # others; it doesn't change a request's Tags
    {"SpotFleetRequestConfigData": _config(1), "Tags": TAGS},
    changes={"SpotFleetRequestConfigData": _config(2)},
    attributes=("Id",),
    setup=vpc_of("fleet", "10.94"),
    deny=("ec2", "DescribeSpotFleetRequests"),
    twice=False,
    findable=False,
    says_whose=False,
)

CASES = (SPOT_FLEET,)
