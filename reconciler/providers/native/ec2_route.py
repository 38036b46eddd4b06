"""AWS::EC2::RouteTable, AWS::EC2::Route and AWS::EC2::SubnetRouteTableAssociation: all described by route tables."""

# ruff: noqa: ARG002 - methods have the signature that the port or the base gives them, needed or not

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown
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
from reconciler.providers.native.shapes import chosen, chunks, network

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = (
    "CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "GatewayId", "InstanceId", "LocalGatewayId",
    "NatGatewayId", "NetworkInterfaceId", "OdbNetworkArn", "TransitGatewayId", "VpcEndpointId",
    "VpcPeeringConnectionId",
)  # fmt: skip
#: routes that nobody made: they come and go with the VPN
_PROPAGATED = "EnableVgwRoutePropagation"


def _tables(scope: Scope, name: str, values: Sequence[str]) -> list[Item]:
    """Route tables by one filter."""
    by = [{"Name": name, "Values": list(values)}]
    return scope.pages("ec2", "describe_route_tables", "RouteTables", Filters=by)


class RouteTable(Ec2Provider):
    """A route table: its VPC and tags. Routes and associations are resources of their own."""

    type_name = TypeName("AWS::EC2::RouteTable")
    describe = "describe_route_tables"
    key = "RouteTables"
    id_filter = "route-table-id"
    id_field = "RouteTableId"
    resource_type = "route-table"
    supported = frozenset({"VpcId", "Tags"})

    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """Id and VPC."""
        return {"RouteTableId": item["RouteTableId"], "VpcId": item["VpcId"]}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """CreateRouteTable."""
        parameters = chosen(desired, ("VpcId",))
        if tags := tag_specifications(self.resource_type, desired):
            parameters["TagSpecifications"] = tags
        return Identifier(scope.call("ec2", "create_route_table", **parameters)["RouteTable"]["RouteTableId"])

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """DeleteRouteTable."""
        scope.call("ec2", "delete_route_table", RouteTableId=identifier)


