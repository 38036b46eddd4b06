"""AWS::EC2::Volume."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case
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

CASES = (VOLUME,)
