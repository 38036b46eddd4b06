"""AWS::AutoScaling::AutoScalingGroup."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.shapes import boolean

_HOOKS, _METRICS, _TAGS = "LifecycleHookSpecificationList", "MetricsCollection", "Tags"
_TOLD = "NotificationConfigurations"
_LAUNCHED = ("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy")
#: what is attached and detached: the calls' ending
_ATTACHED = {
    "LoadBalancerNames": "load_balancers",
    "TargetGroupARNs": "load_balancer_target_groups",
    "TrafficSources": "traffic_sources",
}
_KIND = "auto-scaling-group"
#: tags that other services put on groups
_FOREIGN = ("aws:", "AmazonECSManaged")

_GROUP = Declaration(
    type=TypeName("AWS::AutoScaling::AutoScalingGroup"),
    service="autoscaling",
    renames={"Cooldown": "DefaultCooldown", f"{_TOLD}/NotificationTypes": "NotificationType"},
    naming=NameRule("AutoScalingGroupName", 255),
    read=Read(
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        many=Many("AutoScalingGroupNames", "AutoScalingGroupName", 50),
    ),
    extras=(
        Read("describe_lifecycle_hooks", "LifecycleHooks", into=_HOOKS, shows=(_HOOKS,)),
        Read(
            "describe_notification_configurations",
            _TOLD,
            constants={"AutoScalingGroupNames": ["{AutoScalingGroupName}"]},
            into=_TOLD,
            shows=(_TOLD,),
        ),
    ),
    create=Call("create_auto_scaling_group"),
    updates=(
        Update(
            Call(
                "update_auto_scaling_group",
                (
                    "AvailabilityZoneDistribution",
                    "AvailabilityZoneIds",
                    "AvailabilityZoneImpairmentPolicy",
                    "AvailabilityZones",
                    "CapacityRebalance",
                    "CapacityReservationSpecification",
                    "Context",
                    "Cooldown",
                    "DefaultInstanceWarmup",
                    "DeletionProtection",
                    "DesiredCapacity",
                    "DesiredCapacityType",
                    "HealthCheckGracePeriod",
                    "HealthCheckType",
                    "InstanceLifecyclePolicy",
                    "InstanceMaintenancePolicy",
                    *_LAUNCHED,
                    "MaxInstanceLifetime",
                    "MaxSize",
                    "MinSize",
                    "NewInstancesProtectedFromScaleIn",
                    "PlacementGroup",
                    "ServiceLinkedRoleARN",
                    "SkipZonalShiftValidation",
                    "TerminationPolicies",
                    "VPCZoneIdentifier",
                ),
            )
        ),
        *(Update(Call(f"attach_{ending}", (name,))) for name, ending in _ATTACHED.items()),
        Update(Call("put_lifecycle_hook"), of=(_HOOKS,), clear=Call("delete_lifecycle_hook")),
        Update(Call("enable_metrics_collection"), of=(_METRICS,), clear=Call("disable_metrics_collection"), later=True),
        Update(
            Call("put_notification_configuration"),
            of=(_TOLD,),
            clear=Call("delete_notification_configuration"),
            later=True,
        ),
        Update(Call("create_or_update_tags"), of=(_TAGS,), clear=Call("delete_tags")),
    ),
    # the instances go with the group
    delete=Call("delete_auto_scaling_group", constants={"ForceDelete": True}),
    waiting=Waiting("Status", leaving=frozenset({"Delete in progress"}), seconds=5.0),
    resets={
        "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-best-effort"},
        "CapacityRebalance": False,
        "CapacityReservationSpecification": {"CapacityReservationPreference": "default"},
        "Cooldown": 300,
        "DefaultInstanceWarmup": -1,
        "DeletionProtection": "none",
        "DesiredCapacity": None,  # stays as it is: scaling is others' work
        "DesiredCapacityType": "units",
        "HealthCheckGracePeriod": 0,
        "HealthCheckType": "EC2",
        "InstanceMaintenancePolicy": {"MaxHealthyPercentage": -1, "MinHealthyPercentage": -1},
        "LoadBalancerNames": [],
        "MaxInstanceLifetime": 0,
        "NewInstancesProtectedFromScaleIn": False,
        "PlacementGroup": "",
        "SkipZonalShiftValidation": None,
        "TargetGroupARNs": [],
        "TerminationPolicies": ["Default"],
        "TrafficSources": [],
    },
    unsupported=frozenset({"NotificationConfiguration"}),  # deprecated: of the list, one
    also=(
        "iam:PassRole",
        "ec2:RunInstances",
        *(f"autoscaling:{verb}" for verb in ("DetachLoadBalancers", "DetachLoadBalancerTargetGroups")),
        "autoscaling:DetachTrafficSources",
    ),
)


class AutoScalingGroup(Declared):
    """A group of instances. Its tags say whether they go to the instances, too, so that they are a setting."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. Subnets are one text to the API."""
        subnets = values.get("VPCZoneIdentifier")
        return {**values, "VPCZoneIdentifier": ",".join(subnets)} if isinstance(subnets, list) else values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        answer = item.answer
        found = {name: value for name, value in properties.items() if value != ""}
        found[_TAGS] = [tag for tag in found.get(_TAGS) or () if not str(tag["Key"]).startswith(_FOREIGN)]
        if subnets := str(answer.get("VPCZoneIdentifier") or ""):
            found["VPCZoneIdentifier"] = subnets.split(",")
        if told := found.get(_TOLD):
            found[_TOLD] = _by_topic(told)
        by_granularity: dict[str, list[str]] = {}
        for one in answer.get("EnabledMetrics") or ():
            by_granularity.setdefault(str(one.get("Granularity")), []).append(str(one.get("Metric")))
        found[_METRICS] = [{"Granularity": key, "Metrics": names} for key, names in by_granularity.items()]
        return found

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``: a group has another way to launch instances in the place of the one that it loses."""
        if name in _LAUNCHED and any(after.get(other) is not None for other in _LAUNCHED):
            return None
        return super().adapt_reset(name, before, after)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        own = {"AutoScalingGroupName": identifier}
        (name,) = update.names if len(update.names) == 1 else ("",)
        if name in _ATTACHED:
            _attach(scope, own, name, before.get(name) or [], after.get(name) or [])
        elif name == _HOOKS:
            _hook(scope, own, before.get(name) or [], after.get(name) or [])
        elif name == _METRICS:
            _measure(scope, own, before.get(name) or [], after.get(name) or [])
        elif name == _TOLD:
            _tell(scope, own, before.get(name) or [], after.get(name) or [])
        elif name == _TAGS:
            _tag(scope, identifier, before.get(name) or [], after.get(name) or [])
        else:
            super().change(scope, identifier, update, before, after)


def _attach(scope: Scope, own: Mapping[str, Any], name: str, before: list[Any], after: list[Any]) -> None:
    old, new = ([_source(one) for one in each] for each in (before, after))
    if added := [one for one in new if one not in old]:
        scope.call("autoscaling", f"attach_{_ATTACHED[name]}", **own, **{name: added})
    if removed := [one for one in old if one not in new]:
        scope.call("autoscaling", f"detach_{_ATTACHED[name]}", **own, **{name: removed})


def _source(one: Any) -> Any:
    """What names a thing that is attached: itself, or the members of a traffic source that the calls take."""
    return {key: one[key] for key in ("Identifier", "Type") if key in one} if isinstance(one, Mapping) else one


def _hook(scope: Scope, own: Mapping[str, Any], before: list[Any], after: list[Any]) -> None:
    wanted = {str(hook["LifecycleHookName"]) for hook in after}
    for hook in before:
        if hook["LifecycleHookName"] not in wanted:
            scope.call("autoscaling", "delete_lifecycle_hook", **own, LifecycleHookName=hook["LifecycleHookName"])
    for hook in after:
        given = {**hook, "HeartbeatTimeout": int(hook["HeartbeatTimeout"])} if "HeartbeatTimeout" in hook else hook
        scope.call("autoscaling", "put_lifecycle_hook", **own, **given)


def _by_topic(told: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What AWS shows event by event, topic by topic."""
    events: dict[str, list[str]] = {}
    for one in told:
        events.setdefault(str(one["TopicARN"]), []).append(str(one["NotificationTypes"]))
    return [{"TopicARN": topic, "NotificationTypes": sorted(names)} for topic, names in sorted(events.items())]


