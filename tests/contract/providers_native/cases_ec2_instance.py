"""AWS::EC2::Instance."""

from __future__ import annotations

import base64
from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.cases_ec2_networks import vpc_of
from tests.contract.providers_native.hands import REGION

_DATA = base64.b64encode(b"\x1f\x8b\x00\xff").decode()  # data needn't be text


def _surroundings(clients: Clients) -> None:
    vpc_of("instance", "10.91")(clients)
    clients("iam").create_instance_profile(InstanceProfileName="contract-instance")


def _disk(**more: Any) -> dict[str, Any]:
    ebs = {"VolumeSize": 12, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}
    return {"DeviceName": "/dev/sdf", "Ebs": {**ebs, **more}}


INSTANCE = Case(
    "AWS::EC2::Instance",
    # moto shows no CpuOptions, CreditSpecification, EnclaveOptions, KernelId, Placement (but its zone) and
    # PrivateDnsNameOptions; it keeps the PrivateIpAddress of an instance that is gone, and heeds no client token
    {
        "ImageId": "ami-12345678",
        "InstanceType": "t3.micro",
        "KeyName": "somebody",
        "SubnetId": "@instance-a",
        "AvailabilityZone": f"{REGION}a",
        "SecurityGroupIds": ["@instance-group"],
        "IamInstanceProfile": "contract-instance",
        "EbsOptimized": True,
        "Monitoring": True,
        "UserData": _DATA,
        "SourceDestCheck": False,
        "DisableApiTermination": False,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "HibernationOptions": {"Configured": True},
        "BlockDeviceMappings": [_disk()],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
        "PropagateTagsToVolumeOnCreation": True,
        "Tags": TAGS,
    },
    # moto doesn't change InstanceInitiatedShutdownBehavior and Monitoring, and takes new UserData for encoded twice;
    # of an IamInstanceProfile that was replaced it shows the former (``test_instance``)
    changes={
        "InstanceType": "t3.large",
        "EbsOptimized": False,
        "SecurityGroupIds": ["@instance-other"],
        "SourceDestCheck": True,
        "BlockDeviceMappings": [_disk(DeleteOnTermination=False)],
        "MetadataOptions": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 3, "HttpEndpoint": "enabled"},
        "Tags": OTHER_TAGS,
    },
    resets={
        "EbsOptimized": False,
        "SourceDestCheck": True,
        "IamInstanceProfile": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("InstanceId", "PrivateIp", "PrivateDnsName", "VpcId", "AvailabilityZone", "State"),
    setup=_surroundings,
    deny=("ec2", "DescribeInstances"),
    twice=False,
)


def _second(clients: Clients) -> None:
    vpc_of("second", "10.92")(clients)
    made = clients("ec2").create_launch_template(
        LaunchTemplateName="contract-instance",
        LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.small"},
    )
    TARGETS["@template"] = made["LaunchTemplate"]["LaunchTemplateId"]


TEMPLATED = Case(
    "AWS::EC2::Instance",
    {
        "LaunchTemplate": {"LaunchTemplateName": "contract-instance", "Version": "1"},
        "NetworkInterfaces": [
            {
                "DeviceIndex": "0",
                "SubnetId": "@second-a",
                "GroupSet": ["@second-group"],
                "AssociatePublicIpAddress": True,
                "DeleteOnTermination": True,
            }
        ],
        "Tags": TAGS,
    },
    attributes=("InstanceId", "VpcId"),
    setup=_second,
    deny=("ec2", "DescribeLaunchTemplates"),
    twice=False,
    label="EC2-Instance-of-a-template",
)


def _with_volumes(clients: Clients) -> None:
    vpc_of("laden", "10.93")(clients)
    for name in ("one", "two", "three"):
        made = clients("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=1)
        TARGETS[f"@volume-{name}"] = made["VolumeId"]


LADEN = Case(
    "AWS::EC2::Instance",
    {
        "ImageId": "ami-12345678",
        "InstanceType": "t3.micro",
        "SubnetId": "@laden-a",
        "Volumes": [
            {"Device": "/dev/sdf", "VolumeId": "@volume-one"},
            {"Device": "/dev/sdg", "VolumeId": "@volume-two"},
        ],
        "Tags": TAGS,
    },
    changes={
        "Volumes": [
            {"Device": "/dev/sdh", "VolumeId": "@volume-two"},
            {"Device": "/dev/sdf", "VolumeId": "@volume-three"},
        ],
    },
    resets={"Volumes": ABSENT},
    setup=_with_volumes,
    deny=("ec2", "DescribeInstances"),
    twice=False,
    label="EC2-Instance-with-volumes",
)

CASES = (INSTANCE, TEMPLATED, LADEN)
