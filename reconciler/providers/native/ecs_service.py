"""AWS::ECS::Service.

A service is there as soon as ECS has accepted it; whether a deployment comes to rest is for its circuit breaker. A plan
that stops saying how many tasks there are leaves that to whoever scales them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Progress
from reconciler.model.resource import Located
from reconciler.model.values import Properties, has_unknown
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update, Waiting, arn_tagging
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import value_at
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import absent_as
from reconciler.schema import MISSING

_ASKED = {"cluster": "{Cluster}", "service": "{ServiceArn}"}
_FORCED = "ForceNewDeployment"
_LATTICE = "VpcLatticeConfigurations"
_DECLARED = Declaration(
    type=TypeName("AWS::ECS::Service"),
    service="ecs",
    renames={"PlacementStrategies": "placementStrategy"},
    naming=NameRule("ServiceName", 255, distinct=("Cluster", "LaunchType", "Role", "SchedulingStrategy")),
    named=Read("describe_services", "services"),
    arn="{ServiceArn}",
    read=Read(
        "describe_services",
        "services",
        {"Cluster": "clusterArn", "Name": "serviceName", "Role": "roleArn"},
        constants={"cluster": "{Cluster}", "services": ["{ServiceArn}"], "include": ["TAGS"]},
    ),
    create=Call("create_service"),
    made="service",
    looks_first=True,  # its token may not be as long as ours, and the name is one
    updates=(
        Update(
            Call(
                "update_service",
                (
                    "AvailabilityZoneRebalancing",
                    "CapacityProviderStrategy",
                    "DeploymentConfiguration",
                    "DeploymentController",
                    "DesiredCount",
                    "EnableECSManagedTags",
                    "EnableExecuteCommand",
                    "ForceNewDeployment",
                    "GatewayConnectors",
                    "HealthCheckGracePeriodSeconds",
                    "LoadBalancers",
                    "Monitoring",
                    "NetworkConfiguration",
                    "PlacementConstraints",
                    "PlacementStrategies",
                    "PlatformVersion",
                    "PropagateTags",
                    "ServiceConnectConfiguration",
                    "ServiceRegistries",
                    "TaskDefinition",
                    "VolumeConfigurations",
                    "VpcLatticeConfigurations",
                ),
                {"Cluster": "cluster", "PlacementStrategies": "placementStrategy"},
                constants=_ASKED,
            )
        ),
    ),
    delete=Call("delete_service", constants={**_ASKED, "force": True}),
    tagging=arn_tagging(
        "resourceArn", tags="tags", keys="tagKeys", create="tags", read="", inline="tags", kind="ecs:service"
    ),
    waiting=Waiting("status", pending=frozenset({"DRAINING"}), gone=frozenset({"INACTIVE"})),
    resets={
        "CapacityProviderStrategy": [],
        "EnableECSManagedTags": False,
        "EnableExecuteCommand": False,
        "GatewayConnectors": [],
        "HealthCheckGracePeriodSeconds": 0,
        "LoadBalancers": [],
        "PlacementConstraints": [],
        "PlacementStrategies": [],
        "PropagateTags": "NONE",
        "ServiceConnectConfiguration": {"Enabled": False},
        "ServiceRegistries": [],
        "VolumeConfigurations": [],
        "VpcLatticeConfigurations": [],
    },
    also=("iam:PassRole",),
)


class _Finder(Finder):
    """A name is one of a cluster's, and an ARN has the cluster's name in it."""

    def _by_name(self, scope: Scope, desired: Properties) -> tuple[Located, ...]:
        name, cluster = desired.get("ServiceName"), desired.get("Cluster") or "default"
        if name is None or has_unknown([name, cluster]):
            return ()
        asked: dict[str, Any] = {"cluster": str(cluster), "services": [str(name)], "include": ["TAGS"]}
        nothing: Mapping[str, Any] = {}
        answer = absent_as(
            ("ClusterNotFoundException",), nothing, lambda: scope.call("ecs", "describe_services", **asked)
        )
        found = [one for one in answer.get("services") or [] if self.reader.alive(one)]
        return tuple(self._located(scope, self.reader.as_item(scope, one)) for one in found)

    def _of_arn(self, scope: Scope, arn: str) -> Identifier | None:  # noqa: ARG002
        parts = arn.split("/")
        if len(parts) != 3:
            return None  # of the time when ARNs had no cluster in them
        return Identifier(f"{arn}|{arn.rpartition(':service/')[0]}:cluster/{parts[1]}")


class Service(Declared):
    """A service in a cluster."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._finder = _Finder(declaration, self._reader, self._tagger)

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: what is an object with a number in the schema is a switch in the API."""
        if _FORCED in values:
            values[_FORCED] = bool((values[_FORCED] or {}).get("EnableForceNewDeployment"))
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``: some of it is shown with the deployment only."""
        if properties.get("PropagateTags") == "NONE":
            del properties["PropagateTags"]
        deployments = item.answer.get("deployments") or []
        primary: Mapping[str, Any] = next((one for one in deployments if one.get("status") == "PRIMARY"), {})
        if lattice := primary.get("vpcLatticeConfigurations"):
            properties[_LATTICE] = value_at(self.schema_in(scope), _LATTICE, lattice, self.declaration.renames)
        return properties

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``."""
        if name in ("DesiredCount", _FORCED):
            return None
        if name != "DeploymentConfiguration":
            return super().adapt_reset(name, before, after)
        live = before.get(name) or {}
        daemon = {**before, **after}.get("SchedulingStrategy") == "DAEMON"
        default: dict[str, Any] = {
            "MaximumPercent": 100 if daemon else 200,
            "MinimumHealthyPercent": 0 if daemon else 100,
        }
        if live.get("DeploymentCircuitBreaker"):
            default["DeploymentCircuitBreaker"] = {"Enable": False, "Rollback": False}
        if live.get("Alarms"):
            default["Alarms"] = {"AlarmNames": [], "Enable": False, "Rollback": False}
        return default if live.get("Strategy", "ROLLING") == "ROLLING" else MISSING

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``: the first deployment needn't be forced."""
        return super().create(scope, {name: one for name, one in desired.items() if name != _FORCED}, token)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: there is nothing to say where all that was dropped is left as it is."""
        if after:
            super().change(scope, identifier, update, before, after)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: one that is gone is refused in another way."""
        self._reader.item(scope, identifier)
        super().remove(scope, identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (Service(_DECLARED),)
