"""AWS::ApiGateway::RestApi and Resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Progress
from reconciler.model.values import Properties, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Update, arn_tagging
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.apigateway_patches import Patch, Way, patches, replaced
from reconciler.schema.scalars import parsed_json

_DEFINITION = ("Body", "BodyS3Location", "FailOnWarnings", "Mode", "Parameters")

#: Types of endpoints are patched by ``_moved``: the path has the old one.
_WAYS = {
    "Name": Way("/name"),
    "Description": Way("/description"),
    "Version": Way("/version"),
    "ApiKeySourceType": Way("/apiKeySource"),
    "BinaryMediaTypes": Way("/binaryMediaTypes", values=True),
    "DisableExecuteApiEndpoint": Way("/disableExecuteApiEndpoint"),
    "EndpointAccessMode": Way("/endpointAccessMode"),
    "EndpointConfiguration": Way(
        "/endpointConfiguration",
        parts={
            "IpAddressType": Way("/endpointConfiguration/ipAddressType"),
            "VpcEndpointIds": Way("/endpointConfiguration/vpcEndpointIds", listed=True),
        },
    ),
    "MinimumCompressionSize": Way("/minimumCompressionSize"),
    "Policy": Way("/policy"),
    "SecurityPolicy": Way("/securityPolicy"),
}

_API = Declaration(
    type=TypeName("AWS::ApiGateway::RestApi"),
    service="apigateway",
    renames={"ApiKeySourceType": "apiKeySource"},
    arn="arn:{partition}:apigateway:{region}::/restapis/{RestApiId}",
    read=Read("get_rest_api", renames={"RestApiId": "id"}, constants={"restApiId": "{RestApiId}"}),
    create=Call("create_rest_api", (*_WAYS, "CloneFrom", *_DEFINITION)),
    updates=(
        Update(Call("put_rest_api", _DEFINITION), whole=True),
        Update(Call("update_rest_api", tuple(_WAYS))),
    ),
    delete=Call("delete_rest_api"),
    listing=Listing("get_rest_apis", "items"),
    tagging=arn_tagging("resourceArn", tags="tags", keys="tagKeys", create="tags", read="", inline="tags"),
    looks_first=True,
    resets={
        "ApiKeySourceType": "HEADER",
        "BinaryMediaTypes": [],
        "Description": "",
        "DisableExecuteApiEndpoint": False,
        "EndpointConfiguration": {"Types": ["EDGE"]},
        "MinimumCompressionSize": "",
        "Policy": "",
        "Version": "",
    },
    asks={
        "BodyS3Location": ("s3:GetObject", "s3:GetObjectVersion"),
        "Policy": ("apigateway:UpdateRestApiPolicy",),
    },
)


class Part(Declared):
    """Anything of API Gateway, where a deletion is precious: of APIs there may be one in thirty seconds."""

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: what isn't there isn't deleted."""
        self._reader.item(scope, identifier)
        super().remove(scope, identifier)

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: what is empty isn't set."""
        return {name: value for name, value in properties.items() if value not in ("", [], {})}


class RestApi(Part):
    """An API. It is made with its tags, so that it can be found again, then given its definition.

    A definition replaces what was there, the API's own settings included: those of the plan are set once more.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        given = {name: value for name, value in values.items() if name not in ("Body", "BodyS3Location")}
        if call.operation == "put_rest_api":
            return {"Mode": "overwrite", **given, "Body": _definition(scope, values)}
        given = {name: value for name, value in given.items() if name not in _DEFINITION}
        if "Name" not in given and (document := parsed_json(_definition(scope, values).decode())):
            given["Name"] = document.get("info", {}).get("title") if isinstance(document, Mapping) else None
        return given

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``: API Gateway answers a policy as it would stand in a text of JSON, quotes escaped."""
        policy = item.answer.get("policy")
        if isinstance(policy, str) and policy.startswith('{\\"'):
            properties["Policy"] = parsed_json(json.loads(f'"{policy}"'))
        return super().adapt_observed(scope, item, properties)

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``."""
        made = super().make(scope, desired, token)
        definition = {name: desired[name] for name in _DEFINITION if desired.get(name) is not None}
        if definition.keys() & {"Body", "BodyS3Location"}:
            self._send(scope, self.declaration.updates[0].call, {"RestApiId": made}, definition)
            self._restore(scope, made, desired)
        return made

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``Declared``."""
        progress = super().update(scope, identifier, before, after, changed)
        if changed.intersection(_DEFINITION):
            self._restore(scope, identifier, reveal(after))
        return progress

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.call.operation == "update_rest_api":
            self._patch(scope, identifier, before, after)
        elif after.keys() & {"Body", "BodyS3Location"}:
            super().change(scope, identifier, update, before, after)
        else:
            message = f"the definition of {self.type_name} {identifier} can't be taken back: set it to what is wanted"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        """As in ``Declared``. A definition is never shown: a create that was cut short may not have come to it."""
        given = {name for name in ("Body", "BodyS3Location") if desired.get(name) is not None}
        return super()._differing(scope, desired, live) | given

    def _restore(self, scope: Scope, identifier: Identifier, desired: Properties) -> None:
        wanted = {name: desired[name] for name in _WAYS if desired.get(name) is not None}
        live = self._live(scope, identifier, frozenset(wanted))
        differing = self._differing(scope, wanted, live)
        self._patch(scope, identifier, live, {name: wanted[name] for name in differing})

    def _patch(self, scope: Scope, identifier: Identifier, before: Properties, after: Properties) -> None:
        needed = _moved(before, after) + patches(_WAYS, before, after)
        if needed:
            scope.call("apigateway", "update_rest_api", restApiId=identifier, patchOperations=needed)


def _definition(scope: Scope, values: Properties) -> bytes:
    """The definition as it is sent; empty if there is none."""
    body, place = values.get("Body"), values.get("BodyS3Location")
    if body is not None:
        return (body if isinstance(body, str) else json.dumps(body)).encode()
    if place is None:
        return b""
    names = {"Bucket": "Bucket", "Key": "Key", "Version": "VersionId", "ETag": "IfMatch"}
    given = {parameter: place[name] for name, parameter in names.items() if place.get(name)}
    return bytes(scope.call("s3", "get_object", **given)["Body"].read())


def _moved(before: Properties, after: Properties) -> list[Patch]:
    """The patch that makes an endpoint another type's."""
    old = (before.get("EndpointConfiguration") or {}).get("Types") or ["EDGE"]
    new = (after.get("EndpointConfiguration") or {}).get("Types") or old
    return [replaced(f"/endpointConfiguration/types/{old[0]}", new[0])] if new != old else []


_RESOURCE = Declaration(
    type=TypeName("AWS::ApiGateway::Resource"),
    service="apigateway",
    read=Read("get_resource", renames={"ResourceId": "id"}, constants={"resourceId": "{ResourceId}"}),
    create=Call("create_resource"),
    delete=Call("delete_resource"),
    listing=Listing("get_resources", "items", {"restApiId": "{RestApiId}"}, match=("ParentId", "PathPart")),
    looks_first=True,
)

PROVIDERS: tuple[ResourceProvider, ...] = (RestApi(_API), Part(_RESOURCE))
