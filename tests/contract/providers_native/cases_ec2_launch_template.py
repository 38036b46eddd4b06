"""AWS::EC2::LaunchTemplate."""

from __future__ import annotations

import base64
from typing import Any

from tests.contract.providers_native.cases import Case

_TAGS = [{"ResourceType": "launch-template", "Tags": [{"Key": "team", "Value": "web"}]}]


def _data(kind: str) -> dict[str, Any]:
    return {
        "ImageId": "ami-12345678",
        "InstanceType": kind,
        "UserData": base64.b64encode(b"#!/bin/sh\n").decode(),
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}],
        "MetadataOptions": {"HttpTokens": "required"},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
    }


LAUNCH_TEMPLATE = Case(
    "AWS::EC2::LaunchTemplate",
    {
        "LaunchTemplateName": "contract",
        "VersionDescription": "first",
        "LaunchTemplateData": _data("t3.micro"),
        # moto takes the template's own TagSpecifications for a part of its data
    },
    changes={"TagSpecifications": _TAGS, "LaunchTemplateData": _data("t3.large"), "VersionDescription": "second"},
    attributes=("LaunchTemplateId", "LatestVersionNumber", "DefaultVersionNumber"),
    deny=("ec2", "DescribeLaunchTemplates"),
)

CASES = (LAUNCH_TEMPLATE,)
