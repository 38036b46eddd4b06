"""AWS::Route53::HostedZone.

Any number of zones may have the same name, so that a zone is known by the reference that it was made with and by its
tags. Route 53 has its tags in the tagging API of one region only: they are asked for by calls of its own, ten a call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from reconciler.model.errors import AwsFault
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Tagging, Update
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.reading import unreadable
from reconciler.providers.native.shapes import chunks
from reconciler.providers.native.tagging import as_map, owner_in

_A_CALL = 10
_LOG = "QueryLoggingConfig"
_PREFIX = "/hostedzone/"


def tagging(kind: str, identifier: str) -> Tagging:
    """The tags of what ``identifier`` identifies; ``kind``: the API's name of the type."""
    return Tagging(
        "change_tags_for_resource",
        "change_tags_for_resource",
        {"ResourceType": kind, "ResourceId": f"{{{identifier}}}"},
        read="list_tags_for_resource",
        answer="ResourceTagSet.Tags",
        tags="AddTags",
        keys="RemoveTagKeys",
    )


class TaggedFinder(Finder):
    """Finds by tags, of which one call shows those of ten resources."""

    def _listed_of(self, scope: Scope, owner: Owner, desired: Properties) -> list[Identifier]:
        listed = super()._listed_of(scope, owner, desired)
        told = scope.gather([partial(self._owned, scope, owner, list(piece)) for piece in chunks(listed, _A_CALL)])
        return [Identifier(one) for several in told for one in several]

    def _owned(self, scope: Scope, owner: Owner, identifiers: list[Identifier]) -> list[str]:
        tagging = self._declaration.tagging
        assert tagging is not None
        answer = scope.call(
            "route53",
            "list_tags_for_resources",
            ResourceType=tagging.target["ResourceType"],
            ResourceIds=identifiers,
        )
        shown = answer.get("ResourceTagSets") or []
        return [str(one["ResourceId"]) for one in shown if owner_in(as_map(one.get("Tags"))) == owner]


