"""AWS::Route53::RecordSetGroup: records of one zone that a plan has together.

AWS knows of no groups. What a group is lies in its identifier, ``zone|name/type/set identifier,…``: the records that
it has, in the plan's order, so that one that a plan drops is known and goes. Changes are made in one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Progress
from reconciler.model.resource import Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, UntaggedProvider, same
from reconciler.providers.native.route53_records import (
    NO_ZONE,
    change_records,
    read_records,
    record_identifier,
    standing,
    worded,
    zone_named,
)

Raw = Mapping[str, Any]


class RecordSetGroup(UntaggedProvider):
    """Records of one zone. Its ``Comment`` goes with each change and can't be read."""

    type_name = TypeName("AWS::Route53::RecordSetGroup")
    supported = frozenset({"Comment", "HostedZoneId", "HostedZoneName", "RecordSets"})
    fixed = frozenset({"HostedZoneId", "HostedZoneName"})
    placeless = NO_ZONE

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``: whether Route 53's servers know of the change."""
        return standing(handle.identifier, scope.call("route53", "get_change", Id=handle.kind))

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        zone = item.identifier.partition("|")[0]
        shown = [record for record in _read(scope, item.identifier).values() if record is not None]
        if not shown:
            raise AwsFault(FaultKind.NOT_FOUND, f"no record of group {item.identifier} exists", service="route53")
        found: dict[str, Any] = {"Id": item.identifier, "HostedZoneId": zone, "RecordSets": shown}
        if "HostedZoneName" in item.properties:
            answer = scope.call("route53", "get_hosted_zone", Id=zone)
            found["HostedZoneName"] = answer["HostedZone"]["Name"]
        return found

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:
        names = ("Name", "Type", "SetIdentifier")
        records = desired.get("RecordSets") or []
        if not isinstance(records, list):
            return None
        own = [record.get(name) if isinstance(record, Mapping) else record for record in records for name in names]
        if has_unknown([desired.get("HostedZoneId"), desired.get("HostedZoneName"), *own]):
            return None
        if not records:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} needs RecordSets: a group without is nothing")
        zone = desired.get("HostedZoneId") or zone_named(scope, str(desired.get("HostedZoneName", "")))
        return None if zone is None else _group(str(zone), records)

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:
        changes: list[tuple[str, Raw]] = [("CREATE", worded(record)) for record in desired["RecordSets"]]
        return change_records(scope, identifier.partition("|")[0], identifier, changes, desired.get("Comment"))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        zone = identifier.partition("|")[0]
        live, wanted = _read(scope, identifier), change.value("RecordSets", [])
        target = _group(zone, wanted)
        kept = {record_identifier(zone, record): record for record in wanted}
        stale = [record for one, record in live.items() if record is not None and one not in kept]
        fresh = [record for one, record in kept.items() if not self._is(scope, record, live.get(one))]
        changes: list[tuple[str, Raw]] = [("DELETE", worded(record)) for record in stale]
        changes += [("UPSERT", worded(record)) for record in fresh]
        if not changes:
            return Done(target)
        return change_records(scope, zone, target, changes, change.after.get("Comment"))

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        there = [record for record in _read(scope, identifier).values() if record is not None]
        changes: list[tuple[str, Raw]] = [("DELETE", worded(record)) for record in there]
        zone = identifier.partition("|")[0]
        return change_records(scope, zone, identifier, changes) if changes else Done(identifier)

    def _is(self, scope: Scope, wanted: Raw, live: Raw | None) -> bool:
        return live is not None and all(
            same(self.type_name, scope.region, "RecordSets", [{name: wanted.get(name)}], [{name: live.get(name)}])
            for name in {*wanted, *live} - {"HostedZoneId", "HostedZoneName"}
        )


def _group(zone: str, records: list[Raw]) -> Identifier:
    parts: list[str] = []
    for record in records:
        name, zone, kind, several = record_identifier(zone, record).split("|", 3)
        parts.append("/".join(quote(part, safe="*@ ") for part in (name, kind, several)))
    if len(set(parts)) != len(parts):
        raise AwsFault(FaultKind.INVALID_REQUEST, "a record is twice in a group: give each a SetIdentifier")
    return Identifier(f"{zone}|{','.join(parts)}")


def _members(identifier: Identifier) -> list[Identifier]:
    """The identifiers of the records in a group."""
    zone, _, rest = identifier.partition("|")
    found: list[Identifier] = []
    for one in rest.split(","):
        parts = [unquote(part) for part in one.split("/")]
        if len(parts) != 3:
            message = f"{identifier} is no identifier of a group of records: HostedZoneId|Name/Type/SetIdentifier,…"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        found.append(Identifier(f"{parts[0]}|{zone}|{parts[1]}|{parts[2]}"))
    return found


def _read(scope: Scope, identifier: Identifier) -> dict[Identifier, dict[str, Any] | None]:
    """The records of a group in its order, None for one that isn't there. Raises what one of them can't be read for."""
    members = _members(identifier)
    answers = read_records(scope, [Wanted(one, frozenset()) for one in members])
    found: dict[Identifier, dict[str, Any] | None] = {}
    for one in members:
        answer = answers.get(one)
        if isinstance(answer, Unreadable):
            raise AwsFault(answer.kind, answer.message, service="route53")
        found[one] = answer
    return found


PROVIDERS: tuple[ResourceProvider, ...] = (RecordSetGroup(),)
