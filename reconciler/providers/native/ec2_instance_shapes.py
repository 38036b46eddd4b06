"""Instances as EC2 answers and as the schema of ``AWS::EC2::Instance`` has them. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.native.shapes import chosen

#: properties that the API has in a structure of its own, and what they are called there
PLACEMENT = {
    "Affinity": "Affinity",
    "AvailabilityZone": "AvailabilityZone",
    "HostId": "HostId",
    "HostResourceGroupArn": "HostResourceGroupArn",
    "PlacementGroupName": "GroupName",
    "Tenancy": "Tenancy",
}
_TEMPLATE, _VERSION = "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"
_EBS = ("Encrypted", "Iops", "KmsKeyId", "SnapshotId", "VolumeType")


def decoded(data: str) -> bytes:
    """What user data in base64 says. Raises INVALID_REQUEST for anything else."""
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        message = "property UserData must be in base64 (Fn::Base64)"
        raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2") from None


def launched(values: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as ``RunInstances`` takes them; what isn't named here is called the same."""
    given = {name: value for name, value in values.items() if name not in PLACEMENT}
    if placement := {called: values[name] for name, called in PLACEMENT.items() if values.get(name) is not None}:
        given["Placement"] = placement
    if "Monitoring" in given:
        given["Monitoring"] = {"Enabled": given["Monitoring"]}
    if given.get("IamInstanceProfile"):
        given["IamInstanceProfile"] = profile(str(given["IamInstanceProfile"]))
    if "BlockDeviceMappings" in given:
        given["BlockDeviceMappings"] = [_mapping(one) for one in given["BlockDeviceMappings"]]
    return given


def profile(name: str) -> dict[str, str]:
    """An instance profile as a parameter."""
    return {"Arn" if name.startswith("arn:") else "Name": name}


def observed(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that the answer spells in another way than the schema."""
    placement = answer.get("Placement") or {}
    groups = answer.get("SecurityGroups") or ()
    state = answer.get("State") or {}
    held = str((answer.get("IamInstanceProfile") or {}).get("Arn") or "").rpartition("/")[2]
    shown = {
        **{name: placement[called] for name, called in PLACEMENT.items() if placement.get(called)},
        "Monitoring": (answer.get("Monitoring") or {}).get("State") in ("enabled", "pending"),
        "SecurityGroupIds": [group["GroupId"] for group in groups],
        "SecurityGroups": [group["GroupName"] for group in groups if group.get("GroupName")],
        "IamInstanceProfile": held or None,
        "PrivateIp": answer.get("PrivateIpAddress"),
        "PublicIp": answer.get("PublicIpAddress"),
        "PublicDnsName": answer.get("PublicDnsName") or None,
        "State": {"Code": str(state.get("Code", "")), "Name": state.get("Name")},
        "NetworkInterfaces": [_interface(one) for one in answer.get("NetworkInterfaces") or ()],
        "BlockDeviceMappings": [_device(one) for one in answer.get("BlockDeviceMappings") or ()],
        "LaunchTemplate": _template(answer),
        "Volumes": _attached(answer) or None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def with_volume(device: Mapping[str, Any], volume: Mapping[str, Any] | None) -> dict[str, Any]:
    """A device with what its volume shows."""
    if volume is None:
        return dict(device)
    return {**device, "Ebs": {**device["Ebs"], **chosen(volume, _EBS), "VolumeSize": volume.get("Size")}}


def _attached(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """What is attached, but what the instance starts from; one that is on its way out counts as gone."""
    return [
        {"Device": str(one["DeviceName"]), "VolumeId": str(one["Ebs"]["VolumeId"])}
        for one in answer.get("BlockDeviceMappings") or ()
        if one.get("DeviceName") != answer.get("RootDeviceName") and (one.get("Ebs") or {}).get("VolumeId")
        if one["Ebs"].get("Status") not in ("detaching", "detached")
    ]


def _mapping(given: Mapping[str, Any]) -> dict[str, Any]:
    """A device that is left out is an empty object in the schema, an empty text in the API."""
    return {**given, "NoDevice": ""} if "NoDevice" in given else dict(given)


def _device(answer: Mapping[str, Any]) -> dict[str, Any]:
    ebs = chosen(answer.get("Ebs") or {}, ("DeleteOnTermination",))
    return {"DeviceName": answer.get("DeviceName"), "Ebs": ebs}


def _template(answer: Mapping[str, Any]) -> dict[str, str] | None:
    """The launch template that EC2 notes in tags of its own."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in answer.get("Tags") or ()}
    if _TEMPLATE not in tags:
        return None
    return {"LaunchTemplateId": tags[_TEMPLATE], "Version": tags.get(_VERSION, "")}


def _interface(answer: Mapping[str, Any]) -> dict[str, Any]:
    attachment = answer.get("Attachment") or {}
    private = [chosen(one, ("Primary", "PrivateIpAddress")) for one in answer.get("PrivateIpAddresses") or ()]
    named = ("Description", "NetworkInterfaceId", "PrivateIpAddress", "SubnetId")
    return {
        **chosen(answer, named),
        **chosen(attachment, ("DeleteOnTermination", "EnaSrdSpecification")),
        "DeviceIndex": str(attachment.get("DeviceIndex", "")),
        "GroupSet": [group["GroupId"] for group in answer.get("Groups") or ()],
        "PrivateIpAddresses": private,
        "Ipv6Addresses": [chosen(one, ("Ipv6Address",)) for one in answer.get("Ipv6Addresses") or ()],
    }
