"""AWS::SNS::TopicPolicy."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.shapes import policy_text
from reconciler.providers.native.shared_policy import SharedPolicy

#: What AWS calls the policy that it gives a topic; a topic is never without one.
_DEFAULT_ID = "__default_policy_ID"
_OWNERS = (
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
)


class TopicPolicy(SharedPolicy):
    """The policy of topics; without one, and again after its deletion, they have AWS's own. ``Topics`` are ARNs."""

    type_name = TypeName("AWS::SNS::TopicPolicy")
    supported: ClassVar = frozenset({"PolicyDocument", "Topics"})
    holders: ClassVar = "Topics"

    def _policy(self, scope: Scope, holder: str) -> Any:
        text = scope.call("sns", "get_topic_attributes", TopicArn=holder)["Attributes"].get("Policy")
        found = json.loads(text) if text else {}
        return None if not found or found.get("Id") == _DEFAULT_ID else found

    def _put(self, scope: Scope, holder: str, document: Any) -> None:
        scope.call(
            "sns", "set_topic_attributes", TopicArn=holder, AttributeName="Policy", AttributeValue=policy_text(document)
        )

    def _clear(self, scope: Scope, holder: str) -> None:
        self._put(scope, holder, _default_policy(holder, holder.split(":")[4]))


def _default_policy(arn: str, account: str) -> dict[str, Any]:
    """The policy that AWS gives a new topic: its owner's account may do everything."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(_OWNERS),
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return {"Version": "2008-10-17", "Id": _DEFAULT_ID, "Statement": [statement]}


PROVIDERS: tuple[ResourceProvider, ...] = (TopicPolicy(),)
