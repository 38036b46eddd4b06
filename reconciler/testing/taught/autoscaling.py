"""Auto Scaling: topics are told of what happens in a group."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from reconciler.testing.taught.lesson import Lesson, adds, remembered


def _told(self: Any, name: str) -> dict[str, Any]:
    return remembered(self.autoscaling_backend.autoscaling_groups[name], "topics")


def put_notification_configuration(self: Any) -> Any:
    """PutNotificationConfiguration."""
    told = _told(self, self._get_param("AutoScalingGroupName"))
    told[self._get_param("TopicARN")] = list(self._get_param("NotificationTypes"))
    return EmptyResult()


def describe_notification_configurations(self: Any) -> Any:
    """DescribeNotificationConfigurations."""
    found = [
        {"AutoScalingGroupName": name, "TopicARN": topic, "NotificationType": event}
        for name in self._get_param("AutoScalingGroupNames", [])
        for topic, events in _told(self, name).items()
        for event in events
    ]
    return ActionResult({"NotificationConfigurations": found})


def delete_notification_configuration(self: Any) -> Any:
    """DeleteNotificationConfiguration."""
    del _told(self, self._get_param("AutoScalingGroupName"))[self._get_param("TopicARN")]
    return EmptyResult()


LESSONS = (
    Lesson(
        call="autoscaling:PutNotificationConfiguration",
        aws="has a topic told of what happens in a group",
        moto="has none of the three operations",
        given=(
            adds(
                AutoScalingResponse,
                put_notification_configuration,
                describe_notification_configurations,
                delete_notification_configuration,
            ),
        ),
    ),
)
