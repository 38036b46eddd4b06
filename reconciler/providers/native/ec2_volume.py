"""AWS::EC2::Volume."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
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

_AUTO = "AutoEnableIO"

_VOLUME = Declaration(
    type=TypeName("AWS::EC2::Volume"),
    service="ec2",
    read=Read("describe_volumes", "Volumes", many=Many("Filters", "VolumeId", 200, "volume-id")),
    extras=(
        Read(
            "describe_volume_attribute",
            "AutoEnableIO.Value",
            constants={"Attribute": "autoEnableIO"},
            into=_AUTO,
            shows=(_AUTO,),
        ),
    ),
    create=Call("create_volume"),
    updates=(
        Update(Call("modify_volume", ("Iops", "Size", "Throughput", "VolumeType"))),
        Update(Call("modify_volume_attribute", (_AUTO,)), later=True),
    ),
    delete=Call("delete_volume"),
    listing=Listing("describe_volumes", "Volumes", filtered=True),
    tagging=ec2_tagging("volume", "VolumeId"),
    waiting=Waiting("State", frozenset({"creating"}), frozenset({"error"}), frozenset({"deleted", "deleting"})),
    repeatable="ClientToken",
    resets={_AUTO: False},
    # a copy is made by another call, which takes no zone
    unsupported=frozenset({"SourceVolumeId"}),
)


class Volume(Declared):
    """A volume. An attribute is given as a structure with a value in it."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        return {name: {"Value": value} if name == _AUTO else value for name, value in values.items()}


PROVIDERS: tuple[ResourceProvider, ...] = (Volume(_VOLUME),)
