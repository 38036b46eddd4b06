"""AWS::EMR::InstanceGroupConfig, and what groups and fleets of instances look like.

AWS keeps every group as long as its cluster: deleting one makes it empty. So a group without instances that nothing
scales isn't there any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties, transform
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Update, Waiting
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.reading import Reader
from reconciler.providers.declared.shaping import input_shape, parameters, properties
from reconciler.providers.native.reading import without_empty
from reconciler.schema import TypeSchema, schema_for

_DEEPEST = 4
_OWN_ID = "${emr.clusterId}"
_GONE = frozenset({"ENDED", "SHUTTING_DOWN", "TERMINATED", "TERMINATING"})
_GROUP_TYPE = TypeName("AWS::EMR::InstanceGroupConfig")
_FLEET_TYPE = TypeName("AWS::EMR::InstanceFleetConfig")


def configured(path: str = "") -> Iterator[tuple[str, str]]:
    """How the API calls the settings of configurations, which may have others inside, below a path."""
    for depth in range(1, _DEEPEST + 1):
        yield f"{path}{'Configurations/' * depth}ConfigurationProperties", "Properties"


_SHOWN = {
    **dict(configured()),
    "InstanceCount": "RequestedInstanceCount",
    "InstanceGroupId": "Id",
    "InstanceRole": "InstanceGroupType",
}
_FLEET_SHOWN = {
    **dict(configured("InstanceTypeConfigs/")),
    "InstanceFleetId": "Id",
    "InstanceTypeConfigs": "InstanceTypeSpecifications",
}
_GROUP_ALONE = frozenset({"InstanceGroupId", "InstanceRole", "JobFlowId"})
_FLEET_ALONE = frozenset({"ClusterId", "InstanceFleetId", "InstanceFleetType"})


def emptied(group: Mapping[str, Any]) -> bool:
    """Whether a group, as AWS shows it, is what is left of one that was deleted."""
    state = str((group.get("Status") or {}).get("State"))
    return state in _GONE or (group.get("RequestedInstanceCount") == 0 and not group.get("AutoScalingPolicy"))


def group_shown(answer: Mapping[str, Any], cluster: str) -> dict[str, Any]:
    """A group of a cluster, as the cluster's schema has it: of itself it can only speak by a name for its id."""
    found = _with_volumes(properties(_schema(_GROUP_TYPE), answer, _SHOWN), answer)
    if "AutoScalingPolicy" in found:
        policy = found["AutoScalingPolicy"]
        found["AutoScalingPolicy"] = transform(policy, lambda leaf: _OWN_ID if leaf == cluster else leaf)
    return {name: value for name, value in found.items() if name not in _GROUP_ALONE}


def fleet_shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A fleet of a cluster, as the cluster's schema has it."""
    found = properties(_schema(_FLEET_TYPE), answer, _FLEET_SHOWN)
    kinds = zip(found.get("InstanceTypeConfigs") or (), answer.get("InstanceTypeSpecifications") or (), strict=True)
    found["InstanceTypeConfigs"] = [_with_volumes(kind, one) for kind, one in kinds]
    return {name: value for name, value in found.items() if name not in _FLEET_ALONE}


def _with_volumes(found: dict[str, Any], answer: Mapping[str, Any], *, counted: bool = True) -> dict[str, Any]:
    """What is shown volume by volume is configured kind by kind, ``counted`` where the schema has each kind once."""
    kinds: list[dict[str, Any]] = []
    for one in answer.get("EbsBlockDevices") or ():
        kind = {"VolumeSpecification": dict(one["VolumeSpecification"])}
        known = next((each for each in kinds if each["VolumeSpecification"] == kind["VolumeSpecification"]), None)
        if counted and known is not None:
            known["VolumesPerInstance"] += 1
        else:
            kinds.append({**kind, "VolumesPerInstance": 1} if counted else kind)
    volumes = {"EbsBlockDeviceConfigs": kinds, "EbsOptimized": answer.get("EbsOptimized")}
    return without_empty({**found, "EbsConfiguration": without_empty(volumes)})


def _schema(type_name: TypeName) -> TypeSchema:
    schema = schema_for(type_name)
    assert schema is not None, type_name
    return schema


def add_group(scope: Scope, cluster: str, group: Mapping[str, Any]) -> str:
    """Add a group (with its ``InstanceRole``) to a cluster; its id."""
    item: Any = input_shape("emr", "add_instance_groups").members["InstanceGroups"]
    given = parameters(item.member, group, dict(configured()))
    answer = scope.call("emr", "add_instance_groups", JobFlowId=cluster, InstanceGroups=[given])
    return str(answer["InstanceGroupIds"][0])


