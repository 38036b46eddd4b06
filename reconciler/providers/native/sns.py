"""AWS::SNS::Topic."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import document_in, names_shown
from reconciler.providers.native.shapes import policy_text
from reconciler.providers.native.tagging import Tags, as_list, as_map

_FLAGS = ("ContentBasedDeduplication", "FifoTopic")
_TEXTS = ("DisplayName", "FifoThroughputScope", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_DOCUMENTS = ("ArchivePolicy",)
_NUMBERS = ("MaximumMessageSize",)
_ATTRIBUTES = (*_FLAGS, *_TEXTS, *_DOCUMENTS, *_NUMBERS)

#: What AWS gives a topic that says nothing.
_DEFAULTS = {
    "ArchivePolicy": "{}",
    "ContentBasedDeduplication": "false",
    "DisplayName": "",
    "FifoThroughputScope": "Topic",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
_LOGGING, _MASKING = "DeliveryStatusLogging", "DataProtectionPolicy"
#: how attributes begin that say where the delivery by a protocol is logged, and how they go on
_LOGGED = {"application": "Application", "firehose": "Firehose", "http/s": "HTTP", "lambda": "Lambda", "sqs": "SQS"}
_NOT_LOGGED = {"FailureFeedbackRoleArn": "", "SuccessFeedbackRoleArn": "", "SuccessFeedbackSampleRate": "0"}


class Topic(ListedProvider):
    """A topic; its identifier is its ARN.

    A plan that gives ``Subscription`` says with it all that is subscribed: others are taken off. Subscriptions with
    settings, or in other hands, are resources of their own, of a topic without that property.
    """

    type_name = TypeName("AWS::SNS::Topic")
    supported: ClassVar = frozenset({*_ATTRIBUTES, _LOGGING, _MASKING, "Subscription", "TopicName", "Tags"})
    fixed: ClassVar = frozenset({"FifoTopic", "TopicName"})
    naming: ClassVar = NameRule("TopicName", 256, fifo="FifoTopic")
    resource_type: ClassVar = "sns"
    looks_first: ClassVar = True
    tags_guard: ClassVar = True
    told: ClassVar = frozenset({"TopicArn", "TopicName"})

    def _identifier(self, scope: Scope, name: str) -> Identifier:
        return Identifier(f"arn:{scope.partition}:sns:{scope.region}:{scope.account}:{name}")

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        return names_shown(
            scope,
            "sns",
            "list_topics",
            names,
            key="Topics",
            token=("NextToken", "NextToken"),
            name=lambda topic: self._name_in(topic["TopicArn"]),
        )

    def _name_in(self, identifier: Identifier) -> str:
        return identifier.rpartition(":")[2]

    def _told(self, scope: Scope, identifier: Identifier) -> dict[str, Any]:  # noqa: ARG002 - it is the ARN
        return {"TopicArn": identifier, "TopicName": self._name_in(identifier)}

    def _arn(self, scope: Scope, identifier: Identifier) -> str:  # noqa: ARG002 - it is the identifier
        return identifier

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - it is the identifier
        return Identifier(arn)

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        arn = item.identifier
        attributes: Mapping[str, str] = scope.call("sns", "get_topic_attributes", TopicArn=arn)["Attributes"]
        properties: dict[str, Any] = {name: attributes[name] for name in _TEXTS if attributes.get(name)}
        properties |= {name: attributes.get(name, "false").lower() == "true" for name in _FLAGS}
        properties |= {name: document_in(attributes[name]) for name in _DOCUMENTS if attributes.get(name)}
        properties |= {name: int(attributes[name]) for name in _NUMBERS if attributes.get(name)}
        properties |= {_LOGGING: logged} if (logged := _logging_of(attributes)) else {}
        if "Subscription" in item.properties and (subscribed := _subscriptions(scope, arn)):
            properties["Subscription"] = [
                {"Endpoint": one["Endpoint"], "Protocol": one["Protocol"]} for one in subscribed
            ]
        if _MASKING in item.properties and (masking := _masking(scope, arn)):
            properties[_MASKING] = document_in(masking)
        return {**self._told(scope, arn), **properties}

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        return as_map(scope.call("sns", "list_tags_for_resource", ResourceArn=identifier).get("Tags"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("sns", "tag_resource", ResourceArn=identifier, Tags=as_list(tags))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("sns", "untag_resource", ResourceArn=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        attributes = {key: _worded(desired[key]) for key in _ATTRIBUTES if key in desired}
        for flag in _FLAGS:
            if attributes.get("FifoTopic", "false") == "false" and attributes.get(flag) == "false":
                del attributes[flag]  # a standard topic must not mention it
        attributes |= _logging_to(desired.get(_LOGGING))
        more = {_MASKING: policy_text(desired[_MASKING])} if desired.get(_MASKING) else {}
        answer = scope.call("sns", "create_topic", Name=name, Attributes=attributes, Tags=as_list(tags), **more)
        rest = frozenset({"Subscription"} & desired.keys())
        return self._update(scope, Identifier(answer["TopicArn"]), Change({}, desired, rest))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        if "Subscription" in change.names:
            _subscribe(scope, identifier, change)
        if _MASKING in change.names:
            policy = policy_text(change.value(_MASKING) or "")  # an empty one takes it away
            scope.call("sns", "put_data_protection_policy", ResourceArn=identifier, DataProtectionPolicy=policy)
        wanted = {name: _worded(change.value(name, _DEFAULTS[name])) for name in change.names & set(_ATTRIBUTES)}
        if _LOGGING in change.names:
            old, new = _logging_to(change.before.get(_LOGGING)), _logging_to(change.value(_LOGGING))
            gone = {name: next(_NOT_LOGGED[end] for end in _NOT_LOGGED if name.endswith(end)) for name in old}
            wanted |= {name: value for name, value in {**gone, **new}.items() if old.get(name) != value}
        for name, value in sorted(wanted.items()):
            scope.call("sns", "set_topic_attributes", TopicArn=identifier, AttributeName=name, AttributeValue=value)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("sns", "delete_topic", TopicArn=identifier)
        return Done(identifier)


def _logging_of(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """Where deliveries are logged; a protocol without a role isn't."""
    found: list[dict[str, str]] = []
    for protocol, begin in _LOGGED.items():
        feedback = {end: str(attributes[f"{begin}{end}"]) for end in _NOT_LOGGED if attributes.get(f"{begin}{end}")}
        if any(end.endswith("RoleArn") for end in feedback):
            found.append({"Protocol": protocol, **feedback})
    return found


