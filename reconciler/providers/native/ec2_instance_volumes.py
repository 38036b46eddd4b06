"""Volumes that are resources of their own and attached to an instance once it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import Scope
from reconciler.providers.native.ec2_instance_stopped import StoppedInstance

VOLUMES = "Volumes"
_MOVING = "volumes"
_SECONDS = 2.0


class AttachingInstance(StoppedInstance):
    """An instance that is given volumes. Of those that it has, ``before`` is to hold only what the plan attached."""

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        progress = super().update(scope, identifier, before, after, changed)
        return self._settled(scope, identifier) if VOLUMES in changed and isinstance(progress, Done) else progress

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``. An instance lets go of a volume when its system has unmounted it."""
        return self._settled(scope, handle.identifier) if handle.kind == _MOVING else super().poll(scope, handle)

    def _finished(self, scope: Scope, identifier: Identifier, rest: Mapping[str, Any]) -> Progress:
        progress = super()._finished(scope, identifier, rest)
        return self._settled(scope, identifier) if VOLUMES in rest and isinstance(progress, Done) else progress

    def _settled(self, scope: Scope, identifier: Identifier) -> Progress:
        for one in self._reader.item(scope, identifier).get("BlockDeviceMappings") or ():
            if (state := (one.get("Ebs") or {}).get("Status")) in ("attaching", "detaching"):
                message = f"{one.get('DeviceName')} of {identifier} is {state}"
                return Pending(Handle(identifier, _MOVING), _SECONDS, message)
        return Done(identifier)

    def attach(self, scope: Scope, identifier: Identifier, before: Properties, after: Properties) -> None:
        """Take off what isn't wanted any more, or elsewhere, then attach. Raises UNAVAILABLE for a device in use."""
        there = {str(one["VolumeId"]): str(one["Device"]) for one in before.get(VOLUMES) or ()}
        wanted = {str(one["VolumeId"]): str(one["Device"]) for one in after.get(VOLUMES) or ()}
        for volume in sorted(there.keys() - {one for one in wanted if wanted[one] == there.get(one)}):
            scope.call("ec2", "detach_volume", VolumeId=volume, InstanceId=identifier)
        fresh = sorted(volume for volume in wanted if wanted[volume] != there.get(volume))
        held = self._held(scope, identifier) if fresh and there else {}
        for volume in fresh:
            if wanted[volume] in held or volume in held.values():
                message = f"{wanted[volume]} of {identifier} isn't free for {volume} yet"
                raise AwsFault(FaultKind.UNAVAILABLE, message, service="ec2", operation="AttachVolume")
            scope.call("ec2", "attach_volume", Device=wanted[volume], VolumeId=volume, InstanceId=identifier)

    def _held(self, scope: Scope, identifier: Identifier) -> dict[str, str]:
        """Volumes that are on their way out, by device."""
        return {
            str(one["DeviceName"]): str(one["Ebs"].get("VolumeId"))
            for one in self._reader.item(scope, identifier).get("BlockDeviceMappings") or ()
            if (one.get("Ebs") or {}).get("Status") == "detaching"
        }