def resize_group(scope: Scope, cluster: str, group: str, count: int) -> None:
    """Give a group so many instances."""
    groups = [{"InstanceGroupId": group, "InstanceCount": count}]
    scope.call("emr", "modify_instance_groups", ClusterId=cluster, InstanceGroups=groups)


def scale_group(scope: Scope, cluster: str, group: str, policy: Any) -> None:
    """Let a policy scale a group, or none."""
    given = {"ClusterId": cluster, "InstanceGroupId": group}
    if policy is None:
        scope.call("emr", "remove_auto_scaling_policy", **given)
        return
    shape = input_shape("emr", "put_auto_scaling_policy")
    scope.call("emr", "put_auto_scaling_policy", **given, **parameters(shape, {"AutoScalingPolicy": policy}, {}))


_INSTANCE_GROUP = Declaration(
    type=_GROUP_TYPE,
    service="emr",
    read=Read(
        "list_instance_groups", "InstanceGroups", renames=_SHOWN, constants={"ClusterId": "{JobFlowId}"}, paged=True
    ),
    create=Call("add_instance_groups", tuple(sorted(_schema(_GROUP_TYPE).settable))),
    updates=(
        Update(Call("modify_instance_groups", ("InstanceCount",))),
        Update(Call("put_auto_scaling_policy", ("AutoScalingPolicy",)), clear=Call("remove_auto_scaling_policy")),
    ),
    delete=Call("modify_instance_groups"),
    listing=Listing(
        "list_instance_groups", "InstanceGroups", {"ClusterId": "{JobFlowId}"}, match=("InstanceRole", "Name")
    ),
    waiting=Waiting(
        "Status.State",
        pending=frozenset({"BOOTSTRAPPING", "PROVISIONING", "RECONFIGURING", "RESIZING"}),
        failed=frozenset({"ARRESTED", "SUSPENDED"}),
        gone=_GONE,
        why="Status.StateChangeReason.Message",
        deletes=False,
        seconds=15.0,
    ),
    looks_first=True,  # AWS makes a second group of the same name
)


class _Reader(Reader):
    def alive(self, answer: Mapping[str, Any]) -> bool:
        """See ``Reader``."""
        return super().alive(answer) and not emptied(answer)

    def shaped(
        self, scope: Scope, read: Read, answer: Mapping[str, Any], *, identity_only: bool = False
    ) -> dict[str, Any]:
        """See ``Reader``."""
        found = super().shaped(scope, read, answer, identity_only=identity_only)
        return found if identity_only else _with_volumes(found, answer, counted=False)


class InstanceGroup(Declared):
    """A group of instances that is added to a cluster."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._reader = _Reader(declaration, self.schema_in, self.adapt_observed)
        self._finder = Finder(declaration, self._reader, self._tagger)

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:  # noqa: ARG002
        """See ``Declared``. Raises INVALID_REQUEST for a group without instances."""
        self._refuse_none(desired, desired)
        cluster = str(desired["JobFlowId"])
        group = {name: value for name, value in desired.items() if name != "JobFlowId"}
        return Identifier(f"{add_group(scope, cluster, group)}|{cluster}")

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        group, cluster = identifier.split("|")
        if update.names == {"InstanceCount"}:
            self._refuse_none(after, before)
            resize_group(scope, cluster, group, int(after["InstanceCount"]))
        elif before.get("AutoScalingPolicy") is not None or after.get("AutoScalingPolicy") is not None:
            scale_group(scope, cluster, group, after.get("AutoScalingPolicy"))

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``. What scales a group would fill it again."""
        identity = self._reader.identity(scope, identifier)
        group, cluster = identity["InstanceGroupId"], identity["JobFlowId"]
        if self._reader.item(scope, identifier).get("AutoScalingPolicy"):
            scale_group(scope, cluster, group, None)
        resize_group(scope, cluster, group, 0)

    def _refuse_none(self, wanted: Properties, scaled: Properties) -> None:
        if not int(wanted.get("InstanceCount") or 0) and not scaled.get("AutoScalingPolicy"):
            message = f"InstanceCount of {self.type_name} must be one at least"
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{message}: a group without instances counts as deleted")


PROVIDERS: tuple[ResourceProvider, ...] = (InstanceGroup(_INSTANCE_GROUP),)
