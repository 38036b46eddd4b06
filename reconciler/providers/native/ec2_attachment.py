"""AWS::EC2::VolumeAttachment."""

# ruff: noqa: ARG002 - methods have the signature that the base gives them, needed or not

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.ec2_base import filters
from reconciler.providers.native.frame import Change, UntaggedProvider
from reconciler.providers.native.shapes import chosen, integers

_POLL_AFTER = 2.0
_ATTACHING, _DETACHING = "attach", "detach"


class VolumeAttachment(UntaggedProvider):
    """A volume in an instance, identified by ``vol-…|i-…``."""

    type_name = TypeName("AWS::EC2::VolumeAttachment")
    supported = frozenset({"Device", "EbsCardIndex", "InstanceId", "VolumeId"})
    fixed = supported

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        volume, instance = desired.get("VolumeId"), desired.get("InstanceId")
        if not volume or not instance or has_unknown([volume, instance]):
            return None
        return Identifier(f"{volume}|{instance}")

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        found = _attachment(scope, item.identifier)
        if found is None or found.get("State") in ("detached", "detaching"):
            raise AwsFault(FaultKind.NOT_FOUND, f"{self.type_name} {item.identifier} does not exist", service="ec2")
        return chosen(found, ("Device", "EbsCardIndex", "InstanceId", "VolumeId"))

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        given = chosen(desired, ("Device", "InstanceId", "VolumeId")) | integers(desired, ("EbsCardIndex",))
        scope.call("ec2", "attach_volume", **given)
        return self.poll(scope, Handle(identifier, _ATTACHING))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        return Done(identifier)  # never comes to it: all properties are fixed

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        found = _attachment(scope, identifier)
        if found is None:
            return Done(identifier)
        if found.get("State") != "detaching":
            volume, _, instance = identifier.partition("|")
            scope.call("ec2", "detach_volume", VolumeId=volume, InstanceId=instance)
        return self.poll(scope, Handle(identifier, _DETACHING))

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``. An instance lets go of a volume when its system has unmounted it."""
        found = _attachment(scope, handle.identifier)
        state = "detached" if found is None else str(found.get("State", "attached"))
        ready = ("detached",) if handle.kind == _DETACHING else ("attached", "busy")
        if state in ready:
            return Done(handle.identifier)
        return Pending(handle, _POLL_AFTER, f"{handle.identifier} is {state}")


def _attachment(scope: Scope, identifier: Identifier) -> Mapping[str, Any] | None:
    """The attachment as its volume shows it."""
    volume, _, instance = identifier.partition("|")
    for one in scope.pages("ec2", "describe_volumes", "Volumes", Filters=filters(volume_id=[volume])):
        for attachment in one.get("Attachments") or ():
            if one["VolumeId"] == volume and attachment.get("InstanceId") == instance:
                return {"VolumeId": volume, **attachment}
    return None


PROVIDERS: tuple[ResourceProvider, ...] = (VolumeAttachment(),)