class Route(Immediate):
    """One route, identified by ``rtb-…|destination``. It has no tags: its place is its name."""

    type_name = TypeName("AWS::EC2::Route")
    supported = frozenset({"RouteTableId", *_DESTINATIONS, *_TARGETS})

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """One call for every 200 route tables, however many routes are wanted of them."""
        by_table: dict[str, list[Identifier]] = {}
        for one in wanted:
            by_table.setdefault(one.identifier.partition("|")[0], []).append(one.identifier)
        pieces = list(chunks(list(by_table), FILTER_VALUES))
        jobs = [partial(_read_routes, scope, {table: by_table[table] for table in piece}) for piece in pieces]
        return merged(scope, jobs)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """The route to the same destination in the same table."""
        place = chosen(desired, ("RouteTableId", *_DESTINATIONS))
        if has_unknown(place):
            return ()
        identifier = _route_identifier(desired)
        return (Located(identifier),) if _route(scope, identifier) is not None else ()

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """CreateRoute. AWS refuses a second one to the same destination, which makes repeating it safe."""
        refuse_unsupported(self.type_name, self.supported, desired)
        parameters = chosen(desired, ("RouteTableId", *_DESTINATIONS)) | _target(desired)
        identifier = _route_identifier(desired)
        try:
            scope.call("ec2", "create_route", **parameters)
        except AwsFault as fault:
            if fault.kind is not FaultKind.ALREADY_EXISTS or not _same_target(_route(scope, identifier), desired):
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
        """ReplaceRoute: send the traffic to another target."""
        refuse_unsupported(self.type_name, frozenset(_TARGETS), changed)
        if changed:
            scope.call("ec2", "replace_route", **_route_key(identifier), **_target(after))
        return Done(identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """DeleteRoute; a route or table that is gone is fine."""
        with unless_gone():
            scope.call("ec2", "delete_route", **_route_key(identifier))
        return Done(identifier)


def _destination(properties: Mapping[str, Any]) -> str:
    for name in _DESTINATIONS:
        if properties.get(name):
            return network(str(properties[name]))
    return ""


def _route_identifier(properties: Properties) -> Identifier:
    return Identifier(f"{properties.get('RouteTableId', '')}|{_destination(properties)}")


def _route_key(identifier: Identifier) -> dict[str, str]:
    """The parameters by which the API knows a route."""
    table, _, destination = identifier.partition("|")
    if destination.startswith("pl-"):
        return {"RouteTableId": table, "DestinationPrefixListId": destination}
    kind = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    return {"RouteTableId": table, kind: destination}


def _target(properties: Properties) -> dict[str, Any]:
    found = chosen(properties, _TARGETS)
    if len(found) != 1:
        named = ", ".join(sorted(found)) or "none"
        message = f"a route needs exactly one target, this one has {named}: set one of {', '.join(_TARGETS)}"
        raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2", operation="CreateRoute")
    return found


def _observed_route(table: str, route: Item) -> dict[str, Any]:
    properties: dict[str, Any] = {"RouteTableId": table, "CidrBlock": _destination(route)}
    properties |= chosen(route, (*_DESTINATIONS, *_TARGETS))
    if str(properties.get("GatewayId", "")).startswith("vpce-"):
        properties["VpcEndpointId"] = properties.pop("GatewayId")
    return properties


def _same_target(route: Mapping[str, Any] | None, desired: Properties) -> bool:
    return route is not None and all(route.get(name) == value for name, value in _target(desired).items())


def _route(scope: Scope, identifier: Identifier) -> dict[str, Any] | None:
    """The live route with this identifier."""
    table = identifier.partition("|")[0]
    found = _routes(_tables(scope, "route-table-id", [table]))
    return found.get((table, network(identifier.partition("|")[2])))


def _routes(tables: Sequence[Item]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (table["RouteTableId"], _destination(route)): _observed_route(table["RouteTableId"], route)
        for table in tables
        for route in table.get("Routes", ())
        if route.get("Origin") != _PROPAGATED
    }


def _read_routes(
    scope: Scope, by_table: Mapping[str, Sequence[Identifier]]
) -> dict[Identifier, Observation | Unreadable]:
    identifiers = [identifier for several in by_table.values() for identifier in several]
    try:
        routes = _routes(_tables(scope, "route-table-id", list(by_table)))
    except AwsFault as fault:
        return {identifier: unreadable(identifier, fault) for identifier in identifiers}
    answer: dict[Identifier, Observation | Unreadable] = {}
    for identifier in identifiers:
        table, _, destination = identifier.partition("|")
        if (table, network(destination)) in routes:
            answer[identifier] = Observation(identifier, routes[(table, network(destination))])
    return answer


class SubnetRouteTableAssociation(Immediate):
    """The tie between a subnet and a route table. A subnet has one; it has no tags."""

    type_name = TypeName("AWS::EC2::SubnetRouteTableAssociation")
    supported = frozenset({"SubnetId", "RouteTableId"})

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """One call for every 200 associations."""
        pieces = list(chunks([one.identifier for one in wanted], FILTER_VALUES))
        return merged(scope, [partial(_read_associations, scope, piece) for piece in pieces])

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """The association that the subnet has, to whichever table."""
        subnet = desired.get("SubnetId")
        if not subnet or has_unknown(subnet):
            return ()
        present = _associations(scope, "association.subnet-id", [subnet])
        return tuple(Located(Identifier(one["Id"])) for one in present if one["SubnetId"] == subnet)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Associate. AWS refuses a second association, or answers with the one there is: repeating it is safe."""
        parameters = chosen(desired, ("SubnetId", "RouteTableId"))
        try:
            answer = scope.call("ec2", "associate_route_table", **parameters)
        except AwsFault as fault:
            if fault.kind not in (FaultKind.CONFLICT, FaultKind.ALREADY_EXISTS):
                raise
            for present in _associations(scope, "association.subnet-id", [parameters["SubnetId"]]):
                if chosen(present, ("SubnetId", "RouteTableId")) == parameters:
                    return Done(Identifier(present["Id"]))
            raise
        return Done(Identifier(answer["AssociationId"]))

    def update(
        self,
        scope: Scope,
        identifier: Identifier,
        before: Properties,
        after: Properties,
        changed: frozenset[str],
    ) -> Progress:
        """Both properties are create-only: there is nothing to change in place."""
        if changed:
            names = ", ".join(sorted(changed))
            message = f"{self.type_name} can't change {names} in place"
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2")
        return Done(identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Disassociate; already gone is fine."""
        with unless_gone():
            scope.call("ec2", "disassociate_route_table", AssociationId=identifier)
        return Done(identifier)


def _associations(scope: Scope, name: str, values: Sequence[str]) -> list[dict[str, str]]:
    """Explicit subnet associations of the tables that a filter finds, in the schema's shape."""
    return [
        {
            "Id": association["RouteTableAssociationId"],
            "RouteTableId": association["RouteTableId"],
            "SubnetId": association["SubnetId"],
        }
        for table in _tables(scope, name, values)
        for association in table.get("Associations", ())
        if association.get("SubnetId") and association.get("AssociationState", {}).get("State") != "disassociated"
    ]


def _read_associations(scope: Scope, piece: Sequence[Identifier]) -> dict[Identifier, Observation | Unreadable]:
    try:
        found = _associations(scope, "association.route-table-association-id", piece)
    except AwsFault as fault:
        return {identifier: unreadable(identifier, fault) for identifier in piece}
    asked = frozenset(piece)
    return {Identifier(one["Id"]): Observation(Identifier(one["Id"]), one) for one in found if one["Id"] in asked}


PROVIDERS: tuple[ResourceProvider, ...] = (RouteTable(), Route(), SubnetRouteTableAssociation())
