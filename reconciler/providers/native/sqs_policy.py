"""AWS::SQS::QueuePolicy."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.shapes import policy_text
from reconciler.providers.native.shared_policy import SharedPolicy


class QueuePolicy(SharedPolicy):
    """The policy of queues, which have none unless it is given; ``Queues`` are URLs."""

    type_name = TypeName("AWS::SQS::QueuePolicy")
    supported: ClassVar = frozenset({"PolicyDocument", "Queues"})
    holders: ClassVar = "Queues"

    def _policy(self, scope: Scope, holder: str) -> Any:
        answer = scope.call("sqs", "get_queue_attributes", QueueUrl=holder, AttributeNames=["Policy"])
        text = answer.get("Attributes", {}).get("Policy")
        return json.loads(text) if text else None

    def _put(self, scope: Scope, holder: str, document: Any) -> None:
        scope.call("sqs", "set_queue_attributes", QueueUrl=holder, Attributes={"Policy": policy_text(document)})

    def _clear(self, scope: Scope, holder: str) -> None:
        self._put(scope, holder, "")


PROVIDERS: tuple[ResourceProvider, ...] = (QueuePolicy(),)
