"""The types of Auto Scaling."""

from __future__ import annotations

import base64

from tests.contract.providers_native.cases import Case

LAUNCH_CONFIGURATION = Case(
    "AWS::AutoScaling::LaunchConfiguration",
    # moto shows no PlacementTenancy
    {
        "LaunchConfigurationName": "contract",
        "ImageId": "ami-12345678",
        "InstanceType": "t3.micro",
        "KeyName": "somebody",
        "SecurityGroups": ["sg-12345678"],
        "SpotPrice": "0.05",
        "EbsOptimized": True,
        "IamInstanceProfile": "contract",
        "InstanceMonitoring": False,
        "AssociatePublicIpAddress": True,
        "UserData": base64.b64encode(b"#!/bin/sh\necho hello\n").decode(),
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "DeleteOnTermination": True}},
        ],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
    },
    deny=("autoscaling", "DescribeLaunchConfigurations"),
    twice=False,  # moto takes a name a second time
)

CASES = (LAUNCH_CONFIGURATION,)
