"""AWS::Route53::HealthCheck."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Listing, Read, Update
from reconciler.providers.native.route53 import Tagged, tagging

_HEALTH_CHECK = Declaration(
    type=TypeName("AWS::Route53::HealthCheck"),
    service="route53",
    read=Read(
        "get_health_check",
        "HealthCheck",
        {"HealthCheckId": "Id"},
        constants={"HealthCheckId": "{HealthCheckId}"},
    ),
    create=Call("create_health_check"),
    made="HealthCheck",
    repeatable="CallerReference",
    updates=(Update(Call("update_health_check", ("HealthCheckConfig",), spread=("HealthCheckConfig",))),),
    delete=Call("delete_health_check"),
    listing=Listing("list_health_checks", "HealthChecks"),
    tagging=tagging("healthcheck", "HealthCheckId"),
    also_reads=("route53:ListTagsForResources",),
)
#: What the update call has no place for.
_FIXED = frozenset({"Type", "MeasureLatency", "RequestInterval", "RoutingControlArn"})
#: What the update call takes away only by name.
_RESETTABLE = ("ChildHealthChecks", "FullyQualifiedDomainName", "Regions", "ResourcePath")


class HealthCheck(Tagged):
    """A health check. Everything about it is in one property, most of which can be changed."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: what isn't said any more is reset."""
        live, wanted = before.get("HealthCheckConfig") or {}, after.get("HealthCheckConfig") or {}
        config: dict[str, Any] = {name: value for name, value in wanted.items() if name not in _FIXED}
        if stale := [name for name in _RESETTABLE if live.get(name) and not wanted.get(name)]:
            config["ResetElements"] = stale
        super().change(scope, identifier, update, before, {**after, "HealthCheckConfig": config})


PROVIDERS: tuple[ResourceProvider, ...] = (HealthCheck(_HEALTH_CHECK),)
