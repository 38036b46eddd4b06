"""AWS::Route53::RecordSet. It has no tags: its zone, name, type and set identifier are its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared.shaping import input_shape, parameters, properties
from reconciler.providers.native.frame import Change, Found, UntaggedProvider
from reconciler.providers.native.reading import FEW, read_each, unreadable
from reconciler.schema import schema_for
from reconciler.schema.spellings import dns_name

Raw = Mapping[str, Any]

#: What is about a record, but isn't in it.
_ASIDE = frozenset({"Comment", "HostedZoneId", "HostedZoneName"})
_IDENTITY = frozenset({"Name", "Type", "SetIdentifier"})
NO_ZONE = "needs a hosted zone: none has that name"
#: How many records a call looks at for one.
_ONE = "1"
_SEVERAL = "100"


class RecordSet(UntaggedProvider):
    """A record, identified by ``name|zone|type|set identifier``, the last part empty where it has none."""

    type_name = TypeName("AWS::Route53::RecordSet")
    supported = frozenset(
        {
            *_ASIDE,
            *_IDENTITY,
            "AliasTarget",
            "CidrRoutingConfig",
            "Failover",
            "GeoLocation",
            "GeoProximityLocation",
            "HealthCheckId",
            "MultiValueAnswer",
            "Region",
            "ResourceRecords",
            "TTL",
            "Weight",
        }
    )
    fixed = frozenset({"HostedZoneId", "HostedZoneName"})
    placeless = NO_ZONE

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``: whether Route 53's servers know of the change."""
        answer = scope.call("route53", "get_change", Id=handle.kind)
        return standing(handle.identifier, answer)

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        return read_records(scope, wanted)

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        return _one(scope, item)

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        own = [desired.get(name) for name in ("Name", "Type", "SetIdentifier", "HostedZoneId", "HostedZoneName")]
        if has_unknown(own):
            return None
        zone = desired.get("HostedZoneId") or zone_named(scope, str(desired.get("HostedZoneName", "")))
        return None if zone is None else record_identifier(str(zone), desired)

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        return change_records(
            scope, _parts(identifier)[1], identifier, [("CREATE", worded(desired))], desired.get("Comment")
        )

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        """A record with another name or type is another record, which takes the place of the first in one step."""
        zone, comment = _parts(identifier)[1], change.after.get("Comment")
        target = record_identifier(zone, change.after)
        if _parts(target) == _parts(identifier):
            return change_records(scope, zone, identifier, [("UPSERT", worded(change.after))], comment)
        changes: list[tuple[str, Raw]] = [("DELETE", _record(scope, identifier)), ("CREATE", worded(change.after))]
        return change_records(scope, zone, target, changes, comment)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Deleting takes the record as it is."""
        return change_records(scope, _parts(identifier)[1], identifier, [("DELETE", _record(scope, identifier))])


def read_records(scope: Scope, wanted: Collection[Wanted]) -> Found:
    """Records by identifier: one by one where a zone has few that are wanted, else all of the zone."""
    zones: dict[str, list[Wanted]] = {}
    for item in wanted:
        zones.setdefault("|".join(item.identifier.split("|")[1:2]), []).append(item)
    single = [item for zone, items in zones.items() if not zone or len(items) <= FEW for item in items]
    found: Found = read_each(scope, single, partial(_one, scope))
    many = {zone: items for zone, items in zones.items() if zone and len(items) > FEW}
    for answer in scope.gather([partial(_swept, scope, zone, items) for zone, items in many.items()]):
        found |= answer
    return found


def change_records(
    scope: Scope, zone: str, identifier: Identifier, changes: list[tuple[str, Raw]], comment: Any = None
) -> Progress:
    """Make changes in one step; ``identifier``: of what there is after them."""
    batch: dict[str, Any] = {
        "Changes": [{"Action": action, "ResourceRecordSet": dict(record)} for action, record in changes]
    }
    if comment:
        batch["Comment"] = str(comment)
    answer = scope.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)
    return standing(identifier, answer)


def record_identifier(zone: str, record: Raw) -> Identifier:
    """The identifier of a record in a zone. Raises INVALID_REQUEST for a name that can't be part of one."""
    name = dns_name(str(record.get("Name", "")))
    if not name or "|" in name:
        raise AwsFault(FaultKind.INVALID_REQUEST, f"a record can't be named {name!r}", service="route53")
    zone = zone.removeprefix("/hostedzone/")
    return Identifier(f"{name}|{zone}|{record.get('Type', '')}|{record.get('SetIdentifier') or ''}")


