"""Calls that the instances of EC2 need besides those of their declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation
from reconciler.ports import Scope
from reconciler.providers.native.ec2_base import filters
from reconciler.providers.native.ec2_instance_shapes import profile, with_volume
from reconciler.providers.native.shapes import chunks

_BATCH = 200


def _volumes_of(scope: Scope, instances: Iterable[str]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Volumes by the instance and the device that they are attached to it as. Raises AwsFault."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for piece in chunks(list(instances), _BATCH):
        asked = filters(**{"attachment.instance-id": list(piece)})
        for volume in scope.pages("ec2", "describe_volumes", "Volumes", Filters=asked):
            for one in volume.get("Attachments") or ():
                found[str(one.get("InstanceId")), str(one.get("Device"))] = volume
    return found


def hand_over(scope: Scope, identifier: Identifier, name: str) -> None:
    """Give an instance another profile, its first one, or none."""
    asked = filters(**{"instance-id": [identifier]})
    operation = "describe_iam_instance_profile_associations"
    found = scope.pages("ec2", operation, "IamInstanceProfileAssociations", Filters=asked)
    there = [one["AssociationId"] for one in found if one.get("State") in ("associating", "associated")]
    if name and there:
        given = {"AssociationId": there[0], "IamInstanceProfile": profile(name)}
        scope.call("ec2", "replace_iam_instance_profile_association", **given)
    elif name:
        scope.call("ec2", "associate_iam_instance_profile", InstanceId=identifier, IamInstanceProfile=profile(name))
    for association in () if name else there:
        scope.call("ec2", "disassociate_iam_instance_profile", AssociationId=association)


def with_volumes(scope: Scope, shown: list[Observation]) -> dict[Identifier, Observation]:
    """Instances with what their volumes show of their devices. Raises AwsFault."""
    volumes = _volumes_of(scope, [one.identifier for one in shown])
    found: dict[Identifier, Observation] = {}
    for one in shown:
        devices = [
            with_volume(device, volumes.get((one.identifier, device["DeviceName"])))
            for device in one.properties["BlockDeviceMappings"]
        ]
        found[one.identifier] = replace(one, properties={**one.properties, "BlockDeviceMappings": devices})
    return found


def with_names(scope: Scope, shown: list[Observation]) -> dict[Identifier, Observation]:
    """Launch templates by their name, too: a plan may have either."""
    ids = sorted({one.properties["LaunchTemplate"]["LaunchTemplateId"] for one in shown})
    names = {one: _template_name(scope, one) for one in ids}
    completed: dict[Identifier, Observation] = {}
    for one in shown:
        template = one.properties["LaunchTemplate"]
        named = {**template, "LaunchTemplateName": names.get(template["LaunchTemplateId"], "")}
        completed[one.identifier] = replace(one, properties={**one.properties, "LaunchTemplate": named})
    return completed


def _template_name(scope: Scope, identifier: str) -> str:
    """The name of a launch template; empty where it is gone, which its instances outlive."""
    try:
        found = scope.call("ec2", "describe_launch_templates", LaunchTemplateIds=[identifier])["LaunchTemplates"]
    except AwsFault as fault:
        if fault.kind is FaultKind.NOT_FOUND:
            return ""
        raise
    return str(found[0]["LaunchTemplateName"]) if found else ""
