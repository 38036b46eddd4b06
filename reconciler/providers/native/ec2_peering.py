"""AWS::EC2::VPCPeeringConnection."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, Waiting, ec2_tagging
from reconciler.providers.declared.progress import UPDATE
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import at

_OPEN = "pending-acceptance"

_CONNECTION = Declaration(
    type=TypeName("AWS::EC2::VPCPeeringConnection"),
    service="ec2",
    renames={"Id": "VpcPeeringConnectionId"},
    read=Read(
        "describe_vpc_peering_connections",
        "VpcPeeringConnections",
        many=Many("Filters", "Id", 200, "vpc-peering-connection-id"),
    ),
    create=Call("create_vpc_peering_connection", ("PeerOwnerId", "PeerRegion", "PeerVpcId", "VpcId")),
    made="VpcPeeringConnection",
    delete=Call("delete_vpc_peering_connection"),
    listing=Listing("describe_vpc_peering_connections", "VpcPeeringConnections", filtered=True),
    looks_first=True,
    tagging=ec2_tagging("vpc-peering-connection", "Id"),
    waiting=Waiting(
        "Status.Code",
        pending=frozenset({"initiating-request", "provisioning", _OPEN}),
        failed=frozenset({"expired", "failed", "rejected"}),
        gone=frozenset({"deleted", "expired", "failed", "rejected"}),
        leaving=frozenset({"deleting"}),
        why="Status.Message",
    ),
    also=("ec2:AcceptVpcPeeringConnection",),
    # the other account's role would have to be assumed to accept there
    unsupported=frozenset({"AssumeRoleRegion", "PeerRoleArn"}),
)


class PeeringConnection(Declared):
    """A peering of two VPCs. One within the account and region is accepted, another is left to its other side."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        shown = {
            "VpcId": at(item.answer, "RequesterVpcInfo.VpcId"),
            "PeerVpcId": at(item.answer, "AccepterVpcInfo.VpcId"),
            "PeerOwnerId": at(item.answer, "AccepterVpcInfo.OwnerId"),
            "PeerRegion": at(item.answer, "AccepterVpcInfo.Region"),
        }
        return properties | {name: value for name, value in shown.items() if value}

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``."""
        return self._accepted(scope, super().create(scope, desired, token))

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``."""
        progress = super().poll(scope, handle)
        return self._accepted(scope, progress) if isinstance(progress, Pending) else progress

    def _accepted(self, scope: Scope, progress: Progress) -> Progress:
        """Go on from a connection that waits for being accepted."""
        identifier = progress.identifier if isinstance(progress, Done) else progress.handle.identifier
        try:
            item = self._reader.item(scope, identifier)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return progress
            raise
        if at(item, "Status.Code") != _OPEN:
            return progress
        other = (at(item, "AccepterVpcInfo.OwnerId"), at(item, "AccepterVpcInfo.Region") or scope.region)
        if other != (scope.account, scope.region):
            return Done(identifier)
        scope.call("ec2", "accept_vpc_peering_connection", VpcPeeringConnectionId=identifier)
        return self._standing_by(scope, identifier, UPDATE)


PROVIDERS: tuple[ResourceProvider, ...] = (PeeringConnection(_CONNECTION),)