def zone_named(scope: Scope, name: str) -> str | None:
    """The id of the only zone with a name, None if there is none. Raises INVALID_REQUEST if there are several."""
    answer = scope.call("route53", "list_hosted_zones_by_name", DNSName=dns_name(name))
    shown = answer.get("HostedZones") or []
    found = [str(zone["Id"]).removeprefix("/hostedzone/") for zone in shown if dns_name(zone["Name"]) == dns_name(name)]
    if len(found) > 1:
        message = f"several hosted zones are named {name}: give the HostedZoneId"
        raise AwsFault(FaultKind.INVALID_REQUEST, message, service="route53", operation="ListHostedZonesByName")
    return found[0] if found else None


def worded(record: Properties) -> dict[str, Any]:
    """Properties as the API takes a record."""
    shape: Any = input_shape("route53", "change_resource_record_sets")
    shape = shape.members["ChangeBatch"].members["Changes"].member.members["ResourceRecordSet"]
    given = {name: value for name, value in record.items() if name not in _ASIDE}
    if given.get("ResourceRecords") is not None:
        given["ResourceRecords"] = [{"Value": value} for value in given["ResourceRecords"]]
    return parameters(shape, given, {})


def _parts(identifier: Identifier) -> tuple[str, str, str, str]:
    """Name, zone, type and set identifier; the last may be left out, and the name spelled as Route 53 does."""
    parts = [*identifier.split("|", 3), ""]
    if len(parts) < 4:
        message = f"{identifier} is no identifier of a record: Name|HostedZoneId|Type|SetIdentifier"
        raise AwsFault(FaultKind.INVALID_REQUEST, message)
    return (dns_name(parts[0]), parts[1], parts[2], parts[3])


def _record(scope: Scope, identifier: Identifier) -> dict[str, Any]:
    """A record as the API shows it. Raises NOT_FOUND."""
    name, zone, kind, set_identifier = _parts(identifier)
    start: dict[str, Any] = {"StartRecordName": name, "StartRecordType": kind, "MaxItems": _ONE}
    if set_identifier:  # some endpoints begin with the first of that name all the same
        start |= {"StartRecordIdentifier": set_identifier, "MaxItems": _SEVERAL}
    answer = scope.call("route53", "list_resource_record_sets", HostedZoneId=zone, **start)
    for record in answer.get("ResourceRecordSets") or []:
        if _parts(record_identifier(zone, record)) == _parts(identifier):
            return dict(record)
    raise AwsFault(FaultKind.NOT_FOUND, f"record {identifier} does not exist", service="route53")


def _one(scope: Scope, item: Wanted) -> dict[str, Any]:
    return _observed(scope, item.identifier, _record(scope, item.identifier))


def _swept(scope: Scope, zone: str, items: list[Wanted]) -> Found:
    try:
        records = scope.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
    except AwsFault as fault:
        if fault.kind is FaultKind.NOT_FOUND:
            return {}
        return {item.identifier: unreadable(item.identifier, fault) for item in items}
    shown: dict[Identifier, dict[str, Any] | Unreadable] = {}
    asked = {_parts(item.identifier): item.identifier for item in items}
    for record in records:
        if "|" in dns_name(str(record.get("Name", ""))):
            continue  # none of ours
        identifier = asked.get(_parts(record_identifier(zone, record)))
        if identifier is not None:
            shown[identifier] = _observed(scope, identifier, record)
    return shown


def _observed(scope: Scope, identifier: Identifier, record: Raw) -> dict[str, Any]:
    schema = schema_for(RecordSet.type_name, scope.region) or schema_for(RecordSet.type_name)
    assert schema is not None
    values = [str(one["Value"]) for one in record.get("ResourceRecords") or []]
    shown: dict[str, Any] = {name: value for name, value in record.items() if name != "ResourceRecords"}
    found = properties(schema, shown | ({"ResourceRecords": values} if values else {}), {})
    name, zone, _, _ = _parts(identifier)
    return {**found, "Name": name, "HostedZoneId": zone}


def standing(identifier: Identifier, answer: Raw) -> Progress:
    """How a change stands: Route 53 takes its time to tell its servers."""
    change: Raw = answer.get("ChangeInfo") or {}
    if change.get("Status") != "PENDING":
        return Done(identifier)
    handle = Handle(identifier, str(change["Id"]).removeprefix("/change/"))
    return Pending(handle, 5.0, "Route 53 is telling its servers")


PROVIDERS: tuple[ResourceProvider, ...] = (RecordSet(),)
