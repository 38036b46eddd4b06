"""SNS: topics show where deliveries are logged, how long messages may be and what is masked; tags aren't overlooked."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.sns.exceptions import InvalidParameterValue
from moto.sns.responses import SNSResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered

_create, _put, _get = SNSResponse.create_topic, SNSResponse.set_topic_attributes, SNSResponse.get_topic_attributes


def _answered(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.result
    return found


def _remember(self: Any, arn: str, given: dict[str, Any]) -> None:
    feedback = {name: value for name, value in given.items() if "Feedback" in name or name == "MaximumMessageSize"}
    remembered(self.backend.get_topic(arn), "feedback").update(feedback)


def create_topic(self: Any) -> Any:
    """CreateTopic."""
    there = [topic for topic in self.backend.topics.values() if topic.name == self._get_param("Name")]
    if there and not self._get_tags().items() <= there[0]._tags.items():
        raise InvalidParameterValue("Invalid parameter: Tags Reason: Topic already exists with different tags")
    answer = _create(self)
    _remember(self, _answered(answer)["TopicArn"], self._get_attributes())
    if self._get_param("DataProtectionPolicy"):
        _mask(self, _answered(answer)["TopicArn"])
    return answer


def _mask(self: Any, arn: str) -> None:
    remembered(self.backend.get_topic(arn), "masking")["DataProtectionPolicy"] = self._get_param("DataProtectionPolicy")


def put_data_protection_policy(self: Any) -> Any:
    """PutDataProtectionPolicy."""
    _mask(self, self._get_param("ResourceArn"))
    return ActionResult({})


def get_data_protection_policy(self: Any) -> Any:
    """GetDataProtectionPolicy."""
    return ActionResult(dict(remembered(self.backend.get_topic(self._get_param("ResourceArn")), "masking")))


def set_topic_attributes(self: Any) -> Any:
    """SetTopicAttributes."""
    answer = _put(self)
    _remember(self, self._get_param("TopicArn"), {self._get_param("AttributeName"): self._get_param("AttributeValue")})
    return answer


def get_topic_attributes(self: Any) -> Any:
    """GetTopicAttributes."""
    answer = _get(self)
    _answered(answer)["Attributes"] |= remembered(self.backend.get_topic(self._get_param("TopicArn")), "feedback")
    return answer


LESSONS = (
    Lesson(
        call="sns:GetTopicAttributes",
        aws="shows where a topic's deliveries are logged and how long its messages may be",
        moto="forgets the attributes that say so",
        given=(changes(SNSResponse, set_topic_attributes, get_topic_attributes),),
    ),
    Lesson(
        call="sns:CreateTopic",
        aws="refuses a topic that is there with other tags, and takes where its deliveries are logged",
        moto="answers it as if it had made it, and leaves the logging out",
        given=(changes(SNSResponse, create_topic),),
    ),
    Lesson(
        call="sns:GetDataProtectionPolicy",
        aws="keeps what of messages is masked",
        moto="has neither of the two operations",
        given=(adds(SNSResponse, put_data_protection_policy, get_data_protection_policy),),
    ),
)
