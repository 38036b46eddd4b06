"""AWS::ApiGateway::Stage and Deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Read, Update, Waiting, arn_tagging
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.apigateway import Part
from reconciler.providers.native.apigateway_patches import Patch, Way, patches, removed, replaced
from reconciler.providers.native.reading import absent_as
from reconciler.providers.native.tagging import as_map

_RENAMES = {"AccessLogSetting": "accessLogSettings", "CanarySetting": "canarySettings"}
_STAGE_ARN = "arn:{partition}:apigateway:{region}::/restapis/{RestApiId}/stages/{StageName}"

#: Settings of methods are patched by ``_settings``: the path has the method.
_WAYS = {
    "AccessLogSetting": Way(
        "/accessLogSettings",
        parts={"DestinationArn": Way("/accessLogSettings/destinationArn"), "Format": Way("/accessLogSettings/format")},
    ),
    "CacheClusterEnabled": Way("/cacheClusterEnabled"),
    "CacheClusterSize": Way("/cacheClusterSize"),
    "CanarySetting": Way(
        "/canarySettings",
        parts={
            "DeploymentId": Way("/canarySettings/deploymentId"),
            "PercentTraffic": Way("/canarySettings/percentTraffic"),
            "StageVariableOverrides": Way("/canarySettings/stageVariableOverrides", keys=True),
            "UseStageCache": Way("/canarySettings/useStageCache"),
        },
    ),
    "ClientCertificateId": Way("/clientCertificateId"),
    "DeploymentId": Way("/deploymentId"),
    "Description": Way("/description"),
    "DocumentationVersion": Way("/documentationVersion"),
    "TracingEnabled": Way("/tracingEnabled"),
    "Variables": Way("/variables", keys=True),
}
_SETTINGS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}

_STAGE = Declaration(
    type=TypeName("AWS::ApiGateway::Stage"),
    service="apigateway",
    renames=_RENAMES,
    arn=_STAGE_ARN,
    read=Read("get_stage"),
    create=Call("create_stage"),
    updates=(
        Update(Call("update_stage", ("AccessLogSetting", "ClientCertificateId", "MethodSettings")), later=True),
        Update(
            Call(
                "update_stage",
                (
                    "CacheClusterEnabled",
                    "CacheClusterSize",
                    "CanarySetting",
                    "DeploymentId",
                    "Description",
                    "DocumentationVersion",
                    "TracingEnabled",
                    "Variables",
                ),
            ),
        ),
    ),
    delete=Call("delete_stage"),
    tagging=arn_tagging("resourceArn", tags="tags", keys="tagKeys", create="tags", read="", inline="tags"),
    waiting=Waiting("cacheClusterStatus", pending=frozenset({"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})),
    resets={
        "AccessLogSetting": {},
        "CacheClusterEnabled": False,
        "CanarySetting": {},
        "ClientCertificateId": "",
        "Description": "",
        "DocumentationVersion": "",
        "MethodSettings": [],
        "TracingEnabled": False,
        "Variables": {},
    },
)


class Stage(Part):
    """A stage. The schema has the settings of methods as a list, the API by path and verb."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        settings = properties.get("MethodSettings")
        if isinstance(settings, Mapping):
            properties["MethodSettings"] = [_setting(key, settings[key]) for key in sorted(settings)]
        return super().adapt_observed(scope, item, properties)

    def change(
        self,
        scope: Scope,
        identifier: Identifier,
        update: Update,  # noqa: ARG002
        before: Properties,
        after: Properties,
    ) -> None:
        """See ``Declared``."""
        identity = self._reader.identity(scope, identifier)
        patch_stage(scope, identity["RestApiId"], identity["StageName"], before, after)


def patch_stage(scope: Scope, api: str, stage: str, before: Properties, after: Properties) -> None:
    """Bring a stage to ``after``; what that doesn't say stays as it is."""
    log = after.get("AccessLogSetting")
    if log and log.get("DestinationArn"):  # API Gateway takes a log group's ARN only without its streams
        after = {**after, "AccessLogSetting": {**log, "DestinationArn": log["DestinationArn"].removesuffix(":*")}}
    needed = patches(_WAYS, before, after)
    if "MethodSettings" in after:
        needed += _settings(before.get("MethodSettings") or [], after["MethodSettings"] or [])
    if needed:
        scope.call("apigateway", "update_stage", restApiId=api, stageName=stage, patchOperations=needed)


