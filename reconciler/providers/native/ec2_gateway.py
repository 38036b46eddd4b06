"""AWS::EC2::InternetGateway and AWS::EC2::VPCGatewayAttachment."""

# ruff: noqa: ARG002 - methods have the signature that the port or the base gives them, needed or not

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Properties, Unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.ec2_base import (
    FILTER_VALUES,
    Ec2Provider,
    Immediate,
    Item,
    tag_specifications,
    unless_gone,
)
from reconciler.providers.native.frame import refuse_unsupported
from reconciler.providers.native.reading import merged, unreadable
from reconciler.providers.native.shapes import chunks


class InternetGateway(Ec2Provider):
    """An internet gateway: an id and tags."""

    type_name = TypeName("AWS::EC2::InternetGateway")
    describe = "describe_internet_gateways"
    key = "InternetGateways"
    id_filter = "internet-gateway-id"
    id_field = "InternetGatewayId"
    resource_type = "internet-gateway"
    supported = frozenset({"Tags"})

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """The id is all there is."""
        return {"InternetGatewayId": item["InternetGatewayId"]}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """CreateInternetGateway."""
        tags = tag_specifications(self.resource_type, desired)
        answer = scope.call("ec2", "create_internet_gateway", **({"TagSpecifications": tags} if tags else {}))
        return Identifier(answer["InternetGateway"]["InternetGatewayId"])

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """DeleteInternetGateway."""
        scope.call("ec2", "delete_internet_gateway", InternetGatewayId=identifier)


#: attachment type → property with the gateway, describe call, answer key, attachment list in it
_KINDS: Mapping[str, tuple[str, str, str, str]] = {
    "IGW": ("InternetGatewayId", "describe_internet_gateways", "InternetGateways", "Attachments"),
    "VGW": ("VpnGatewayId", "describe_vpn_gateways", "VpnGateways", "VpcAttachments"),
}
_CALLS = {
    "IGW": ("attach_internet_gateway", "detach_internet_gateway"),
    "VGW": ("attach_vpn_gateway", "detach_vpn_gateway"),
}
_SUPPORTED = frozenset({"VpcId", "InternetGatewayId", "VpnGatewayId"})
_ATTACHED = frozenset({"available", "attached", "attaching"})


class VpcGatewayAttachment(Immediate):
    """The tie between a VPC and its internet or VPN gateway. Identified by ``IGW|vpc-…``: a VPC has one of each."""

    type_name = TypeName("AWS::EC2::VPCGatewayAttachment")
    supported = _SUPPORTED

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """One call for every 200 VPCs and kind of gateway."""
        jobs = []
        for kind in _KINDS:
            of_kind = [one.identifier for one in wanted if one.identifier.startswith(f"{kind}|")]
            for piece in chunks(of_kind, FILTER_VALUES):
                jobs.append(partial(_read, scope, kind, piece))
        return merged(scope, jobs)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """Whatever gateway of that kind the VPC has. An attachment has no tags, so no owner."""
        vpc = desired.get("VpcId")
        if vpc is None or isinstance(vpc, Unknown):
            return ()
        kind = _kind(desired)
        if vpc not in _attached(scope, kind, [vpc]):
            return ()
        return (Located(Identifier(f"{kind}|{vpc}")),)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Attach. Attached already to the same VPC is the goal reached: repeating it is safe."""
        refuse_unsupported(self.type_name, _SUPPORTED, desired)
        kind, vpc = _kind(desired), desired["VpcId"]
        identifier = Identifier(f"{kind}|{vpc}")
        field = _KINDS[kind][0]
        try:
            scope.call("ec2", _CALLS[kind][0], VpcId=vpc, **{field: desired[field]})
        except AwsFault as fault:
            if fault.kind not in (FaultKind.CONFLICT, FaultKind.ALREADY_EXISTS):
                raise
            present = _attached(scope, kind, [vpc]).get(vpc)
            if present != desired[field]:
                raise
        return Done(identifier)

    def update(
        self,
        scope: Scope,
        identifier: Identifier,
        before: Properties,
        after: Properties,
        changed: frozenset[str],
    ) -> Progress:
        """Put another gateway in the place of the one that is there."""
        refuse_unsupported(self.type_name, _SUPPORTED, changed)
        kind, _, vpc = identifier.partition("|")
        wanted = _kind(after)
        present = _attached(scope, kind, [vpc]).get(vpc)
        if present is not None and (wanted != kind or present != after.get(_KINDS[kind][0])):
            self.delete(scope, identifier)
            present = None
        return self.create(scope, {**after, "VpcId": vpc}, ClientToken("")) if present is None else Done(identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Detach whatever gateway of that kind the VPC has."""
        kind, _, vpc = identifier.partition("|")
        present = _attached(scope, kind, [vpc]).get(vpc)
        if present is not None:
            with unless_gone():
                scope.call("ec2", _CALLS[kind][1], VpcId=vpc, **{_KINDS[kind][0]: present})
        return Done(identifier)


def _kind(properties: Properties) -> str:
    given = [kind for kind, (field, *_) in _KINDS.items() if properties.get(field)]
    if len(given) != 1:
        message = "an attachment needs exactly one of InternetGatewayId and VpnGatewayId"
        raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2", operation="AttachInternetGateway")
    return given[0]


def _attached(scope: Scope, kind: str, vpcs: Sequence[str]) -> dict[str, str]:
    """The gateway of a kind that each of the VPCs has."""
    field, operation, key, attachments = _KINDS[kind]
    by = [{"Name": "attachment.vpc-id", "Values": list(vpcs)}]
    return {
        attachment["VpcId"]: item[field]
        for item in scope.pages("ec2", operation, key, Filters=by)
        for attachment in item.get(attachments, ())
        if attachment.get("State", "attached") in _ATTACHED and attachment["VpcId"] in vpcs
    }


def _read(scope: Scope, kind: str, piece: Sequence[Identifier]) -> dict[Identifier, Observation | Unreadable]:
    field = _KINDS[kind][0]
    try:
        gateways = _attached(scope, kind, [identifier.partition("|")[2] for identifier in piece])
    except AwsFault as fault:
        return {identifier: unreadable(identifier, fault) for identifier in piece}
    answer: dict[Identifier, Observation | Unreadable] = {}
    for vpc, gateway in gateways.items():
        identifier = Identifier(f"{kind}|{vpc}")
        answer[identifier] = Observation(identifier, {"AttachmentType": kind, "VpcId": vpc, field: gateway})
    return answer


PROVIDERS: tuple[ResourceProvider, ...] = (InternetGateway(), VpcGatewayAttachment())
