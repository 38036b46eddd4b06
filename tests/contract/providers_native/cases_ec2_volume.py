"""AWS::EC2::Volume."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import REGION

VOLUME = Case(
    "AWS::EC2::Volume",
    {"AvailabilityZone": f"{REGION}a", "Size": 8, "VolumeType": "gp3", "Encrypted": True, "Tags": TAGS},
    changes={"Size": 16, "VolumeType": "gp2", "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("VolumeId",),
    deny=("ec2", "DescribeVolumes"),
    many=lambda number: {"AvailabilityZone": f"{REGION}a", "Size": 1, "Tags": TAGS},
    calls={"ec2:DescribeVolumes": 1},
    twice=False,
)


def _snapshot(clients: Clients) -> None:
    ec2 = clients("ec2")
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=4)["VolumeId"]
    TARGETS["@snapshot"] = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]


RESTORED = Case(
    "AWS::EC2::Volume",
    {
        "AvailabilityZone": f"{REGION}a",
        "SnapshotId": "@snapshot",
        "VolumeInitializationRate": 200,
        "AutoEnableIO": True,
        "Tags": TAGS,
    },
    changes={"AutoEnableIO": False},
    resets={"AutoEnableIO": False},
    setup=_snapshot,
    deny=("ec2", "DescribeVolumeAttribute"),
    twice=False,
    label="EC2-Volume-of-a-snapshot",
)

CASES = (VOLUME, RESTORED)
