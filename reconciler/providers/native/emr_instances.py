"""The instances of a cluster of EMR: the groups or fleets they come in, and what can be changed of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import TypeName
from reconciler.ports import Scope
from reconciler.providers.declared.shaping import input_shape, parameters
from reconciler.providers.native.emr_groups import (
    add_group,
    emptied,
    fleet_shown,
    group_shown,
    resize_group,
    scale_group,
)
from reconciler.providers.native.frame import differing
from reconciler.providers.native.reading import without_empty

_TYPE = TypeName("AWS::EMR::Cluster")
#: by the API's word: how the schema's names of groups and fleets begin, and whether there may be several
ROLES: Mapping[str, tuple[str, bool]] = {"MASTER": ("Master", False), "CORE": ("Core", False), "TASK": ("Task", True)}
#: what is set by a call of its own, and what it is in a cluster that doesn't say
_SWITCHES = {
    "KeepJobFlowAliveWhenNoSteps": ("set_keep_job_flow_alive_when_no_steps", True),
    "TerminationProtected": ("set_termination_protection", False),
    "UnhealthyNodeReplacement": ("set_unhealthy_node_replacement", False),
}
_GROUP_CHANGES = frozenset({"AutoScalingPolicy", "InstanceCount"})
_FLEET_CHANGES = frozenset({"ResizeSpecifications", "TargetOnDemandCapacity", "TargetSpotCapacity"})
_FLEETS = "INSTANCE_FLEET"


def instances_shown(scope: Scope, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """``Instances`` of a cluster as AWS describes it; its groups or fleets are asked for."""
    attributes = cluster.get("Ec2InstanceAttributes") or {}
    subnets = list(attributes.get("RequestedEc2SubnetIds") or ())
    found = {
        **{name: value for name, value in attributes.items() if name in _SHOWN_ALIKE},
        "Ec2SubnetIds": subnets if len(subnets) > 1 else [],
        "Placement": without_empty({"AvailabilityZone": attributes.get("Ec2AvailabilityZone")}),
        "KeepJobFlowAliveWhenNoSteps": not cluster.get("AutoTerminate"),
        "TerminationProtected": cluster.get("TerminationProtected"),
        "UnhealthyNodeReplacement": cluster.get("UnhealthyNodeReplacement"),
    }
    identifier = str(cluster["Id"])
    for name, answers in _members(scope, identifier, cluster).items():
        each = [fleet_shown(one) if "Fleet" in name else group_shown(one, identifier) for one in answers]
        found[name] = each if name.endswith("s") else each[0]
    return without_empty(found)


_SHOWN_ALIKE = frozenset(
    {
        "AdditionalMasterSecurityGroups",
        "AdditionalSlaveSecurityGroups",
        "Ec2KeyName",
        "Ec2SubnetId",
        "EmrManagedMasterSecurityGroup",
        "EmrManagedSlaveSecurityGroup",
        "ServiceAccessSecurityGroup",
    }
)


def _members(scope: Scope, identifier: str, cluster: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The groups or fleets of a cluster, as AWS shows them, by the schema's name for them."""
    fleets = cluster.get("InstanceCollectionType") == _FLEETS
    kind, label = ("Fleet", "InstanceFleetType") if fleets else ("Group", "InstanceGroupType")
    answers = scope.pages("emr", f"list_instance_{kind.lower()}s", f"Instance{kind}s", ClusterId=identifier)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for answer in answers:
        name, many = ROLES[str(answer[label])]
        if fleets or not emptied(answer):
            found.setdefault(f"{name}Instance{kind}{'s' if many else ''}", []).append(answer)
    return found