class Tagged(Declared):
    """A type of Route 53 with tags."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._finder = TaggedFinder(declaration, self._reader, self._tagger)


_OF_ZONE = {"HostedZoneId": "{Id}"}
_ZONE = Declaration(
    type=TypeName("AWS::Route53::HostedZone"),
    service="route53",
    prefixes={"Id": _PREFIX},
    read=Read("get_hosted_zone"),
    create=Call("create_hosted_zone", ("Name", "HostedZoneConfig", "DelegationSetId", "VPCs"), {"VPCs": "VPC"}),
    made="HostedZone",
    repeatable="CallerReference",
    updates=(
        Update(Call("update_hosted_zone_comment", ("HostedZoneConfig",), spread=("HostedZoneConfig",)), whole=True),
        Update(
            Call("associate_vpc_with_hosted_zone", ("VPCs",), {"VPCs": "VPC"}, _OF_ZONE),
            clear=Call("disassociate_vpc_from_hosted_zone", ("VPCs",), {"VPCs": "VPC"}, _OF_ZONE),
        ),
        Update(
            Call(
                "create_query_logging_config",
                ("QueryLoggingConfig",),
                constants=_OF_ZONE,
                spread=("QueryLoggingConfig",),
            ),
            clear=Call("delete_query_logging_config"),
            later=True,
        ),
        Update(
            Call(
                "update_hosted_zone_features",
                ("HostedZoneFeatures",),
                constants=_OF_ZONE,
                spread=("HostedZoneFeatures",),
            ),
            later=True,
        ),
    ),
    delete=Call("delete_hosted_zone"),
    listing=Listing("list_hosted_zones", "HostedZones", whole=False),
    tagging=tagging("hostedzone", "Id"),
    resets={"HostedZoneFeatures": {"EnableAcceleratedRecovery": False}},
    also=("ec2:DescribeVpcs",),
    also_reads=(
        "route53:ListTagsForResources",
        "route53:ListHostedZonesByName",
        "route53:ListQueryLoggingConfigs",
    ),
)


class HostedZone(Tagged):
    """A hosted zone; one with VPCs is private."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: the create call takes one VPC, and has to be told that a zone is private.

        A comment goes by being empty: a call without one would have no body.
        """
        if call.operation == "update_hosted_zone_comment":
            return {**values, "HostedZoneConfig": {"Comment": "", **(values.get("HostedZoneConfig") or {})}}
        if call.operation == "create_hosted_zone" and (vpcs := values.pop("VPCs", None)):
            config = {**(values.get("HostedZoneConfig") or {}), "PrivateZone": True}
            values |= {"VPCs": vpcs[0], "HostedZoneConfig": config}
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: the answer has the zone beside its name servers and VPCs."""
        zone: Mapping[str, Any] = item.answer.get("HostedZone") or {}
        delegation: Mapping[str, Any] = item.answer.get("DelegationSet") or {}
        properties["Name"] = zone.get("Name")
        if comment := (zone.get("Config") or {}).get("Comment"):
            properties["HostedZoneConfig"] = {"Comment": comment}
        if servers := delegation.get("NameServers"):
            properties["NameServers"] = list(servers)
        if delegation.get("Id"):
            properties["DelegationSetId"] = str(delegation["Id"]).removeprefix("/delegationset/")
        if recovery := str((zone.get("Features") or {}).get("AcceleratedRecoveryStatus") or ""):
            enabled = recovery.startswith("ENABL") and not recovery.endswith("FAILED")
            properties["HostedZoneFeatures"] = {"EnableAcceleratedRecovery": enabled}
        return {name: value for name, value in properties.items() if value not in (None, [])}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``: what was made with the token is taken up; all VPCs but the first are associated."""
        identifier = _made_with(scope, str(desired.get("Name", "")), token)
        if identifier is None:
            identifier = super().make(scope, desired, token)
        wanted = desired.get("VPCs") or []
        if len(wanted) > 1:
            self._associate(scope, identifier, self._live(scope, identifier, frozenset({"VPCs"})), {"VPCs": wanted})
        return identifier

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: VPCs come and go one by one, and the log of queries is made anew."""
        if "VPCs" in update.names:
            self._associate(scope, identifier, before, after)
            return
        if _LOG in update.names:
            self._log_queries(scope, identifier, update, after)
            return
        super().change(scope, identifier, update, before, after)

    def _associate(self, scope: Scope, identifier: Identifier, before: Properties, after: Properties) -> None:
        old, new = before.get("VPCs") or [], after.get("VPCs") or []
        for vpc in new:
            if vpc not in old:
                scope.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=identifier, VPC=dict(vpc))
        for vpc in old:
            if vpc not in new:
                scope.call("route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=identifier, VPC=dict(vpc))

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: the log of queries goes before its zone."""
        self._reader.item(scope, identifier)
        _stop_logging(scope, identifier)
        super().remove(scope, identifier)

    def _log_queries(self, scope: Scope, identifier: Identifier, update: Update, after: Properties) -> None:
        _stop_logging(scope, identifier)
        if after.get(_LOG):
            super().change(scope, identifier, update, {}, after)

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``: one listing has the logs of all zones."""
        found = dict(super().read_many(scope, wanted))
        asked = {item.identifier for item in wanted if _LOG in item.properties} & found.keys()
        if not asked:
            return found
        try:
            logs = {one["HostedZoneId"].removeprefix(_PREFIX): one for one in _logs(scope)}
        except AwsFault as fault:
            return found | {identifier: unreadable(identifier, fault) for identifier in asked}
        for identifier in asked & logs.keys():
            if isinstance(known := found[identifier], Observation):
                log = {"CloudWatchLogsLogGroupArn": logs[identifier]["CloudWatchLogsLogGroupArn"]}
                found[identifier] = Observation(identifier, {**known.properties, _LOG: log})
        return found


def _logs(scope: Scope) -> list[dict[str, Any]]:
    return scope.pages("route53", "list_query_logging_configs", "QueryLoggingConfigs")


def _stop_logging(scope: Scope, zone: str) -> None:
    for one in _logs(scope):
        if one["HostedZoneId"].removeprefix(_PREFIX) == zone:
            scope.call("route53", "delete_query_logging_config", Id=one["Id"])


def _made_with(scope: Scope, name: str, token: ClientToken) -> Identifier | None:
    answer = scope.call("route53", "list_hosted_zones_by_name", DNSName=name)
    for zone in answer.get("HostedZones") or []:
        if zone.get("CallerReference") == token:
            return Identifier(str(zone["Id"]).removeprefix(_PREFIX))
    return None


PROVIDERS: tuple[ResourceProvider, ...] = (HostedZone(_ZONE),)
