"""AWS::EC2::EIP and AWS::EC2::NatGateway."""

# ruff: noqa: ARG002 - methods have the signature that the port or the base gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.faults import kind_of
from reconciler.providers.native.ec2_base import Ec2Provider, Item, tag_specifications
from reconciler.providers.native.shapes import chosen, integers

_EIP_GIVEN = ("Address", "PublicIpv4Pool", "NetworkBorderGroup", "IpamPoolId")


class ElasticIp(Ec2Provider):
    """An Elastic IP address, identified by ``address|eipalloc-…``."""

    type_name = TypeName("AWS::EC2::EIP")
    describe = "describe_addresses"
    key = "Addresses"
    id_filter = "allocation-id"
    id_field = "AllocationId"
    resource_type = "elastic-ip"
    supported = frozenset({*_EIP_GIVEN, "Domain", "InstanceId", "TransferAddress", "Tags"})

    def ident(self, item: Item) -> Identifier:
        """Both parts of the primary identifier."""
        return Identifier(f"{item['PublicIp']}|{item['AllocationId']}")

    def filter_value(self, identifier: Identifier) -> str:
        """The allocation id: the part that AWS's calls go by."""
        return identifier.rpartition("|")[2]

    def alive(self, item: Item) -> bool:
        """Addresses of EC2-Classic have no allocation; they can't be managed."""
        return bool(item.get("AllocationId"))

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """As described; an instance only if the address is with one."""
        properties = chosen(item, ("PublicIp", "AllocationId", "Domain", "NetworkBorderGroup", "PublicIpv4Pool"))
        if item.get("InstanceId"):
            properties["InstanceId"] = item["InstanceId"]
        return properties

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """AllocateAddress, or the acceptance of a transfer."""
        tags = tag_specifications(self.resource_type, desired)
        tagged = {"TagSpecifications": tags} if tags else {}
        if desired.get("TransferAddress"):
            transfer = scope.call("ec2", "accept_address_transfer", Address=desired["TransferAddress"], **tagged)
            return self.ident(transfer["AddressTransfer"])
        parameters = chosen(desired, _EIP_GIVEN)
        return self.ident(scope.call("ec2", "allocate_address", Domain="vpc", **parameters, **tagged))

    def later(self, desired: Properties) -> dict[str, Any]:
        """The instance to give the address to."""
        return chosen(desired, ("InstanceId",))

    def modify(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> None:
        """Give the address to another instance, or take it away."""
        if "InstanceId" in changed:
            if after.get("InstanceId"):
                allocation = self.filter_value(identifier)
                instance = after["InstanceId"]
                parameters = {"AllocationId": allocation, "InstanceId": instance, "AllowReassociation": True}
                scope.call("ec2", "associate_address", **parameters)
            else:
                self._take_from_instance(scope, identifier)
        super().modify(scope, identifier, before, after, changed - {"InstanceId", "Domain"})

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """Release, taken from its instance first. One that a NAT gateway uses is refused by AWS."""
        self._take_from_instance(scope, identifier)
        scope.call("ec2", "release_address", AllocationId=self.filter_value(identifier))

    def _take_from_instance(self, scope: Scope, identifier: Identifier) -> None:
        item = self.find_one(scope, identifier) or {}
        if item.get("InstanceId") and item.get("AssociationId"):
            scope.call("ec2", "disassociate_address", AssociationId=item["AssociationId"])


#: what a handle waits for; ``_SEEN``: a creation that AWS has shown already
_CREATING, _SEEN, _DELETING = "create", "created", "delete"
#: seconds between two looks; a NAT gateway takes one to three minutes
_POLL_AFTER = 5.0
_NAT_GIVEN = (
    "SubnetId", "VpcId", "AllocationId", "ConnectivityType", "PrivateIpAddress", "AvailabilityMode",
    "AvailabilityZoneAddresses", "SecondaryAllocationIds", "SecondaryPrivateIpAddresses",
)  # fmt: skip
_SECONDARY_COUNT = "SecondaryPrivateIpAddressCount"
#: how a creation can fail for good, whatever AWS calls it
_FINAL = frozenset({FaultKind.QUOTA, FaultKind.CONFLICT, FaultKind.INVALID_REQUEST})
_ASYNC = {"pending": "is being created", "deleting": "is being deleted"}


class NatGateway(Ec2Provider):
    """A NAT gateway: created and deleted asynchronously, and visible for an hour after it is gone."""

    type_name = TypeName("AWS::EC2::NatGateway")
    describe = "describe_nat_gateways"
    key = "NatGateways"
    id_filter = "nat-gateway-id"
    id_field = "NatGatewayId"
    filter_parameter = "Filter"
    resource_type = "natgateway"
    supported = frozenset({*_NAT_GIVEN, _SECONDARY_COUNT, "Tags"})

    def alive(self, item: Item) -> bool:
        """A failed gateway never worked and vanishes by itself."""
        return item.get("State") not in ("deleting", "deleted", "failed")

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """The primary address is the schema's own, the others are its secondary ones."""
        properties = chosen(item, ("NatGatewayId", "SubnetId", "VpcId", "ConnectivityType", "AvailabilityMode"))
        addresses = sorted(item.get("NatGatewayAddresses", ()), key=lambda one: not one.get("IsPrimary", False))
        if addresses:
            first, *others = addresses
            properties |= chosen(first, ("AllocationId",))
            if first.get("PrivateIp"):
                properties["PrivateIpAddress"] = first["PrivateIp"]
            if first.get("NetworkInterfaceId"):
                properties["EniId"] = first["NetworkInterfaceId"]
            allocations = [one["AllocationId"] for one in others if one.get("AllocationId")]
            private = [one["PrivateIp"] for one in others if one.get("PrivateIp")]
            properties |= {"SecondaryAllocationIds": allocations} if allocations else {}
            properties |= {"SecondaryPrivateIpAddresses": private} if private else {}
        return properties

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """CreateNatGateway, with its client token."""
        parameters = chosen(desired, _NAT_GIVEN) | integers(desired, (_SECONDARY_COUNT,))
        if tags := tag_specifications(self.resource_type, desired):
            parameters["TagSpecifications"] = tags
        answer = scope.call("ec2", "create_nat_gateway", ClientToken=token[:64], **parameters)
        return Identifier(answer["NatGateway"]["NatGatewayId"])

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Create, then wait for it."""
        made = super().create(scope, desired, token)
        return self.poll(scope, Handle(made.identifier, _CREATING)) if isinstance(made, Done) else made

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """DeleteNatGateway."""
        scope.call("ec2", "delete_nat_gateway", NatGatewayId=identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Delete, then wait until it is gone, since its address and subnet are in use until then."""
        super().delete(scope, identifier)
        return self.poll(scope, Handle(identifier, _DELETING))

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """How far creation or deletion has come. Raises AwsFault if it failed."""
        by = [{"Name": self.id_filter, "Values": [handle.identifier]}]
        for item in scope.pages("ec2", self.describe, self.key, Filter=by):
            if item["NatGatewayId"] == handle.identifier:
                return _progress(item, handle.kind)
        if handle.kind == _DELETING:
            return Done(handle.identifier)
        if handle.kind == _SEEN:
            raise AwsFault(FaultKind.NOT_FOUND, f"{handle.identifier} has vanished while it was being created")
        # A gateway just made may not be known everywhere yet.
        return Pending(handle, _POLL_AFTER, f"{handle.identifier} isn't visible yet")


def _progress(item: Item, kind: str) -> Progress:
    identifier, state = Identifier(item["NatGatewayId"]), item.get("State", "available")
    creating = kind in (_CREATING, _SEEN)
    if state == "failed" and creating:
        code = str(item.get("FailureCode", "Failed"))
        fault_kind = kind_of(code) if kind_of(code) in _FINAL else FaultKind.INTERNAL
        message = f"{identifier} failed: {item.get('FailureMessage', 'AWS gave no reason')}"
        raise AwsFault(fault_kind, message, service="ec2", operation="CreateNatGateway", code=code)
    if state == "deleted" and creating:
        message = f"{identifier} was deleted while it was being created"
        raise AwsFault(FaultKind.NOT_FOUND, message, service="ec2", operation="CreateNatGateway")
    if state in _ASYNC:
        return Pending(Handle(identifier, _SEEN if creating else kind), _POLL_AFTER, f"{identifier} {_ASYNC[state]}")
    if kind == _DELETING and state == "available":
        return Pending(Handle(identifier, kind), _POLL_AFTER, f"{identifier} is about to be deleted")
    return Done(identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (ElasticIp(), NatGateway())