def change_instances(scope: Scope, identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Bring ``Instances`` of a cluster to ``after``. Raises INVALID_REQUEST for what can't be changed in place."""
    _refuse_fixed(scope, before, after)
    for name, (operation, default) in _SWITCHES.items():
        wanted = after.get(name, default)
        if name in {*before, *after} and wanted != before.get(name):
            scope.call("emr", operation, JobFlowIds=[identifier], **{name: wanted})
    cluster = scope.call("emr", "describe_cluster", ClusterId=identifier)["Cluster"]
    fleets = cluster.get("InstanceCollectionType") == _FLEETS
    there = _members(scope, identifier, cluster)
    for name in sorted({*there, *(one for one in after if "Instance" in one)}):
        for wanted, live in _paired(after.get(name), there.get(name, [])):
            if fleets:
                _change_fleet(scope, identifier, name, wanted, live)
            else:
                _change_group(scope, identifier, name, wanted, live)


def _refuse_fixed(scope: Scope, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for name in sorted(after):
        fixed = name not in _SWITCHES and "Instance" not in name
        if fixed and differing(_TYPE, scope.region, {"Instances": {name: after[name]}}, {"Instances": before}):
            raise _fixed(name)


def _fixed(name: str) -> AwsFault:
    message = f"Instances.{name} of {_TYPE} can't be changed in place: it is set at creation only"
    return AwsFault(FaultKind.INVALID_REQUEST, message)


def _paired(wanted: Any, there: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any] | None, Any]]:
    """What is wanted with what AWS shows of it: by name, else in order; None for what one side hasn't."""
    rest = list(there)
    for one in wanted if isinstance(wanted, list) else [wanted] if wanted else []:
        named = [live for live in rest if one.get("Name") in (None, live.get("Name"))]
        live = named[0] if named else None
        if live is not None:
            rest.remove(live)
        yield one, live
    yield from ((None, live) for live in rest)


def _change_group(
    scope: Scope, cluster: str, name: str, wanted: Mapping[str, Any] | None, live: Mapping[str, Any] | None
) -> None:
    if wanted is None or live is None:
        if name != "TaskInstanceGroups":
            raise _fixed(name)
        if wanted is not None:
            add_group(scope, cluster, {"InstanceRole": "TASK", **wanted})
        elif live is not None:
            if live.get("AutoScalingPolicy"):
                scale_group(scope, cluster, live["Id"], None)
            resize_group(scope, cluster, live["Id"], 0)
        return
    shown = group_shown(live, cluster)
    changed = _changed(scope, name, wanted, shown, _GROUP_CHANGES)
    if "InstanceCount" in changed:
        resize_group(scope, cluster, live["Id"], int(wanted["InstanceCount"]))
    if "AutoScalingPolicy" in changed:
        scale_group(scope, cluster, live["Id"], wanted.get("AutoScalingPolicy"))


def _change_fleet(
    scope: Scope, cluster: str, name: str, wanted: Mapping[str, Any] | None, live: Mapping[str, Any] | None
) -> None:
    if wanted is None or live is None:
        raise _fixed(name)
    changed = _changed(scope, name, wanted, fleet_shown(live), _FLEET_CHANGES)
    if changed:
        item: Any = input_shape("emr", "modify_instance_fleet").members["InstanceFleet"]
        given = {one: wanted.get(one) for one in changed}
        fleet = {"InstanceFleetId": live["Id"], **parameters(item, given, {})}
        scope.call("emr", "modify_instance_fleet", ClusterId=cluster, InstanceFleet=fleet)


def _changed(
    scope: Scope, name: str, wanted: Mapping[str, Any], shown: Mapping[str, Any], changeable: frozenset[str]
) -> frozenset[str]:
    """What differs of a group or fleet. Raises INVALID_REQUEST for what only a new one can have."""
    found = {one for one in wanted if _differs(scope, name, {one: wanted[one]}, shown)}
    found |= {one for one in changeable & shown.keys() if one == "AutoScalingPolicy" and one not in wanted}
    for one in sorted(found - changeable):
        raise _fixed(f"{name}.{one}")
    return frozenset(found)


def _differs(scope: Scope, name: str, wanted: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    left, right = ([wanted], [shown]) if name.endswith("s") else (wanted, shown)
    return bool(differing(_TYPE, scope.region, {"Instances": {name: left}}, {"Instances": {name: right}}))