def _setting(key: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of what the API has by path and verb."""
    path, _, verb = key.rpartition("/")
    inner = path.replace("~1", "/").strip("/")
    spelled = "/*" if inner == "*" else "/" if not inner else "/~1" + inner.replace("/", "~1")
    return {**settings, "ResourcePath": spelled, "HttpMethod": verb}


def _place(setting: Mapping[str, Any]) -> str:
    """Where the settings of a method are patched. A plan has the path with its slashes written ``~1``, or without."""
    inner = str(setting.get("ResourcePath", "/*")).replace("~1", "/").strip("/")
    path = inner if inner == "*" else "~1" + inner.replace("/", "~1")
    return f"/{path}/{setting.get('HttpMethod', '*')}"


def _settings(before: list[Properties], after: list[Properties]) -> list[Patch]:
    live = {_place(one): one for one in before}
    wanted = {_place(one): one for one in after}
    found = [removed(place) for place in sorted(live.keys() - wanted.keys())]
    for place, setting in wanted.items():
        known = live.get(place, {})
        for name, path in _SETTINGS.items():
            if setting.get(name) is not None and setting[name] != known.get(name):
                found.append(replaced(f"{place}/{path}", setting[name]))
    return found


#: Marks a stage that was made with a deployment and goes with the one that it is at then.
_MADE_WITH = "reconciler:made-with-deployment"
#: What a deployment says of all methods of its stage.
_ALL_METHODS = frozenset(_SETTINGS)
_STAGED = ("StageName", "StageDescription")

_DEPLOYMENT = Declaration(
    type=TypeName("AWS::ApiGateway::Deployment"),
    service="apigateway",
    read=Read("get_deployment", renames={"DeploymentId": "id"}, constants={"deploymentId": "{DeploymentId}"}),
    create=Call(
        "create_deployment",
        ("RestApiId", "Description", "DeploymentCanarySettings", *_STAGED),
        {"DeploymentCanarySettings": "canarySettings"},
    ),
    updates=(
        Update(Call("update_deployment", ("Description",))),
        Update(Call("update_stage", _STAGED), whole=True),
    ),
    delete=Call("delete_deployment"),
    resets={"Description": "", "StageDescription": {}},
    also_reads=("apigateway:GET",),
    asks={"StageName": ("apigateway:POST", "apigateway:PATCH", "apigateway:PUT")},
)


class Deployment(Part):
    """A deployment: what an API was at one time. Nothing tells two apart, so that it is known by its identifier alone.

    One that names a stage makes it, or moves it here where it is there already. A stage that was made so is marked,
    and goes with the deployment that it is at when that is deleted; others keep their deployment from being deleted.
    A create whose answer is lost leaves a deployment behind that serves nobody.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: a stage is told of the deployment later, but for one that only tries it on a part."""
        tried = "DeploymentCanarySettings" in values
        return {name: value for name, value in values.items() if name not in _STAGED or (tried and name == "StageName")}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``. Raises INVALID_REQUEST for a description of a stage that isn't named."""
        if desired.get("StageDescription") and not desired.get("StageName"):
            message = f"StageDescription of {self.type_name} says nothing without a StageName"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        made = super().make(scope, desired, token)
        self._to_stage(scope, self._reader.identity(scope, made), desired)
        return made

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        identity = self._reader.identity(scope, identifier)
        if update.call.operation == "update_stage":
            self._to_stage(scope, identity, after)
            return
        needed = patches({"Description": _WAYS["Description"]}, before, after)
        names = {"restApiId": identity["RestApiId"], "deploymentId": identity["DeploymentId"]}
        if needed:
            scope.call("apigateway", update.call.operation, **names, patchOperations=needed)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: with the stage that was made with it."""
        self._reader.item(scope, identifier)
        identity = self._reader.identity(scope, identifier)
        api, deployment = identity["RestApiId"], identity["DeploymentId"]
        for one in scope.call("apigateway", "get_stages", restApiId=api, deploymentId=deployment)["item"]:
            if one["deploymentId"] == deployment and (one.get("tags") or {}).get(_MADE_WITH) == api:
                scope.call("apigateway", "delete_stage", restApiId=api, stageName=one["stageName"])
        scope.call("apigateway", "delete_deployment", restApiId=api, deploymentId=deployment)

    def _to_stage(self, scope: Scope, identity: Mapping[str, str], desired: Properties) -> None:
        """Bring the deployment to the stage that ``desired`` names, which is made if need be, and describe that."""
        api, stage = identity["RestApiId"], desired.get("StageName")
        if not stage:
            return
        names = {"restApiId": api, "stageName": str(stage)}
        described = desired.get("StageDescription") or {}
        wanted = _of_stage(described)
        if not desired.get("DeploymentCanarySettings"):
            wanted["DeploymentId"] = identity["DeploymentId"]
        tags = as_map(described.get("Tags"))
        if absent_as(("NotFoundException",), None, lambda: scope.call("apigateway", "get_stage", **names)) is None:
            deployment = wanted.pop("DeploymentId", identity["DeploymentId"])
            marked = {**tags, _MADE_WITH: api}
            scope.call("apigateway", "create_stage", **names, deploymentId=deployment, tags=marked)
        elif tags:
            place = {"partition": scope.partition, "region": scope.region, "RestApiId": api, "StageName": stage}
            scope.call("apigateway", "tag_resource", resourceArn=_STAGE_ARN.format_map(place), tags=tags)
        patch_stage(scope, api, str(stage), {}, wanted)


def _of_stage(described: Mapping[str, Any]) -> dict[str, Any]:
    """What a deployment says of its stage, as a stage says it of itself."""
    found = {name: value for name, value in described.items() if name in _WAYS}
    everywhere = {name: value for name, value in described.items() if name in _ALL_METHODS}
    own = [{"ResourcePath": "/*", "HttpMethod": "*", **everywhere}] if everywhere else []
    settings = [*own, *(described.get("MethodSettings") or ())]
    return {**found, **({"MethodSettings": settings} if settings else {})}


PROVIDERS: tuple[ResourceProvider, ...] = (Deployment(_DEPLOYMENT), Stage(_STAGE))
