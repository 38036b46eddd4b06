"""AWS::EC2::Volume."""

from __future__ import annotations

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider
from reconciler.providers.declared import (
    Call,
    Declaration,
    Declared,
    Listing,
    Many,
    Read,
    Update,
    Waiting,
    ec2_tagging,
)

_VOLUME = Declaration(
    type=TypeName("AWS::EC2::Volume"),
    service="ec2",
    read=Read("describe_volumes", "Volumes", many=Many("Filters", "VolumeId", 200, "volume-id")),
    create=Call("create_volume"),
    updates=(Update(Call("modify_volume", ("Iops", "Size", "Throughput", "VolumeType"))),),
    delete=Call("delete_volume"),
    listing=Listing("describe_volumes", "Volumes", filtered=True),
    tagging=ec2_tagging("volume", "VolumeId"),
    waiting=Waiting("State", frozenset({"creating"}), frozenset({"error"}), frozenset({"deleted", "deleting"})),
    repeatable="ClientToken",
    unsupported=frozenset({"AutoEnableIO", "SourceVolumeId", "VolumeInitializationRate"}),
)

PROVIDERS: tuple[ResourceProvider, ...] = (Declared(_VOLUME),)
