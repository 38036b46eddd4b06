"""AWS::EC2::SpotFleet."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.ec2_base import update_tags
from reconciler.providers.native.frame import refuse_fixed, same
from reconciler.providers.native.tagging import as_list, as_map

_DATA, _TAGS, _CONFIG = "SpotFleetRequestConfigData", "Tags", "SpotFleetRequestConfig"
_MODIFY = "modify_spot_fleet_request"
#: what a request that runs can be given another value of
_MODIFIABLE = (
    "Context",
    "ExcessCapacityTerminationPolicy",
    "LaunchTemplateConfigs",
    "OnDemandTargetCapacity",
    "TargetCapacity",
)

_FLEET = Declaration(
    type=TypeName("AWS::EC2::SpotFleet"),
    service="ec2",
    renames={"Id": "SpotFleetRequestId", _DATA: _CONFIG},
    read=Read("describe_spot_fleet_requests", "SpotFleetRequestConfigs", many=Many("SpotFleetRequestIds", "Id")),
    create=Call("request_spot_fleet", (_DATA, _TAGS)),
    updates=(
        Update(Call(_MODIFY), of=(_DATA,)),
        Update(Call("create_tags"), of=(_TAGS,), clear=Call("delete_tags")),
    ),
    delete=Call("cancel_spot_fleet_requests", constants={"SpotFleetRequestIds": ["{Id}"], "TerminateInstances": True}),
    waiting=Waiting(
        "SpotFleetRequestState",
        pending=frozenset({"submitted", "modifying"}),
        failed=frozenset({"failed"}),
        # instances that somebody lets run when he cancels a request aren't its any more
        gone=frozenset({"cancelled", "cancelled_running"}),
        leaving=frozenset({"cancelled_terminating"}),
        seconds=5.0,
    ),
    also=("iam:PassRole", "ec2:RunInstances"),
)


class SpotFleet(Declared):
    """A request for a fleet. Its instances go with it."""

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``. Token and tags are members of the request."""
        given = self._parameters(scope, self.declaration.create, {}, {_DATA: desired[_DATA]})
        config = given[_CONFIG] | {"ClientToken": token}
        if tags := as_map(desired.get(_TAGS)):
            own = {"ResourceType": "spot-fleet-request", "Tags": as_list(tags)}
            config["TagSpecifications"] = [*config.get("TagSpecifications", ()), own]
        return self._identifier(scope, desired, scope.call("ec2", "request_spot_fleet", SpotFleetRequestConfig=config))

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. Tags of the request are shown beside it alone."""
        own = [tag for tag in properties.get(_TAGS) or () if not str(tag["Key"]).startswith("aws:")]
        return {**properties, _TAGS: own}

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``."""
        return [] if name == _TAGS else super().adapt_reset(name, before, after)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.names == {_TAGS}:
            there = as_list(as_map(before.get(_TAGS)))
            update_tags(scope, identifier, {_TAGS: there}, {_TAGS: as_list(as_map(after.get(_TAGS)))})
            return
        old, new = before.get(_DATA) or {}, after.get(_DATA) or {}
        changed = {
            name: value
            for name, value in new.items()
            if not same(self.type_name, scope.region, _DATA, {name: value}, {name: old.get(name)})
        }
        if "TargetCapacityUnitType" in changed:
            refuse_fixed(self.type_name, frozenset(changed), frozenset({"TargetCapacityUnitType"}))
        given = {name: value for name, value in changed.items() if name in _MODIFIABLE}
        if given:
            self._send(scope, Call(_MODIFY), self._reader.identity(scope, identifier), given)


PROVIDERS: tuple[ResourceProvider, ...] = (SpotFleet(_FLEET),)
