"""AWS::SNS::Subscription."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Update
from reconciler.providers.declared.reading import Item

_PLACE = ("TopicArn", "Protocol", "Endpoint")
_DOCUMENTS = ("DeliveryPolicy", "FilterPolicy", "RedrivePolicy", "ReplayPolicy")
#: Scope comes before policy: AWS checks a filter by the scope that the subscription has.
_ATTRIBUTES = (
    "RawMessageDelivery",
    "FilterPolicyScope",
    "FilterPolicy",
    "DeliveryPolicy",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
)

_SUBSCRIPTION = Declaration(
    type=TypeName("AWS::SNS::Subscription"),
    service="sns",
    renames={"Arn": "SubscriptionArn"},
    read=Read("get_subscription_attributes", "Attributes"),
    create=Call("subscribe", (*_PLACE, *_ATTRIBUTES)),
    updates=tuple(Update(Call("set_subscription_attributes"), of=(name,)) for name in _ATTRIBUTES),
    delete=Call("unsubscribe"),
    listing=Listing(
        "list_subscriptions_by_topic", "Subscriptions", {"TopicArn": "{TopicArn}"}, match=_PLACE, whole=False
    ),
    looks_first=True,
    resets={
        **dict.fromkeys((*_DOCUMENTS, "SubscriptionRoleArn"), ""),
        "FilterPolicyScope": "MessageAttributes",
        "RawMessageDelivery": False,
    },
    unsupported=frozenset({"Region"}),
    also=("iam:PassRole",),
)


class Subscription(Declared):
    """A subscription. What is neither its topic nor its endpoint is an attribute, a text like all attributes.

    One by e-mail or HTTP waits for the endpoint's owner to confirm it, which is not waited for, as in CloudFormation.
    """

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:  # noqa: ARG002 - see below
        """See ``Declared``: there is one subscription of an endpoint to a topic, however often it is asked for."""
        place = {name: str(desired[name]) for name in _PLACE if desired.get(name) is not None}
        attributes = {name: _worded(desired[name]) for name in _ATTRIBUTES if desired.get(name) is not None}
        answer = scope.call("sns", "subscribe", **place, Attributes=attributes, ReturnSubscriptionArn=True)
        return Identifier(answer["SubscriptionArn"])

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        del before
        (name,) = update.names
        given = {"AttributeName": name, "AttributeValue": _worded(after.get(name, ""))}
        scope.call("sns", "set_subscription_attributes", SubscriptionArn=identifier, **given)

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        for name in _DOCUMENTS:
            if isinstance(properties.get(name), str):
                properties[name] = json.loads(properties[name] or "{}")
        return {name: value for name, value in properties.items() if value not in ({}, "")}


def _worded(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


PROVIDERS: tuple[ResourceProvider, ...] = (Subscription(_SUBSCRIPTION),)