def _logging_to(value: Any) -> dict[str, str]:
    """The attributes that say where deliveries are logged."""
    return {
        f"{_LOGGED[str(one['Protocol'])]}{end}": str(one[end])
        for one in value or ()
        for end in _NOT_LOGGED
        if one.get(end) is not None
    }


def _masking(scope: Scope, arn: str) -> str:
    """What of messages is kept from whom, as JSON; empty where nothing is."""
    return str(scope.call("sns", "get_data_protection_policy", ResourceArn=arn).get(_MASKING) or "")


def _subscriptions(scope: Scope, arn: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = scope.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn)
    return found


def _subscribe(scope: Scope, arn: str, change: Change) -> None:
    """Subscribe what is to be, then take off what isn't. One that its owner hasn't confirmed yet has no ARN."""
    wanted = {(str(one["Protocol"]), str(one["Endpoint"])) for one in change.value("Subscription", ())}
    there = {(str(one["Protocol"]), str(one["Endpoint"])): one for one in _subscriptions(scope, arn)}
    for protocol, endpoint in sorted(wanted - there.keys()):
        scope.call("sns", "subscribe", TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
    for place in sorted(there.keys() - wanted):
        if str(there[place]["SubscriptionArn"]).startswith("arn:"):
            scope.call("sns", "unsubscribe", SubscriptionArn=there[place]["SubscriptionArn"])


def _worded(value: Any) -> str:
    """Attribute values are strings; a policy is its JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


PROVIDERS: tuple[ResourceProvider, ...] = (Topic(),)