def _tell(scope: Scope, own: Mapping[str, Any], before: list[Any], after: list[Any]) -> None:
    """Tell topics of events. One that isn't to be told of any isn't told at all."""
    old, new = (
        {topic: sorted(one.get("NotificationTypes") or ()) for one in each for topic in _topics(one)}
        for each in (before, after)
    )
    for topic in sorted(old.keys() - new.keys()):
        scope.call("autoscaling", "delete_notification_configuration", **own, TopicARN=topic)
    for topic, events in sorted(new.items()):
        if old.get(topic) != events:
            given = {"TopicARN": topic, "NotificationTypes": events}
            scope.call("autoscaling", "put_notification_configuration", **own, **given)


def _topics(one: Mapping[str, Any]) -> list[str]:
    topics = one["TopicARN"]
    return [str(topic) for topic in topics] if isinstance(topics, list) else [str(topics)]


def _measure(scope: Scope, own: Mapping[str, Any], before: list[Any], after: list[Any]) -> None:
    """Enable what is wanted and disable the rest; a collection without metrics is of all of them."""
    wanted = {metric for one in after for metric in one.get("Metrics") or ()}
    everything = any(not one.get("Metrics") for one in after)
    there = {metric for one in before for metric in one.get("Metrics") or ()}
    if not everything and (stale := sorted(there - wanted)):
        scope.call("autoscaling", "disable_metrics_collection", **own, Metrics=stale)
    for one in after:
        metrics = {"Metrics": list(one["Metrics"])} if one.get("Metrics") else {}
        scope.call("autoscaling", "enable_metrics_collection", **own, Granularity=one["Granularity"], **metrics)


def _tag(scope: Scope, identifier: Identifier, before: list[Any], after: list[Any]) -> None:
    own = {"ResourceId": identifier, "ResourceType": _KIND}
    wanted = {str(tag["Key"]) for tag in after}
    if stale := [{**own, "Key": tag["Key"]} for tag in before if tag["Key"] not in wanted]:
        scope.call("autoscaling", "delete_tags", Tags=stale)
    fresh = [
        {
            **own,
            "Key": tag["Key"],
            "Value": tag.get("Value", ""),
            "PropagateAtLaunch": boolean(tag["PropagateAtLaunch"]),
        }
        for tag in after
        if tag not in before
    ]
    if fresh:
        scope.call("autoscaling", "create_or_update_tags", Tags=fresh)


PROVIDERS: tuple[ResourceProvider, ...] = (AutoScalingGroup(_GROUP),)
