"""AWS::ApiGateway::Method: what a resource answers to a verb, with its integration and the responses of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Read, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.apigateway import Part

_OWN = (
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "OperationName",
    "RequestModels",
    "RequestParameters",
    "RequestValidatorId",
)
_IDENTITY = ("RestApiId", "ResourceId", "HttpMethod")
_RESPONSE = ("ResponseModels", "ResponseParameters", "StatusCode")
_ANSWER = ("ContentHandling", "ResponseParameters", "ResponseTemplates", "SelectionPattern", "StatusCode")

_PUT_METHOD = Call("put_method", (*_OWN, *_IDENTITY))
_PUT_RESPONSE = Call("put_method_response", ("MethodResponses",), spread=("MethodResponses",))
_PUT_INTEGRATION = Call("put_integration", ("Integration",), spread=("Integration",))
_PUT_ANSWER = Call("put_integration_response")

_METHOD = Declaration(
    type=TypeName("AWS::ApiGateway::Method"),
    service="apigateway",
    read=Read(
        "get_method",
        renames={"Integration": "methodIntegration", "Integration/IntegrationHttpMethod": "httpMethod"},
    ),
    create=_PUT_METHOD,
    updates=(
        Update(_PUT_METHOD, of=_OWN, whole=True),
        Update(_PUT_RESPONSE, clear=Call("delete_method_response"), later=True),
        Update(_PUT_INTEGRATION, clear=Call("delete_integration"), later=True),
    ),
    delete=Call("delete_method"),
    looks_first=True,
    asks={"Integration": ("iam:PassRole",)},
)


class Method(Part):
    """A method. Each part is replaced as one: what callers are served is a deployment's, which doesn't change with it.

    AWS refuses a second put of a method and of its responses, so that these are deleted first.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        return {"AuthorizationType": "NONE", **values} if call is _PUT_METHOD else values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``: API Gateway has responses by their status."""
        properties = super().adapt_observed(scope, item, properties)
        if "MethodResponses" in properties:
            properties["MethodResponses"] = _listed(properties["MethodResponses"])
        integration = properties.get("Integration")
        if integration:
            answers = _listed(integration.pop("IntegrationResponses", None) or {})
            properties["Integration"] = {**integration, **({"IntegrationResponses": answers} if answers else {})}
        return properties

    def change(
        self,
        scope: Scope,
        identifier: Identifier,
        update: Update,
        before: Properties,  # noqa: ARG002
        after: Properties,
    ) -> None:
        """See ``Declared``. What is there is looked at again: an earlier update of the same change may have made it."""
        identity = self._reader.identity(scope, identifier)
        live = self._live(scope, identifier, frozenset({"MethodResponses", "Integration"}))
        if update.call is _PUT_METHOD:
            self._call(scope, "delete_method", identity)
            self._send(scope, _PUT_METHOD, identity, after)
            self._respond(scope, identity, [], live.get("MethodResponses") or [])
            self._integrate(scope, identity, None, live.get("Integration"))
        elif update.call is _PUT_RESPONSE:
            self._respond(scope, identity, live.get("MethodResponses") or [], after.get("MethodResponses") or [])
        else:
            self._integrate(scope, identity, live.get("Integration"), after.get("Integration"))

    def _respond(
        self, scope: Scope, identity: Mapping[str, str], before: list[Properties], after: list[Properties]
    ) -> None:
        wanted = {str(one["StatusCode"]): one for one in after}
        kept = {str(one["StatusCode"]) for one in before if one == wanted.get(str(one["StatusCode"]))}
        for one in before:
            if str(one["StatusCode"]) not in kept:
                self._call(scope, "delete_method_response", identity, statusCode=str(one["StatusCode"]))
        for status, one in wanted.items():
            if status not in kept:
                self._send(scope, _PUT_RESPONSE, identity, {"MethodResponses": _only(one, _RESPONSE)})

    def _integrate(
        self, scope: Scope, identity: Mapping[str, str], before: Properties | None, after: Properties | None
    ) -> None:
        if before:
            self._call(scope, "delete_integration", identity)
        if not after:
            return
        own = {name: value for name, value in after.items() if name != "IntegrationResponses"}
        self._send(scope, _PUT_INTEGRATION, identity, {"Integration": own})
        for one in after.get("IntegrationResponses") or ():
            self._send(scope, _PUT_ANSWER, identity, _only(one, _ANSWER))

    def _call(self, scope: Scope, operation: str, identity: Mapping[str, str], **given: str) -> None:
        own = {name[0].lower() + name[1:]: value for name, value in identity.items()}
        scope.call("apigateway", operation, **own, **given)


def _listed(by_status: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Responses by status as a list, without what is empty."""
    return [_only(by_status[status], by_status[status]) for status in sorted(by_status)]


def _only(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) not in (None, "", [], {})}


PROVIDERS: tuple[ResourceProvider, ...] = (Method(_METHOD),)
