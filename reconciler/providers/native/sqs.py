"""AWS::SQS::Queue."""

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
from reconciler.providers.native.reading import document_in, names_shown, shared_beginning
from reconciler.providers.native.tagging import Tags, as_map

_NUMBERS = frozenset(
    {
        "DelaySeconds",
        "KmsDataKeyReusePeriodSeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "VisibilityTimeout",
    }
)
_FIFO_FLAGS = ("ContentBasedDeduplication", "FifoQueue")
_FLAGS = frozenset({*_FIFO_FLAGS, "SqsManagedSseEnabled"})
_DOCUMENTS = frozenset({"RedriveAllowPolicy", "RedrivePolicy"})
_TEXTS = frozenset({"DeduplicationScope", "FifoThroughputLimit", "KmsMasterKeyId"})
_ATTRIBUTES = _NUMBERS | _FLAGS | _DOCUMENTS | _TEXTS

#: What AWS gives a queue that says nothing; an empty policy or key id removes it.
_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


class Queue(ListedProvider):
    """A queue; its identifier is its URL."""

    type_name = TypeName("AWS::SQS::Queue")
    supported: ClassVar = _ATTRIBUTES | {"QueueName", "Tags"}
    fixed: ClassVar = frozenset({"FifoQueue", "QueueName"})
    naming: ClassVar = NameRule("QueueName", 80, fifo="FifoQueue")
    resource_type: ClassVar = "sqs"
    looks_first: ClassVar = True
    tags_guard: ClassVar = True
    told: ClassVar = frozenset({"Arn", "QueueName", "QueueUrl"})

    def _identifier(self, scope: Scope, name: str) -> Identifier:
        return Identifier(scope.call("sqs", "get_queue_url", QueueName=name)["QueueUrl"])

    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        page: dict[str, Any] = {"QueueNamePrefix": shared_beginning(names), "MaxResults": 1000}
        return names_shown(
            scope,
            "sqs",
            "list_queues",
            names,
            key="QueueUrls",
            token=("NextToken", "NextToken"),
            name=self._name_in,
            **page,
        )

    def _name_in(self, identifier: Identifier) -> str:
        return identifier.rpartition("/")[2]

    def _told(self, scope: Scope, identifier: Identifier) -> dict[str, Any]:
        name = self._name_in(identifier)
        return {"QueueUrl": identifier, "QueueName": name, "Arn": self._arn(scope, identifier)}

    def _arn(self, scope: Scope, identifier: Identifier) -> str:
        account, name = identifier.split("/")[-2:]
        return f"arn:{scope.partition}:sqs:{scope.region}:{account}:{name}"

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:
        return self._identifier(scope, arn.rpartition(":")[2])

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        answer = scope.call("sqs", "get_queue_attributes", QueueUrl=item.identifier, AttributeNames=["All"])
        attributes: Mapping[str, str] = answer["Attributes"]
        standard = {} if "FifoQueue" in attributes else dict.fromkeys(_FIFO_FLAGS, False)
        properties = {name: _parsed(name, attributes[name]) for name in _ATTRIBUTES if attributes.get(name)}
        arn = attributes["QueueArn"]
        return {"QueueUrl": item.identifier, "QueueName": arn.rpartition(":")[2], "Arn": arn, **standard, **properties}

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        return as_map(scope.call("sqs", "list_queue_tags", QueueUrl=identifier).get("Tags"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("sqs", "tag_queue", QueueUrl=identifier, Tags=tags)

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("sqs", "untag_queue", QueueUrl=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        attributes = {key: _worded(desired[key]) for key in _ATTRIBUTES if key in desired}
        for flag in _FIFO_FLAGS:
            if attributes.get("FifoQueue", "false") == "false" and attributes.get(flag) == "false":
                del attributes[flag]  # a standard queue must not mention it
        answer = scope.call("sqs", "create_queue", QueueName=name, Attributes=attributes, tags=tags)
        return Done(Identifier(answer["QueueUrl"]))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        attributes = {name: _worded(change.value(name, _DEFAULTS[name])) for name in change.names}
        scope.call("sqs", "set_queue_attributes", QueueUrl=identifier, Attributes=attributes)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("sqs", "delete_queue", QueueUrl=identifier)
        return Done(identifier)


def _parsed(name: str, text: str) -> Any:
    if name in _NUMBERS:
        return int(text)
    if name in _FLAGS:
        return text.lower() == "true"
    return document_in(text) if name in _DOCUMENTS else text


def _worded(value: Any) -> str:
    """Attribute values are strings; a policy is its JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


PROVIDERS: tuple[ResourceProvider, ...] = (Queue(),)
